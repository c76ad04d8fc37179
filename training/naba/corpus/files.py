"""Which files hold articles, in what order they are read, and the id that each gives."""

import glob
import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePath

from naba.errors import DataError
from naba.notice import NOTICE
from naba.paths import find

logger = logging.getLogger(__name__)

PAGES = (".txt", ".html", ".htm", ".txt.gz", ".html.gz", ".htm.gz")
"""Endings of files that are one article."""
TABLES = (".jsonl", ".ndjson", ".csv", ".parquet", ".jsonl.gz", ".ndjson.gz", ".csv.gz")
"""Endings of files that hold a record an article."""
CRAWLS = (".warc", ".warc.gz", ".wet", ".wet.gz")
"""Endings of files that hold what a crawler stored."""
ARCHIVES = (".zip",)
"""Endings of files that hold files of the other kinds."""

ENDINGS = PAGES + TABLES + CRAWLS + ARCHIVES

STDIN = Path("-")
"""Standard input, read as JSONL."""

_KEPT = "\u00a0\u200c\u200d\u200e\u200f"
"""Joiners, marks of direction and the hard space: they stand in names of Arabic files, and harm nothing."""


def article_files(paths: Iterable[Path], *, stdin: bool = False) -> list[tuple[str, Path]]:
    """The files that are named, with the id of each: its name without ending, below a named folder its path in it.

    Args:
        paths: files, folders and patterns.
        stdin: whether STDIN may be named, alone.

    Raises DataError for a path that does not exist, a pattern or folder without article files, an unknown ending, or
    STDIN where it may not be.
    """
    paths = list(paths)
    if STDIN in paths:
        if not stdin:
            raise DataError("-: standard input cannot be read here; name files")
        if len(paths) > 1:
            raise DataError("-: standard input is read alone; name either - or files")
        return [("stdin", STDIN)]
    return _distinct([file for path in paths for file in _named(path)])


def _named(given: Path) -> list[tuple[str, Path]]:
    try:
        return _looked_up(given)
    except OSError as error:
        # A folder that may be listed but not entered, for one.
        place = printable(str(error.filename or given))
        raise DataError(f"{place}: cannot be read ({error.strerror}); check its rights") from None


def _looked_up(given: Path) -> list[tuple[str, Path]]:
    path = find(given)
    if path.is_dir():
        every = (file for file in path.rglob("*") if not file.is_dir())
        every = (file for file in every if not any(part.startswith(".") for part in file.relative_to(path).parts))
        inside: list[Path] = []
        others = Counter[str]()
        for file in every:
            if ending(file) in ENDINGS and file.is_file():
                inside.append(file)
            elif ending(file) != ".md":  # a note to readers
                others[ending(file) or "without an ending"] += 1
        inside.sort()
        if not inside:
            raise DataError(f"{path}: no article files in this folder; naba reads {', '.join(ENDINGS)}")
        if others:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(others.items()))
            logger.log(NOTICE, "%s: files that cannot be read as articles were left out: %s", path, kinds)
        return [(stem(file.relative_to(path)), file) for file in inside]
    if path.is_file():
        if ending(path) not in ENDINGS:
            raise DataError(
                f"{path}: naba does not read {ending(path) or 'files without an ending'}; it reads {', '.join(ENDINGS)}"
            )
        return [(stem(Path(path.name)), path)]
    matches = sorted(Path(match) for match in glob.glob(str(given), recursive=True))  # noqa: PTH207
    if not matches:
        raise DataError(f"{given}: no such file or folder")
    return article_files(matches)


def _distinct(found: list[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Each file once, and files of one name apart: those get their whole path as id, with its ending where it must be."""
    files = {path.resolve(): (printable(name), path) for name, path in reversed(found)}
    once = [files[path] for path in dict.fromkeys(path.resolve() for _, path in found)]
    uses, stems = Counter(name for name, _ in once), Counter(stem(path) for _, path in once)

    def name_of(name: str, path: Path) -> str:
        if uses[name] == 1:
            return name
        return printable(stem(path) if stems[stem(path)] == 1 else path.as_posix())

    return [(name_of(name, path), path) for name, path in once]


def holds_records(path: Path) -> bool:
    """Whether a file holds many articles, rather than being one."""
    return path == STDIN or ending(path) in TABLES + CRAWLS + ARCHIVES


def ending(path: PurePath) -> str:
    """The ending in small letters, ".jsonl.gz" where it is compressed."""
    last = path.suffix.lower()
    return ending(path.with_suffix("")) + last if last == ".gz" else last


def printable(name: str) -> str:
    """A name with what cannot be shown or written as UTF-8 as its escape: `\\udcc7` for a byte of another encoding."""
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() or c in _KEPT else c.encode("unicode_escape").decode() for c in name)


def stem(path: PurePath) -> str:
    """The path without its ending."""
    name = path.as_posix()
    return name[: -len(ending(path))] if ending(path) else name
