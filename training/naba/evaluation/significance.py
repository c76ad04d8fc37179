"""How sure a score is, and whether two runs differ: intervals, paired tests, what a test set can show at all.

Segments of one article, or of near-duplicate articles, stand or fall together, so that clusters are drawn and swapped,
never single segments. Scores are formulas over counts (`naba.scores`): counts are added up per cluster once, and a
resample is a product with the weights of the clusters. Names of scores are their dotted paths in `naba.metrics.score`.

    clusters = find_clusters(items).of
    bootstrap(gold, predicted, schema, clusters)["pairs.f1"]                 # Interval(low, high, error)
    compare(gold, first, second, schema, clusters)["pairs.f1"].p             # is the first better than the second?
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse, stats

from naba.errors import DataError
from naba.metrics import Ranking, check_probability
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Counts, Floats, Ints, Labels, count, exact, figures

RESAMPLES = 2000
"""Enough for the ends of a 95 % percentile interval (Efron and Tibshirani 1993, section 13.3: 1,000 or more)."""
DEFINED = 0.93
"""A score defined in a smaller share of the resamples has no interval. A class in two clusters is in 86 to 92 % of them
(with five clusters or more), one in three clusters in 95 % and more; a macro average is defined where all its classes are.
"""
_CELLS = 4_000_000
_AT_ONCE = 100_000
"""Segments whose counts are added up at once."""
_SUPPORTS = ("segments", "support", "predicted")


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile bootstrap interval."""

    low: float
    high: float
    error: float
    """Standard error: the standard deviation over the resamples."""


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


def bootstrap(
    gold: Labels,
    predicted: Labels,
    schema: LabelSchema,
    clusters: Ints,
    *,
    probability: Floats | None = None,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval | None]:
    """Percentile intervals of every score, over resamples of whole clusters.

    Percentile intervals: Efron and Tibshirani 1993, section 13.3; drawing clusters: Davison and Hinkley 1997, section
    3.8; widened for few clusters: Hesterberg 2015, "expanded percentile". A class that a resample has not drawn cannot be
    scored in it, nor can a macro average with that class: such a resample takes no part.

    Args:
        clusters: [N], which cluster each segment is of. probability: [N, T]; adds the average precisions.

    Returns:
        None for a score that the data cannot tell the spread of: a single cluster, a class in fewer than three (and a macro
        average with such a class), or the same value in every resample (all right, all wrong), which is no certainty.

    Raises:
        DataError: the lengths differ, or `resamples` or `level` is out of range.
    """
    _check(gold, clusters, resamples, level, predicted)
    groups, number = _groups(clusters)
    rankings = {} if probability is None else _rankings(gold, probability, schema, groups)
    by_cluster, counts = _by_cluster(gold, predicted, schema, groups, number)
    whole = counts.of_matrix(by_cluster.sum(axis=0))
    drawn = []
    for weights in _weights(number, resamples, seed, wide=len(groups) if rankings else number):
        found = _scores(counts.of_matrix(weights @ by_cluster), schema, whole)
        drawn.append(found | _average_precision(rankings, weights))
    return {path: percentile_interval([found[path] for found in drawn], level, number) for path in drawn[0]}


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
    _check(gold, clusters, resamples, level, first, second)
    groups, number = _groups(clusters)
    one, counts = _by_cluster(gold, first, schema, groups, number)
    more, _ = _by_cluster(gold, second, schema, groups, number)
    totals = one.sum(axis=0), more.sum(axis=0)
    differences = _differences(counts, schema, *totals)
    more -= one  # what the second run has more of
    paths = [path for path, value in differences.items() if not np.isnan(value)]
    swapped = dict.fromkeys(paths, 0)
    for swaps in _swaps(number, resamples, seed):
        moved = swaps @ more
        found = _differences(counts, schema, totals[0] + moved, totals[1] - moved)
        for path in paths:
            # Sums in another order differ in the last digits; equal must count as equal.
            swapped[path] += int((np.abs(found[path]) >= abs(differences[path]) - 1e-9).sum())
    drawn = [
        _differences(counts, schema, first_sums := weights @ one, first_sums + weights @ more)
        for weights in _weights(number, resamples, seed)
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


def _check(gold: Labels, clusters: Ints, resamples: int, level: float, *answers: Labels) -> None:
    sizes = {len(gold.presence), len(clusters), *(len(answer.presence) for answer in answers)}
    if len(sizes) > 1:
        raise DataError(
            f"gold, predictions and clusters of {sorted(sizes)} segments: give one of each for every segment"
        )
    if sizes == {0}:
        raise DataError("no segments: an interval needs some")
    if resamples < 100 or not 0 < level < 1:
        raise DataError(f"resamples = {resamples}, level = {level}: expected at least 100, and a level between 0 and 1")


def _groups(clusters: Ints) -> tuple[Ints, int]:
    names, groups = np.unique(clusters, return_inverse=True)
    return groups.reshape(-1), len(names)


def _by_cluster(gold: Labels, answers: Labels, schema: LabelSchema, groups: Ints, number: int) -> tuple[Floats, Counts]:
    """Counts added up per cluster [C, K], and counts in whose shape they are (`Counts.of_matrix`).

    In blocks of segments: a million segments' counts at once would be the most of the memory.
    """
    sums: Floats = np.zeros((number, 0))
    for start in range(0, len(groups), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        both = [Labels(labels.presence[rows], labels.stance[rows]) for labels in (gold, answers)]
        counts = count(both[0], both[1], schema)
        of = groups[rows]
        member = sparse.csr_matrix((np.ones(len(of)), (of, np.arange(len(of)))), shape=(number, len(of)))
        added = member @ counts.matrix()
        if start:
            sums += added
        else:
            sums = added
    return sums, counts


def _weights(number: int, resamples: int, seed: int, *, wide: int = 1) -> Iterator[Floats]:
    """How often each cluster is drawn in each resample [b, C], in blocks of which [b, wide] fits in memory."""
    generator = np.random.default_rng(seed)
    for size in _blocks(max(number, wide), resamples):
        drawn = generator.integers(number, size=(size, number)) + number * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * number).reshape(size, number).astype(np.float64)


def _swaps(number: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Which clusters are swapped in each round [b, C]."""
    generator = np.random.default_rng(seed)
    for size in _blocks(number, resamples):
        yield (generator.random((size, number), dtype=np.float32) < 0.5).astype(np.float64)


def _blocks(number: int, resamples: int) -> Iterator[int]:
    block = max(1, _CELLS // number)
    for start in range(0, resamples, block):
        yield min(block, resamples - start)


def _scores(counts: Counts, schema: LabelSchema, whole: Counts) -> dict[str, Any]:
    found = figures(counts, schema, whole=whole)
    return {path: value for path, value in found.items() if path.rsplit(".", 1)[-1] not in _SUPPORTS}


def _differences(counts: Counts, schema: LabelSchema, one: Floats, two: Floats) -> dict[str, Any]:
    """First run's scores less the second's; `counts` give the shape and, both runs having the same gold, the classes."""
    whole = counts.total()
    first, second = (_scores(counts.of_matrix(matrix), schema, whole) for matrix in (one, two))
    return {path: value - second[path] for path, value in first.items()}


def _rankings(gold: Labels, probability: Floats, schema: LabelSchema, groups: Ints) -> dict[str, Ranking]:
    check_probability(gold, probability)
    judged = gold.presence != UNKNOWN
    return {
        topic: Ranking(gold.presence[known, t], probability[known, t], groups[known])
        for t, (topic, known) in enumerate(zip(schema.topic_ids, judged.T, strict=True))
    }


def _average_precision(rankings: Mapping[str, Ranking], weights: Floats) -> dict[str, Floats]:
    """Average precision per topic and their macro average in each resample [b], from weights [b, C]."""
    if not rankings:
        return {}
    halved = weights.astype(np.float32)  # twice as fast, and exact for whole numbers up to 16 million
    found = {topic: ranking.average_precision(halved) for topic, ranking in rankings.items()}
    scored = [values for topic, values in found.items() if rankings[topic].has_positives]
    macro = np.mean(scored, axis=0) if scored else np.full(len(weights), np.nan)
    by_path = {f"topics.per_topic.{topic}.average_precision": value for topic, value in found.items()}
    return by_path | {"topics.macro_average_precision": macro}


def percentile_interval(blocks: Sequence[Floats], level: float, clusters: int) -> Interval | None:
    values = np.concatenate(blocks)
    defined = values[~np.isnan(values)]
    if clusters < 2 or len(defined) < DEFINED * len(values) or np.ptp(defined) < 1e-12:
        return None
    # Plain percentiles are too narrow by √((n − 1) / n), and by the normal's quantile where Student's t is due.
    reach = np.sqrt(clusters / (clusters - 1)) * stats.t.ppf((1 + level) / 2, clusters - 1)
    tail = stats.norm.cdf(-reach)
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(float(low), float(high), float(defined.std(ddof=1)))
