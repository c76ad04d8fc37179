"""CSV files: a record a row, the first row names the columns.

A quotation mark where none may stand makes a parser lose its place. What is set aside then reaches to the next line that
begins a sound row, so that a quotation which is never closed does not swallow the records behind it.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TextIO

from naba.config import ReadConfig
from naba.corpus.article_file import ArticleFile
from naba.corpus.decode import decode
from naba.corpus.fields import need_text_column
from naba.corpus.rejected import UNREADABLE, Record, rejecting
from naba.corpus.tables import as_record, longest_record
from naba.errors import DataError

_ESCAPED = re.compile("[\udc80-\udcff]")
REACH = 65_536
"""Characters that a row may have which is read a second time, after a broken one: else many such rows would take hours."""


def read_csv(file: ArticleFile, config: ReadConfig) -> Iterator[Record]:
    """A record a row; the first row names the columns."""
    csv.field_size_limit(4 * config.max_characters)
    with file.open() as raw:
        head = raw.read(4096)
    # The whole head may cut a character in two; only what precedes its last line is looked at.
    decode(head[: max(head.rfind(b"\n"), head.rfind(b"\r"))] or head, config.encoding)
    encoding = "utf-8-sig" if config.encoding == "utf-8" else config.encoding
    number = 0
    # A byte that is no character costs the row that it stands in, where the encoding lets a decoder go on after it.
    with file.open() as raw, io.TextIOWrapper(raw, encoding, "surrogateescape", newline="") as text:
        lines = _Lines(text, longest_record(config))
        try:
            columns = _next_row(lines, config) or []
            need_text_column(columns, config)
            while True:
                number += 1
                try:
                    row = _next_row(lines, config)
                except csv.Error as error:
                    lost = _skip_broken(lines, len(columns), config)
                    reason = f"broken CSV ({error}); set aside with it: lines up to the next sound row, {lost:,} in all"
                    yield rejecting(file.where, DataError(reason), number)
                    continue
                if row is None:
                    return
                yield as_record(partial(_fields, columns, row, config), file, number, config)
        except csv.Error as error:
            raise DataError(f"broken CSV in the row of column names ({error})") from None
        except UnicodeDecodeError as error:
            raise DataError(
                f"record {number}: broken CSV ({error}); the records before it were read, the rest was not"
            ) from None


def _next_row(lines: "_Lines", config: ReadConfig) -> list[str] | None:
    """The cells of the next row that has any; None at the end. Raises csv.Error where the quotation marks make no sense."""
    while True:
        lines.next_record()
        row = next(csv.reader(lines, delimiter=config.delimiter, strict=True), None)
        if row != []:
            return row


def _skip_broken(lines: "_Lines", width: int, config: ReadConfig) -> int:
    """Pass over what a broken row left: up to a line that begins a row of `width` cells; how many lines these are."""
    skipped = 1
    lines.go_back(but=1)
    while True:
        try:
            row = _next_row(lines, config)
            if row is None:
                return skipped
            if _sound(row, "".join(lines.record), width):
                lines.go_back(but=0)
                return skipped
        except csv.Error:
            pass
        lines.go_back(but=1)
        skipped += 1


def _sound(row: Sequence[str], raw: str, width: int) -> bool:
    """Whether a row looks like one, rather than like the tail of another: of a single column only a quoted one does."""
    stray = any('"' in cell for cell in row) and '""' not in raw
    return len(row) == width and not stray and (width > 1 or raw.lstrip("\r\n").startswith('"'))


def _fields(columns: Sequence[str], row: Sequence[str], config: ReadConfig) -> dict[str, str]:
    """A row with a cell for each column.

    Raises DataError for one with more or fewer, whose cells have slipped, or with bytes that are no characters.
    """
    if len(row) != len(columns):
        raise DataError(
            f"{len(row)} cells under {len(columns)} columns; quote the cell that holds a separator, or set read.delimiter"
        )
    if _ESCAPED.search("".join(row)):
        raise DataError(f"bytes that are not {config.encoding.upper()}; the record is damaged, or in another encoding")
    return dict(zip(columns, row, strict=True))


class _Lines:
    """Lines of a table, some of them read again; a row that is longer than it may be is refused before it fills the memory."""

    def __init__(self, text: TextIO, limit: int) -> None:
        self.record: list[str] = []
        """Lines of the row that is being read."""
        self._text, self._limit = text, limit
        self._again: deque[str] = deque()
        self._fault: Exception | None = None
        self.next_record()

    def next_record(self) -> None:
        """What follows is another row."""
        self.record = []
        self._left = self._allowed = REACH if self._again else self._limit

    def go_back(self, *, but: int) -> None:
        """Read the lines of this row once more, but for so many at its head."""
        self._again.extendleft(reversed(self.record[but:]))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._fresh()
        if not line:
            raise StopIteration
        self.record.append(line)
        self._left -= len(line)
        if self._left < 0:
            raise csv.Error(f"longer than {self._allowed:,} characters")
        return line

    def _fresh(self) -> str:
        """The next line of the file, cut where it is too long; empty at its end."""
        # What is damaged farther on costs no row that was read before: within a row it is as if the file ended there.
        if self._fault and not self.record:
            raise self._fault
        if self._fault:
            return ""
        try:
            line = self._text.readline(self._limit + 1)
            if len(line) > self._limit and not line.endswith(("\n", "\r")):
                while (rest := self._text.readline(1 << 20)) and not rest.endswith(("\n", "\r")):
                    pass  # the rest of a line that is too long is no line
                line += "\n"
        except (*UNREADABLE, UnicodeDecodeError) as error:
            if not self.record:
                raise
            self._fault = error
            return ""
        return line
