"""Near-duplicates: texts that are copies of one another, cut, edited, or one inside the other.

Two texts are near-duplicates when the shorter shares enough of its five-word shingles with the longer (containment;
Broder 1997, "On the resemblance and containment of documents"); copies of like length have a high Jaccard similarity and
therefore a high containment too. Shingles are counted exactly, by sorting their hashes once, not estimated from
signatures: at the size of a corpus of news this is as fast, misses nothing, and depends on no random numbers.

Runs that stand in many texts are stock text («وأضاف في تصريحات صحفية اليوم …») and join nothing: joined on any shared
run, a third of a corpus of syndicated news ends in one cluster.

    found = find_near_duplicates(texts)
    found.clusters[i] == found.clusters[j]
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from naba.text import normaliser

SHINGLE_WORDS = 5
MIN_CONTAINMENT = 0.2
"""Of unrelated news texts hardly any pair shares a hundredth of its shingles; a copy with a tenth of its words replaced
shares six tenths on average, a follow-up that repeats its background a fifth to a half."""
STOCK_TEXTS = 20
"""A shingle that stands in more texts than this is stock text."""
MIN_SHARED = 3
"""Fewer shared shingles than this, of a text that has more, are a quotation or a name, not a copy."""

_NORMALISE = normaliser("standard-1")
_WORD = re.compile(r"\w+")
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying loses nothing modulo 2⁶⁴


@dataclass(frozen=True)
class NearDuplicates:
    """What was found among N texts."""

    clusters: NDArray[np.int64]  # [N]
    """For each text the number of the first text of its cluster; its own number where it has no near-duplicate."""
    pairs: NDArray[np.int64]  # [P, 2]
    """All near-duplicate pairs, first number smaller, but for texts that are the same word for word and all stock."""
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
    texts: Sequence[str], *, min_containment: float = MIN_CONTAINMENT, stock_texts: int = STOCK_TEXTS
) -> NearDuplicates:
    """Cluster near-duplicates among texts.

    Args:
        texts: N texts. Spelling marks, digits' script and punctuation make no difference.
        min_containment: least share of the shorter text's shingles, in (0, 1].
        stock_texts: a shingle in more texts than this joins nothing. Texts that are the same word for word are always
            joined.
    """
    hashes, owners, whole = _shingles(texts)
    sizes = np.bincount(owners, minlength=len(texts))
    order = np.argsort(hashes, kind="stable")  # stable: within a shingle the owners stay in order
    hashes, owners = hashes[order], owners[order]
    starts = np.flatnonzero(np.concatenate(([True], hashes[1:] != hashes[:-1]))) if len(hashes) else np.array([], int)
    frequency = np.diff(np.append(starts, len(hashes)))
    joins = np.repeat(frequency <= stock_texts, frequency)
    hashes, owners = hashes[joins], owners[joins]
    keys = np.concatenate([_pairs_at(hashes, owners, distance, len(texts)) for distance in range(1, stock_texts)])
    keys, shared = np.unique(keys, return_counts=True)
    pairs = np.stack([keys // max(len(texts), 1), keys % max(len(texts), 1)], axis=1)  # [pairs, 2]
    shorter = sizes[pairs].min(axis=1)
    containment = shared / np.maximum(shorter, 1)
    near = (containment >= min_containment) & (shared >= np.minimum(MIN_SHARED, shorter))
    _, same, inverse = np.unique(whole, return_index=True, return_inverse=True)
    identical = np.stack([np.arange(len(texts)), same[inverse]], axis=1) if len(texts) else pairs
    clusters = components(len(texts), np.concatenate([pairs[near], identical]))
    return NearDuplicates(clusters, pairs[near], containment[near], int((frequency > stock_texts).sum()))


def _pairs_at(hashes: NDArray[np.uint64], owners: NDArray[np.int64], distance: int, count: int) -> NDArray[np.int64]:
    """Pairs (as first · count + second) of owners of one shingle that stand `distance` apart in the sorted list."""
    same = hashes[distance:] == hashes[:-distance]
    return np.asarray(owners[:-distance][same] * count + owners[distance:][same])


def _shingles(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint64]]:
    """Distinct shingle hashes [K], the text of each [K] (ascending), and a hash of every whole text [N].

    A text of fewer words than a shingle has one, of all its words.
    """
    words: dict[str, int] = {}
    flat = array("Q")  # eight bytes a word
    lengths = np.empty(len(texts), dtype=np.int64)
    whole = np.empty(len(texts), dtype=np.uint64)
    for number, tokens in enumerate(_tokens(texts)):
        start = len(flat)
        for token in tokens:
            value = words.get(token)
            if value is None:
                value = words[token] = xxhash.xxh64_intdigest(token.encode())
            flat.append(value)
        lengths[number] = len(flat) - start
        whole[number] = xxhash.xxh64_intdigest(" ".join(tokens).encode())
    values = np.frombuffer(flat, dtype=np.uint64) if flat else np.empty(0, dtype=np.uint64)
    rolled = np.zeros(max(len(values) - SHINGLE_WORDS + 1, 0), dtype=np.uint64)
    for offset in range(SHINGLE_WORDS):
        rolled = rolled * _BASE + values[offset : offset + len(rolled)]
    ends = np.cumsum(lengths)
    owner = np.repeat(np.arange(len(texts)), lengths)[: len(rolled)]
    inside = np.arange(len(rolled)) + SHINGLE_WORDS <= ends[owner] if len(rolled) else np.array([], dtype=bool)
    short = np.flatnonzero((lengths < SHINGLE_WORDS) & (lengths > 0))
    hashes = np.concatenate([rolled[inside], whole[short]])
    owners = np.concatenate([owner[inside], short])
    # A shingle that a text repeats counts once.
    order = np.lexsort((hashes, owners))
    hashes, owners = hashes[order], owners[order]
    distinct = np.ones(len(hashes), dtype=bool)
    distinct[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    return hashes[distinct], owners[distinct], whole


def _tokens(texts: Sequence[str]) -> Iterator[list[str]]:
    for text in texts:
        yield _WORD.findall(_NORMALISE(text))


def components(count: int, links: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each of `count` things the number of the first one it is linked to, directly or not; `links` is [L, 2]."""
    ones = np.ones(len(links), dtype=np.int8)
    graph = coo_array((ones, (links[:, 0], links[:, 1])), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.asarray(first[inverse])
