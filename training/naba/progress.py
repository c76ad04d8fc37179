"""How long work tells of its progress without knowing about terminals: a task is announced, then advanced.

Functions take a `Progress`; `SILENT` does nothing, `naba.cli` passes one that draws bars.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int, str], None]
"""Called with how many units were done since the last call, and a short note such as the loss."""


class Progress(Protocol):
    """Announces one task at a time."""

    def task(self, label: str, total: int | None, unit: str) -> AbstractContextManager[Advance]:
        """Start a task of `total` units (None: unknown); the block's value advances it."""
        ...


class _Silent:
    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Advance]:
        yield lambda done, note: None


SILENT: Progress = _Silent()
