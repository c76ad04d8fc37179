import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from naba.config import TrainConfig
from naba.errors import CheckpointError, ConfigError, DataError
from naba.modelling import checkpoint as checkpoints
from naba.train import train


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
    first, second = (
        checkpoints.load(folder).model.state_dict() for folder in (config.out, config.out.parent / "again")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


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
    from naba import train as module

    config = config.model_copy(update={"epochs": 2, "evaluations": 4})
    train(config.model_copy(update={"out": config.out.parent / "whole"}))

    class KilledError(Exception):
        pass

    def kill(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 12:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(module._Bar, "on_step_begin", kill, raising=False)
        with pytest.raises(KilledError):
            train(config)
    assert not (config.out / "run.json").exists()
    train(config)
    whole, resumed = (
        checkpoints.load(folder).model.state_dict() for folder in (config.out.parent / "whole", config.out)
    )
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_unfinished_run_of_another_configuration_is_not_mixed_in(config: TrainConfig) -> None:
    config.out.mkdir()
    (config.out / "train.json").write_text(json.dumps(config.model_dump(mode="json") | {"seed": 7}))
    with pytest.raises(ConfigError, match="another configuration"):
        train(config)


def test_nan_loss_stops_with_what_to_lower(config: TrainConfig) -> None:
    with pytest.raises(CheckpointError, match="lower learning_rate"):
        train(
            config.model_copy(
                update={"learning_rate": 1e30, "head_learning_rate": 1e30, "epochs": 2, "max_grad_norm": 1e30}
            )
        )


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_that_is_absent_is_told(config: TrainConfig) -> None:
    with pytest.raises(ConfigError, match="no CUDA device"):
        train(config.model_copy(update={"device": "cuda"}))


def test_missing_and_empty_data_are_told(config: TrainConfig, write_rows: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: no such file"):
        train(config.model_copy(update={"train": [Path("none.jsonl")]}))
    with pytest.raises(DataError, match="no labelled segments"):
        train(config.model_copy(update={"validation": [write_rows("empty.jsonl", [])]}))
