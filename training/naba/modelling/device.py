"""Which device a model runs on, in which precision, and which of several processes this is."""

from typing import Literal

import torch

from naba.errors import ConfigError

Precision = Literal["float32", "bfloat16"]


def pick_device(wanted: str) -> str:
    """ "cuda" or "cpu": the wanted one, or for "auto" CUDA where there is one.

    Raises ConfigError when CUDA is asked for and absent.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device = 'cuda', but no CUDA device is to be had here; use device=auto or device=cpu")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def pick_precision(wanted: Literal["auto", "float32", "bfloat16"], device: str) -> Precision:
    """The wanted precision of training, or for "auto" bfloat16 where the device multiplies it natively."""
    if wanted != "auto":
        return wanted
    return "bfloat16" if (torch.cuda.is_bf16_supported() if device == "cuda" else _cpu_has_bfloat16()) else "float32"


def to_precision(module: torch.nn.Module, precision: Precision) -> None:
    """Turn a module's parameters to a precision; buffers, such as those of rotary positions, stay as they are."""
    for parameter in module.parameters():
        parameter.data = parameter.data.to(getattr(torch, precision))


def is_main_process() -> bool:
    """Whether this process writes and reports: the only one, or the first of those that `accelerate launch` started."""
    distributed = torch.distributed
    return not (distributed.is_available() and distributed.is_initialized()) or distributed.get_rank() == 0


def _cpu_has_bfloat16() -> bool:
    # Without these instructions PyTorch computes bfloat16 in float32, and loses time by it.
    checks = [getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile")]
    return any(check() for check in checks if check is not None)
