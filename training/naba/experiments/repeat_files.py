"""The files that `naba repeat` leaves in its folder, and its summary read again.

summary = read_summary(Path("models/repeated"), schema)
"""

from pathlib import Path
from typing import Any

from naba.errors import ConfigError
from naba.jsonl import read_json
from naba.schema import LabelSchema

SUMMARY_FORMAT = 1
"""Version of summary.json; a reader refuses another."""
SUMMARY, PREDICTIONS, REPORT = "summary.json", "predictions.jsonl", "repeat.md"


def read_summary(folder: Path, schema: LabelSchema) -> dict[str, Any]:
    """The summary of a finished `naba repeat`.

    Raises ConfigError where the folder holds none of this schema.
    """
    if not (folder / SUMMARY).is_file():
        raise ConfigError(f"{folder}: no {SUMMARY}; name the folder of a finished 'naba repeat'")
    summary: dict[str, Any] = read_json(folder / SUMMARY)
    if summary.get("format") != SUMMARY_FORMAT:
        raise ConfigError(f"{folder / SUMMARY}: not of this version of naba; run 'naba repeat' again")
    if summary.get("schema", {}).get("fingerprint") != schema.fingerprint:
        raise ConfigError(
            f"{folder}: labels other topics or stances than {schema.name!r}, so the two cannot be compared"
        )
    return summary
