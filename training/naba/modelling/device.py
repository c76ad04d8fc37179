"""Which device a model runs on, and in which precision; its weights in that precision."""

from typing import Literal

import torch

from naba.errors import ConfigError
from naba.modelling.model import TopicStanceModel

Precision = Literal["float32", "bfloat16"]


def pick_device(wanted: str) -> str:
    """ "cuda" or "cpu": the wanted one, or for "auto" CUDA where there is one.

    Raises ConfigError when CUDA is asked for and absent.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "device = 'cuda', but PyTorch finds no CUDA device on this machine; use device=auto or device=cpu"
        )
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def pick_precision(wanted: Literal["auto", "float32", "bfloat16"], device: str) -> Precision:
    """The wanted precision of training, or for "auto" bfloat16 where the device multiplies it natively."""
    if wanted != "auto":
        return wanted
    # Where it is emulated it is slower than float32.
    native = torch.cuda.is_bf16_supported(including_emulation=False) if device == "cuda" else cpu_has_bfloat16()
    return "bfloat16" if native else "float32"


def to_precision(module: torch.nn.Module, precision: Precision | Literal["float16"]) -> None:
    """Turn a module's parameters to a precision; buffers, such as those of rotary positions, stay as they are."""
    for parameter in module.parameters():
        parameter.data = parameter.data.to(getattr(torch, precision))


def lower_precision(model: TopicStanceModel, precision: Precision) -> None:
    """Turn the pretrained part to the precision of training; fresh attention heads stay in float32."""
    to_precision(model.classifier if model.head_kind == "plain" else model.encoder, precision)


@torch.no_grad()
def round_weights(module: torch.nn.Module, dtype: torch.dtype) -> None:
    """Give float32 weights the values that they will have once stored as `dtype`, so that these are what is scored."""
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.to(dtype))


def cpu_has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 natively."""
    # Without these instructions PyTorch computes bfloat16 in float32, and loses time by it.
    checks = [getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile")]
    return any(check() for check in checks if check is not None)
