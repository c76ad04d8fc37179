"""A labelling job that was done before: nothing is left of it to do, unless its output was lost or changed since.

written = finished_before(target, plan)      # None: label what is missing
"""

import logging
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from naba.errors import DataError
from naba.jsonl import read_json, read_jsonl, write_json
from naba.labelling.output import MANIFEST, NOTES, PLAN, Target, Written, sha256_of, tidy
from naba.out_folder import hold

logger = logging.getLogger(__name__)


def finished_before(target: Target, plan: Mapping[str, Any]) -> Written | None:
    """What an earlier start of this very job wrote to its end, tidied up; None where none did, or not all of it is left.

    Every part is compared with its checksum. Where some are lost or changed the folder becomes that of a job which was
    stopped before it wrote these, so that they alone are labelled again.
    """
    path = target.folder / MANIFEST
    if not path.is_file() or (target.folder / PLAN).is_file():
        return None
    manifest = read_json(path)
    if {key: value for key, value in manifest.items() if key not in ("totals", "shards")} != dict(plan):
        return None
    if target.file is not None:  # the end of the job was cut off; its parts may be gone already
        if not target.file.is_file():
            return None
        tidy(target)
        return Written([target.file], target.rejected, **manifest["totals"], done_before=True)
    whole = [note for note in manifest["shards"] if _whole(target.folder, note)]
    if len(whole) == len(manifest["shards"]):
        tidy(target)
        files = [target.folder / name for note in whole for name in note["files"]]
        return Written(files, target.rejected, **manifest["totals"], done_before=True)
    with hold(target.folder, lambda: None):
        lost = len(manifest["shards"]) - _reopen(target, manifest, {note["shard"] for note in whole})
    logger.warning(
        "%s: %d of %d shards are gone, or not as they were written; they are labelled again",
        target.folder,
        lost,
        len(manifest["shards"]),
    )
    return None


def _whole(folder: Path, note: Mapping[str, Any]) -> bool:
    """Whether the parts of a shard are there as they were written."""
    try:
        return all(
            (folder / name).stat().st_size == part["bytes"] and sha256_of(folder / name) == part["sha256"]
            for name, part in note["files"].items()
        )
    except OSError:
        return False


def _reopen(target: Target, manifest: Mapping[str, Any], whole: set[str]) -> int:
    """Write the notes of the shards that are whole, and last the plan; how many these are."""
    rejected = _rejected(target, manifest["totals"]["rejected"])
    notes = target.folder / NOTES
    kept = 0
    for note in manifest["shards"]:
        rows = list(islice(rejected, note["rejected"])) if rejected else []
        if note["shard"] in whole and len(rows) == note["rejected"]:
            write_json(notes / f"{note['shard']}.json", note | {"rejected": rows})
            kept += 1
    write_json(target.folder / PLAN, {key: manifest[key] for key in manifest if key not in ("totals", "shards")})
    return kept


def _rejected(target: Target, count: int) -> Iterator[dict[str, Any]] | None:
    """What was set aside, in the order of the shards; None where the file is no longer what was written."""
    try:
        rows = list(read_jsonl(target.rejected)) if count else []
    except (DataError, OSError):
        return None
    return iter(rows) if len(rows) == count else None
