"""Raw articles as segments with the votes of rules and models, in shards that survive a stop.

Article files are read in shards of RECORDS records. A shard is written whole, then its note, whose existence proves it;
a build that was stopped goes on after the last shard that has one. A shard is named by what it depends on: the file's
content, how it is read, and who votes; when any of these changes, it is made anew.

    segments = harvest([ArticleSource(path="seeds")], folder, voters)
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from naba import corpus
from naba.config import ArticleSource
from naba.corpus.files import article_files, holds_records
from naba.corpus.mask import mask
from naba.corpus.readers import Rejected, read_records
from naba.corpus.segments import segment_article
from naba.corpus.shards import file_groups
from naba.errors import DataError
from naba.fingerprint import fingerprint, fingerprint_files, fingerprint_of
from naba.jsonl import read_json, read_jsonl, write_json, write_jsonl
from naba.progress import SILENT, Progress
from naba.records import Article, Segment
from naba.voting.voters import SegmentVote, Voters

RECORDS = 500
"""Records, or files of one article each, in a shard."""
_CODE = fingerprint_files(sorted(Path(corpus.__path__[0]).glob("*.py")))
"""Of the code that makes segments of files: a shard that other code made is made anew."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Harvested:
    """A segment of a raw article, masked, with what was said of it."""

    segment: Segment
    provenance: dict[str, Any]
    """source, date, url, licence; shared by the segments of an article."""
    votes: list[SegmentVote]


@dataclass
class Harvest:
    """What was read."""

    segments: list[Harvested]
    articles: int
    rejected: list[dict[str, Any]]
    reused: int
    """Shards that an earlier start had finished."""
    written: int
    """Shards that this one made."""


@dataclass(frozen=True)
class _Unit:
    """What shards are cut from: one file of records, or up to RECORDS files of one article each."""

    files: Sequence[tuple[str, Path]]
    source: ArticleSource

    def key(self, voters: str) -> str:
        settings = self.source.model_dump(mode="json", exclude={"path"})
        marks = [[name, fingerprint(path)] for name, path in self.files]
        return fingerprint_of([_CODE, RECORDS, settings, marks, voters])

    def records(self, skip: int) -> Iterator[list[Article | Rejected]]:
        return chain.from_iterable(read_records(name, path, self.source.read, skip) for name, path in self.files)

    @property
    def name(self) -> str:
        """The outlet where neither article nor configuration states one."""
        return self.files[0][0] if holds_records(self.files[0][1]) else self.source.path.stem


def harvest(sources: Sequence[ArticleSource], folder: Path, voters: Voters, *, progress: Progress = SILENT) -> Harvest:
    """Read all articles into segments, writing shards into `folder` on the way; shards no longer needed are removed.

    Two files may use the same ids: an article of the later one gets the file's name before its id.

    Raises DataError for a path that cannot be used or a folder that cannot be written.
    """
    found = Harvest([], 0, [], 0, 0)
    names = _Names()
    used: set[str] = set()
    with progress.task("articles", None, "articles") as advance:
        for source in sources:
            before = found.articles, len(found.rejected)
            for unit in _units(source):
                try:
                    key = unit.key(voters.fingerprint)
                except OSError as error:
                    raise DataError(f"{unit.files[0][1]}: cannot be read ({error.strerror})") from None
                for note, rows in _shards(unit, key, folder, voters, found):
                    used |= {f"{note['shard']}.jsonl", f"{note['shard']}.json"}
                    found.articles += note["articles"]
                    found.rejected += note["rejected"]
                    found.segments += _segments(rows, unit.name, key, names)
                    advance(note["articles"], "")
            _check_any(source, found, before)
    for stale in folder.glob("*.json*") if folder.is_dir() else ():
        if stale.name not in used:
            stale.unlink()
    return found


def _check_any(source: ArticleSource, found: Harvest, before: tuple[int, int]) -> None:
    """A source without one article is a mistake to be told now, not a dataset that lacks it."""
    if found.articles == before[0]:
        reasons = Counter(str(row["reason"]) for row in found.rejected[before[1] :])
        why = reasons.most_common(1)[0][0] if reasons else "it is empty"
        raise DataError(f"{source.path}: no article could be read ({why})")


def _units(source: ArticleSource) -> Iterator[_Unit]:
    for files in file_groups(article_files([source.path]), RECORDS):
        yield _Unit(files, source)


def _shards(
    unit: _Unit, key: str, folder: Path, voters: Voters, found: Harvest
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Note and rows of each shard of a unit: those that are there, then those that are missing."""
    number, last = 0, False
    while not last and (note := _finished(folder, f"{key}-{number:05}")):
        found.reused += 1
        yield note, list(read_jsonl(folder / f"{note['shard']}.jsonl"))
        number, last = number + 1, note["last"]
    if last:
        return
    records = unit.records(number * RECORDS)
    chunk = list(islice(records, RECORDS))
    while not last:
        following = list(islice(records, RECORDS))
        last = not following
        name = f"{key}-{number:05}"
        rows, note = _read_shard(chunk, unit, voters)
        path = folder / f"{name}.jsonl"
        write_jsonl(path, rows)
        note = {"shard": name, "last": last, "content": fingerprint(path)} | note
        write_json(folder / f"{name}.json", note)
        found.written += 1
        _LOG.info("shard %s: %d articles", name, note["articles"])
        yield note, rows
        number, chunk = number + 1, following


def _finished(folder: Path, name: str) -> dict[str, Any] | None:
    """The note of a shard that is whole; None where there is none or its rows were changed."""
    path = folder / f"{name}.jsonl"
    if not (folder / f"{name}.json").is_file() or not path.is_file():
        return None
    try:
        note = read_json(folder / f"{name}.json")
    except DataError:
        return None
    return note if note.get("content") == fingerprint(path) else None


def _read_shard(
    records: Sequence[list[Article | Rejected]], unit: _Unit, voters: Voters
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    count, rejected = 0, list[dict[str, Any]]()
    for item in chain.from_iterable(records):
        if isinstance(item, Rejected):
            rejected.append(item.to_dict())
            continue
        count += 1
        about = {
            "source": unit.source.source or item.source,
            "date": item.date,
            "url": item.url,
            "licence": unit.source.licence,
        }
        for segment in segment_article(item, unit.source.read.max_words):
            row: dict[str, Any] = {"article_id": segment.article_id, "kind": segment.kind, "text": mask(segment.text)}
            rows.append(row | {"start": segment.start, "end": segment.end, "about": about})
    for row, votes in zip(rows, voters.vote([row["text"] for row in rows]), strict=True):
        row["votes"] = votes
    return rows, {"articles": count, "rejected": rejected}


class _Names:
    """Ids of articles, each of one file: where a later file uses one again, the file's name is put before it."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}

    def of(self, article: str, unit: str, key: str) -> str:
        name, number = article, 1
        while self._owners.setdefault(name, key) != key:
            name, number = f"{unit}/{article}" if number == 1 else f"{unit}#{number}/{article}", number + 1
        return name


def _segments(rows: Sequence[dict[str, Any]], unit: str, key: str, names: _Names) -> Iterator[Harvested]:
    shared: dict[str, dict[str, Any]] = {}
    for row in rows:
        about = {"source": row["about"]["source"] or unit} | {
            name: row["about"][name] for name in ("date", "url", "licence")
        }
        # Segments of an article share one mapping: a corpus has millions of segments.
        provenance = shared.setdefault(row["article_id"], about)
        provenance = provenance if provenance == about else about
        name = names.of(row["article_id"], unit, key)
        segment = Segment(name, row["text"], row["kind"], row["start"], row["end"])
        yield Harvested(segment, provenance, [SegmentVote(*vote) for vote in row["votes"]])
