"""Which device a model runs on."""

import torch

from naba.errors import ConfigError


def pick_device(wanted: str) -> str:
    """ "cuda" or "cpu": the wanted one, or for "auto" CUDA where there is one.

    Raises ConfigError when CUDA is asked for and absent.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device = 'cuda', but no CUDA device is to be had here; use device=auto or device=cpu")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"
