"""CSV files: a record a row, the first row names the columns.

A quotation mark where none may stand makes a parser lose its place. Reading goes on at the line after the one that the broken
record began on, so that a quotation that is never closed costs its own record, not those behind it.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TextIO

from naba.config import ReadConfig
from naba.corpus.article_file import ArticleFile
from naba.corpus.decode import decode
from naba.corpus.fields import need_text_column
from naba.corpus.rejected import Record, rejecting
from naba.corpus.tables import as_record, longest_record
from naba.errors import DataError


def read_csv(file: ArticleFile, config: ReadConfig) -> Iterator[Record]:
    """A record a row; the first row names the columns."""
    csv.field_size_limit(4 * config.max_characters)
    with file.open() as raw:
        head = raw.read(4096)
    # The whole head may cut a character in two; only what precedes its last line is looked at.
    decode(head.rpartition(b"\n")[0] or head, config.encoding)
    encoding = "utf-8-sig" if config.encoding == "utf-8" else config.encoding
    number = 0
    with file.open() as raw, io.TextIOWrapper(raw, encoding, newline="") as text:
        lines = _Lines(text, longest_record(config))
        try:
            columns = _next_row(lines, config) or []
            need_text_column(columns, config)
            while True:
                number += 1
                try:
                    row = _next_row(lines, config)
                except csv.Error as error:
                    lines.go_back()
                    reason = f"broken CSV ({error}); reading went on at the line after its first"
                    yield rejecting(file.where, DataError(reason), number)
                    continue
                if row is None:
                    return
                yield as_record(partial(_fields, columns, row), file, number, config)
        except csv.Error as error:
            raise DataError(f"broken CSV in the row of column names ({error})") from None
        except UnicodeDecodeError as error:
            raise DataError(
                f"record {number}: broken CSV ({error}); the records before it were read, the rest was not"
            ) from None


def _next_row(lines: "_Lines", config: ReadConfig) -> list[str] | None:
    """The cells of the next row that has any; None at the end."""
    while True:
        lines.next_record()
        # Strict, for a quotation that is never closed would swallow the records behind it.
        row = next(csv.reader(lines, delimiter=config.delimiter, strict=True), None)
        if row != []:
            return row


def _fields(columns: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    """A row with a cell for each column. Raises DataError for one with more or fewer: its cells have slipped."""
    if len(row) != len(columns):
        raise DataError(
            f"{len(row)} cells under {len(columns)} columns; quote the cell that holds a separator, or set read.delimiter"
        )
    return dict(zip(columns, row, strict=True))


class _Lines:
    """Lines of a table; a record that is longer than it may be is refused before it fills the memory."""

    def __init__(self, text: TextIO, limit: int) -> None:
        self._text, self._limit = text, limit
        self._again: deque[str] = deque()
        self.next_record()

    def next_record(self) -> None:
        """What follows is another record."""
        self._left, self._record = self._limit, list[str]()

    def go_back(self) -> None:
        """Read all lines of this record but the first once more."""
        self._again.extendleft(reversed(self._record[1:]))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._text.readline(self._limit + 1)
        if not line:
            raise StopIteration
        self._record.append(line)
        self._left -= len(line)
        if self._left < 0:
            while not line.endswith("\n") and (line := self._text.readline(1 << 20)):
                pass  # the rest of a line that is too long is no line
            raise csv.Error(f"longer than {self._limit:,} characters")
        return line
