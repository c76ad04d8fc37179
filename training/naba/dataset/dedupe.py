"""Near-duplicates: texts that are copies of one another, cut, edited, or one inside the other.

Two texts are near-duplicates when the shorter shares enough of its five-word shingles with the longer (containment;
Broder 1997, "On the resemblance and containment of documents"); copies of like length have a high Jaccard similarity and
therefore a high containment too. Shingles are counted exactly, by sorting their hashes once, not estimated from
signatures: at the size of a corpus of news this is as fast, misses nothing, and depends on no random numbers.

Runs that stand in many different texts are stock text and join nothing, unless a text consists of them: joined on any
shared run, a third of a corpus of syndicated news ends in one cluster.

    found = find_near_duplicates(texts)
    found.clusters[i] == found.clusters[j]
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from naba.dataset.overlap import STOCK_TEXTS, HashedTexts, Hashes

SHINGLE_WORDS = 5
MIN_CONTAINMENT = 0.2
"""Of unrelated news texts hardly any pair shares a hundredth of its shingles; a copy with a tenth of its words replaced
shares six tenths on average, a follow-up that repeats its background a fifth to a half."""
MIN_STOCK_CONTAINMENT = 0.6
"""The same between two texts that are stock text for the greater part: a short text under a long formula is no copy."""
MIN_SHARED = 3
"""Fewer shared shingles than this, of a text that has more, are a quotation or a name, not a copy."""
_AT_ONCE = 4_000_000
"""Words of all texts; the shingles of more are compared in as many ranges of hashes, so that memory does not grow."""


@dataclass(frozen=True)
class NearDuplicates:
    """What was found among N texts."""

    clusters: NDArray[np.int64]  # [N]
    """For each text the number of the first text of its cluster; its own number where it has no near-duplicate."""
    pairs: NDArray[np.int64]  # [P, 2]
    """Near-duplicate pairs, first number smaller. Copies of the same words are in one cluster, and only the first of them
    is in pairs; of copies that are mostly stock text only neighbours are (`Likeness`)."""
    containment: NDArray[np.float64]  # [P]
    """Share of the shorter text's shingles that the longer has."""
    stock_shingles: int
    """Distinct shingles that were left out as stock text."""

    @property
    def duplicate_ratio(self) -> float:
        """Share of the texts that are copies of an earlier one."""
        return float((self.clusters != np.arange(len(self.clusters))).mean()) if len(self.clusters) else 0.0

    def largest(self, count: int = 10) -> list[list[int]]:
        """The largest clusters of two texts or more, as text numbers."""
        numbers, sizes = np.unique(self.clusters, return_counts=True)
        order = [int(n) for n in numbers[np.argsort(-sizes, kind="stable")][:count] if (self.clusters == n).sum() > 1]
        return [np.flatnonzero(self.clusters == number).tolist() for number in order]


def find_near_duplicates(
    texts: Iterable[str], *, min_containment: float = MIN_CONTAINMENT, stock_texts: int = STOCK_TEXTS
) -> NearDuplicates:
    """Cluster near-duplicates among texts.

    Args:
        texts: N texts. Spelling marks, digits' script and punctuation make no difference.
        min_containment: least share of the shorter text's shingles, in (0, 1].
        stock_texts: a shingle in more texts than this joins nothing; copies of the same words count as one text, and
            are always joined.
    """
    hashed = HashedTexts.of(texts, once=True)
    found = shared_shingles(hashed, stock_texts=stock_texts)
    near = found.containment >= min_containment
    count = len(hashed.lengths)
    identical = np.stack([np.arange(count), hashed.originals()], axis=1)
    clusters = components(count, np.concatenate([found.pairs[near], identical]))
    return NearDuplicates(clusters, found.pairs[near], found.containment[near], found.stock_shingles)


@dataclass(frozen=True)
class Likeness:
    """Pairs of texts that share shingles."""

    pairs: NDArray[np.int64]  # [P, 2]
    """Text numbers, smaller first."""
    containment: NDArray[np.float64]  # [P]
    """Share of the shorter text's shingles, stock text among them, that both have."""
    chained: NDArray[np.bool_]  # [P]
    """Near-duplicates that are stock text for the greater part. Of a set of copies only neighbours are paired here: who
    asks for all copies of a text must follow the chain."""
    stock_shingles: int
    """Distinct shingles that are stock text."""


def shared_shingles(texts: HashedTexts, *, stock: Hashes | None = None, stock_texts: int = STOCK_TEXTS) -> Likeness:
    """Every pair of texts that shares MIN_SHARED shingles, or all of a shorter text.

    Two texts that are stock text for the greater part are compared by it (`_copies_of_stock`).

    Args:
        texts: N texts, hashed `once`.
        stock: shingles that are known to be stock text, sorted; those in more than `stock_texts` of these texts are too.
    """
    count = len(texts.lengths)
    parts = 1 + len(texts.words) // _AT_ONCE
    sizes = np.zeros(count, dtype=np.int64)
    found = [_shared(texts, (part, parts), sizes, stock, stock_texts) for part in range(parts)]
    every = np.concatenate([part.keys for part in found])
    keys, place = np.unique(every, return_inverse=True)
    shared = np.bincount(place, weights=np.concatenate([part.shared for part in found]), minlength=len(keys))
    pairs = np.stack([keys // max(count, 1), keys % max(count, 1)], axis=1)  # [P, 2]
    shorter = sizes[pairs].min(axis=1)
    enough = shared >= np.minimum(MIN_SHARED, shorter)
    of_stock = (np.concatenate([part.stock for part in found]), np.concatenate([part.stock_owners for part in found]))
    among_stock = _copies_of_stock(*of_stock, sizes)
    pairs = np.concatenate([pairs[enough], among_stock[0]])
    containment = np.concatenate([(shared / np.maximum(shorter, 1))[enough], among_stock[1]])
    chained = np.arange(len(pairs)) >= len(pairs) - len(among_stock[0])
    return Likeness(pairs, containment, chained, sum(part.stock_shingles for part in found))


@dataclass(frozen=True)
class _Shared:
    """What one range of hashes comes to."""

    keys: NDArray[np.int64]  # [P]
    """Pairs of texts that share plain shingles, as first · N + second."""
    shared: NDArray[np.int64]  # [P]
    """How many."""
    stock: Hashes  # [K]
    """Stock shingles, ascending, once for each text that has one."""
    stock_owners: NDArray[np.int64]  # [K]
    stock_shingles: int


def _shared(
    texts: HashedTexts,
    share: tuple[int, int],
    sizes: NDArray[np.int64],
    stock: Hashes | None,
    stock_texts: int,
) -> _Shared:
    """Shared shingles in one range of hashes; adds to `sizes` [N] how many shingles of it each text has."""
    hashes, owners = texts.runs(SHINGLE_WORDS, short=True, share=share)
    count = len(texts.lengths)
    sizes += np.bincount(owners, minlength=count)
    order = np.argsort(hashes, kind="stable")  # stable: within a shingle the owners stay in order
    hashes, owners = hashes[order], owners[order]
    starts = np.flatnonzero(np.concatenate(([True], hashes[1:] != hashes[:-1]))) if len(hashes) else np.array([], int)
    frequency = np.diff(np.append(starts, len(hashes)))
    plain = frequency <= stock_texts
    if stock is not None and len(starts):
        plain &= ~np.isin(hashes[starts], stock)
    joins = np.repeat(plain, frequency)
    of_stock = hashes[~joins], owners[~joins]
    hashes, owners = hashes[joins], owners[joins]
    keys = np.concatenate([_pairs_at(hashes, owners, distance, count) for distance in range(1, stock_texts)])
    keys, shared = np.unique(keys, return_counts=True)
    return _Shared(keys, shared, *of_stock, int((~plain).sum()))


def _copies_of_stock(
    hashes: Hashes, owners: NDArray[np.int64], sizes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of near-duplicates among texts of which stock text is the greater part, and their containment.

    A report that many outlets carry is stock text from its first word to its last, and would join nothing. Each such
    text is compared with its neighbour in the list of every stock shingle they share: enough to chain all copies, in
    time proportional to the list. `hashes` [K] and `owners` [K] are the stock shingles, sorted by hash, then owner.
    """
    mostly = np.bincount(owners, minlength=len(sizes)) > sizes / 2
    hashes, owners = hashes[mostly[owners]], owners[mostly[owners]]
    same = hashes[1:] == hashes[:-1]
    candidates = np.unique(np.stack([owners[:-1][same], owners[1:][same]], axis=1), axis=0)  # [P, 2]
    order = np.lexsort((hashes, owners))
    hashes, owners = hashes[order], owners[order]
    starts = np.searchsorted(owners, np.arange(len(sizes) + 1))
    of = [hashes[starts[text] : starts[text + 1]] for text in range(len(sizes))] if len(candidates) else []
    shared = np.array(
        [len(np.intersect1d(of[a], of[b], assume_unique=True)) for a, b in candidates.tolist()], dtype=float
    )
    containment = shared / np.maximum(sizes[candidates].min(axis=1), 1)
    near = containment >= MIN_STOCK_CONTAINMENT
    return candidates[near], containment[near]


def _pairs_at(hashes: NDArray[np.uint64], owners: NDArray[np.int64], distance: int, count: int) -> NDArray[np.int64]:
    """Pairs (as first · count + second) of owners of one shingle that stand `distance` apart in the sorted list."""
    same = hashes[distance:] == hashes[:-distance]
    return np.asarray(owners[:-distance][same] * count + owners[distance:][same])


def components(count: int, links: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each of `count` things the number of the first one it is linked to, directly or not; `links` is [L, 2]."""
    ones = np.ones(len(links), dtype=np.int8)
    graph = coo_array((ones, (links[:, 0], links[:, 1])), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.asarray(first[inverse])
