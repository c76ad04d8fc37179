"""Files that hold a record an article: JSONL and Parquet, a record at a time however large the file is. CSV: `naba.corpus.csv_file`.

for parse in read_jsonl(file, ReadConfig()):
    articles = parse()
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

from naba.config import ReadConfig
from naba.corpus.article_file import ArticleFile
from naba.corpus.decode import decode
from naba.corpus.fields import articles_of, need_text_column
from naba.corpus.rejected import Record, attempt, rejecting
from naba.errors import DataError
from naba.jsonl import parse_object


def read_jsonl(file: ArticleFile, config: ReadConfig) -> Iterator[Record]:
    """A record a line; a line is given on before the next one is waited for."""
    limit = longest_record(config)
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
                yield as_record(partial(_object, line, config), file, number, config)


def read_parquet(file: ArticleFile, config: ReadConfig) -> Iterator[Record]:
    """A record a row."""
    import pyarrow
    import pyarrow.parquet

    try:
        with _seekable(file) as place:
            table = pyarrow.parquet.ParquetFile(place)
            need_text_column(table.schema_arrow.names, config)
            number = 0
            for batch in table.iter_batches(batch_size=256):
                for at in range(batch.num_rows):
                    number += 1
                    yield as_record(partial(_row, batch, at), file, number, config)
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


def as_record(record: Callable[[], Mapping[str, Any]], file: ArticleFile, number: int, config: ReadConfig) -> Record:
    """A record whose fields are parsed when it is called for."""
    return lambda: attempt(file.where, number, lambda: articles_of(file, number, record(), config))


def _object(line: bytes, config: ReadConfig) -> dict[str, Any]:
    return parse_object(decode(line, config.encoding).encode(), "record")


def longest_record(config: ReadConfig) -> int:
    """Bytes or characters of an article and as many other fields as are sensible."""
    return 4 * config.max_characters + 1_000_000


def _skip_line(file: IO[bytes]) -> int:
    size = 0
    while part := file.readline(1 << 20):
        size += len(part)
        if part.endswith(b"\n"):
            break
    return size
