"""The files that a training reads: whether they are there, and marks by which their contents are known again.

check_files([*training_paths(config), *config.validation])      # before anything slow
marks = fingerprints(training_paths(config))
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from naba.config import TrainConfig
from naba.errors import DataError
from naba.fingerprint import fingerprint
from naba.paths import find


def training_paths(config: TrainConfig) -> list[Path]:
    """The training files."""
    return [source.path for source in config.train]


def check_files(paths: Sequence[Path]) -> None:
    """Raise DataError for the first that is no file."""
    for path in paths:
        if find(path).is_dir():
            raise DataError(f"{path}: is a folder; name the JSONL file in it")
        if not find(path).is_file():
            raise DataError(f"{path}: no such file")


def fingerprints(paths: Sequence[Path]) -> dict[str, str]:
    """Path → mark of its content. Raises DataError for what is no file."""
    check_files(paths)
    return {str(path): fingerprint(find(path)) for path in paths}


def data_marks(config: Mapping[str, Any], marks: Mapping[str, str]) -> dict[str, list[Any]]:
    """Which data a training reads, in their order and wherever they lie.

    Args:
        config: a `TrainConfig` as JSON.
        marks: path → mark of its content (`fingerprints`).
    """
    return {
        "train": [marks[source["path"]] for source in config["train"]],
        "weights": [source["weight"] for source in config["train"]],
        "validation": [marks[path] for path in config["validation"]],
    }
