"""Votes in JSONL files: what people, rules and models said of segments, before it is resolved into labels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from naba.errors import DataError
from naba.jsonl import read_numbered, write_jsonl
from naba.paths import find
from naba.records import LabelledSegment, Vote
from naba.schema import LabelSchema


def load_votes(paths: Sequence[Path], schema: LabelSchema) -> list[Vote]:
    """Read votes from files, in order; a labelled row with `readings` gives one vote a reading ("reading-1", …).

    Raises DataError naming file and line for a missing file, a broken row, or one that says neither who gave its labels
    nor what the readings were.
    """
    votes: list[Vote] = []
    for path in map(find, paths):
        for line, row in read_numbered(path):
            votes += _votes(row, schema, f"{path}:{line}")
    if not votes:
        raise DataError(f"{', '.join(map(str, paths)) or 'no file given'}: no votes")
    return votes


def write_votes(path: Path, votes: Iterable[Vote]) -> int:
    """Write votes atomically; returns how many."""
    return write_jsonl(path, (vote.to_row() for vote in votes))


def _votes(row: Mapping[str, Any], schema: LabelSchema, where: str) -> Iterator[Vote]:
    if "annotator" in row or not isinstance(row.get("readings"), list):
        yield Vote.from_row(row, schema, where)
        return
    shared = {key: value for key, value in row.items() if key != "readings"}
    for number, reading in enumerate(row["readings"], start=1):
        if not isinstance(reading, Mapping):
            raise DataError(f"{where}: reading {number} is no object; expected topic → stance, null where absent")
        labels = {topic: {"present": stance is not None, "stance": stance} for topic, stance in reading.items()}
        yield Vote(LabelledSegment.from_row(shared | {"labels": labels}, schema, where), f"reading-{number}")
