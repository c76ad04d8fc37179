"""The folder that a command fills, its `out`: one process at a time works there, and a kill leaves it usable.

    with hold(out, lambda: check(out)):
        empty(out, marker="train.json")
        write_json(out / "train.json", inputs)

The marker is the first file written and the last one removed: by it a command knows that a folder is its own.
"""

import logging
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from naba.errors import ConfigError

logger = logging.getLogger(__name__)

T = TypeVar("T")

_LOCK = ".lock"


@contextmanager
def hold(out: Path, check: Callable[[], T]) -> Iterator[T]:
    """Hold a folder for the block, made where there is none; the block is given what `check` returns.

    Args:
        out: the folder.
        check: raises where the folder may not be used; asked before anything is written there, and once more when no
            other process can change it.

    Raises ConfigError where it is a file, cannot be made, or another process works in it.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: is a file, not a folder; choose another 'out'")
    check()
    lock = FileLock(out / _LOCK)
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise ConfigError(
            f"{out}: another naba command works there; wait for its end, or choose another 'out'"
        ) from None
    except NotImplementedError:  # a cluster's file system without locks
        logger.warning("%s: cannot be locked on this file system; start no second command on it", out)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be made ({error.strerror}); choose another 'out'") from None
    try:
        yield check()
    finally:
        with suppress(OSError):
            (out / _LOCK).unlink()  # before the release: later it may be the next command's
        lock.release()


def contents(out: Path, marker: str) -> list[Path]:
    """What a folder holds, but for what a kill leaves there before the marker is written. Empty for no folder."""
    half_written = re.compile(rf"\.{re.escape(marker)}\..*\.tmp")  # see naba.jsonl.atomic_open
    found = out.iterdir() if out.is_dir() else ()
    return [path for path in found if path.name != _LOCK and not half_written.fullmatch(path.name)]


def empty(out: Path, marker: str, done: str = "") -> None:
    """Remove all that a held folder holds.

    Args:
        marker: the file that goes last: without it the folder would be a stranger's after a kill in between.
        done: the file that says that the folder is complete; it goes first.
    """
    for path in sorted(out.iterdir(), key=lambda path: (path.name == marker) - (path.name == done)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink()
