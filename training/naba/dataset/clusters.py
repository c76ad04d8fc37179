"""What must stay together: an article's segments, a given cluster, and articles that nearly duplicate one another.

Whole articles are compared, not segments: joined by every segment they share, a quarter of a corpus of news ends in one
cluster. What two articles of different parts still share, a run or a segment, drops the one in training.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.dataset.dedupe import components, find_near_duplicates
from naba.records import LabelledSegment

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True)
class Clusters:
    """Clusters of N segments and of the A articles they come from."""

    of: NDArray[np.int64]  # [N]
    """Number of each segment's cluster, 0 … count - 1."""
    article: NDArray[np.int64]  # [N]
    """Number of each segment's article; one that came alone is an article of its own."""
    names: Sequence[str]
    """Name of each cluster: the given name, the article or the id of its first segment; all different."""
    duplicate_ratio: float
    """Share of the articles that nearly duplicate an earlier one."""
    stock_shingles: int
    largest: Sequence[dict[str, Any]]
    """The largest clusters of several articles: how many, their ids, and how the first begins."""

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return len(self.names)

    @property
    def articles(self) -> int:
        """How many articles there are."""
        return int(self.article.max()) + 1 if len(self.article) else 0

    def replaced(self, numbers: NDArray[np.int64], part: "Clusters") -> "Clusters":
        """These clusters with some segments clustered anew; the clusters of the others stay, after the new ones."""
        of = self.of + part.count
        of[numbers] = part.of
        used, of = np.unique(of, return_inverse=True)
        both = [*part.names, *self.names]
        return replace(self, of=of, names=_distinct([both[number] for number in used.tolist()]))


def find_clusters(items: Sequence[LabelledSegment], *, show: int = 10) -> Clusters:
    """Cluster segments by article, given cluster and near-duplication; `show`: how many large clusters to describe."""
    article = _numbers([item.segment.article_id or f"\0{item.segment.id}" for item in items])
    count = int(article.max()) + 1 if len(items) else 0
    texts: list[list[str]] = [[] for _ in range(count)]
    first = np.zeros(count, dtype=np.int64)
    for number in range(len(items) - 1, -1, -1):
        first[article[number]] = number
    for number, item in zip(article.tolist(), items, strict=True):
        texts[number].append(item.segment.text)
    near = find_near_duplicates("\n".join(parts) for parts in texts)
    given = [(item.cluster, number) for item, number in zip(items, article.tolist(), strict=True) if item.cluster]
    head: dict[str, int] = {}
    links = [(head.setdefault(name, number), number) for name, number in given]
    every = np.concatenate(
        [np.stack([np.arange(count), near.clusters], axis=1), np.array(links, np.int64).reshape(-1, 2)]
    )
    leader = components(count, every)  # [A]
    leaders, cluster_of_article = np.unique(leader, return_inverse=True)
    of = cluster_of_article[article] if len(items) else np.empty(0, dtype=np.int64)
    heads = [items[number] for number in first[leaders].tolist()]
    names = _distinct([item.cluster or item.segment.article_id or item.segment.id for item in heads])
    largest = [_describe(items, article, first, members) for members in _largest(cluster_of_article, show)]
    return Clusters(of, article, names, near.duplicate_ratio, near.stock_shingles, largest)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, a number behind those used before: two articles may have the same id, or begin with the same headline."""
    uses: Counter[str] = Counter()
    found = []
    for name in names:
        uses[name] += 1
        found.append(name if uses[name] == 1 else f"{name}#{uses[name]}")
    return found


def _numbers(names: Sequence[str]) -> NDArray[np.int64]:
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(name, len(seen)) for name in names], dtype=np.int64)


def _largest(cluster: NDArray[np.int64], show: int) -> list[list[int]]:
    sizes = np.bincount(cluster) if len(cluster) else np.empty(0, dtype=np.int64)
    order = np.argsort(-sizes, kind="stable")[:show]
    return [np.flatnonzero(cluster == number).tolist() for number in order if sizes[number] > 1]


def _describe(
    items: Sequence[LabelledSegment], article: NDArray[np.int64], first: NDArray[np.int64], members: Sequence[int]
) -> dict[str, Any]:
    heads = [items[first[number]] for number in members]
    return {
        "articles": len(members),
        "segments": int(np.isin(article, members).sum()),
        "ids": [item.segment.article_id or item.segment.id for item in heads],
        "begins": heads[0].segment.text[:_SHOWN_CHARACTERS],
    }
