"""What `naba label` wrote, read again: a row an article, one at a time, however many files it lies in.

    for row in read_labelled([Path("labelled"), Path("yesterday.jsonl.gz")]):
        row.date, row.source, row.segments[0].topics["diplomacy"].stance

Every row is checked, for what is shown or counted next should be what the model said. Topics and stances are those of the
rows, which must agree: files of models with different labels can't be read together.
"""

import glob
import gzip
import logging
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from naba.errors import DataError
from naba.jsonl import parse_object, read_json
from naba.labelling.labelled_row import LabelledRow, RowReader, RowSegment
from naba.notice import NOTICE
from naba.paths import find

__all__ = ["LabelledFiles", "LabelledRow", "RowSegment", "labelled_files", "read_labelled"]

logger = logging.getLogger(__name__)

ENDINGS = (".jsonl", ".jsonl.gz")
_TABLES = (".csv", ".tsv", ".xlsx", ".parquet", ".csv.gz")
_WHOLE = ("labelled.jsonl", "labelled.jsonl.gz")
_MANIFEST = "manifest.json"
_PART = re.compile(r"part-(\d+)-(\d+)\.")
_UNFINISHED = (".job.json", ".shards")
"""What a job leaves in its folder until its last shard and manifest.json are written."""


@dataclass(frozen=True, slots=True)
class LabelledFiles:
    """The files of a job or of several, in the order they are read."""

    files: tuple[Path, ...]
    unfinished: tuple[Path, ...] = ()
    """Folders of jobs that are not finished; the shards that are done are among the files."""


def read_labelled(paths: Iterable[Path]) -> Iterator[LabelledRow]:
    """The rows of labelled output, in the files' order.

    Args:
        paths: .jsonl or .jsonl.gz files of `naba label`, folders that it filled, or patterns; a file named twice is read
            once.

    Raises:
        DataError: before the first row, for a path that is none of these; while reading, naming file and line, for a line
            that is no labelled article or whose topics or stances differ from those of the first.
    """
    found = labelled_files(paths)
    for folder in found.unfinished:
        logger.log(
            NOTICE, "%s: the job is not finished; what is done so far is read. Start it again to finish it", folder
        )
    return _rows(found.files)


def labelled_files(paths: Iterable[Path]) -> LabelledFiles:
    """The files that the paths mean. Raises DataError for a path that holds no labelled output or may not be read."""
    try:
        return _found(paths)
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror}); check its rights") from None


def _found(paths: Iterable[Path]) -> LabelledFiles:
    files: dict[Path, Path] = {}
    unfinished: list[Path] = []
    for given in paths:
        path = find(given)
        for match in [path] if path.exists() else _matches(given):
            if match.is_dir():
                inside, finished = _of_folder(match)
                if not finished:
                    unfinished.append(match)
            else:
                inside = [_of_kind(match)]
            for file in inside:
                files.setdefault(file.resolve(), file)
    return LabelledFiles(tuple(files.values()), tuple(unfinished))


def _matches(pattern: Path) -> list[Path]:
    found = sorted(map(Path, glob.glob(str(pattern), recursive=True)), key=_place)  # noqa: PTH207
    found = [path for path in found if path.is_dir() or _is_output(path)]
    if not found:
        raise DataError(f"{pattern}: no such file or folder")
    return found


def _of_folder(folder: Path) -> tuple[list[Path], bool]:
    """The labelled files in a folder that a job filled, and whether the job is finished."""
    names = {path.name: path for path in sorted(folder.iterdir(), key=_place)}
    shards = [path for name, path in names.items() if name.startswith("part-") and _is_output(path)]
    listed = _listed(names[_MANIFEST]) if _MANIFEST in names else {}
    if strange := [path.name for path in shards if listed and path.name.removesuffix(".gz") not in listed]:
        logger.warning("%s: left out, as %s does not name it: %s", folder, _MANIFEST, ", ".join(strange))
        shards = [path for path in shards if path.name not in strange]
    shards.sort(key=lambda path: listed.get(path.name.removesuffix(".gz"), 0))
    whole = [names[name] for name in _WHOLE if name in names]
    if len(whole) + bool(shards) > 1:
        kinds = " and ".join([path.name for path in whole] + (["shards (part-*.jsonl)"] if shards else []))
        raise DataError(f"{folder}: holds {kinds}; name the files that are meant, or each article counts twice")
    finished = _MANIFEST in names or not any(name in names for name in _UNFINISHED)
    if whole or shards:
        return whole or shards, finished
    if not finished:
        raise DataError(f"{folder}: a job that has finished no shard yet; start the same `naba label` again")
    if _MANIFEST in names and not any(_ending(path) in _TABLES for path in names.values()):
        return [], True  # a job that was given no article
    hint = "name the .jsonl files that `naba label` wrote"
    if any(_ending(path) in _TABLES for path in names.values()):
        hint = "tables of labelled output are not read; label with a JSONL output, and name that"
    raise DataError(f"{folder}: holds no labelled.jsonl and no part-*.jsonl; {hint}")


def _place(path: Path) -> tuple[Path, str, tuple[int, ...], str]:
    """Sorts by folder and name, but parts by their numbers: beyond 99,999 these have more digits."""
    part = _PART.match(path.name)
    return (path.parent, "part-", (int(part[1]), int(part[2])), path.name) if part else (path.parent, path.name, (), "")


def _listed(manifest: Path) -> dict[str, int]:
    """Places of the parts in a job's order; none where the manifest is no job's."""
    try:
        names = [name for shard in read_json(manifest)["shards"] for name in shard["files"]]
        return {name: place for place, name in enumerate(names)}
    except (DataError, KeyError, TypeError):
        return {}  # the numbers in the parts' names give the same order


def _of_kind(path: Path) -> Path:
    ending = _ending(path)
    if ending in ENDINGS:
        return path
    if ending in _TABLES:
        raise DataError(f"{path}: a table; name the labelled JSONL (.jsonl) that `naba label` writes instead")
    if ending == ".partial":
        raise DataError(f"{path}: what an interrupted job left; start it again, and name the finished .jsonl")
    raise DataError(f"{path}: not read; labelled output ends in {' or '.join(ENDINGS)}")


def _is_output(path: Path) -> bool:
    hidden = path.name.startswith(".")
    rejected = path.name.removesuffix(".gz").endswith("rejected.jsonl")
    return path.is_file() and _ending(path) in ENDINGS and not hidden and not rejected


def _ending(path: Path) -> str:
    """The ending in small letters, ".jsonl.gz" where it is compressed."""
    last = path.suffix.lower()
    return path.with_suffix("").suffix.lower() + last if last == ".gz" else last


def _rows(files: Iterable[Path]) -> Iterator[LabelledRow]:
    reader = RowReader()
    for path in files:
        for number, raw in _lines(path):
            where = f"{path}:{number}"
            yield reader.read(parse_object(raw, where), where)


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with _opened(path) as lines:
            for number, raw in enumerate(lines, start=1):
                if raw.strip():
                    yield number, raw
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
