"""Per-topic decision thresholds, chosen for F1 on validation and shrunk towards 0.5."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SHRINKAGE = 50
"""Positive examples at which the chosen threshold and 0.5 weigh the same: few positives give an unstable optimum."""


def best_threshold(
    probability: NDArray[np.floating[Any]], truth: NDArray[np.integer[Any]], shrinkage: float = SHRINKAGE
) -> float:
    """Threshold in [0.05, 0.95] with the best F1, pulled towards 0.5 by how few positives it rests on.

    Args:
        probability: [N]; truth: [N] of 0 and 1.
        shrinkage: 0 gives the raw optimum, but none below 0.05 or above 0.95. With p positives the weight of the optimum is p / (p + shrinkage).

    Returns:
        0.5 where there is no positive or no negative example.
    """
    positives = int(truth.sum())
    if positives == 0 or positives == len(truth):
        return 0.5
    order = np.argsort(-probability, kind="stable")
    ranked, hits = probability[order], np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + positives)
    # A cut is possible only between two different probabilities.
    cut = np.append(ranked[:-1] > ranked[1:], True)
    best = int(np.argmax(np.where(cut, f1, -1)))
    following = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    optimum = (ranked[best] + following) / 2
    weight = positives / (positives + shrinkage)
    return float(np.clip(0.5 + weight * (optimum - 0.5), 0.05, 0.95))
