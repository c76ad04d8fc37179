"""What runs a model on batches: PyTorch on a CPU or GPU, or onnxruntime on an exported int8 graph.

    engine = TorchEngine(checkpoint.model, "bfloat16")
    topic, stance = engine.run({"input_ids": …, "attention_mask": …})

An engine says how it wants its work: in batches of how many tokens, and from how many threads at once.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from naba.errors import CheckpointError
from naba.modelling.device import to_precision
from naba.modelling.model import TopicStanceModel

Logits = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Topic logits [B, T] and stance logits [B, T, S]."""


class Engine(Protocol):
    """Runs one model; several threads may call it at once."""

    name: str
    """"float32", "bfloat16", "float16" or "int8"."""
    workers: int
    """Threads that should call it at once."""
    batch_tokens: int
    """Tokens a batch, padding counted, that it is fast with."""

    def run(self, batch: Mapping[str, Tensor]) -> Logits:
        """Score a batch: `input_ids` and `attention_mask`, both [B, L]."""
        ...


class TorchEngine:
    """PyTorch on the device that the model's weights are on."""

    workers = 1

    def __init__(
        self, model: TopicStanceModel, precision: Literal["float32", "bfloat16", "float16"] = "float32"
    ) -> None:
        """Take over a model; its weights are turned to the precision, the attention heads' stay in float32."""
        if precision != "float32":
            to_precision(model.classifier if model.head_kind == "plain" else model.encoder, precision)
        self.name: str = precision
        self._model = model.eval()
        self._device = next(model.parameters()).device
        # On a GPU larger batches keep the cores busy, on a CPU they only fall out of its caches.
        self.batch_tokens = 16_384 if self._device.type == "cuda" else 1024

    def run(self, batch: Mapping[str, Tensor]) -> Logits:
        """Score a batch."""
        with torch.inference_mode():
            logits = self._model(**{name: self._moved(tensor) for name, tensor in batch.items()})
            return logits.topic.float().cpu().numpy(), logits.stance.float().cpu().numpy()

    def _moved(self, tensor: Tensor) -> Tensor:
        if self._device.type != "cuda":
            return tensor
        return tensor.pin_memory().to(self._device, non_blocking=True)


class OnnxEngine:
    """onnxruntime on the CPU: each thread that calls runs a batch by itself, all with the same weights in memory."""

    batch_tokens = 512

    def __init__(self, path: Path, name: str, workers: int | None = None) -> None:
        """Load an exported graph.

        Args:
            path: the .onnx file.
            name: the engine's.
            workers: threads that call at once; as many as the process may use cores where not given.

        Raises CheckpointError for a file that onnxruntime cannot use.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # One core a batch: two batches side by side are faster than one after the other on two cores each.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                path,
                options,
                providers=["CPUExecutionProvider"],
                # Its kernel is scalar: a quarter of the time of a whole int8 model goes into it.
                disabled_optimizers=["SkipLayerNormFusion"],
            )
        except Exception as error:  # onnxruntime's own exceptions have no common class but this
            reason = " ".join(str(error).split())[:200]
            raise CheckpointError(f"{path}: onnxruntime cannot use it ({reason}); export the run again") from None
        self.name = name
        self.workers = workers or usable_cores()

    def run(self, batch: Mapping[str, Tensor]) -> Logits:
        """Score a batch."""
        topic, stance = self._session.run(["topic", "stance"], {name: tensor.numpy() for name, tensor in batch.items()})
        return topic, stance


def usable_cores() -> int:
    """Cores that this process may run on, which a container or a scheduler may have made fewer than the machine has."""
    affinity: Any = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
