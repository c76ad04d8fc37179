"""What parts of a dataset must not share: dropped from training while it is built, and proven absent when it is done.

The certificate looks again at the finished parts, however they were made: articles, clusters, texts, runs of words, and
the share of five-word shingles between any two segments of different parts.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from naba.corpus.dedupe import MIN_CONTAINMENT, MIN_SHARED, SHINGLE_WORDS, STOCK_TEXTS
from naba.corpus.overlap import runs_of
from naba.errors import DataError
from naba.records import LabelledSegment

Parts = Mapping[str, Sequence[LabelledSegment]]
Words = tuple[str, ...]


@dataclass(frozen=True)
class StockText:
    """What stands in more texts than copies would, and so says nothing of where a text came from."""

    runs: frozenset[Words]
    shingles: frozenset[Words]


def stock_text(texts: Iterable[str], run_words: int) -> StockText:
    """The stock text of a whole corpus: runs of `run_words` words, and shingles, in more than STOCK_TEXTS texts."""
    texts = list(texts)
    return StockText(_frequent(texts, run_words), _frequent(texts, SHINGLE_WORDS))


def without_overlap(
    items: Sequence[LabelledSegment], held_out: Sequence[LabelledSegment], run_words: int, stock: StockText
) -> list[LabelledSegment]:
    """The items that share no article, cluster, text or run with the held-out ones and are no near-duplicates of them."""
    if not items or not held_out:
        return list(items)
    ids = {item.segment.id for item in held_out}
    articles = {item.segment.article_id for item in held_out} - {None}
    clusters = {item.cluster for item in held_out} - {None}
    taken = set().union(*(_runs(item, run_words, stock) for item in held_out))
    near = {first for containment, first, _ in _overlaps(items, held_out, stock) if containment >= MIN_CONTAINMENT}
    return [
        item
        for item in items
        if item.segment.id not in ids
        and item.segment.article_id not in articles
        and item.cluster not in clusters
        and item.segment.id not in near
        and taken.isdisjoint(_runs(item, run_words, stock))
    ]


def certificate(parts: Parts, run_words: int, stock: StockText) -> dict[str, Any]:
    """For each pair of parts what they share, and the largest overlap that is left between two segments.

    Args:
        parts: name → segments.
        run_words: length of the runs that must not be shared, in words.
        stock: what may be shared.

    Raises DataError naming the first thing that two parts share; the overlap of two segments may be anything below that
    of a near-duplicate.
    """
    rows = {}
    for first, second in combinations([name for name in parts if parts[name]], 2):
        row = _shared(parts[first], parts[second], run_words, stock)
        rows[f"{first} / {second}"] = row
        for what in ("articles", "clusters", "texts", "runs", "near_duplicates"):
            if row[what]:
                raise DataError(
                    f"leakage: {first} and {second} share {row[what]} {what.replace('_', ' ')}; move what belongs "
                    "together into one of the input files, or leave the split to naba"
                )
    return {"run_words": run_words, "stock_runs": len(stock.runs), "checked": rows}


def _frequent(texts: Sequence[str], words: int) -> frozenset[Words]:
    counts = Counter(run for text in texts for run in runs_of(text, words) if len(run) == words)
    return frozenset(run for run, count in counts.items() if count > STOCK_TEXTS)


def _runs(item: LabelledSegment, words: int, stock: StockText) -> set[Words]:
    return {run for run in runs_of(item.segment.text, words) if len(run) == words} - stock.runs


def _shared(
    first: Sequence[LabelledSegment], second: Sequence[LabelledSegment], words: int, stock: StockText
) -> dict[str, Any]:
    def common(key: Callable[[LabelledSegment], Any]) -> int:
        return len(({key(item) for item in first} & {key(item) for item in second}) - {None})

    runs = [set().union(*(_runs(item, words, stock) for item in items)) for items in (first, second)]
    overlaps = _overlaps(first, second, stock)
    worst = max(overlaps, key=lambda row: row[0], default=(0.0, None, None))
    return {
        "articles": common(lambda item: item.segment.article_id),
        "clusters": common(lambda item: item.cluster),
        "texts": common(lambda item: item.segment.id),
        "runs": len(runs[0] & runs[1]),
        "near_duplicates": sum(containment >= MIN_CONTAINMENT for containment, _, _ in overlaps),
        "largest_overlap": {"containment": round(worst[0], 4), "segments": [worst[1], worst[2]]},
    }


def _overlaps(
    first: Sequence[LabelledSegment], second: Sequence[LabelledSegment], stock: StockText
) -> list[tuple[float, str, str]]:
    """Containment and ids of every pair across the two that shares enough shingles which are no stock text."""
    other = [runs_of(item.segment.text, SHINGLE_WORDS) for item in second]
    owners: dict[Words, list[int]] = defaultdict(list)
    for number, shingles in enumerate(other):
        for shingle in shingles - stock.shingles:
            owners[shingle].append(number)
    found = []
    for item in first:
        own = runs_of(item.segment.text, SHINGLE_WORDS)
        for number, shared in Counter(n for shingle in own for n in owners.get(shingle, ())).items():
            shorter = min(len(own), len(other[number]))
            if shared >= min(MIN_SHARED, shorter):
                found.append((shared / shorter, item.segment.id, second[number].segment.id))
    return found
