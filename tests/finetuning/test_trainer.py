from pathlib import Path
from typing import Any

import pytest

from naba.config import TrainConfig
from naba.finetuning import trainer as module


def test_process_uses_one_gpu_and_says_how_to_use_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kind: Any = module.TrainingArguments

    def several(**options: Any) -> Any:
        arguments = kind(**options)
        arguments._n_gpu = 4
        return arguments

    monkeypatch.setattr(module, "TrainingArguments", several)
    config = TrainConfig(train=[], validation=[], out=tmp_path)
    arguments = module.training_arguments(config, "cpu", "float32", tmp_path)
    assert arguments.n_gpu == 1
    assert "one of 4 GPUs is used; `accelerate launch -m naba train`" in caplog.text
