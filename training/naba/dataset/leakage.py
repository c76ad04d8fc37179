"""What parts of a dataset must not share: dropped from training while it is built, and proven absent when it is done.

The certificate looks again at the finished parts, however they were made: articles, clusters, texts, runs of words, and
the share of five-word shingles between any two segments of different parts.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.dataset.dedupe import MIN_CONTAINMENT, SHINGLE_WORDS, components, shared_shingles
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
    """The stock text of a whole corpus: runs of `run_words` words, and shingles, in more than STOCK_TEXTS different texts."""
    hashed = HashedTexts.of(texts, once=True)
    return StockText(stock_runs(hashed.runs(run_words)[0]), stock_runs(hashed.runs(SHINGLE_WORDS)[0]))


class Overlaps:
    """Everything that N segments share with one another, asked for one set of them against another."""

    def __init__(self, items: Sequence[LabelledSegment], run_words: int, stock: StockText) -> None:
        """Hash the texts; `run_words` is the length in words of the runs that must not be shared."""
        texts = HashedTexts.of((item.segment.text for item in items), once=True)
        self._items = items
        first = texts.originals()
        worded = texts.lengths[first] > 0
        # The first segment of the same words stands for all of them below; one without words only for itself. [N]
        self._text = np.where(worded, first, np.arange(len(items)))
        texts_or_ids = zip(self._text.tolist(), worded.tolist(), items, strict=True)
        self._keys: Mapping[str, Numbers] = {
            "articles": _numbered(item.segment.article_id for item in items),
            "clusters": _numbered(item.cluster for item in items),
            "texts": _numbered(text if has else item.segment.id for text, has, item in texts_or_ids),
        }
        hashes, owners = texts.runs(run_words)
        plain = ~np.isin(hashes, stock.runs)
        self._runs: tuple[Hashes, Numbers] = (hashes[plain], owners[plain])
        like = shared_shingles(texts, stock=stock.shingles)
        self._pairs, self._containment = like.pairs, like.containment
        self._near: Mask = (like.containment >= MIN_CONTAINMENT) & ~like.chained
        links = like.pairs[like.chained]
        self._linked = np.unique(links)
        self._chain = components(len(items), links)  # [N]

    def touching(self, items: Mask, held_out: Mask) -> Mask:
        """Which of `items` share an article, cluster, text or run with one held out, or nearly duplicate it. [N]"""
        held = self._texts(held_out)
        found = np.isin(self._chain, self._chain[held])
        hashes, owners = self._runs
        found[owners[np.isin(hashes, hashes[held[owners]])]] = True
        near = self._pairs[self._near]
        for one, other in ((0, 1), (1, 0)):
            found[near[held[near[:, other]], one]] = True
        found = found[self._text]
        for numbers in self._keys.values():
            found |= np.isin(numbers, _present(numbers, held_out))
        return found & items

    def shared(self, first: Mask, second: Mask) -> dict[str, Any]:
        """How much two sets of segments share, by kind, with the largest overlap between two segments.

        `near_duplicates` are pairs; the copies of one report that is stock text count once.
        """
        row: dict[str, Any] = {
            name: len(np.intersect1d(_present(numbers, first), _present(numbers, second)))
            for name, numbers in self._keys.items()
        }
        one, other = self._texts(first), self._texts(second)
        hashes, owners = self._runs
        row["runs"] = len(np.intersect1d(hashes[one[owners]], hashes[other[owners]]))
        a, b = self._pairs[:, 0], self._pairs[:, 1]
        forward = one[a] & other[b]
        across = forward | (one[b] & other[a])
        here, there = (self._chain[self._linked[side[self._linked]]] for side in (one, other))
        row["near_duplicates"] = int((across & self._near).sum()) + len(np.intersect1d(here, there))
        row["largest_overlap"] = {"containment": 0.0, "segments": [None, None]}
        if across.any():
            most = int(np.where(across, self._containment, -1).argmax())
            pair = self._pairs[most] if forward[most] else self._pairs[most, ::-1]
            ids = [self._id(text, side) for text, side in zip(pair.tolist(), (first, second), strict=True)]
            row["largest_overlap"] = {"containment": round(float(self._containment[most]), 4), "segments": ids}
        return row

    def _texts(self, segments: Mask) -> Mask:
        """The texts that segments have, each by its first segment. [N]"""
        found = np.zeros(len(segments), dtype=bool)
        found[self._text[segments]] = True
        return found

    def _id(self, text: int, segments: Mask) -> str:
        """The id of the first of `segments` that has a text."""
        return self._items[int(np.flatnonzero(segments & (self._text == text))[0])].segment.id


def _numbered(values: Iterable[Hashable]) -> Numbers:
    """A number for each different value, -1 for None. [N]"""
    seen: dict[Hashable, int] = {None: -1}
    return np.array([seen.setdefault(value, len(seen)) for value in values], dtype=np.int64)


def _present(numbers: Numbers, segments: Mask) -> Numbers:
    """The different numbers of segments that have one."""
    found = np.unique(numbers[segments])
    return np.asarray(found[found >= 0])


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
        for what in ("articles", "clusters", "texts", "runs", "near_duplicates"):
            if row[what]:
                raise DataError(
                    f"leakage: {first} and {second} share {row[what]} {what.replace('_', ' ')}; move what belongs "
                    "together into one of the input files, or leave the split to naba"
                )
    return {"run_words": run_words, "stock_runs": len(stock.runs), "checked": rows}
