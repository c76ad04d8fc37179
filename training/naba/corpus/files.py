"""Which files hold articles, in what order they are read, and the id that each gives."""

import glob
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from naba.errors import DataError
from naba.paths import find

PAGES = (".txt", ".html", ".htm")
"""Endings of files that are one article."""
TABLES = (".jsonl", ".ndjson", ".csv", ".parquet", ".jsonl.gz", ".csv.gz")
"""Endings of files that hold a record an article."""


ENDINGS = PAGES + TABLES


def article_files(paths: Iterable[Path]) -> list[tuple[str, Path]]:
    """The files that are named, with the id of each: its name without ending, below a named folder its path in it.

    Raises DataError for a path that does not exist, a pattern or folder without article files, or an unknown ending.
    """
    found: list[tuple[str, Path]] = []
    for given in paths:
        path = find(given)
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.is_file() and ending(file) in ENDINGS)
            inside = [file for file in inside if not any(part.startswith(".") for part in file.relative_to(path).parts)]
            if not inside:
                raise DataError(f"{path}: no article files in this folder; naba reads {', '.join(ENDINGS)}")
            found += [(_stem(file.relative_to(path)), file) for file in inside]
        elif path.is_file():
            if ending(path) not in ENDINGS:
                raise DataError(
                    f"{path}: naba does not read {path.suffix or 'files without an ending'}; it reads {', '.join(ENDINGS)}"
                )
            found.append((_stem(Path(path.name)), path))
        else:
            matches = sorted(Path(match) for match in glob.glob(str(given), recursive=True))  # noqa: PTH207
            if not matches:
                raise DataError(f"{given}: no such file or folder")
            found += article_files(matches)
    return _distinct(found)


def _distinct(found: list[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Each file once, and files of one name apart: those get their whole path as id."""
    files = {path.resolve(): (name, path) for name, path in reversed(found)}
    once = [files[path] for path in dict.fromkeys(path.resolve() for _, path in found)]
    uses = Counter(name for name, _ in once)
    return [(name if uses[name] == 1 else _stem(path), path) for name, path in once]


def holds_records(path: Path) -> bool:
    """Whether a file holds a record an article, rather than being one article."""
    return ending(path) in TABLES


def ending(path: Path) -> str:
    """The ending in small letters, ".jsonl.gz" where it is compressed."""
    last = path.suffix.lower()
    return ending(path.with_suffix("")) + last if last == ".gz" else last


def _stem(path: Path) -> str:
    return str(path.as_posix()).removesuffix(".gz").rpartition(".")[0]
