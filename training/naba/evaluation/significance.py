"""Whether two runs differ: paired tests, corrections for many of them, and what a test set can show at all.

Clusters of segments are swapped and drawn, never single segments (`naba.evaluation.intervals`).

    compare(gold, first, second, schema, clusters)["pairs.f1"].p             # is the first better than the second?
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from naba.evaluation.intervals import (
    RESAMPLES,
    Interval,
    blocks,
    by_cluster,
    check_sizes,
    drawn_weights,
    grouped,
    percentile_interval,
    scores_of,
)
from naba.schema import LabelSchema
from naba.scores import Counts, Floats, Ints, Labels, exact


@dataclass(frozen=True, slots=True)
class Difference:
    """The first run's score minus the second's, on the same segments."""

    value: float
    interval: Interval | None
    p: float
    """Two-sided, of the approximate randomisation test; never 0."""

    @property
    def detectable(self) -> float | None:
        """The smallest true difference that this test set would most likely show; None where it cannot be told."""
        return detectable_difference(self.interval.error) if self.interval else None


@dataclass(frozen=True, slots=True)
class McNemar:
    """Segments that only one of two runs has wholly right."""

    only_first: int
    only_second: int
    p: float
    """Two-sided, exact; takes segments for independent, which those of one article are not."""


def compare(
    gold: Labels,
    first: Labels,
    second: Labels,
    schema: LabelSchema,
    clusters: Ints,
    *,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Difference]:
    """The differences between two runs on the same segments in every score that both have.

    p: approximate randomisation (Noreen 1989; Yeh 2000), which swaps the two runs' answers on half of the clusters, drawn
    anew each time, and asks how often the difference is at least as large; (1 + k) / (1 + B), so never 0, and never below
    what so few clusters can show (`smallest_p`). The interval:
    bootstrap of the paired difference.

    Raises:
        DataError: as `bootstrap`.
    """
    check_sizes(gold, clusters, resamples, level, first, second)
    groups, number = grouped(clusters)
    one, counts = by_cluster(gold, first, schema, groups, number)
    more, _ = by_cluster(gold, second, schema, groups, number)
    totals = one.sum(axis=0), more.sum(axis=0)
    whole = counts.of_matrix(totals[0])
    differences = _differences(counts, schema, whole, *totals)
    more -= one  # what the second run has more of
    paths = [path for path, value in differences.items() if not np.isnan(value)]
    swapped = dict.fromkeys(paths, 0)
    for swaps in _swaps(number, resamples, seed):
        moved = swaps @ more
        found = _differences(counts, schema, whole, totals[0] + moved, totals[1] - moved)
        for path in paths:
            # Sums in another order differ in the last digits; equal must count as equal.
            swapped[path] += int((np.abs(found[path]) >= abs(differences[path]) - 1e-9).sum())
    drawn = [
        _differences(counts, schema, whole, first_sums := weights @ one, first_sums + weights @ more)
        for weights in drawn_weights(number, resamples, seed)
    ]
    return {
        path: Difference(
            float(differences[path]),
            percentile_interval([found[path] for found in drawn], level, number),
            max((1 + swapped[path]) / (1 + resamples), smallest_p(number)),
        )
        for path in paths
    }


def smallest_p(clusters: int) -> float:
    """The least that the randomisation test's p can be: of the 2^C ways to swap C clusters between two runs, two, none and
    all of them swapped, give the very difference that was found. Random swaps may by luck meet them more rarely."""
    return float(2.0 ** (1 - clusters))


def mcnemar(gold: Labels, first: Labels, second: Labels, schema: LabelSchema) -> McNemar:
    """McNemar's test on which segments are wholly right, with the exact binomial distribution.

    McNemar 1947; for classifiers: Dietterich 1998, section 3.1. Exact instead of χ² with Edwards's 1948 correction, which
    needs some 25 segments that differ. Only fully judged segments count.
    """
    whole, right = exact(gold, first, schema)
    _, other = exact(gold, second, schema)
    only_first, only_second = int((right & ~other & whole).sum()), int((other & ~right & whole).sum())
    p = stats.binomtest(only_first, only_first + only_second, 0.5).pvalue if only_first + only_second else 1.0
    return McNemar(only_first, only_second, float(p))


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """p-values adjusted for how many comparisons were made (Holm 1979); below α, the comparison holds at level α."""
    adjusted: dict[str, float] = {}
    above = 0.0
    for rank, name in enumerate(sorted(p, key=lambda name: p[name])):
        above = max(above, min(1.0, (len(p) - rank) * p[name]))
        adjusted[name] = above
    return {name: adjusted[name] for name in p}


def detectable_difference(error: float, *, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """The true difference that is seen with this power at this two-sided level: (z(1 − α/2) + z(power)) · error.

    Cohen 1988, section 2.2; for systems on one test set: Card et al. 2020. None where the error is 0: two runs that
    answer alike say nothing on what could be seen.

    Args:
        error: standard error of the *difference*. With one run only, `alone(its error)` bounds it.
    """
    return float(stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)) * error if error > 0 else None


def alone(error: float) -> float:
    """An upper bound of the paired difference's standard error, from one run's: √2 times.

    Holds for a second run that is as unsure and does not err where the first is right more than by chance (covariance
    ≥ 0); two runs mostly fail on the same segments, and their difference is then surer.
    """
    return float(np.sqrt(2)) * error


def _swaps(number: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Which clusters are swapped in each round [b, C]."""
    generator = np.random.default_rng(seed)
    for size in blocks(number, resamples):
        yield (generator.random((size, number), dtype=np.float32) < 0.5).astype(np.float64)


def _differences(counts: Counts, schema: LabelSchema, whole: Counts, one: Floats, two: Floats) -> dict[str, Any]:
    """First run's scores less the second's; `counts` give the shape, the `whole` of either the classes of the gold."""
    first, second = (scores_of(counts.of_matrix(matrix), schema, whole) for matrix in (one, two))
    return {path: value - second[path] for path, value in first.items()}
