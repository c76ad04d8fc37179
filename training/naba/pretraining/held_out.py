"""Which texts hold a held-out segment, and so must not be pretrained on.

A segment is found wherever its letters and digits follow one another, whatever the spelling (`fold_spelling`), the spaces
and the marks between them; a short one («عاجل») only as whole words, as it may stand within another («العاجلة»). A
changed copy is found by a share of its runs of words.

    held_out = HeldOutSegments.read([Path("data/validation.jsonl")], run_words=13, share=0.5)
    why = held_out.found_in(["…"])   # a reason or None for each text
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np

from naba.dataset.overlap import HashedTexts
from naba.errors import DataError
from naba.jsonl import read_numbered
from naba.paths import find
from naba.text import fold_spelling, normaliser

WHOLE, RUNS = "whole segment", "runs of words"
"""Why a text holds a segment."""

_ANCHOR = 24
"""Segments are looked up by this many characters at their head."""
_SHORT = 15
"""A segment of fewer letters and digits must begin and end where words do."""
_NORMALISE = normaliser("standard-1")
_BETWEEN = re.compile(r"[\W_]+")


class HeldOutSegments:
    """An index of held-out segments."""

    def __init__(self, texts: Iterable[str], run_words: int, share: float) -> None:
        """Index segments; `run_words` and `share` as in PretrainConfig."""
        texts = list(texts)
        self._run_words, self._share = run_words, share
        self._by_head: defaultdict[int, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for letters in {bare(text) for text in texts} - {""}:
            length = min(_ANCHOR, len(letters))
            self._by_head[length][letters[:length]].append(letters)
        hashes, owners = HashedTexts.of(texts).runs(run_words)
        self._runs = np.unique(hashes)
        self._run_count = Counter(owners.tolist())
        self._owners: defaultdict[int, list[int]] = defaultdict(list)
        for run, owner in zip(hashes.tolist(), owners.tolist(), strict=True):
            self._owners[run].append(owner)

    @classmethod
    def read(cls, paths: Iterable[Path], run_words: int, share: float) -> "HeldOutSegments":
        """Index the `text` of every row of JSONL files. Raises DataError naming file and line for a row without one."""
        texts = []
        for path in map(find, paths):
            for line, row in read_numbered(path):
                if not isinstance(row.get("text"), str):
                    raise DataError(f"{path}:{line}: no 'text'; a held-out file holds a segment a line")
                texts.append(row["text"])
        return cls(texts, run_words, share)

    def found_in(self, texts: Sequence[str]) -> list[str | None]:
        """For each text why it holds a held-out segment, or None."""
        whole = [self._holds_whole(_words(text)) for text in texts]
        near = self._holding_runs(texts)
        return [WHOLE if found else RUNS if number in near else None for number, found in enumerate(whole)]

    def _holds_whole(self, words: Sequence[str]) -> bool:
        letters = "".join(words)
        bounds = {0, *accumulate(map(len, words))}
        for length, heads in self._by_head.items():
            starts = sorted(bounds) if length < _SHORT else range(len(letters) - length + 1)
            for start in starts:
                for segment in heads.get(letters[start : start + length], ()):
                    if letters.startswith(segment, start) and (length >= _SHORT or start + length in bounds):
                        return True
        return False

    def _holding_runs(self, texts: Sequence[str]) -> set[int]:
        """The texts that have at least `share` of the distinct runs of some segment."""
        if not len(self._runs):
            return set()
        hashes, holders = HashedTexts.of(texts).runs(self._run_words)
        shared = np.isin(hashes, self._runs)
        common = Counter(
            (holder, owner)
            for run, holder in zip(hashes[shared].tolist(), holders[shared].tolist(), strict=True)
            for owner in self._owners[run]
        )
        return {holder for (holder, owner), count in common.items() if count >= self._share * self._run_count[owner]}


def bare(text: str) -> str:
    """Letters and digits alone, in one spelling."""
    return "".join(_words(text))


def _words(text: str) -> list[str]:
    return _BETWEEN.split(fold_spelling(_NORMALISE(text)))
