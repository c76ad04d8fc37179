"""A score over runs that differ in their seed or fold: mean, deviation and an interval.

summarise([0.71, 0.73, 0.72, 0.74])                    # Summary(mean, deviation, low, high, count, cut)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from naba.errors import DataError

FEWEST = 4
"""Fewer values have no interval. Of some three, the values themselves say more than an interval does (Cumming, Fidler and
Vaux 2007, "Error bars in experimental biology", rule 4): at 95 %, Student's t is 12.7 for two values and 4.3 for three."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Summary:
    """A score over runs that differ in their seed or fold."""

    mean: float
    deviation: float | None
    """Sample standard deviation (n − 1); None for one run."""
    low: float | None
    """None for fewer than `FEWEST` runs, and where all have the same score, which is no certainty; as `high`."""
    high: float | None
    count: int
    cut: bool
    """Whether an end lay beyond what the score can be, and was set there."""


def summarise(
    values: Sequence[float],
    *,
    level: float = 0.95,
    test_over_train: float = 0.0,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Summary:
    """Mean, deviation and Student's t interval of one score over seeds or folds.

    The interval ends where the score does: t knows of no bounds, and what it covers beyond them cannot be the true mean,
    so that an interval without it covers the true mean as often. `cut` says so.

    Args:
        test_over_train: for folds, the size of a fold over that of its training part (0.25 with five folds): folds share
            training data, and the variance of the mean is s² · (1/n + test_over_train) (Nadeau and Bengio 2003).
        bounds: the least and the most that the score can be.

    Raises:
        DataError: there is no value, or one out of bounds.
    """
    if not values:
        raise DataError("no runs to summarise: give the scores of at least one")
    lowest, highest = bounds
    if min(values) < lowest - _ROUNDING or max(values) > highest + _ROUNDING:
        raise DataError(f"scores from {min(values):g} to {max(values):g}: expected {lowest:g} to {highest:g}")
    mean, number = float(np.mean(values)), len(values)
    deviation = float(np.std(values, ddof=1)) if number > 1 else None
    if deviation is None or number < FEWEST or deviation < _ROUNDING:
        return Summary(mean, deviation, None, None, number, cut=False)
    reach = float(stats.t.ppf((1 + level) / 2, number - 1)) * deviation * float(np.sqrt(1 / number + test_over_train))
    low, high = mean - reach, mean + reach
    cut = low < lowest or high > highest
    return Summary(mean, deviation, max(low, lowest), min(high, highest), number, cut)
