"""Thresholds with a certified recall: which share of what has a topic passes, at least, and with what confidence.

    certify(scores, clusters, recall=0.99)     # of the positives of one topic, each scored by a model that never saw it

With n independent positives the threshold is the (m + 1)-th smallest of their scores, m being the most misses at which the
one-sided Clopper-Pearson bound (Clopper and Pearson 1934) of n - m hits among n is the wanted recall or more. As m follows
from n alone, choosing the threshold by the scores costs no confidence: the share of the positives' distribution above an
order statistic has the same Beta distribution as that bound (Wilks 1941).
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Certificate:
    """What holds for the positives of one topic at a threshold."""

    positives: int
    independent: int
    """Clusters that they come from; each counts once, by its lowest score."""
    needed: int
    """The fewest clusters from which this recall can be certified."""
    threshold: float | None
    """The highest at which it is; None where they are too few, and everything has to pass."""

    @property
    def missing(self) -> int:
        """How many more clusters are needed; 0 where they suffice."""
        return max(0, self.needed - self.independent)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"missing": self.missing}


def lower_bound(hits: int, count: int, confidence: float = CONFIDENCE) -> float:
    """One-sided Clopper-Pearson lower bound of a share; 0 where there is no hit."""
    return float(beta.ppf(1 - confidence, hits, count - hits + 1)) if hits else 0.0


def most_misses(count: int, recall: float, confidence: float = CONFIDENCE) -> int | None:
    """The most misses among `count` at which the bound is the recall or more; None where even no miss is too many."""
    misses = None
    for missed in range(count):
        if lower_bound(count - missed, count, confidence) < recall:
            break
        misses = missed
    return misses


def fewest(recall: float, confidence: float = CONFIDENCE) -> int:
    """The fewest positives with which a recall can be certified, none of them missed: recall^n <= 1 - confidence."""
    count = int(np.ceil(np.log(1 - confidence) / np.log(recall)))
    return count if lower_bound(count, count, confidence) >= recall else count + 1


def certify(scores: Floats, clusters: Ints, recall: float, confidence: float = CONFIDENCE) -> Certificate:
    """The highest threshold with the recall, from the positives' scores [n] and the clusters they are of [n]."""
    lowest = np.sort(lowest_of(scores, clusters))
    misses = most_misses(len(lowest), recall, confidence)
    threshold = None if misses is None else float(lowest[misses])
    return Certificate(len(scores), len(lowest), fewest(recall, confidence), threshold)


def measured(passes: NDArray[np.bool_], clusters: Ints) -> dict[str, Any]:
    """How many of n positives pass [n]: `recall` among the `segments`, and the `bound` on the share of whole `clusters` [n].

    As in `certify` a cluster counts once, as missed where any of it is: the bound is of that stricter share, and rounded down.
    """
    if not len(passes):
        return {"segments": 0, "recall": None, "clusters": 0, "bound": None}
    count, missed = len(np.unique(clusters)), len(np.unique(clusters[~passes]))
    return {
        "segments": len(passes),
        "recall": round(float(passes.mean()), 4),
        "clusters": count,
        "bound": float(np.floor(lower_bound(count - missed, count) * 1e4) / 1e4),
    }


def lowest_of(scores: Floats, clusters: Ints) -> Floats:
    """The lowest score in each cluster."""
    names, place = np.unique(clusters, return_inverse=True)
    lowest = np.full(len(names), np.inf)
    np.minimum.at(lowest, place, scores)
    return lowest
