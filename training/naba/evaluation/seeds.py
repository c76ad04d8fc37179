"""A score over runs that differ in their seed or fold: mean, deviation and an interval.

summarise([0.71, 0.73, 0.72])                          # Summary(mean, deviation, low, high, count)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from naba.errors import DataError


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
