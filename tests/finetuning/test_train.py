import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from naba.config import TrainConfig, TrainingSource
from naba.errors import CheckpointError, ConfigError, DataError
from naba.finetuning.run_folder import last_whole_checkpoint
from naba.finetuning.train import train
from naba.modelling import checkpoint as checkpoints


@pytest.fixture
def config(tiny_encoder: Path, tiny_run: Path, tmp_path: Path) -> TrainConfig:
    return TrainConfig(
        train=[tiny_run.parent / "train.jsonl"],
        validation=[tiny_run.parent / "validation.jsonl"],
        out=tmp_path / "run",
        encoder=str(tiny_encoder),
        max_tokens=64,
        epochs=0.5,
        device="cpu",
    )


def test_run_folder_is_complete_and_says_what_made_it(tiny_run: Path) -> None:
    names = {path.name for path in tiny_run.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "decision.json", "run.json", "README.md"} <= names
    assert "checkpoints" not in names
    record = json.loads((tiny_run / "run.json").read_text())
    assert record["segments"] == {"train": 160, "validation": 80}
    assert record["config"]["seed"] == 1
    assert len(record["data"]) == 2
    assert record["versions"]["torch"]
    assert any("loss" in entry for entry in record["history"])
    assert any("eval_pair_f1" in entry for entry in record["history"])


def test_training_learns(tiny_run: Path) -> None:
    losses = [entry["loss"] for entry in json.loads((tiny_run / "run.json").read_text())["history"] if "loss" in entry]
    assert losses[-1] < losses[0]


def test_same_seed_gives_the_same_weights(config: TrainConfig) -> None:
    train(config)
    train(config.model_copy(update={"out": config.out.parent / "again"}))
    assert _same_weights(config.out, config.out.parent / "again")


def test_plain_head_trains_too(config: TrainConfig) -> None:
    train(config.model_copy(update={"head": "plain"}))
    assert checkpoints.load(config.out).model.head_kind == "plain"


def test_finished_run_is_not_overwritten_unless_asked(config: TrainConfig) -> None:
    train(config)
    with pytest.raises(ConfigError, match="--overwrite"):
        train(config)
    train(config, overwrite=True)


def test_folder_that_is_no_run_is_never_deleted(config: TrainConfig) -> None:
    config.out.mkdir()
    (config.out / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="no run of naba"):
        train(config, overwrite=True)
    assert (config.out / "thesis.txt").exists()


def test_interrupted_run_goes_on_to_the_same_weights(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    from naba.finetuning import train as module

    config = config.model_copy(update={"epochs": 2, "evaluations": 4})
    train(config.model_copy(update={"out": config.out.parent / "whole"}))

    def kill(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 12:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(module.StepBar, "on_step_begin", kill, raising=False)
        with pytest.raises(KilledError):
            train(config)
    assert not (config.out / "run.json").exists()
    train(config)
    assert _same_weights(config.out.parent / "whole", config.out)


def test_unfinished_run_of_another_configuration_is_not_mixed_in(config: TrainConfig) -> None:
    config.out.mkdir()
    (config.out / "train.json").write_text(json.dumps({"config": config.model_dump(mode="json") | {"seed": 7}}))
    with pytest.raises(ConfigError, match="another configuration"):
        train(config)


def test_nan_loss_stops_with_what_to_lower(config: TrainConfig) -> None:
    with pytest.raises(CheckpointError, match="lower learning_rate"):
        train(
            config.model_copy(
                update={"learning_rate": 1e30, "head_learning_rate": 1e30, "epochs": 2, "max_grad_norm": 1e30}
            )
        )


def test_checkpoint_broken_by_a_kill_is_passed_over(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    from naba.finetuning import train as module

    config = config.model_copy(update={"epochs": 2, "evaluations": 4})
    train(config.model_copy(update={"out": config.out.parent / "whole"}))
    with monkeypatch.context() as patch:
        patch.setattr(module.checkpoints, "save", _killed)  # training ends, the run is not written
        with pytest.raises(KilledError):
            train(config)
    newest, older = sorted((config.out / "checkpoints").iterdir(), key=lambda path: int(path.name.split("-")[1]))[::-1]
    weights = newest / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert last_whole_checkpoint(config.out / "checkpoints") == str(older)
    assert not newest.exists()
    train(config)
    assert _same_weights(config.out.parent / "whole", config.out)


def test_interrupt_saves_where_it_is_and_the_same_run_goes_on(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import signal

    from naba.finetuning import train as module

    config = config.model_copy(update={"epochs": 2})
    train(config.model_copy(update={"out": config.out.parent / "whole"}))

    def press(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 7:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(module.StepBar, "on_step_begin", press, raising=False)
        with pytest.raises(KeyboardInterrupt):
            train(config)
    assert [path.name for path in (config.out / "checkpoints").iterdir()] == ["checkpoint-8"]
    train(config)
    assert _same_weights(config.out.parent / "whole", config.out)


def test_data_changed_between_the_halves_of_a_run_is_found(
    config: TrainConfig, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from naba.finetuning import train as module

    data = tmp_path / "train.jsonl"
    lines = (tiny_run.parent / "train.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    data.write_text("".join(lines), encoding="utf-8")
    config = config.model_copy(update={"train": [TrainingSource(path=data)]})
    with monkeypatch.context() as patch:
        patch.setattr(module.checkpoints, "save", _killed)
        with pytest.raises(KilledError):
            train(config)
    data.write_text("".join(lines[:100]), encoding="utf-8")
    with pytest.raises(ConfigError, match="other data"):
        train(config)


def test_mistyped_encoder_leaves_nothing_behind_and_costs_no_finished_run(config: TrainConfig, root: Path) -> None:
    wrong = config.model_copy(update={"encoder": str(root / "seeds")})
    with pytest.raises(CheckpointError):
        train(wrong)
    assert not config.out.exists()
    train(config)
    with pytest.raises(CheckpointError):
        train(wrong, overwrite=True)
    assert (config.out / "run.json").is_file()


def test_output_that_is_a_file_is_told(config: TrainConfig) -> None:
    config.out.write_text("notes")
    with pytest.raises(ConfigError, match="is a file"):
        train(config)


class KilledError(Exception):
    """Plays the kill."""


def _killed(*arguments: Any) -> None:
    raise KilledError


def _same_weights(one: Path, other: Path) -> bool:
    first, second = (checkpoints.load(folder).model.state_dict() for folder in (one, other))
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_that_is_absent_is_told(config: TrainConfig) -> None:
    with pytest.raises(ConfigError, match="no CUDA device"):
        train(config.model_copy(update={"device": "cuda"}))


def test_missing_and_empty_data_are_told(config: TrainConfig, write_rows: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: no such file"):
        train(config.model_copy(update={"train": [TrainingSource(path=Path("none.jsonl"))]}))
    with pytest.raises(DataError, match="no labelled segments"):
        train(config.model_copy(update={"validation": [write_rows("empty.jsonl", [])]}))


@pytest.mark.slow
def test_killed_process_goes_on_to_the_same_weights(config: TrainConfig, root: Path) -> None:
    """SIGKILL at several moments of a real process, also while a checkpoint may be half written."""
    import os
    import subprocess
    import sys
    import time

    import yaml

    config = config.model_copy(update={"epochs": 6, "evaluations": 12})
    train(config.model_copy(update={"out": config.out.parent / "whole"}))
    settings = config.out.parent / "train.yaml"
    settings.write_text(yaml.safe_dump(config.model_dump(mode="json")))
    command = [sys.executable, "-m", "naba", "train", str(settings), "--set", f"labels={root / 'configs/labels.yaml'}"]
    environment = dict(os.environ, PYTHONPATH=str(root / "training"))
    kills = 0
    for wait in (0.0, 0.5, 1.0, 1.5, 2.0):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        checkpointed = len(list(config.out.glob("checkpoints/*/trainer_state.json")))
        while process.poll() is None and time.monotonic() < deadline:
            if len(list(config.out.glob("checkpoints/checkpoint-*"))) > checkpointed or wait == 0.0:
                break
            time.sleep(0.05)
        time.sleep(wait)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait(timeout=60)
    assert kills >= 2
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0 or "--overwrite" in done.stderr, done.stderr
    assert _same_weights(config.out.parent / "whole", config.out)
