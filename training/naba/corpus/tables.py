"""Files that hold a record an article: JSONL, CSV and Parquet, a record at a time however large the file is.

for parse in read_jsonl(file, ReadConfig()):
    articles = parse()
"""

import csv
import io
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, TextIO

from naba.config import ReadConfig
from naba.corpus.article_file import ArticleFile
from naba.corpus.boilerplate import split_keywords
from naba.corpus.dates import parse_date
from naba.corpus.decode import decode
from naba.corpus.pages import page
from naba.corpus.rejected import Record, attempt, rejecting
from naba.errors import DataError
from naba.jsonl import parse_object
from naba.records import Article

logger = logging.getLogger(__name__)


def read_jsonl(file: ArticleFile, config: ReadConfig) -> Iterator[Record]:
    """A record a line; a line is given on before the next one is waited for."""
    limit = _longest_record(config)
    with file.open() as lines:
        number = 0
        while line := lines.readline(limit):
            number += 1
            if number == 1 and line.startswith(b"\x1f\x8b"):
                raise DataError("gzip, not JSONL; unpack it (zcat FILE |), or let the file's name end in .jsonl.gz")
            if len(line) == limit and not line.endswith(b"\n"):
                size = len(line) + _skip_line(lines)
                reason = f"a line of {size:,} bytes, longer than an article may be; split it"
                yield rejecting(file.where, DataError(reason), number)
            elif line.strip():
                yield _record(partial(_object, line, config), file, number, config)


def read_csv(file: ArticleFile, config: ReadConfig) -> Iterator[Record]:
    """A record a row; the first row names the columns."""
    csv.field_size_limit(4 * config.max_characters)
    with file.open() as raw:
        head = raw.read(4096)
    # The whole head may cut a character in two; only what precedes its last line is looked at.
    decode(head.rpartition(b"\n")[0] or head, config.encoding)
    encoding = "utf-8-sig" if config.encoding == "utf-8" else config.encoding
    with file.open() as raw, io.TextIOWrapper(raw, encoding, newline="") as text:
        lines = _BoundedLines(text, _longest_record(config))
        # Strict, for a quotation that is never closed would swallow the records behind it.
        rows = csv.DictReader(lines, delimiter=config.delimiter, strict=True)
        number = 0
        try:
            _need_text_column(rows.fieldnames or [], config)
            while True:
                number += 1
                lines.next_record()
                row = next(rows, None)
                if row is None:
                    return
                yield _record(partial(_whole, row), file, number, config)
        except (csv.Error, UnicodeDecodeError) as error:
            # The parser has lost its place: what follows would be nonsense.
            raise DataError(
                f"record {number}: broken CSV ({error}); the records before it were read, the rest was not"
            ) from None


def _whole(row: Mapping[str | None, Any]) -> dict[str, Any]:
    """A row with a cell for each column. Raises DataError for one with more or fewer: its cells have slipped."""
    columns = [name for name in row if name is not None]
    cells = sum(row[name] is not None for name in columns) + len(row.get(None) or ())
    if cells != len(columns):
        raise DataError(
            f"{cells} cells under {len(columns)} columns; quote the cell that holds a separator, or set read.delimiter"
        )
    return {name: row[name] for name in columns}


def read_parquet(file: ArticleFile, config: ReadConfig) -> Iterator[Record]:
    """A record a row."""
    import pyarrow
    import pyarrow.parquet

    try:
        with _seekable(file) as place:
            table = pyarrow.parquet.ParquetFile(place)
            _need_text_column(table.schema_arrow.names, config)
            number = 0
            for batch in table.iter_batches(batch_size=256):
                for at in range(batch.num_rows):
                    number += 1
                    yield _record(partial(_row, batch, at), file, number, config)
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"not a Parquet file that can be read ({(str(error).splitlines() or [''])[0]})") from None


def _row(batch: Any, at: int) -> dict[str, Any]:
    try:
        return dict(batch.slice(at, 1).to_pylist()[0])
    except KeyError as error:
        raise DataError(f"a time in a zone that is not known here ({error})") from None
    except (ValueError, OverflowError) as error:
        raise DataError(f"a field that cannot be read ({error})") from None


@contextmanager
def _seekable(file: ArticleFile) -> Iterator[Path | IO[bytes]]:
    """A place that Parquet can be read from, for its table of contents stands at its end."""
    if file.path is not None:
        yield file.path
        return
    with file.open() as member, tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(member, copy, 1 << 20)
        copy.seek(0)
        yield copy


def _record(record: Callable[[], Mapping[str, Any]], file: ArticleFile, number: int, config: ReadConfig) -> Record:
    return lambda: attempt(file.where, number, lambda: _articles(file, number, record(), config))


def _object(line: bytes, config: ReadConfig) -> dict[str, Any]:
    return parse_object(decode(line, config.encoding).encode(), "record")


def _longest_record(config: ReadConfig) -> int:
    """Bytes or characters of an article and as many other fields as are sensible."""
    return 4 * config.max_characters + 1_000_000


def _skip_line(file: IO[bytes]) -> int:
    size = 0
    while part := file.readline(1 << 20):
        size += len(part)
        if part.endswith(b"\n"):
            break
    return size


class _BoundedLines:
    """Lines of a table; a record that is longer than it may be is refused before it fills the memory."""

    def __init__(self, text: TextIO, limit: int) -> None:
        self._text, self._limit, self._left = text, limit, limit

    def next_record(self) -> None:
        self._left = self._limit

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        if not line:
            raise StopIteration
        self._left -= len(line)
        if self._left < 0:
            raise csv.Error(f"longer than {self._limit:,} characters")
        return line


def _need_text_column(names: Iterable[str], config: ReadConfig) -> None:
    names = list(names)
    if config.columns.text not in names:
        raise DataError(
            f"no column {config.columns.text!r}; it has {', '.join(map(repr, names))}: set read.columns.text to one of them"
        )


def _articles(file: ArticleFile, number: int, record: Mapping[str, Any], config: ReadConfig) -> list[Article]:
    columns = config.columns
    text = record.get(columns.text)
    if not isinstance(text, str):
        if columns.text in record:
            raise DataError(f"field {columns.text!r} {_instead(text)}")
        raise DataError(
            f"no text in field {columns.text!r}; the record has {', '.join(map(repr, record))}: set read.columns.text"
        )
    return page(
        _string(record.get(columns.id)) or f"{file.name}:{number}",
        text,
        config,
        title=_string(record.get(columns.title)),
        date=_date(record.get(columns.date), columns.date, file.where, number),
        source=_string(record.get(columns.source)),
        url=_string(record.get(columns.url)),
        keywords=_keywords(record.get(columns.keywords)),
    )


_told: set[str] = set()
"""Files of which this process has told that they hold dates in another form: once is enough, however often they are read."""


def _date(value: Any, column: str, where: str, number: int) -> str | None:
    """The day as ISO; None for no date, and for one that is not understood, which is told once a file."""
    text = _string(value)
    day = parse_date(text) if text else None
    if text and day is None and where not in _told:
        _told.add(where)
        logger.warning(
            "%s:%d: %r in field %r is no date that is understood (such as 2024-03-22); articles with such dates have none",
            where,
            number,
            text[:40],
            column,
        )
    return day


def _instead(value: Any) -> str:
    """What stands in a field in place of text, and what to do."""
    if value is None or value != value:
        return "is empty"
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "fields of its own"}
    return f"holds {kinds.get(type(value), type(value).__name__)}, not text; set read.columns.text to the field that holds it"


def _keywords(value: Any) -> tuple[str, ...]:
    """Keywords in one text or in a list; none where the field is neither."""
    if isinstance(value, str):
        return split_keywords(_string(value) or "")
    return tuple(filter(None, map(_string, value))) if isinstance(value, list) else ()


def _string(value: Any) -> str | None:
    """A field as text; None for an empty one and for the NaN that tables put in empty cells."""
    if value is None or value != value:
        return None
    text = str(value).strip()
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError("half a character (surrogate) in a field; the record is damaged") from None
    return text or None
