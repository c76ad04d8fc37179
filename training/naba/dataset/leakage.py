"""What parts of a dataset must not share: dropped from training while it is built, and proven absent when it is done.

The certificate looks again at the finished parts, however they were made: articles, clusters, texts, runs of words, and
the share of five-word shingles between any two segments of different parts.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.dataset.dedupe import MIN_CONTAINMENT, SHINGLE_WORDS, shared_shingles
from naba.dataset.overlap import HashedTexts, Hashes, Numbers, stock_runs
from naba.errors import DataError
from naba.records import LabelledSegment

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class StockText:
    """What stands in more texts than copies would, and so says nothing of where a text came from."""

    runs: Hashes
    """Long runs, sorted."""
    shingles: Hashes
    """Five-word shingles, sorted."""


NO_STOCK = StockText(np.empty(0, np.uint64), np.empty(0, np.uint64))


def stock_text(texts: Iterable[str], run_words: int) -> StockText:
    """The stock text of a whole corpus: runs of `run_words` words, and shingles, in more than STOCK_TEXTS texts."""
    hashed = HashedTexts.of(texts)
    return StockText(stock_runs(hashed.runs(run_words)[0]), stock_runs(hashed.runs(SHINGLE_WORDS)[0]))


class Overlaps:
    """Everything that N segments share with one another, asked for one set of them against another."""

    def __init__(self, items: Sequence[LabelledSegment], run_words: int, stock: StockText) -> None:
        """Hash the texts; `run_words` is the length in words of the runs that must not be shared."""
        texts = HashedTexts.of(item.segment.text for item in items)
        self._items = items
        self._pairs, self._containment, _ = shared_shingles(texts, stock=stock.shingles)
        hashes, owners = texts.runs(run_words)
        plain = ~np.isin(hashes, stock.runs)
        self._runs: tuple[Hashes, Numbers] = (hashes[plain], owners[plain])

    def touching(self, items: Mask, held_out: Mask) -> Mask:
        """Which of `items` share an article, cluster, text or run with one held out, or nearly duplicate it. [N]"""
        found = np.zeros(len(items), dtype=bool)
        for key in _KEYS.values():
            taken = self._values(key, held_out)
            found |= np.fromiter((key(item) in taken for item in self._items), bool, len(items))
        hashes, owners = self._runs
        found[owners[np.isin(hashes, hashes[held_out[owners]])]] = True
        near = self._pairs[self._containment >= MIN_CONTAINMENT]
        for one, other in ((0, 1), (1, 0)):
            found[near[held_out[near[:, other]], one]] = True
        return found & items

    def shared(self, first: Mask, second: Mask) -> dict[str, Any]:
        """How much two sets of segments share, by kind, with the largest overlap between two segments."""
        row: dict[str, Any] = {
            name: len(self._values(key, first) & self._values(key, second)) for name, key in _KEYS.items()
        }
        hashes, owners = self._runs
        row["runs"] = len(np.intersect1d(hashes[first[owners]], hashes[second[owners]]))
        a, b = self._pairs[:, 0], self._pairs[:, 1]
        across = (first[a] & second[b]) | (first[b] & second[a])
        containment, pairs = self._containment[across], self._pairs[across]
        row["near_duplicates"] = int((containment >= MIN_CONTAINMENT).sum())
        row["largest_overlap"] = {"containment": 0.0, "segments": [None, None]}
        if len(containment):
            most = int(containment.argmax())
            one, other = sorted(pairs[most].tolist(), key=lambda number: not first[number])
            ids = [self._items[number].segment.id for number in (one, other)]
            row["largest_overlap"] = {"containment": round(float(containment[most]), 4), "segments": ids}
        return row

    def _values(self, key: Callable[[LabelledSegment], Hashable], mask: Mask) -> set[Hashable]:
        return {key(self._items[number]) for number in np.flatnonzero(mask).tolist()} - {None}


_KEYS: Mapping[str, Callable[[LabelledSegment], Hashable]] = {
    "articles": lambda item: item.segment.article_id,
    "clusters": lambda item: item.cluster,
    "texts": lambda item: item.segment.id,
}


def without_overlap(
    items: Sequence[LabelledSegment], held_out: Sequence[LabelledSegment], run_words: int, stock: StockText
) -> list[LabelledSegment]:
    """The items that share no article, cluster, text or run with the held-out ones and are no near-duplicates of them."""
    both = [*items, *held_out]
    held = np.arange(len(both)) >= len(items)
    touching = Overlaps(both, run_words, stock).touching(~held, held)
    return [item for item, touches in zip(items, touching[: len(items)], strict=True) if not touches]


def certificate(parts: Mapping[str, Sequence[LabelledSegment]], run_words: int, stock: StockText) -> dict[str, Any]:
    """For each pair of parts what they share, and the largest overlap that is left between two segments.

    Args:
        parts: name → segments.
        run_words: length of the runs that must not be shared, in words.
        stock: what may be shared.

    Raises DataError naming the first thing that two parts share; the overlap of two segments may be anything below that
    of a near-duplicate.
    """
    rows = {}
    names = [name for name in parts if parts[name]]
    part_of = np.repeat(names, [len(parts[name]) for name in names])
    overlaps = Overlaps([item for name in names for item in parts[name]], run_words, stock)
    for first, second in combinations(names, 2):
        row = overlaps.shared(part_of == first, part_of == second)
        rows[f"{first} / {second}"] = row
        for what in (*_KEYS, "runs", "near_duplicates"):
            if row[what]:
                raise DataError(
                    f"leakage: {first} and {second} share {row[what]} {what.replace('_', ' ')}; move what belongs "
                    "together into one of the input files, or leave the split to naba"
                )
    return {"run_words": run_words, "stock_runs": len(stock.runs), "checked": rows}
