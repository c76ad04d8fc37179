"""A run's model as an ONNX graph in float32: the form that `naba.exporting.int8` makes integers of.

    write_graph(checkpoint, Path("float32.onnx"))

Inputs `input_ids` and `attention_mask`, both int64 [B, L]; outputs `topic` [B, T] and `stance` [B, T, S] logits.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from naba.errors import CheckpointError, ConfigError
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.model import TopicStanceModel

OPSET = 20
"""The first with GELU as one operator."""


def write_graph(checkpoint: Checkpoint, path: Path) -> None:
    """Write the model as ONNX; it is changed by it (attention in its plain form) and not to be used afterwards.

    Raises:
        ConfigError: the packages for it are not installed.
        CheckpointError: PyTorch cannot put this architecture into a graph.
    """
    try:
        import onnxscript  # noqa: F401
    except ImportError:
        raise ConfigError("export needs onnx and onnxscript; install them with: pip install -e '.[export]'") from None
    model = checkpoint.model.cpu().eval()
    backbone = model.classifier if model.head_kind == "plain" else model.encoder
    # Of the forms that attention can have onnxruntime is fastest with products, mask and softmax as they are.
    backbone.set_attn_implementation("eager")
    ids = torch.full((2, 16), checkpoint.tokenizer.pad_token_id)
    rows, tokens = torch.export.Dim("rows", min=1), torch.export.Dim("tokens", min=2, max=checkpoint.max_tokens)
    shape = {0: rows, 1: tokens}
    try:
        with _silence():
            torch.onnx.export(
                _Logits(model),
                (ids, torch.ones_like(ids)),
                path,
                input_names=["input_ids", "attention_mask"],
                output_names=["topic", "stance"],
                dynamic_shapes={"input_ids": shape, "attention_mask": shape},
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # whatever the exporter meets in a foreign architecture
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(
            f"the architecture {model.config.model_type!r} cannot be exported ({type(error).__name__}: {reason}); "
            "label with engine=bfloat16 or float32 instead"
        ) from error


class _Logits(nn.Module):
    """The model with plain tensors as its answer."""

    def __init__(self, model: TopicStanceModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        logits: Any = self.model(input_ids, attention_mask)
        return logits.topic, logits.stance


@contextmanager
def _silence() -> Iterator[None]:
    """The exporter tells its own developers a good deal, by warnings and by log."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
