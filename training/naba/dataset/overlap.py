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
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying loses nothing modulo 2⁶⁴


@dataclass(frozen=True)
class HashedTexts:
    """N texts as a flat list of word hashes."""

    words: Hashes  # [W]
    lengths: Numbers  # [N]
    """Words of each text."""
    whole: Hashes  # [N]
    """A hash of every whole text."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> "HashedTexts":
        """Hash the words of texts, which may come from a stream."""
        known: dict[str, int] = {}
        words, whole, lengths = array("Q"), array("Q"), array("q")  # eight bytes a number
        for text in texts:
            tokens = _WORD.findall(fold_spelling(_NORMALISE(text)))
            for token in tokens:
                value = known.get(token)
                if value is None:
                    value = known[token] = xxhash.xxh64_intdigest(token.encode())
                words.append(value)
            lengths.append(len(tokens))
            whole.append(xxhash.xxh64_intdigest(" ".join(tokens).encode()))
        return cls(
            np.array(words, dtype=np.uint64), np.array(lengths, dtype=np.int64), np.array(whole, dtype=np.uint64)
        )

    def runs(self, length: int, *, short: bool = False) -> tuple[Hashes, Numbers]:
        """The distinct runs of `length` words of each text: hashes [K] and the text of each [K], ascending.

        `short`: a text of fewer words has one run, of all its words; otherwise it has none.
        """
        rolled = np.zeros(max(len(self.words) - length + 1, 0), dtype=np.uint64)
        for offset in range(length):
            rolled = rolled * _BASE + self.words[offset : offset + len(rolled)]
        owner = np.repeat(np.arange(len(self.lengths)), self.lengths)[: len(rolled)]
        inside = np.arange(len(rolled)) + length <= np.cumsum(self.lengths)[owner]
        hashes, owners = rolled[inside], owner[inside]
        if short:
            brief = np.flatnonzero((self.lengths < length) & (self.lengths > 0))
            hashes, owners = np.concatenate([hashes, self.whole[brief]]), np.concatenate([owners, brief])
        order = np.lexsort((hashes, owners))
        hashes, owners = hashes[order], owners[order]
        distinct = np.ones(len(hashes), dtype=bool)
        distinct[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
        return hashes[distinct], owners[distinct]


def stock_runs(hashes: Hashes, stock_texts: int = STOCK_TEXTS) -> Hashes:
    """The runs that stand in more than `stock_texts` texts, sorted; `hashes` are distinct within each text."""
    values, counts = np.unique(hashes, return_counts=True)
    return np.asarray(values[counts > stock_texts])
