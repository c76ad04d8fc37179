"""Article files of every kind as one stream of articles; what cannot be read is set aside with its reason.

    for item in read_articles([Path("seeds")], ReadConfig()):
        if isinstance(item, Rejected): ...

Text (.txt), HTML (.html, .htm), and records (.jsonl, .ndjson, .csv, .parquet); JSONL and CSV also gzipped (.gz).
Folders are read whole, in name order; patterns such as "archive/**/*.txt" are expanded.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from naba.config import ReadConfig
from naba.corpus.articles import parse_page
from naba.corpus.boilerplate import split_keywords
from naba.corpus.dates import parse_date
from naba.corpus.decode import check_text, decode
from naba.corpus.files import article_files, ending
from naba.errors import DataError
from naba.jsonl import parse_object
from naba.records import Article


@dataclass(frozen=True)
class Rejected:
    """A file or record that was set aside."""

    path: str
    reason: str
    line: int | None = None
    """Line of a JSONL file or record of a table, from 1; None where the whole file is meant."""

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """The form in rejected.jsonl."""
        return asdict(self)


Record = Callable[[], list[Article | Rejected]]
"""A record that was read but not parsed yet."""


def read_articles(paths: Iterable[Path], config: ReadConfig) -> Iterator[Article | Rejected]:
    """Articles of all files, in order, with what had to be set aside between them.

    Raises DataError before anything is read if a path cannot be used at all.
    """
    for name, path in article_files(paths):
        for found in read_records(name, path, config):
            yield from found


def read_records(name: str, path: Path, config: ReadConfig, skip: int = 0) -> Iterator[list[Article | Rejected]]:
    """The records of one file, each as what it gave: its articles, or the reason why it was set aside.

    Args:
        name: the id of an article whose record has none is made of it.
        path: a file of `article_files`.
        config: how to read.
        skip: records at the head of the file that are passed over without being parsed, to go on after a stop.
    """
    reader = _READERS[ending(path)](name, path, config)
    try:
        for number, parse in enumerate(reader):
            if number >= skip:
                yield parse()
    except DataError as error:
        yield [Rejected(str(path), str(error))]
    except (OSError, EOFError, zlib.error) as error:
        yield [Rejected(str(path), f"cannot be read ({getattr(error, 'strerror', None) or error})")]


def _page(name: str, text: str, config: ReadConfig, **known: Any) -> list[Article]:
    check_text(text, min_arabic=config.min_arabic, max_characters=config.max_characters)
    articles = parse_page(name, text, **known)
    if not articles[0].blocks and not articles[0].title and len(articles) == 1:
        raise DataError("no headline and no paragraph besides boilerplate")
    return articles


def _read_text(name: str, path: Path, config: ReadConfig) -> Iterator[Record]:
    yield lambda: [*_page(name, decode(_read_bounded(path, config), config.encoding), config)]


def _read_bounded(path: Path, config: ReadConfig) -> bytes:
    # Four bytes is the longest a character can be; a larger file needs no decoding to be refused.
    if path.stat().st_size > 4 * config.max_characters:
        raise DataError(
            f"{path.stat().st_size:,} bytes, more than an article of read.max_characters = {config.max_characters:,} can have"
        )
    return path.read_bytes()


def _read_html(name: str, path: Path, config: ReadConfig) -> Iterator[Record]:
    yield lambda: [*_parse_html(name, path, config)]


def _parse_html(name: str, path: Path, config: ReadConfig) -> list[Article]:
    import trafilatura

    data = _read_bounded(path, config)
    # The page's own declaration tells its encoding unless the user names one.
    page = data if config.encoding == ReadConfig().encoding else decode(data, config.encoding)
    # Without its extensive search, which takes the year of a copyright line for the article's date.
    dates = {"original_date": True, "extensive_search": False}
    document = trafilatura.bare_extraction(
        page, include_comments=False, with_metadata=True, date_extraction_params=dates
    )
    if document is None or not document.text:
        raise DataError("no article text found in this HTML page")
    date = parse_date(document.date) if document.date else None
    return _page(
        name, document.text, config, title=document.title, date=date, source=document.sitename, url=document.url
    )


def _read_jsonl(name: str, path: Path, config: ReadConfig) -> Iterator[Record]:
    limit = 4 * config.max_characters + 1_000_000
    with _open_binary(path) as file:
        number = 0
        while line := file.readline(limit):
            number += 1
            if len(line) == limit and not line.endswith(b"\n"):
                size = len(line) + _skip_line(file)
                reason = f"a line of {size:,} bytes, longer than an article may be; split it"
                yield partial(list, (Rejected(str(path), reason, number),))
            elif line.strip():
                yield partial(_parse, partial(_object, line, config), name, path, number, config)


def _object(line: bytes, config: ReadConfig) -> dict[str, Any]:
    return parse_object(decode(line, config.encoding).encode(), "record")


def _parse(
    record: Callable[[], Mapping[str, Any]], name: str, path: Path, number: int, config: ReadConfig
) -> list[Article | Rejected]:
    try:
        return [*_record(f"{name}:{number}", record(), config)]
    except DataError as error:
        return [Rejected(str(path), str(error).removeprefix("record: "), number)]


def _skip_line(file: IO[bytes]) -> int:
    size = 0
    while part := file.readline(1 << 20):
        size += len(part)
        if part.endswith(b"\n"):
            break
    return size


def _read_csv(name: str, path: Path, config: ReadConfig) -> Iterator[Record]:
    csv.field_size_limit(4 * config.max_characters)
    with _open_binary(path) as raw:
        head = raw.read(4096)
    # The whole head may cut a character in two; only what precedes its last line is looked at.
    decode(head.rpartition(b"\n")[0] or head, config.encoding)
    encoding = "utf-8-sig" if config.encoding == "utf-8" else config.encoding
    with _open_binary(path) as raw, io.TextIOWrapper(raw, encoding, newline="") as file:
        rows = csv.DictReader(file)
        _need_text_column(rows.fieldnames or [], config)
        number = 0
        while True:
            number += 1
            try:
                row = next(rows, None)
                if row is None:
                    return
            except (csv.Error, UnicodeDecodeError) as error:
                # The parser has lost its place: what follows would be nonsense.
                raise DataError(
                    f"record {number}: broken CSV ({error}); the records before it were read, the rest was not"
                ) from None
            yield partial(_parse, partial(dict, row), name, path, number, config)


def _read_parquet(name: str, path: Path, config: ReadConfig) -> Iterator[Record]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(path)
        _need_text_column(table.schema_arrow.names, config)
        number = 0
        for batch in table.iter_batches(batch_size=256):
            for row in batch.to_pylist():
                number += 1
                yield partial(_parse, partial(dict, row), name, path, number, config)
    except pyarrow.ArrowException as error:
        raise DataError(f"not a Parquet file that can be read ({str(error).splitlines()[0]})") from None


def _need_text_column(names: Iterable[str], config: ReadConfig) -> None:
    names = list(names)
    if config.columns.text not in names:
        raise DataError(
            f"no column {config.columns.text!r}; it has {', '.join(map(repr, names))}: set read.columns.text to one of them"
        )


def _record(name: str, record: Mapping[str, Any], config: ReadConfig) -> list[Article]:
    columns = config.columns
    text = record.get(columns.text)
    if not isinstance(text, str):
        raise DataError(
            f"no text in field {columns.text!r}; the record has {', '.join(map(repr, record))}: set read.columns.text"
        )
    keywords = record.get(columns.keywords)
    return _page(
        _string(record.get(columns.id)) or name,
        text,
        config,
        title=_string(record.get(columns.title)),
        date=parse_date(str(record.get(columns.date) or "")),
        source=_string(record.get(columns.source)),
        url=_string(record.get(columns.url)),
        keywords=split_keywords(keywords)
        if isinstance(keywords, str)
        else tuple(map(str, keywords if isinstance(keywords, list) else ())),
    )


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


def _open_binary(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


_READERS = {
    ".txt": _read_text,
    ".html": _read_html,
    ".htm": _read_html,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".jsonl.gz": _read_jsonl,
    ".csv.gz": _read_csv,
}
