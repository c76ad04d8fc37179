"""Article files of every kind as one stream of articles; what cannot be read is set aside with its reason.

    for item in read_articles([Path("seeds")], ReadConfig()):
        if isinstance(item, Rejected): ...

Pages: text (.txt) and HTML (.html, .htm). Records: .jsonl, .ndjson, .csv, .parquet. What a crawler stored: .warc, .wet.
All but Parquet also gzipped (.gz); any of them in a .zip; JSONL also from standard input ("-"). Folders are read whole,
in name order; patterns such as "archive/**/*.txt" are expanded. No more than a record is held in memory at a time.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from naba.config import ReadConfig
from naba.corpus.archives import members
from naba.corpus.article_file import ArticleFile, on_disk, streamed
from naba.corpus.csv_file import read_csv
from naba.corpus.files import STDIN, article_files, printable
from naba.corpus.pages import read_html, read_text
from naba.corpus.rejected import Record, Rejected, guarded
from naba.corpus.tables import read_jsonl, read_parquet
from naba.corpus.warc import read_warc
from naba.errors import DataError
from naba.records import Article

__all__ = ["Rejected", "count_records", "read_articles", "read_records"]


def read_articles(
    paths: Iterable[Path], config: ReadConfig, *, stdin: IO[bytes] | None = None
) -> Iterator[Article | Rejected]:
    """Articles of all files, in order, with what had to be set aside between them.

    Args:
        paths: files, folders and patterns, or STDIN alone.
        config: how to read.
        stdin: what STDIN stands for; None where it may not be named.

    Raises DataError before anything is read if a path cannot be used at all.
    """
    for name, path in article_files(paths, stdin=stdin is not None):
        for found in read_records(name, path, config, stdin=stdin):
            yield from found


def read_records(
    name: str, path: Path, config: ReadConfig, skip: int = 0, *, stdin: IO[bytes] | None = None
) -> Iterator[list[Article | Rejected]]:
    """The records of one file, each as what it gave: its articles, or the reason why it was set aside.

    The same file gives the same records in the same order every time; where it breaks off, the reason is the last.

    Args:
        name: the id of an article whose record has none is made of it.
        path: a file of `article_files`.
        config: how to read.
        skip: records at the head of the file that are passed over without being parsed, to go on after a stop.
        stdin: what is read where the path is STDIN.
    """
    for number, parse in enumerate(guarded(_opened(name, path, config, stdin), printable(str(path)))):
        if number >= skip:
            yield parse()


def count_records(name: str, path: Path, config: ReadConfig) -> int:
    """How many records `read_records` gives of a file; none is parsed."""
    return sum(1 for _ in guarded(_opened(name, path, config, None), str(path)))


def _opened(name: str, path: Path, config: ReadConfig, stdin: IO[bytes] | None) -> Iterator[Record]:
    if path == STDIN:
        if stdin is None:
            raise DataError("standard input cannot be read here; name files")
        yield from _records(streamed(name, ".jsonl", stdin), config)
    else:
        yield from _records(on_disk(name, path), config)


def _records(file: ArticleFile, config: ReadConfig) -> Iterator[Record]:
    return guarded(_READERS[file.ending](file, config), file.where)


def _read_zip(file: ArticleFile, config: ReadConfig) -> Iterator[Record]:
    for member in members(file):
        if isinstance(member, Rejected):
            yield lambda rejected=member: [rejected]  # type: ignore[misc]
        else:
            yield from _records(member, config)


_READERS: dict[str, Callable[[ArticleFile, ReadConfig], Iterator[Record]]] = {
    ".txt": read_text,
    ".txt.gz": read_text,
    ".html": read_html,
    ".html.gz": read_html,
    ".htm": read_html,
    ".htm.gz": read_html,
    ".jsonl": read_jsonl,
    ".jsonl.gz": read_jsonl,
    ".ndjson": read_jsonl,
    ".ndjson.gz": read_jsonl,
    ".csv": read_csv,
    ".csv.gz": read_csv,
    ".parquet": read_parquet,
    ".warc": read_warc,
    ".warc.gz": read_warc,
    ".wet": read_warc,
    ".wet.gz": read_warc,
    ".zip": _read_zip,
}
