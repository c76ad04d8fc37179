"""What a run was made from, found again: training data for baselines and leaks, validation data for thresholds.

material = Material.of(system, train=[], validation=[])
material.training, material.fitted_on
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
    """Labelled segments that a run was trained and chosen on, as far as they are at hand."""

    training: list[LabelledSegment]
    """All that it may have met in training: the recorded files that are there, and those that the user names."""
    validation: list[LabelledSegment]
    """The same of what it was chosen on."""
    missing: list[str]
    """Recorded files that are gone or changed since."""
    fitted_on: list[LabelledSegment]
    """What baselines are fitted on: the files named, else the recorded ones if all are there; a baseline that is fitted on
    a part would be no baseline."""
    chosen_on: list[LabelledSegment]
    """What operating points are chosen on, likewise."""
    files: list[Path]
    """The files of `fitted_on`."""
    own: bool = False
    """Whether `fitted_on` is the whole of the run's own training data."""

    @classmethod
    def of(cls, system: System, *, train: Sequence[Path] = (), validation: Sequence[Path] = ()) -> "Material":
        """Read what the run's own record names, and the files that the user names.

        Raises:
            CheckpointError: the record is not as naba writes it. DataError: a file cannot be read.
        """
        recorded = {part: _recorded(system.record, part) for part in ("train", "validation")}
        named = {"train": [find(path) for path in train], "validation": [find(path) for path in validation]}
        read: dict[Path, list[LabelledSegment]] = {}

        def segments(files: Sequence[Path]) -> list[LabelledSegment]:
            for file in files:
                if file not in read:
                    read[file] = load_labelled([file], system.source_schema)
            return [item for file in dict.fromkeys(files) for item in read[file]]

        used = {part: named[part] or ([] if gone else there) for part, (there, gone) in recorded.items()}
        return cls(
            segments([*recorded["train"][0], *named["train"]]),
            segments([*recorded["validation"][0], *named["validation"]]),
            [str(file) for _, gone in recorded.values() for file in gone],
            segments(used["train"]),
            segments(used["validation"]),
            used["train"],
            bool(used["train"]) and not recorded["train"][1] and set(used["train"]) == set(recorded["train"][0]),
        )


def _recorded(record: Mapping[str, Any], part: str) -> tuple[list[Path], list[Path]]:
    """The files of `train` or `validation` that a run.json or train.json names: those that are there unchanged, the others.

    Raises CheckpointError for a record that naba did not write.
    """
    if not record:
        return [], []
    try:
        sources = [TrainingSource.model_validate(source) for source in record["config"][part]]
        marks = {find(source.path): record["data"][str(source.path)] for source in sources}
    except (KeyError, TypeError, ValidationError) as error:
        raise CheckpointError(f"run.json: not as naba writes it ({error})") from None
    there = [file for file, mark in marks.items() if file.is_file() and fingerprint(file) == mark]
    return there, [file for file in marks if file not in there]
