"""Runs of words that two texts share: the plainest sign that one was copied from the other."""

import re

from naba.text import normaliser

_NORMALISE = normaliser("standard-1")
_WORD = re.compile(r"\w+")


def runs_of(text: str, length: int) -> set[tuple[str, ...]]:
    """All runs of `length` words in the normalised text, punctuation left out; a shorter text gives itself whole."""
    words = _WORD.findall(_NORMALISE(text))
    if len(words) < length:
        return {tuple(words)}
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}
