"""How sure a score is: intervals over resampled clusters.

Segments of one article, or of near-duplicate articles, stand or fall together, so that clusters are drawn, never single
segments. Scores are formulas over counts (`naba.scores`): counts are added up per cluster once, and a resample is a product
with the weights of the clusters. Names of scores are their dotted paths in `naba.metrics.score`.

    clusters = find_clusters(items).of
    bootstrap(gold, predicted, schema, clusters)["pairs.f1"]                 # Interval(low, high, error)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse, stats

from naba.errors import DataError
from naba.metrics import Ranking, check_probability
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Counts, Floats, Ints, Labels, count, figures

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
    check_sizes(gold, clusters, resamples, level, predicted)
    groups, number = grouped(clusters)
    rankings = {} if probability is None else _rankings(gold, probability, schema, groups)
    sums, counts = by_cluster(gold, predicted, schema, groups, number)
    whole = counts.of_matrix(sums.sum(axis=0))
    drawn = []
    for weights in drawn_weights(number, resamples, seed, wide=len(groups) if rankings else number):
        found = scores_of(counts.of_matrix(weights @ sums), schema, whole)
        drawn.append(found | _average_precision(rankings, weights))
    return {path: percentile_interval([found[path] for found in drawn], level, number) for path in drawn[0]}


def percentile_interval(drawn: Sequence[Floats], level: float, clusters: int) -> Interval | None:
    """The interval of one score from its values in the resamples, [b] a block; None where it cannot be told (`bootstrap`)."""
    values = np.concatenate(drawn)
    defined = values[~np.isnan(values)]
    if clusters < 2 or len(defined) < DEFINED * len(values) or np.ptp(defined) < 1e-12:
        return None
    # Plain percentiles are too narrow by √((n − 1) / n), and by the normal's quantile where Student's t is due.
    reach = np.sqrt(clusters / (clusters - 1)) * stats.t.ppf((1 + level) / 2, clusters - 1)
    tail = stats.norm.cdf(-reach)
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(float(low), float(high), float(defined.std(ddof=1)))


def check_sizes(gold: Labels, clusters: Ints, resamples: int, level: float, *answers: Labels) -> None:
    """Raise DataError where the lengths differ, or `resamples` or `level` is out of range."""
    sizes = {len(gold.presence), len(clusters), *(len(answer.presence) for answer in answers)}
    if len(sizes) > 1:
        raise DataError(
            f"gold, predictions and clusters of {sorted(sizes)} segments: give one of each for every segment"
        )
    if sizes == {0}:
        raise DataError("no segments: an interval needs some")
    if resamples < 100 or not 0 < level < 1:
        raise DataError(f"resamples = {resamples}, level = {level}: expected at least 100, and a level between 0 and 1")


def grouped(clusters: Ints) -> tuple[Ints, int]:
    """The clusters numbered from 0 [N], and how many there are."""
    names, groups = np.unique(clusters, return_inverse=True)
    return groups.reshape(-1), len(names)


def by_cluster(gold: Labels, answers: Labels, schema: LabelSchema, groups: Ints, number: int) -> tuple[Floats, Counts]:
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


def drawn_weights(number: int, resamples: int, seed: int, *, wide: int = 1) -> Iterator[Floats]:
    """How often each cluster is drawn in each resample [b, C], in blocks of which [b, wide] fits in memory."""
    generator = np.random.default_rng(seed)
    for size in blocks(max(number, wide), resamples):
        drawn = generator.integers(number, size=(size, number)) + number * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * number).reshape(size, number).astype(np.float64)


def blocks(number: int, resamples: int) -> Iterator[int]:
    """Sizes of the blocks that resamples of `number` things are made in."""
    block = max(1, _CELLS // number)
    for start in range(0, resamples, block):
        yield min(block, resamples - start)


def scores_of(counts: Counts, schema: LabelSchema, whole: Counts) -> dict[str, Any]:
    """Every score but the supports, from counts [b, ...]."""
    found = figures(counts, schema, whole=whole)
    return {path: value for path, value in found.items() if path.rsplit(".", 1)[-1] not in _SUPPORTS}


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
