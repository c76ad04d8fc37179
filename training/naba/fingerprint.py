"""Short marks of content, by which a run, a build or a report knows its inputs again."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DECIDING = ("config.json", "decision.json", "model.safetensors", "tokenizer.json")
"""The files of a run that its answers follow from."""


def fingerprint(path: Path) -> str:
    """First sixteen hex digits of the file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def fingerprint_of(value: Any) -> str:
    """First sixteen hex digits of the SHA-256 of a JSON value, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def fingerprint_files(paths: Iterable[Path]) -> str:
    """One mark for several files, by name and content."""
    return fingerprint_of([[path.name, fingerprint(path)] for path in paths])


def run_mark(folder: Path) -> str:
    """The run's name with a mark of what decides its answers, so that no other model's are ever taken for its.

    Reports that are written into the folder later change nothing.
    """
    files = [folder / name for name in DECIDING]
    return f"{folder.resolve().name}@{fingerprint_files(file for file in files if file.is_file())}"
