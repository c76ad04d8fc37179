"""The ledger of a dataset: where every segment was placed, so that adding articles moves none.

A JSONL file: a first line that says how the split was made, then a line a segment, sorted by id. Segments are known by
their text, whatever file or article they come from.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from naba.config import SplitConfig
from naba.dataset.split import PARTS
from naba.errors import DataError
from naba.jsonl import read_numbered, write_jsonl

_FORMAT = 1


def read_ledger(path: Path, config: SplitConfig) -> dict[str, str]:
    """Segment id → part; empty where there is no ledger yet.

    Raises DataError for a file that is no ledger, or one of a split by other rules.
    """
    if not path.exists():
        return {}
    lines = read_numbered(path)
    number, head = next(lines, (1, {}))
    if head.get("ledger") != _FORMAT:
        raise DataError(
            f"{path}:{number}: not a ledger that this version of naba reads; name another file under 'ledger'"
        )
    if head.get("split") != _rules(config):
        raise DataError(
            f"{path}: written for another split ({head.get('split')}); name another file under 'ledger', or remove this "
            "one to place everything anew"
        )
    placed = {}
    for number, row in lines:
        if not isinstance(row.get("id"), str) or row.get("part") not in PARTS:
            raise DataError(f"{path}:{number}: expected id and part ({', '.join(PARTS)}), got {row}")
        placed[row["id"]] = row["part"]
    return placed


def write_ledger(path: Path, placed: Mapping[str, str], config: SplitConfig) -> None:
    """Write the ledger atomically."""
    head: dict[str, Any] = {"ledger": _FORMAT, "split": _rules(config)}
    write_jsonl(path, [head, *({"id": key, "part": placed[key]} for key in sorted(placed))])


def _rules(config: SplitConfig) -> dict[str, Any]:
    """What must stay the same for old placements to make sense; shares may change, they concern new segments only."""
    return config.model_dump(mode="json", exclude={"validation", "test", "weak_held_out"})
