"""The pool that teachers label: segments of JSONL files and of articles, each text once, none that is held out.

    pool = lay_down(PoolSources(segments=[…], articles=[…], held_out=[…], overlap_words=13), folder, schema)
    pool.chunk(0)

The pool is read as a stream, whatever its size, and laid down in files of CHUNK segments: the teachers answer a file at a
time, and a labelling that was stopped goes on after the last answered one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from naba.config import ArticleSource
from naba.corpus.files import article_files, holds_records
from naba.corpus.mask import mask
from naba.corpus.readers import Rejected, read_records
from naba.corpus.segments import segment_article
from naba.dataset.leakage import Mask, Overlaps, stock_text
from naba.dataset.ledger import text_key
from naba.errors import DataError
from naba.fingerprint import fingerprint, fingerprint_of
from naba.jsonl import read_json, read_jsonl, read_numbered, write_json, write_jsonl
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import Article, LabelledSegment
from naba.schema import LabelSchema

CHUNK = 2000
"""Segments that are answered, or answered anew after a stop, at once."""
_COMPARED = 10_000
"""Segments that are compared with the held-out ones at once."""
_LABELLERS = ("annotator", "rule", "model")
_DONE = "pool.json"


@dataclass(frozen=True)
class PoolSources:
    """What a pool is read from."""

    segments: Sequence[Path]
    """JSONL of segments, a text a row; labels in it are not looked at."""
    articles: Sequence[ArticleSource]
    held_out: Sequence[Path]
    """JSONL of segments that the pool must not hold, nor anything else of their articles."""
    overlap_words: int
    """A segment sharing a run of this many words with a held-out one is held out."""

    def check(self) -> None:
        """Raise DataError for a file that is missing, or is no pool by its name."""
        for path in self.segments:
            if path.suffix not in (".jsonl", ".ndjson"):
                raise DataError(
                    f"{path}: a pool is JSONL with a segment a row; name files of articles under 'articles'"
                )
        for path in map(find, (*self.segments, *self.held_out)):
            if not path.is_file():
                raise DataError(f"{path}: no such file")
        article_files(source.path for source in self.articles)

    def fingerprints(self) -> dict[str, str]:
        """File → mark of its content."""
        files = [find(path) for path in (*self.segments, *self.held_out)]
        files += [path for source in self.articles for _, path in article_files([source.path])]
        return {str(path): fingerprint(path) for path in files}

    def mark(self, fingerprints: Mapping[str, str], schema: LabelSchema) -> str:
        """Changes when the pool might hold other segments, or rows of other topics; `fingerprints` are its own."""
        sources = [source.model_dump(mode="json") for source in self.articles]
        given = [CHUNK, list(fingerprints.items()), sources, len(self.held_out), self.overlap_words]
        return fingerprint_of([*given, schema.fingerprint])


@dataclass(frozen=True)
class Pool:
    """Segments on disk, in chunks of CHUNK, the last one shorter."""

    folder: Path
    schema: LabelSchema
    counts: dict[str, Any]
    """segments, and what became of the others: repeats, held_out, article_held_out; articles, and those set_aside, with
    the first of these."""

    def __len__(self) -> int:
        return int(self.counts["segments"])

    @property
    def chunks(self) -> int:
        """How many files there are."""
        return -(-len(self) // CHUNK)

    def size(self, number: int) -> int:
        """How many segments a file has."""
        return min(CHUNK, len(self) - number * CHUNK)

    def chunk(self, number: int) -> list[LabelledSegment]:
        """The segments of one file, without labels."""
        path = _chunk_path(self.folder, number)
        return [LabelledSegment.from_row(row, self.schema, str(path)) for row in read_jsonl(path)]


def lay_down(sources: PoolSources, folder: Path, schema: LabelSchema, progress: Progress = SILENT) -> Pool:
    """Read the pool into `folder`, or take what an earlier start left there whole.

    Raises:
        DataError: a file cannot be read, a row is no segment, or nothing is left.
    """
    if not (folder / _DONE).is_file():
        counts: Counter[str] = Counter()
        rejected: list[Rejected] = []
        with progress.task("reading the pool", None, "segments") as advance:
            texts, articles = _held_out(sources, schema)
            stream = _kept(_segments(sources, schema, counts, rejected), texts, articles, counts)
            number = 0
            while chunk := list(islice(stream, CHUNK)):
                counts["segments"] += write_jsonl(_chunk_path(folder, number), (item.to_row() for item in chunk))
                number += 1
                advance(len(chunk), "")
        _check_any(sources, counts, rejected)
        names = ("segments", "repeats", "held_out", "article_held_out", "articles", "set_aside")
        first = {"first_set_aside": str(rejected[0]) if rejected else None}
        # Written last: its presence says that the pool is whole.
        write_json(folder / _DONE, {name: counts[name] for name in names} | first)
    return Pool(folder, schema, read_json(folder / _DONE))


def _chunk_path(folder: Path, number: int) -> Path:
    return folder / f"segments-{number:05}.jsonl"


def _segments(
    sources: PoolSources, schema: LabelSchema, counts: Counter[str], rejected: list[Rejected]
) -> Iterator[LabelledSegment]:
    """All segments in order, without labels; the first article that cannot be used goes to `rejected`."""
    for item in _rows(sources.segments, schema):
        about = {key: value for key, value in item.provenance.items() if key not in _LABELLERS}
        yield replace(item, provenance=about, extra={})
    for source in sources.articles:
        for name, path in article_files([source.path]):
            outlet = source.source or (name if holds_records(path) else source.path.stem)
            for found in read_records(name, path, source.read):
                for article in found:
                    if isinstance(article, Rejected):
                        counts["set_aside"] += 1
                        rejected += [] if rejected else [article]
                    else:
                        counts["articles"] += 1
                        yield from _of_article(article, source, outlet)


def _rows(paths: Iterable[Path], schema: LabelSchema) -> Iterator[LabelledSegment]:
    """Rows of segments, contacts masked: those of the pool and of the held-out files alike, or they would not meet."""
    for path in map(find, paths):
        for line, row in read_numbered(path):
            item = LabelledSegment.from_row(row | {"labels": {}}, schema, f"{path}:{line}")
            yield replace(item, segment=replace(item.segment, text=mask(item.segment.text)))


def _of_article(article: Article, source: ArticleSource, outlet: str) -> Iterator[LabelledSegment]:
    about = {"source": source.source or article.source or outlet, "date": article.date, "url": article.url}
    about |= {"licence": source.licence}
    for segment in segment_article(article, source.read.max_words):
        yield LabelledSegment(replace(segment, text=mask(segment.text)), {}, about)


def _held_out(sources: PoolSources, schema: LabelSchema) -> tuple[set[str], set[str]]:
    """Ids of the segments that overlap held-out ones, and of the articles these are from."""
    held = list(_rows(sources.held_out, schema))
    texts: set[str] = set()
    articles = {item.segment.article_id for item in held if item.segment.article_id}
    held = [replace(item, segment=replace(item.segment, article_id=None)) for item in held]  # those are told apart
    stream = _segments(sources, schema, Counter(), [])
    while held and (chunk := list(islice(stream, _COMPARED))):
        touching = _touching(chunk, held, sources.overlap_words)
        for item in (chunk[number] for number in np.flatnonzero(touching)):
            texts.add(item.segment.id)
            if item.segment.article_id:
                articles.add(item.segment.article_id)
    return texts, articles


def _touching(chunk: Sequence[LabelledSegment], held: Sequence[LabelledSegment], run_words: int) -> Mask:
    """Which segments of a chunk share a cluster, text or run with a held-out one, or nearly duplicate it."""
    both = [*chunk, *held]
    stock = stock_text({item.segment.text: None for item in both}, run_words)  # copies in full are no stock text
    held_out = np.arange(len(both)) >= len(chunk)
    return Overlaps(both, run_words, stock).touching(~held_out, held_out)[: len(chunk)]


def _kept(
    items: Iterable[LabelledSegment], texts: set[str], articles: set[str], counts: Counter[str]
) -> Iterator[LabelledSegment]:
    """Those that are not held out, each text once; the others are counted."""
    seen: set[int] = set()  # a number takes half the memory of a text key
    for item in items:
        counts["read"] += 1
        if item.segment.id in texts:
            counts["held_out"] += 1
        elif item.segment.article_id in articles:
            counts["article_held_out"] += 1
        elif (key := int(text_key(item.segment.text), 16)) in seen:
            counts["repeats"] += 1
        else:
            seen.add(key)
            yield item


def _check_any(sources: PoolSources, counts: Counter[str], rejected: list[Rejected]) -> None:
    if counts["segments"]:
        return
    named = ", ".join(map(str, (*sources.segments, *(source.path for source in sources.articles))))
    if counts["read"]:
        raise DataError(
            f"{named}: all {counts['read']:,} segments of the pool are held out, or of articles that are; give another pool"
        )
    why = f" (set aside: {rejected[0]})" if rejected else ""
    raise DataError(f"{named}: no segment in the pool{why}")
