"""Labelled segments in JSONL files."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from naba.errors import DataError
from naba.jsonl import read_numbered, write_jsonl
from naba.paths import find
from naba.records import LabelledSegment
from naba.schema import LabelSchema


def load_labelled(paths: Sequence[Path], schema: LabelSchema) -> list[LabelledSegment]:
    """Read labelled segments from files, in order.

    Raises DataError naming file and line for a missing file, a broken row, or a label outside the schema.
    """
    items = []
    for path in map(find, paths):
        for line, row in read_numbered(path):
            items.append(LabelledSegment.from_row(row, schema, f"{path}:{line}"))
    if not items:
        raise DataError(f"{', '.join(map(str, paths)) or 'no file given'}: no labelled segments")
    return items


def write_labelled(path: Path, items: Iterable[LabelledSegment]) -> int:
    """Write labelled segments atomically; returns how many."""
    return write_jsonl(path, (item.to_row() for item in items))
