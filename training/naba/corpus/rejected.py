"""What could not be read, with its reason; one bad record never stops the others.

record = rejecting("a.jsonl", DataError("not JSON"), 3)
attempt("a.jsonl", 3, parse)       # its articles, or [Rejected("a.jsonl", "…", 3)]
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any
from zipfile import BadZipFile

from naba.errors import DataError
from naba.records import Article


@dataclass(frozen=True)
class Rejected:
    """A file or record that was set aside."""

    path: str
    """Of the file; of a member of an archive, its path in it after the archive's own. What cannot be written is escaped."""
    reason: str
    line: int | None = None
    """Line of a JSONL file, or record of a table or a WARC, from 1; None where the whole file is meant."""

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """The form in rejected.jsonl."""
        return asdict(self)


Record = Callable[[], list[Article | Rejected]]
"""A record that was read but not parsed yet. It is called, if at all, before the next one is read."""

UNREADABLE = (DataError, OSError, EOFError, zlib.error, BadZipFile)
"""What damaged input raises."""


def attempt(where: str, number: int | None, parse: Callable[[], list[Article]]) -> list[Article | Rejected]:
    """The articles of a record, or the reason why it gives none."""
    try:
        return [*parse()]
    except UNREADABLE as error:
        return [Rejected(where, _reason(error), number)]


def rejecting(where: str, error: BaseException, number: int | None = None) -> Record:
    """A record that is known to be unreadable."""
    return lambda: [Rejected(where, _reason(error), number)]


def guarded(records: Iterator[Record], where: str) -> Iterator[Record]:
    """The records of a file; where it breaks off, a last one that says why."""
    try:
        yield from records
    except UNREADABLE as error:
        yield rejecting(where, error)


def _reason(error: BaseException) -> str:
    if isinstance(error, DataError):
        return str(error).removeprefix("record: ")
    return f"cannot be read ({getattr(error, 'strerror', None) or error or type(error).__name__})"
