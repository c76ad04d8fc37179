"""Runs of words that two texts share: the plainest sign that one was copied from the other."""

import re
from collections.abc import Sequence

from naba.text import normaliser

_NORMALISE = normaliser("standard-1")
_WORD = re.compile(r"\w+")


def runs_of(text: str, length: int) -> set[tuple[str, ...]]:
    """All runs of `length` words in the normalised text, punctuation left out; a shorter text gives itself whole."""
    words = _WORD.findall(_NORMALISE(text))
    if len(words) < length:
        return {tuple(words)}
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}


def join_copies(texts: Sequence[str], clusters: Sequence[str], length: int) -> list[str]:
    """For each text the name of its cluster, clusters joined wherever texts of two share a run of `length` words.

    Args:
        texts: N texts.
        clusters: the cluster each belongs to already; a name of its own where it belongs to none.
        length: words in a run.

    Returns:
        N names; that of a joined cluster is its first member's.
    """
    parent = {name: name for name in clusters}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    owner: dict[tuple[str, ...], str] = {}
    for text, name in zip(texts, clusters, strict=True):
        for run in runs_of(text, length):
            first = root(owner.setdefault(run, name))
            if (other := root(name)) != first:
                parent[other] = first
    return [root(name) for name in clusters]
