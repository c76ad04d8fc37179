"""Runs of words as numbers, so that what millions of texts share is found by sorting.

Two texts share a run when the same words follow one another in both, spelling and punctuation aside. Runs are
compared by 64-bit hashes: of 10⁸ distinct runs one pair is expected to collide once in 3,700 corpora.

    texts = HashedTexts.of(["…", "…"])
    hashes, owners = texts.runs(13)
"""

import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xxhash
from numpy.typing import NDArray

from naba.text import fold_spelling, normaliser

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]

STOCK_TEXTS = 20
"""A run that stands in more texts than this is stock text («وأضاف في تصريحات صحفية …»): it says nothing of where a
text came from."""

_NORMALISE = normaliser("standard-1")
_WORD = re.compile(r"\w+")
_BLOCK = 2_000_000
"""Words whose runs are made at once."""
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying loses nothing modulo 2⁶⁴


@dataclass(frozen=True)
class HashedTexts:
    """N texts as a flat list of word hashes."""

    words: Hashes  # [W]
    lengths: Numbers  # [N]
    """Words of each text."""
    whole: Hashes  # [N]
    """A hash of every whole text: equal for the same words, whatever the spelling marks and punctuation."""

    @classmethod
    def of(cls, texts: Iterable[str], *, once: bool = False) -> "HashedTexts":
        """Hash the words of texts, which may come from a stream.

        Args:
            once: a text of the same words as an earlier one keeps its place and `whole`, but no words: its length is 0,
                and what is counted is counted once however often a text was copied.
        """
        known: dict[str, int] = {}
        met: set[int] = set()
        words, whole, lengths = array("Q"), array("Q"), array("q")  # eight bytes a number
        for text in texts:
            tokens = _WORD.findall(fold_spelling(_NORMALISE(text)))
            whole.append(xxhash.xxh64_intdigest(" ".join(tokens).encode()))
            if once:
                if whole[-1] in met:
                    lengths.append(0)
                    continue
                met.add(whole[-1])
            for token in tokens:
                value = known.get(token)
                if value is None:
                    value = known[token] = xxhash.xxh64_intdigest(token.encode())
                words.append(value)
            lengths.append(len(tokens))
        # Views, not copies: the words of millions of texts are the greatest part of the memory.
        return cls(np.frombuffer(words, np.uint64), np.frombuffer(lengths, np.int64), np.frombuffer(whole, np.uint64))

    def originals(self) -> Numbers:
        """For each text the number of the first one of the same words. [N]"""
        _, first, inverse = np.unique(self.whole, return_index=True, return_inverse=True)
        return np.asarray(first[inverse])

    def runs(self, length: int, *, short: bool = False, share: tuple[int, int] = (0, 1)) -> tuple[Hashes, Numbers]:
        """The distinct runs of `length` words of each text: hashes [K] and the text of each [K], ascending by text, hash.

        Args:
            short: a text of fewer words has one run, of all its words; otherwise it has none.
            share: (p, P): the p-th of P equal ranges of hashes only, for texts whose runs would not fit in memory.
        """
        starts = np.concatenate(([0], np.cumsum(self.lengths)))
        cuts = np.searchsorted(starts, np.arange(0, starts[-1], _BLOCK)) if len(self.words) else np.zeros(0, np.int64)
        found = [
            self._runs(int(first), int(last), starts, length, short, share)
            for first, last in pairwise([*np.unique(cuts).tolist(), len(self.lengths)])
        ]
        if not found:
            return np.zeros(0, np.uint64), np.zeros(0, np.int64)
        return np.concatenate([hashes for hashes, _ in found]), np.concatenate([owners for _, owners in found])

    def _runs(
        self, first: int, last: int, starts: Numbers, length: int, short: bool, share: tuple[int, int]
    ) -> tuple[Hashes, Numbers]:
        """`runs` of the texts first … last - 1; text n begins at word starts[n]."""
        words, lengths = self.words[starts[first] : starts[last]], self.lengths[first:last]
        rolled = np.zeros(max(len(words) - length + 1, 0), dtype=np.uint64)
        for offset in range(length):
            rolled = rolled * _BASE + words[offset : offset + len(rolled)]
        owner = np.repeat(np.arange(len(lengths)), lengths)[: len(rolled)]
        inside = np.arange(len(rolled)) + length <= np.cumsum(lengths)[owner]
        hashes, owners = rolled[inside], owner[inside]
        if short:
            brief = np.flatnonzero((lengths < length) & (lengths > 0))
            hashes = np.concatenate([hashes, self.whole[first:last][brief]])
            owners = np.concatenate([owners, brief])
        if share[1] > 1:
            width = np.uint64(2**64 // share[1] + 1)
            kept = hashes // width == share[0]
            hashes, owners = hashes[kept], owners[kept]
        order = np.lexsort((hashes, owners))
        hashes, owners = hashes[order], owners[order]
        distinct = np.ones(len(hashes), dtype=bool)
        distinct[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
        return hashes[distinct], owners[distinct] + first


def stock_runs(hashes: Hashes, stock_texts: int = STOCK_TEXTS) -> Hashes:
    """The runs that stand in more than `stock_texts` texts, sorted; `hashes` are distinct within each text, of texts
    that were hashed `once`: copies in full make no stock text."""
    values, counts = np.unique(hashes, return_counts=True)
    return np.asarray(values[counts > stock_texts])
