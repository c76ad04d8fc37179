"""`naba train` and `naba pretrain` as a user meets them: what is wrong is told before what trains is loaded."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import Run

LIGHT = """
import sys
from naba.cli import main
sys.argv = ["naba", *sys.argv[1:]]
try:
    main()
finally:
    print("heavy:", sorted({"torch", "transformers"} & set(sys.modules)), file=sys.stderr)
"""


@pytest.fixture
def settings(tiny_encoder: Path, tiny_run: Path, tmp_path: Path, root: Path) -> Path:
    content = {
        "labels": str(root / "configs" / "labels.yaml"),
        "train": [str(tiny_run.parent / "train.jsonl")],
        "validation": [str(tiny_run.parent / "validation.jsonl")],
        "out": "run",
        "encoder": str(tiny_encoder),
        "max_tokens": 64,
        "epochs": 2,
        "device": "cpu",
    }
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "train.yaml"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("train", "train.yaml", "--set", "epoch=2"), "--set: unknown key 'epoch'"),
        (("train", "train.yaml", "--set", "train=[none.jsonl]"), "none.jsonl: no such file, named under 'train'"),
        (("train", "train.yaml", "--set", "validation=[.]"), ".: is a folder; name under 'validation'"),
        (("train", "train.yaml", "--out", "train.yaml"), "train.yaml: is a file, not a folder"),
        (("train", "{run}"), "a run folder, not a configuration; `--from-run {run}` trains it again"),
        (
            ("train", "--from-run", "{run}", "--out", "{run}"),
            "holds a finished run; choose another 'out', or pass --over",
        ),
        (("pretrain", "{root}/configs/pretrain.yaml", "--set", "articles=[none]"), "none: no such file or folder"),
        (("pretrain", "{root}/configs/pretrain.yaml", "--set", "held_out=[none]"), "none: no such file, named under"),
    ],
)
def test_mistake_is_told_before_torch_is_loaded(
    settings: Path, tiny_run: Path, root: Path, arguments: tuple[str, ...], says: str
) -> None:
    command = [argument.format(run=tiny_run, root=root) for argument in arguments]
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, *command], cwd=settings.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    told = done.stderr.splitlines()
    assert says.format(run=tiny_run) in told[0]
    assert told[1:] == ["heavy: []"]


def test_early_stop_is_told_with_the_checkpoint_that_was_kept(
    settings: Path, naba: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = {"pair_f1": 0.25, "topic_macro_f1": 0.5, "stance_macro_f1": 0.5}
    monkeypatch.setattr("naba.finetuning.trainer._validation_scores", lambda *given: same)
    code, out, errors = naba("train", settings, "--set", "evaluations=11", "--set", "patience=2")
    assert code == 0, errors
    first, second = out.splitlines()
    assert "; checkpoint of step 2 of 22; " in first
    assert second == "run: stopped early, at step 6 of 22: 2 scorings in a row without a better pair-F1 (patience=2)"


def test_validation_that_is_trained_on_is_refused_unless_allowed(settings: Path, tiny_run: Path, naba: Run) -> None:
    same = f"train=[{tiny_run.parent / 'validation.jsonl'}]"
    code, _, errors = naba("train", settings, "--set", same)
    assert code == 2
    assert "segments of validation that are in train too: 80 of 80" in errors
    assert not (settings.parent / "run").exists()
    assert naba("train", settings, "--set", same, "--set", "allow_leak=true", "--set", "epochs=0.2")[0] == 0


def test_run_is_an_encoder_to_fine_tune_further(settings: Path, tiny_run: Path, naba: Run) -> None:
    further = ("--set", f"encoder={tiny_run}", "--set", "epochs=0.2")
    code, _, errors = naba("train", settings, *further)
    assert code == 0, errors
    code, _, errors = naba("train", "--from-run", "run", "--out", "again")
    assert code == 0, errors
    weights = [(settings.parent / name / "model.safetensors").read_bytes() for name in ("run", "again")]
    assert weights[0] == weights[1]
