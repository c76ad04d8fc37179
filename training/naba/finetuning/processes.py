"""Several processes that train one model: what one of them finds out, all know, and the first alone speaks.

`accelerate launch` and `torchrun` start the same program several times. A fault that one process met would leave the
others waiting for it, or make every one of them print the same line:

    run = on_all(load)             # a fault of any process is raised on all
    start = on_first(find_start)   # the first process does it, all have its result
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch
from torch import distributed

from naba.errors import DataError, NabaError

T = TypeVar("T")


class ElsewhereError(NabaError):
    """A fault that another process tells; the one that raises this keeps silent."""


def launched() -> bool:
    """Whether this is one of several processes."""
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def on_all(work: Callable[[], T]) -> T:
    """Do `work` on every process and return its result on each.

    A file without the right to read it is a fault too. Raises the NabaError of the first process that met one: there
    where the user reads it, ElsewhereError on the others.
    """
    result, fault = _attempt(work)
    if launched():  # asked only now: the work may be what makes the processes known to one another
        faults: list[NabaError | None] = [None] * distributed.get_world_size()
        distributed.all_gather_object(faults, fault)
        _raise(faults)
    elif fault:
        raise fault
    return cast(T, result)


def on_first(work: Callable[[], T]) -> T:
    """Do `work` on the first process alone; all return its result, or raise as `on_all` does."""
    if not launched():
        return on_all(work)
    result, fault = _attempt(work) if distributed.get_rank() == 0 else (None, None)
    told: list[Any] = [result, fault]
    distributed.broadcast_object_list(told)
    _raise([told[1]])
    return cast(T, told[0])


def highest(value: int, device: torch.device) -> int:
    """The highest of the values that the processes give; quick enough to be asked at every step."""
    if not launched():
        return value
    shared = torch.tensor(value, device=device)
    distributed.all_reduce(shared, distributed.ReduceOp.MAX)
    return int(shared.item())


def total(values: torch.Tensor) -> torch.Tensor:
    """The sums over all processes of what each gives; alone, what was given."""
    if launched():
        distributed.all_reduce(values, distributed.ReduceOp.SUM)
    return values


def other_ended(error: BaseException) -> bool:
    """Whether an error says no more than that another process is gone."""
    return isinstance(error, distributed.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))


def rank() -> int:
    """Number of this process, from 0."""
    return distributed.get_rank() if launched() else 0


def _attempt(work: Callable[[], T]) -> tuple[T | None, NabaError | None]:
    try:
        return work(), None
    except NabaError as error:
        return None, error
    except PermissionError as error:
        return None, DataError(f"{error.filename}: may not be used ({error.strerror}); check its rights")


def _raise(faults: list[NabaError | None]) -> None:
    number, fault = next(((number, fault) for number, fault in enumerate(faults) if fault), (0, None))
    if fault is None:
        return
    if distributed.get_rank() > 0:
        raise ElsewhereError(str(fault))
    raise fault if number == 0 else type(fault)(f"process {number}: {fault}")
