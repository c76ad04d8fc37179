"""What a job will do: the shards it is cut into, and all that its output follows from.

Shard.of(0, 500, 500).name                     # "00000-00001"
plan = plan_of(files, Path("models/naba-news"), schema, "int8", LabelConfig())
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from naba.cascade.stage import cascade_mark
from naba.config import LabelConfig
from naba.corpus.files import STDIN
from naba.corpus.readers import read_records
from naba.corpus.shards import File
from naba.errors import DataError
from naba.fingerprint import fingerprint_of, run_mark
from naba.labelling.labeller import Item
from naba.modelling.exported import form_fingerprint
from naba.schema import LabelSchema

FORMAT = 3
"""Of the plan, and of the files that follow from it."""


@dataclass(frozen=True)
class Shard:
    """A run of records that are read, labelled and written together."""

    name: str
    group: int
    """Which group of files it is of."""
    start: int
    """Its first record in the group."""

    @classmethod
    def of(cls, group: int, start: int, records: int) -> "Shard":
        """The shard of so many records that begins there."""
        return cls(f"{group:05}-{start // records:05}", group, start)


def read_group(
    group: Sequence[File], config: LabelConfig, start: int, stdin: IO[bytes] | None = None
) -> Iterator[list[Item]]:
    """The records of a group from number `start` on; what lies before is not parsed."""
    if len(group) > 1:
        return chain.from_iterable(read_records(name, path, config.read) for name, path in group[start:])
    ((name, path),) = group
    return read_records(name, path, config.read, start, stdin=stdin)


def plan_of(
    files: Sequence[File], model: Path, schema: LabelSchema, engine: str, config: LabelConfig
) -> dict[str, Any]:
    """All that a job's output follows from."""
    return {
        "format": FORMAT,
        "model": run_mark(model),
        "schema": schema.fingerprint,
        "engine": engine,
        "form": form_fingerprint(model) if engine == "int8" else None,
        "batch_tokens": config.batch_tokens,
        "cascade": cascade_mark(model, config.cascade),
        "input": input_mark(files),
        "read": config.read.model_dump(mode="json"),
        "formats": list(config.formats),
        "shard": config.shard,
    }


def input_mark(files: Sequence[File]) -> dict[str, Any]:
    """By what the same input is known again. Standard input never is: another may have come in its place."""
    if any(path == STDIN for _, path in files):
        return {"stream": uuid4().hex}
    try:
        found = [(name, path, path.stat()) for name, path in files]
    except OSError as error:
        raise DataError(
            f"{error.filename}: cannot be read ({error.strerror}); did it go while the job began?"
        ) from None
    marks = [[name, os.fsencode(path).hex(), stat.st_size, stat.st_mtime_ns] for name, path, stat in found]
    return {"files": len(files), "fingerprint": fingerprint_of(marks)}
