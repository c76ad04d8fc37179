"""How a job's input is cut into shards, so that what is done need not be done again: by the files alone.

    for files in file_groups(article_files([Path("archive")]), 500): ...

A group is one file of records, which is cut every so many records, or so many files of one article each. Where the cuts lie
follows from the files and their order, whatever was done before and by however many processes.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path

from naba.config import ReadConfig
from naba.corpus.files import STDIN, holds_records
from naba.corpus.readers import count_records

File = tuple[str, Path]
"""A file with the id that its articles get; see `naba.corpus.files.article_files`."""


def file_groups(files: Iterable[File], records: int) -> Iterator[Sequence[File]]:
    """Groups of files that shards of `records` records are cut from, in the files' order."""
    for tables, group in groupby(files, lambda file: holds_records(file[1])):
        while some := list(islice(group, 1 if tables else records)):
            yield some


def count_in(group: Sequence[File], config: ReadConfig) -> int | None:
    """How many records a group holds; None for standard input, which is read only once."""
    if not holds_records(group[0][1]):
        return len(group)
    name, path = group[0]
    return None if path == STDIN else count_records(name, path, config)
