"""Commands that `torchrun` or `accelerate launch` starts several times: one of the processes speaks for all."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from naba.cli.terminal import FAULT, Bars, say
from naba.errors import NabaError
from naba.progress import SILENT, Progress

_RANK = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK")
_LOCAL_RANK = ("LOCAL_RANK", "MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK")
"""Where torchrun, and MPI in its two forms, write the number of a process among all and among those of its machine."""


def is_first() -> bool:
    """Whether this process shows bars and results: the only one, or the first of all."""
    return _number(_RANK) == 0


def bars() -> Progress:
    """Progress bars, on the first process."""
    return Bars() if is_first() else SILENT


@contextmanager
def one_voice() -> Iterator[None]:
    """Within the block the first process alone logs, and a fault of all is told once and ends all alike.

    SIGTERM, after which a training has saved where it is, ends with an exit code of its own.
    """
    # PyTorch's own advice on several processes, from each of them; read when it is imported.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    if not is_first():
        logging.disable(logging.WARNING)
    elif "MASTER_PORT" in os.environ and "ACCELERATE_USE_CPU" in os.environ and not any(map(os.environ.get, _RANK)):
        say("naba: one process only: `accelerate launch --cpu` starts more by MPI alone; torchrun starts them without")
    try:
        yield
    except NabaError as error:
        if _is_told_elsewhere(error):
            raise typer.Exit(FAULT) from None
        raise
    except KeyboardInterrupt as error:
        code = getattr(error, "exit_code", None)
        if not is_first():
            raise typer.Exit(code or FAULT) from None  # INTERRUPTED would be told
        if code is None:
            raise
        say("naba: terminated; the same command goes on from the checkpoint that was saved")
        raise typer.Exit(code) from None


def _is_told_elsewhere(error: NabaError) -> bool:
    if "torch" not in sys.modules:  # whose import takes seconds: no process knows of another yet
        return _number(_LOCAL_RANK) > 0
    from torch import distributed

    from naba.finetuning.processes import ElsewhereError

    # Before the processes know of one another they all do the same, and meet the same faults.
    alike = not (distributed.is_available() and distributed.is_initialized())
    return isinstance(error, ElsewhereError) or (alike and _number(_LOCAL_RANK) > 0)


def _number(names: tuple[str, ...]) -> int:
    return int(next(filter(None, map(os.environ.get, names)), "0"))
