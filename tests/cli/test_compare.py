import json
import shutil
from pathlib import Path

from tests.conftest import Run

QUICK = ("--set", "resamples=200", "--set", "device=cpu")


def test_runs_are_compared_on_the_shipped_data(naba: Run, tiny_run: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_run, tmp_path / "copy")
    code, out, errors = naba("compare", tiny_run, "copy", *QUICK)
    assert code == 0
    assert "2 runs on 84 segments, with 95 % intervals" in out
    assert "it cannot be told apart from any other run's" in out
    assert "copy: It has the same weights as run." in " ".join(out.split())
    stored = json.loads((tmp_path / "comparison" / "comparison.json").read_text(encoding="utf-8"))
    assert set(stored["runs"]) == {"run", "copy"}
    for name in ("comparison.md", "comparison.html"):
        assert (tmp_path / "comparison" / name).is_file()
    code, out, errors = naba(
        "compare",
        tiny_run,
        "copy",
        *QUICK,
        "--data",
        tiny_run.parent / "train.jsonl",
        "--allow-leak",
        "--out",
        "marked",
    )
    assert code == 0
    assert "naba: warning: 160 segments were authored, not published" in errors
    assert (
        "naba: warning: copy: 160 segments share an article or text with the training data: the scores are too high"
        in errors
    )
    assert (tmp_path / "marked" / "comparison.html").is_file()


def test_faults_are_one_line_and_write_nothing(naba: Run, tiny_run: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_run, tmp_path / "copy")
    for arguments, says in (
        ((tiny_run,), "give two runs or more to compare"),
        ((tiny_run, tiny_run), "is given twice"),
        ((tiny_run, "nowhere"), "nowhere: no such folder"),
        ((tiny_run, "copy", "--data", "none.jsonl"), "none.jsonl: no such file"),
        (
            (tiny_run, "copy", "--data", tiny_run.parent / "train.jsonl"),
            "160 (run), 160 (copy) share an article or text",
        ),
        ((tiny_run, "copy", "--data", tiny_run.parent / "validation.jsonl"), "are in a run's validation set"),
        ((tiny_run, "copy", "--mapping", "none.yaml"), "mapping = none.yaml: all of these are runs of naba"),
        ((tiny_run, "copy", "--set", "resample=9"), "unknown key 'resample'"),
    ):
        code, _, errors = naba("compare", *arguments, "--set", "device=cpu")
        assert code == 2
        assert says in errors
        assert len(errors.strip().splitlines()) == 1
    assert not (tmp_path / "comparison").exists()
