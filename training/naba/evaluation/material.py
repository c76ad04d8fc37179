"""What a run was made from, found again: training data for baselines and leaks, validation data for thresholds.

material = Material.of(system, train=[], validation=[])
material.training, material.validation
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from naba.config import TrainingSource
from naba.dataset.labelled import load_labelled
from naba.errors import CheckpointError
from naba.evaluation.system import System
from naba.fingerprint import fingerprint
from naba.paths import find
from naba.records import LabelledSegment


@dataclass(frozen=True)
class Material:
    """Labelled segments that a run was trained and chosen on; empty where they are not at hand."""

    training: list[LabelledSegment]
    validation: list[LabelledSegment]
    files: list[Path]
    """The training files."""

    @classmethod
    def of(cls, system: System, *, train: Sequence[Path], validation: Sequence[Path]) -> "Material":
        """The files named, else those that the run's own record names, if all are still there unchanged.

        Raises:
            CheckpointError: the record is not as naba writes it. DataError: a file cannot be read.
        """
        files = [find(path) for path in train] or recorded_files(system.record, "train")
        chosen_on = [find(path) for path in validation] or recorded_files(system.record, "validation")
        schema = system.source_schema
        return cls(
            load_labelled(files, schema) if files else [],
            load_labelled(chosen_on, schema) if chosen_on else [],
            files,
        )


def recorded_files(record: Mapping[str, Any], part: str) -> list[Path]:
    """The files of `train` or `validation` that a run.json or train.json names; none unless all are there unchanged: a
    baseline that is fitted on a part would be no baseline.

    Raises CheckpointError for a record that naba did not write.
    """
    if not record:
        return []
    try:
        sources = [TrainingSource.model_validate(source) for source in record["config"][part]]
        marks = {find(source.path): record["data"][str(source.path)] for source in sources}
    except (KeyError, TypeError, ValidationError) as error:
        raise CheckpointError(f"run.json: not as naba writes it ({error})") from None
    unchanged = all(file.is_file() and fingerprint(file) == mark for file, mark in marks.items())
    return list(marks) if unchanged else []
