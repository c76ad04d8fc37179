import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from naba.config import TrainConfig
from naba.errors import ConfigError
from naba.finetuning import arguments as shared
from naba.finetuning import trainer as module
from naba.modelling.checkpoint import from_encoder
from naba.modelling.encode import EncodedSegments
from naba.records import LabelledSegment
from naba.schema import LabelSchema

Labelled = Callable[..., LabelledSegment]


def test_process_uses_one_gpu_and_says_how_to_use_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kind: Any = shared.TrainingArguments

    def several(**options: Any) -> Any:
        arguments = kind(**options)
        arguments._n_gpu = 4
        return arguments

    monkeypatch.setattr(shared, "TrainingArguments", several)
    config = TrainConfig(train=[], validation=[], out=tmp_path)
    arguments = module.training_arguments(config, "cpu", "float32", tmp_path)
    assert arguments.n_gpu == 1
    assert "one of 4 GPUs is used; `accelerate launch -m naba train`" in caplog.text


def test_launchers_mixed_precision_does_not_override_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "fp16")
    config = TrainConfig(train=[], validation=[], out=tmp_path)
    assert module.training_arguments(config, "cpu", "float32", tmp_path).mixed_precision == "no"


def test_batch_that_is_smaller_than_the_number_of_processes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.TrainingArguments, "world_size", 4)
    config = TrainConfig(train=[], validation=[], out=tmp_path, batch_size=3)
    with pytest.raises(ConfigError, match="batch_size = 3 cannot be shared by 4 processes; raise batch_size or"):
        module.training_arguments(config, "cpu", "float32", tmp_path)


@pytest.mark.parametrize(("segments", "epochs"), [(10, 3.0), (7, 2.0), (3, 4.0), (23, 1.5)])
def test_validation_is_scored_once_an_epoch_the_last_time_at_the_end(
    segments: int, epochs: float, tmp_path: Path, tiny_encoder: Path, schema: LabelSchema, labelled: Labelled
) -> None:
    settings = {"encoder": str(tiny_encoder), "epochs": epochs, "batch_size": 2, "max_tokens": 32}
    config = TrainConfig.model_validate({"train": [], "validation": [], "out": tmp_path} | settings)
    run = from_encoder(config.encoder, schema, normalisation="standard-1", head="attention", max_tokens=32, dropout=0.1)
    items = [labelled(f"نص قصير رقم {n}", diplomacy="support") for n in range(segments)]
    encoded = EncodedSegments(items, schema, run.tokenizer, run.normalise, 32)
    arguments = module.training_arguments(config, "cpu", "float32", tmp_path)
    trainer = module.make_trainer(config, run, encoded, encoded, arguments)
    trainer.train()
    scored = [row["step"] for row in trainer.state.log_history if "eval_pair_f1" in row]
    assert scored[-1] == arguments.max_steps
    assert len(scored) == math.ceil(epochs)
