"""A labelling job that was done before: nothing is left of it to do, unless its output was lost or changed since.

written = finished_before(target, plan)      # None: label what is missing
"""

import logging
import shutil
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from naba.corpus.rejected import Rejected
from naba.errors import DataError
from naba.jsonl import read_jsonl, write_json
from naba.labelling.output import MANIFEST, NOTES, PLAN, Written, manifest_of, mark_of, plan_in, tidy
from naba.labelling.target import Target
from naba.out_folder import hold
from naba.progress import SILENT, Progress

logger = logging.getLogger(__name__)


def finished_before(target: Target, plan: Mapping[str, Any], progress: Progress = SILENT) -> Written | None:
    """What an earlier start of this very job wrote to its end, tidied up; None where none did, or not all of it is left.

    Every part is compared with its checksum. Where some are lost or changed the folder becomes that of a job which was
    stopped before it wrote these, so that they alone are labelled again.

    Raises:
        DataError: a part that is there but cannot be read.
        ConfigError: another process works in the folder.
    """
    manifest = manifest_of(target)
    if not manifest or plan_in(manifest) != dict(plan):
        return None
    if target.file is not None:  # the end of the job was cut off; its parts may be gone already
        if not target.file.is_file():
            return None
        tidy(target)
        return Written([target.file], target.rejected, **manifest["totals"], done_before=True)
    notes = manifest["shards"]
    listed = not manifest["totals"]["rejected"] or _is(target.rejected, manifest["rejected"])
    whole = set()
    with progress.task("comparing with the manifest", len(notes), "shards") as advance:
        for note in notes:
            if (listed or not note["rejected"]) and _whole(target.folder, note):
                whole.add(note["shard"])
            advance(1, "")
    if len(whole) == len(notes):
        tidy(target)
        files = [target.folder / name for note in notes for name in note["files"]]
        return Written(files, target.rejected, **manifest["totals"], done_before=True)
    with hold(target.folder, lambda: None):
        if manifest_of(target) != manifest:  # meanwhile another process took the folder and gave it back
            return None
        _reopen(target, manifest, whole)
    logger.warning(
        "%s: %d of %d shards are gone, or not as they were written; they are labelled again",
        target.folder,
        len(notes) - len(whole),
        len(notes),
    )
    return None


def _whole(folder: Path, note: Mapping[str, Any]) -> bool:
    """Whether the parts of a shard are there as they were written."""
    return all(_is(folder / name, part) for name, part in note["files"].items())


def _is(path: Path, known: Mapping[str, Any]) -> bool:
    try:
        return mark_of(path) == known
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); was it written by this job?") from None


def _reopen(target: Target, manifest: Mapping[str, Any], whole: set[str]) -> None:
    """Make the folder that of a job which was stopped when these shards were done; a kill in between changes nothing."""
    notes = target.folder / NOTES
    shutil.rmtree(notes, ignore_errors=True)
    if notes.exists():
        raise DataError(f"{notes}: cannot be removed; remove it by hand")
    rows = (
        read_jsonl(target.rejected)
        if any(note["rejected"] for note in manifest["shards"] if note["shard"] in whole)
        else iter(())
    )
    for note in manifest["shards"]:
        own = [Rejected(**row).to_dict() for row in islice(rows, note["rejected"])]
        if note["shard"] in whole:
            write_json(notes / f"{note['shard']}.json", note | {"rejected": own})
    write_json(target.folder / PLAN, plan_in(manifest))
    (target.folder / MANIFEST).unlink()
