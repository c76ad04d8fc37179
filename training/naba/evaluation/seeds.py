"""A score over runs that differ in their seed or fold: mean, deviation and an interval.

summarise([0.71, 0.73, 0.72])                          # Summary(mean, deviation, low, high, count)
summarise_scores([report["systems"]["model"] for report in reports])["pairs.f1"]
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from naba.errors import DataError

_SUPPORTS = ("segments", "support", "predicted")


@dataclass(frozen=True, slots=True)
class Summary:
    """A score over runs that differ in their seed or fold."""

    mean: float
    deviation: float | None
    """Sample standard deviation (n − 1); None for one run, as are the interval's ends."""
    low: float | None
    high: float | None
    count: int


def summarise(values: Sequence[float], *, level: float = 0.95, test_over_train: float = 0.0) -> Summary:
    """Mean, deviation and Student's t interval of one score over seeds or folds.

    Args:
        test_over_train: for folds, the size of a fold over that of its training part (0.25 with five folds): folds share
            training data, and the variance of the mean is s² · (1/n + test_over_train) (Nadeau and Bengio 2003).

    Raises:
        DataError: there is no value.
    """
    if not values:
        raise DataError("no runs to summarise: give the scores of at least one")
    mean, number = float(np.mean(values)), len(values)
    if number == 1:
        return Summary(mean, None, None, None, 1)
    deviation = float(np.std(values, ddof=1))
    reach = float(stats.t.ppf((1 + level) / 2, number - 1)) * deviation * float(np.sqrt(1 / number + test_over_train))
    return Summary(mean, deviation, mean - reach, mean + reach, number)


def summarise_scores(scores: Sequence[Mapping[str, Any]], *, test_over_train: float = 0.0) -> dict[str, Summary]:
    """`summarise` for every score that all of several results of `naba.metrics.score` have."""
    flat = [_flat(one) for one in scores]
    shared = [path for path in flat[0] if all(one.get(path) is not None for one in flat)] if flat else []
    return {path: summarise([one[path] for one in flat], test_over_train=test_over_train) for path in shared}


def _flat(scores: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in scores.items():
        path = f"{above}{name}"
        if isinstance(value, Mapping):
            found |= _flat(value, f"{path}.")
        elif name not in _SUPPORTS:
            found[path] = value
    return found
