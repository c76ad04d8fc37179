"""The commands as a user types them: output, exit codes, errors in one line. Run in this process, for speed."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from naba import cli
from tests.conftest import FOUR_TOPICS, Run

SUITE = """
kind: minimum
at_least: 0.5
tests:
  - {name: weather, description: No topic at all, labels: {}, cases: ["هطلت أمطار غزيرة على الساحل.", "ارتفعت الحرارة في المدن."]}
"""


def fault(result: tuple[int, str, str]) -> str:
    """The one line of a user's fault."""
    code, _, errors = result
    assert code == 2
    assert "Traceback" not in errors
    lines = errors.strip().splitlines()
    assert len(lines) == 1, errors
    assert lines[0].startswith("naba: error: ")
    return lines[0]


def test_help_names_every_command_and_each_has_help(naba: Run) -> None:
    code, out, _ = naba("--help")
    assert code == 0
    for words in cli.command_names():
        assert words[0] in out
        code, told, _ = naba(*words, "--help")
        assert code == 0
        assert len(told.split("Usage")[1].split("Options")[0].split()) > 8, f"{words} has no help"


def test_help_does_not_import_torch() -> None:
    code = (
        "import sys; sys.argv = ['naba', '--help']\ntry:\n from naba import cli; cli.main()\nexcept SystemExit: pass\n"
    )
    code += "print('loaded:', [m for m in ('torch', 'transformers', 'sklearn', 'pyarrow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "loaded: []" in done.stdout


def test_version(naba: Run) -> None:
    assert naba("--version")[1].strip() == "naba 0.1.0"


def test_whole_path_with_a_schema_of_four_topics_and_two_stances(
    naba: Run, tiny_encoder: Path, market_rows: list[dict[str, Any]], write_rows: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "labels.yaml").write_text(yaml.safe_dump(FOUR_TOPICS, allow_unicode=True), encoding="utf-8")
    write_rows("rows.jsonl", market_rows[:72])
    test = write_rows("test.jsonl", market_rows[72:])
    (tmp_path / "build.yaml").write_text(
        "labels: labels.yaml\ntrain: [rows.jsonl]\nout: built\nsplit: {validation: 0.3}\n"
    )
    (tmp_path / "train.yaml").write_text(
        "labels: labels.yaml\ntrain: [built/train.jsonl]\nvalidation: [built/validation.jsonl]\nout: run\n"
        f"encoder: {tiny_encoder}\nmax_tokens: 64\nepochs: 30\nbatch_size: 4\nlearning_rate: 1e-3\nhead_learning_rate: 5e-3\ndevice: cpu\n"
    )
    assert naba("build", "build.yaml")[0] == 0
    assert naba("train", "train.yaml")[0] == 0
    code, out, _ = naba("evaluate", "run", "--data", test, "--allow-leak")  # the rows differ in a number only
    assert code == 0
    assert "this run" in out
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["schema"]["topics"] == ["oil", "gold", "housing", "labour"]
    # The words give everything away: a path that works end to end learns it.
    assert report["systems"]["model"]["scores"]["topics"]["macro_f1"] > 0.9
    (tmp_path / "article.txt").write_text("أسعار ذهب ترتفع في السوق رقم 5 اليوم اليوم", encoding="utf-8")
    assert naba("label", "article.txt", "--out", "out", "--model", "run", "--set", "formats=[jsonl, csv]")[0] == 0
    (article,) = [
        json.loads(line)
        for line in (tmp_path / "out" / "part-00000-00000.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert set(article["segments"][0]["topics"]) == {"oil", "gold", "housing", "labour"}
    assert "p_optimistic" in (tmp_path / "out" / "part-00000-00000.csv").read_text(encoding="utf-8-sig").splitlines()[0]


def test_labelling_seeds_from_any_folder(naba: Run, tiny_run: Path, tmp_path: Path) -> None:
    code, out, errors = naba("label", "seeds", "--out", "labelled", "--model", tiny_run)
    assert (code, errors) == (0, "")
    assert "9 articles, 84 segments" in out
    assert (tmp_path / "labelled" / "part-00000-00000.jsonl").is_file()


def test_bad_files_of_a_batch_are_named_and_the_exit_code_says_so(naba: Run, tiny_run: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.txt").write_text("قال الوزير إن المحادثات مستمرة.", encoding="utf-8")
    (tmp_path / "in" / "old.txt").write_bytes("قال الوزير إن المحادثات مستمرة.".encode("cp1256"))
    code, out, errors = naba("label", "in", "--out", "out", "--model", tiny_run)
    assert code == 3
    assert "1 articles, 1 segments" in out
    assert "in/old.txt: not UTF-8" in errors
    assert "rejected.jsonl" in errors
    assert "Traceback" not in errors
    assert len((tmp_path / "out" / "part-00000-00000.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_batch_of_which_nothing_could_be_labelled_is_a_fault(naba: Run, tiny_run: Path, tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes("قال الوزير إن المحادثات مستمرة.".encode("cp1256"))
    for out in ("out", "-"):
        code, _, errors = naba("label", "old.txt", "--out", out, "--model", tiny_run)
        assert code == 2
        assert "old.txt: not UTF-8" in errors


def test_user_faults_are_one_line_and_exit_code_two(naba: Run, tiny_run: Path, tmp_path: Path) -> None:
    assert "none.txt: no such file" in fault(naba("label", "none.txt", "--out", "out"))
    assert "no such model folder" in fault(naba("label", "seeds", "--out", "out", "--model", "nowhere"))
    assert "unknown key 'speed'" in fault(naba("label", "seeds", "--out", "out", "--set", "speed=9"))
    assert "no such configuration file" in fault(naba("train", "none.yaml"))
    assert "cannot be loaded as an encoder" in fault(
        naba("train", "configs/train.yaml", *_training(tiny_run), "--set", "encoder=seeds")
    )
    assert "is unknown; known: standard-1" in fault(
        naba("train", "configs/train.yaml", *_training(tiny_run), "--set", "normalisation=x")
    )
    (tmp_path / "rows.jsonl").write_text('{"text": "نص", "labels": {"sport": {"present": true, "stance": null}}}\n')
    assert "topic 'sport' is not in the label schema" in fault(naba("evaluate", tiny_run, "--data", "rows.jsonl"))
    assert not (tmp_path / "out").exists()


def test_interrupt_says_so_in_one_line(naba: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from naba.labelling import job

    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "label_paths", interrupted)
    code, _, errors = naba("label", "seeds", "--out", "out")
    assert code == 130
    assert errors.startswith("naba: interrupted; ")
    assert len(errors.strip().splitlines()) == 1


def test_wrong_usage_is_one_line_too(naba: Run) -> None:
    assert "label" in fault(naba("lable", "seeds"))
    assert "--out" in fault(naba("label", "seeds"))
    assert "quickstart" in naba()[1]


def test_paths_with_odd_characters_are_taken_as_they_are(naba: Run, tiny_run: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(tiny_run, tmp_path / "run #2, new: [x]")
    assert naba("label", "seeds", "--out", "out, a", "--model", "run #2, new: [x]")[0] == 0
    assert (tmp_path / "out, a" / "part-00000-00000.jsonl").is_file()


def test_report_of_a_model_of_the_checkout_is_written_beside_it(
    naba: Run, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from naba import paths

    shutil.copytree(tiny_run, tmp_path / "checkout" / "models" / "mine")
    gold = paths.CHECKOUT / "data" / "seed-gold.jsonl"
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path / "checkout")
    assert naba("evaluate", "models/mine", "--data", gold)[0] == 0
    assert (tmp_path / "checkout" / "models" / "mine" / "report.json").is_file()
    assert not (tmp_path / "models").exists()


def _training(tiny_run: Path) -> list[object]:
    files = [("train", "train"), ("validation", "validation")]
    return [part for name, file in files for part in ("--set", f"{name}=[{tiny_run.parent / file}.jsonl]")] + [
        "--set",
        "out=run",
    ]


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("train.py", ["configs/none.yaml"]),
        ("evaluate_run.py", ["models/none"]),
        ("label_articles.py", ["none.txt", "--out", "x"]),
    ],
)
def test_thin_scripts_run_without_an_installation(
    root: Path, tmp_path: Path, script: str, arguments: list[str]
) -> None:
    # Without `site`, an editable installation of naba is out of sight; only the script's own folder can give it.
    environment = dict(os.environ, PYTHONPATH=sysconfig.get_path("purelib"))
    command = [sys.executable, "-S", str(root / "training" / script), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "naba: error:" in done.stderr
    assert "none" in done.stderr


def test_evaluation_runs_the_behaviour_tests_when_asked(naba: Run, tiny_run: Path, tmp_path: Path) -> None:
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "minimum.yaml").write_text(SUITE, encoding="utf-8")
    code, out, errors = naba("evaluate", tiny_run, "--out", "report", "--behaviour", "--suite", "suite")
    assert (code, errors) == (0, "")
    assert "minimum: 1" in out
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert "weather" in json.dumps(report["behaviour"])
    (tmp_path / "suite" / "minimum.yaml").write_text(
        SUITE.replace("labels: {}", "labels: {diplomacy: oppose}").replace("0.5", "1.0"), encoding="utf-8"
    )
    code, _, errors = naba("evaluate", tiny_run, "--out", "report", "--gate", "--suite", "suite")
    assert code == 1
    assert errors.startswith("naba: not fit for release, behaviour gates missed: 1 of 1 tests")
    assert "no behaviour tests here" in fault(
        naba("evaluate", tiny_run, "--out", "report", "--behaviour", "--suite", "nowhere")
    )
