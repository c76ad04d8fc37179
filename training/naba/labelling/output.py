"""Where a labelling job writes, so that a stop at any moment loses nothing and the finished output is the same.

    with opened(Target.of(out, ["jsonl"]), plan, schema, overwrite=False) as job:
        job.write("00000-00003", labelled)     # the parts of a shard, then the note that they are whole
        job.finish(["00000-00003"])

While a job runs its folder holds the parts of finished shards, a note of each in `.shards/`, and `.job.json`, the plan that
they follow from; at the end manifest.json with all of it, and rejected.jsonl. For an output of one file the folder stands
beside it (FILE.parts) until the parts are joined.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any

from naba.corpus.rejected import Rejected
from naba.errors import DataError
from naba.jsonl import read_json, write_json, write_jsonl
from naba.labelling.labeller import Labelled, LabelledArticle
from naba.labelling.target import Target
from naba.labelling.writer import join_parts, write_part
from naba.out_folder import hold
from naba.schema import LabelSchema

PLAN, MANIFEST, NOTES = ".job.json", "manifest.json", ".shards"
RESULTS = ("totals", "shards", "rejected")
"""What a manifest holds besides the job's plan."""
_PART = re.compile(r"part-(\d{5,}-\d{5,}|none)\.(jsonl|csv|parquet)")
SHOWN = 20
"""How many rejected inputs a job's totals name one by one; all stand in rejected.jsonl."""


@dataclass
class Written:
    """What a labelling job wrote."""

    files: list[Path]
    rejected_file: Path
    articles: int = 0
    segments: int = 0
    rejected: int = 0
    first_rejected: tuple[Rejected, ...] = ()
    """The first SHOWN of them."""
    done_before: bool = False
    """Nothing was left to do: the output was there, from the same input and model."""


class JobFolder:
    """A job's folder, held by one process."""

    def __init__(self, target: Target, plan: Mapping[str, Any], schema: LabelSchema) -> None:
        self.target, self.plan, self._schema = target, plan, schema

    def is_done(self, shard: str) -> dict[str, Any] | None:
        """The note of a shard whose parts are all there; None where there is none."""
        path = self._note(shard)
        if not path.is_file():
            return None
        try:
            note = read_json(path)
            whole = all(
                (self.target.folder / name).stat().st_size == part["bytes"] for name, part in note["files"].items()
            )
        except (DataError, OSError, KeyError, TypeError, AttributeError):
            return None  # half a note, or a part that went: the shard is labelled again
        return note if whole else None

    def write(self, shard: str, labelled: Sequence[Labelled]) -> dict[str, Any]:
        """Write the parts of a shard, and last its note."""
        articles = [item for item in labelled if isinstance(item, LabelledArticle)]
        files: dict[str, Any] = {}
        for kind in self.target.formats:
            path = self.target.folder / f"part-{shard}.{kind}"
            write_part(path, articles, self._schema)
            files[path.name] = mark_of(path)
        note = {
            "shard": shard,
            "articles": len(articles),
            "segments": sum(len(article.segments) for article in articles),
            "files": files,
            "rejected": [item.to_dict() for item in labelled if isinstance(item, Rejected)],
        }
        write_json(self._note(shard), note)
        return note

    def finish(self, shards: Sequence[str]) -> Written:
        """Join the parts where one file is wanted; write manifest and rejected.jsonl; remove what only a stop needs."""
        target = self.target
        written = Written([], target.rejected)
        parts: list[Path] = []
        listed: list[dict[str, Any]] = []
        first: list[Rejected] = []

        def rejected() -> Iterator[dict[str, Any]]:
            for shard in shards:
                note = self.is_done(shard)
                if note is None:
                    raise DataError(f"{target.folder}: shard {shard} is gone; start the same command again")
                written.articles += note["articles"]
                written.segments += note["segments"]
                written.rejected += len(note["rejected"])
                parts.extend(target.folder / name for name in note["files"])
                listed.append(note | {"rejected": len(note["rejected"])})
                first.extend(Rejected(**row) for row in note["rejected"][: max(0, SHOWN - len(first))])
                yield from note["rejected"]

        write_jsonl(target.rejected, rejected())
        if not written.rejected:
            target.rejected.unlink()
        written.first_rejected = tuple(first)
        totals = {"articles": written.articles, "segments": written.segments, "rejected": written.rejected}
        rejected_mark = mark_of(target.rejected) if written.rejected else None
        manifest = {**self.plan, "totals": totals, "rejected": rejected_mark, "shards": listed}
        if target.file is not None:
            if not parts:
                write_part(target.folder / f"part-none.{target.formats[0]}", [], self._schema)
                parts.append(target.folder / f"part-none.{target.formats[0]}")
            if written.articles or not written.rejected:
                join_parts(parts, target.file)
            else:  # an empty one would stand in the way of the corrected command
                target.file.unlink(missing_ok=True)
        # From here on the job is done; what a kill leaves of the rest is removed by the next start.
        write_json(target.folder / MANIFEST, manifest)
        tidy(target)
        written.files = parts if target.file is None else [target.file] if target.file.is_file() else []
        return written

    def _note(self, shard: str) -> Path:
        return self.target.folder / NOTES / f"{shard}.json"


@contextmanager
def opened(target: Target, plan: Mapping[str, Any], schema: LabelSchema, *, overwrite: bool) -> Iterator[JobFolder]:
    """Hold the folder of a job, begun now or by an earlier start of the same job.

    Args:
        target: where to.
        plan: all that the output follows from.
        schema: the model's.
        overwrite: replace another job's output.

    Raises:
        DataError: the folder has another job's output, or cannot be written.
        ConfigError: another process works in it.
    """
    with hold(target.folder, lambda: check(target, plan, overwrite=overwrite)) as same:
        try:
            for path in _half_written(target):
                path.unlink()
            if not same:
                for path in _own(target):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError as error:
            raise DataError(
                f"{target.folder}: what is there cannot be removed ({error.strerror}); choose another --out"
            ) from None
        if not same:
            write_json(target.folder / PLAN, dict(plan))
        (target.folder / MANIFEST).unlink(missing_ok=True)  # it proves that a job is done, and this one is not
        yield JobFolder(target, plan, schema)
    with suppress(OSError):  # not empty: the job is not done, or its parts stay
        if target.file is not None:
            target.folder.rmdir()


def check(target: Target, plan: Mapping[str, Any] | None, *, overwrite: bool) -> bool:
    """Whether the folder holds the beginning of this very job; without a plan, of any. Raises DataError where it may not be used."""
    before = started_with(target)
    differing = _differing(before, plan or before)
    if before and differing and not overwrite:
        raise DataError(
            f"{target.folder}: holds the beginning of another job ({_named(differing)} differ); give the command that it "
            "was started with to go on, or pass --overwrite to start anew"
        )
    # Where both are there, the job was stopped between joining its parts and removing them.
    # What was set aside alone is in nobody's way: no article could be labelled, and there is no output beside it.
    found = [path for path in [target.file, *_own(target)] if path is not None and path.exists()]
    there = next((path for path in found if target.file is None or path != target.rejected), None)
    if (
        there is not None
        and not before
        and not overwrite
        and (plan is not None or not (target.folder / MANIFEST).is_file())
    ):
        done = done_with(target)
        other = f", of a job that differs in {_named(_differing(done, plan or {}))}" if done and done != plan else ""
        raise DataError(f"{there}: is there already{other}; choose another --out, or pass --overwrite to replace it")
    return bool(before) and not differing


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The keys in which two plans differ."""
    return sorted(key for key in {*one, *other} if one.get(key) != other.get(key))


def _named(keys: Sequence[str]) -> str:
    """Keys of a plan as a user knows them."""
    said = {"input": "input: names, sizes or times of its files", "form": "exported form"}
    return ", ".join(said.get(key, key) for key in keys)


def tidy(target: Target) -> None:
    """Remove what only a stop needs, of a job that is done; of parts that were joined the manifest goes last."""
    (target.folder / PLAN).unlink(missing_ok=True)
    shutil.rmtree(target.folder / NOTES, ignore_errors=True)
    if target.file is not None:
        for path in (*_parts(target.folder), target.folder / MANIFEST):
            path.unlink(missing_ok=True)


def started_with(target: Target) -> dict[str, Any]:
    """The plan of the job that the folder holds the beginning of; empty where there is none."""
    path = target.folder / PLAN
    return read_json(path) if path.is_file() else {}


def manifest_of(target: Target) -> dict[str, Any]:
    """The manifest of a job whose whole output the folder holds; empty where there is none."""
    path = target.folder / MANIFEST
    return read_json(path) if path.is_file() and not (target.folder / PLAN).is_file() else {}


def plan_in(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The plan of the job that wrote a manifest."""
    return {key: value for key, value in manifest.items() if key not in RESULTS}


def done_with(target: Target) -> dict[str, Any]:
    """The plan of the job whose whole output the folder holds; empty where there is none."""
    return plan_in(manifest_of(target))


def _parts(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("part-*")) if _PART.fullmatch(path.name) and path.is_file()]


def _own(target: Target) -> list[Path]:
    """What labelling jobs write into a folder; the plan comes last, for by it what is left after a kill is known."""
    folder = target.folder
    names = [*_parts(folder), folder / NOTES, folder / MANIFEST, target.rejected, folder / PLAN]
    return [path for path in names if path.exists()]


def _half_written(target: Target) -> Iterator[Path]:
    """The temporary files that a kill left; see `naba.jsonl.atomic_open`."""
    names = (PLAN, MANIFEST, "part-*", target.rejected.name, *([target.file.name] if target.file else []))
    for folder in {target.folder, target.folder / NOTES, target.rejected.parent}:
        for name in (*names, "*.json") if folder.name == NOTES else names:
            yield from folder.glob(f".{name if name == 'part-*' or name == '*.json' else escape(name)}.*.tmp")


def mark_of(path: Path) -> dict[str, Any]:
    """By what a written file is known again."""
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
