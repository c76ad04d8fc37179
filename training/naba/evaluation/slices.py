"""Where a system is worse than elsewhere: scores of parts of the test set, each with its interval, the worst first.

A slice is compared with the rest of the test set, on resamples of whole clusters in which both are drawn together: an
article with segments on either side is drawn with both. Many slices are looked at, so that "worse than the rest" is
adjusted for their number; a slice under 20 segments is shown, but neither ranked nor tested.

    found = slices(test, answers)
    found[0].name, found[0].scores["pairs.f1"].value     # "month: 2024-03", 0.41

Slices by number of topics or pair of topics are made from the gold labels: they say where the system fails, not what one
could know beforehand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse, stats

from naba.errors import DataError
from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.attributes import FIELDS, attributes
from naba.evaluation.intervals import RESAMPLES, Interval, percentile_interval
from naba.evaluation.significance import holm
from naba.schema import LabelSchema
from naba.scores import Counts, Floats, Ints, count, figures

SCORES = ("pairs.f1", "topics.macro_f1", "stances.accuracy", "stances.macro_f1", "exact_match")
SMALLEST = 20
"""Slices of fewer segments are marked, neither ranked nor tested."""
FEWEST_CLUSTERS = 6
"""A slice of fewer has no interval: n values all lie on one side of their median with probability 2^(1 - n), so that even
the whole range of five would hold it in 94 % only."""
GROUPS = 2000
"""More clusters than this are joined at random into so many groups, which are then resampled in their place.

Independent clusters joined at random leave the variance of a sum what it was (random groups: Wolter 2007, chapter 2), and
an error from G groups is itself unsure by 1 / √(2 G), 1.6 %.
"""
_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class SliceDifference:
    """A slice's score minus that of the rest of the test set."""

    value: float
    """For macro averages over the classes that both have, so that it may differ from the difference of the two scores."""
    interval: Interval | None
    p: float | None
    """One-sided, that the slice is no worse than the rest; None for a slice that is not tested."""
    p_adjusted: float | None = None
    """Holm's, over all slices that are tested in this score."""


@dataclass(frozen=True, slots=True)
class SliceScore:
    """One score of a slice; everything None where there is nothing to score."""

    value: float | None
    support: int
    interval: Interval | None
    difference: SliceDifference | None


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of the test set."""

    by: str
    """The attribute, as "month"."""
    value: str
    """Its value, as "2024-03"; "not given" where the data has none."""
    segments: int
    clusters: int
    """How many independent clusters they are of: what the intervals rest on."""
    pairs: int
    """Gold (topic, stance) pairs."""
    scores: Mapping[str, SliceScore]
    """By dotted path, those of `SCORES`."""
    rank: int | None = None
    """From 1, the worst; None for a slice that is too small or cannot be scored."""

    @property
    def name(self) -> str:
        """The slice in words."""
        return f"{self.by}: {self.value}"

    @property
    def small(self) -> bool:
        """Whether it has too few segments to be ranked."""
        return self.segments < SMALLEST

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"name": self.name, "small": self.small}


def slices(
    test: TestSet,
    answers: Answers,
    *,
    fields: Sequence[str] = FIELDS,
    rank_by: str = "pairs.f1",
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = 0,
) -> list[Slice]:
    """Every slice of the test set: those that are ranked, the worst first, then the others by attribute.

    Intervals are percentile intervals over resamples of whole clusters of the test set, as `intervals.bootstrap` has
    them; they and p take the smaller side's number of clusters for their degrees of freedom.

    Args:
        fields: fields of the rows to slice by, besides what every row has. rank_by: one of SCORES.

    Raises:
        DataError: there is no segment, the lengths differ, or an argument is out of range.
    """
    _check(test, answers, rank_by, resamples, level)
    counts = count(test.gold, answers.labels, test.schema)
    names, cluster = np.unique(test.clusters, return_inverse=True)
    generator = np.random.default_rng(seed)
    groups = min(len(names), GROUPS)
    group = cluster if groups == len(names) else generator.permutation(len(names))[cluster] % groups
    whole = _by_group(counts, np.arange(len(cluster)), group, groups)
    weights = generator.multinomial(groups, np.full(groups, 1 / groups), size=resamples).astype(np.float64)
    resampled = _Resampled(test.schema, counts, weights, whole, weights @ whole, level)
    found = []
    for by, values in attributes(test.items, test.gold, test.schema, fields=fields).items():
        for value, rows in values.items():
            if len(rows) == len(cluster):
                continue
            beyond = np.ones(len(cluster), dtype=bool)
            beyond[rows] = False
            sides = [len(np.unique(cluster[side])) for side in (rows, beyond)]
            part = _by_group(counts, rows, group, groups)
            found.append(resampled.slice(by, value, len(rows), sides, part))
    return _ranked(_adjusted(found), rank_by)


@dataclass(frozen=True)
class _Resampled:
    """The test set and its resamples, ready to be cut."""

    schema: LabelSchema
    shape: Counts
    """Counts of the segments: the shape that sums of columns are given back."""
    weights: Floats  # [B, G]
    whole: Floats  # [G, K]
    drawn: Floats  # [B, K]
    level: float

    def slice(self, by: str, value: str, segments: int, sides: Sequence[int], part: Floats) -> Slice:
        """The slice whose counts by group are `part` [G, K]; `sides`: clusters in the slice and in the rest."""
        drawn = self.weights @ part
        sums, sums_beyond = (self.shape.of_matrix(matrix.sum(axis=0)) for matrix in (part, self.whole - part))
        both = Counts(*(np.minimum(*pair) for pair in zip(_parts(sums), _parts(sums_beyond), strict=True)))
        values, spread = self._scores(sums, sums), self._scores(self.shape.of_matrix(drawn), sums)
        differences = self._difference(sums, sums_beyond, both)
        drawn_parts = (self.shape.of_matrix(drawn), self.shape.of_matrix(self.drawn - drawn))
        spread_of_differences = self._difference(*drawn_parts, both)
        scores = {}
        for path, support in _supports(sums).items():
            interval = self._interval(spread[path], sides[0])
            difference = None
            if not np.isnan(differences[path]):
                between = self._interval(spread_of_differences[path], min(sides))
                gap = float(differences[path])
                p = _worse(gap, between, min(sides)) if segments >= SMALLEST else None
                difference = SliceDifference(gap, between, p)
            shown = None if np.isnan(values[path]) else float(values[path])
            scores[path] = SliceScore(shown, support, interval, difference)
        return Slice(by, value, segments, sides[0], scores["pairs.f1"].support, scores)

    def _interval(self, drawn: Floats, clusters: int) -> Interval | None:
        return percentile_interval([drawn], self.level, clusters) if clusters >= FEWEST_CLUSTERS else None

    def _scores(self, counts: Counts, whole: Counts) -> dict[str, Any]:
        found = figures(counts, self.schema, whole=whole)
        return {path: found[path] for path in SCORES}

    def _difference(self, one: Counts, other: Counts, whole: Counts) -> dict[str, Any]:
        first, second = self._scores(one, whole), self._scores(other, whole)
        return {path: first[path] - second[path] for path in SCORES}


def _worse(gap: float, interval: Interval | None, clusters: int) -> float | None:
    """One-sided p of a difference of at most 0, from its bootstrap error (Efron and Tibshirani 1993, section 12.4)."""
    return float(stats.t.cdf(gap / interval.error, clusters - 1)) if interval else None


def _supports(sums: Counts) -> dict[str, int]:
    """What each score is over: gold (topic, stance) pairs, gold topics, gold stances, fully judged segments."""
    stances = sums.stances[..., 2].sum()
    support = (sums.pairs[..., 2].sum(), sums.topics[..., 2].sum(), stances, stances, sums.segments[1])
    return {path: int(number) for path, number in zip(SCORES, support, strict=True)}


def _by_group(counts: Counts, rows: Ints, group: Ints, groups: int) -> Floats:
    """Counts of the segments at `rows` added up by group [G, K], a block of rows at a time."""
    total: Any = 0.0
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS]
        member = sparse.csr_matrix(
            (np.ones(len(block)), (group[block], np.arange(len(block)))), shape=(groups, len(block))
        )
        total = total + member @ Counts(*(part[block] for part in _parts(counts))).matrix()
    return np.asarray(total)


def _parts(counts: Counts) -> tuple[Any, ...]:
    return counts.topics, counts.stances, counts.pairs, counts.segments, counts.example_f1


def _adjusted(found: Sequence[Slice]) -> list[Slice]:
    """The slices with p-values adjusted for how many are tested in a score."""
    adjusted = {}
    for path in SCORES:
        tested = {str(n): one.scores[path].difference for n, one in enumerate(found)}
        p = {n: difference.p for n, difference in tested.items() if difference and difference.p is not None}
        adjusted[path] = holm(p)
    return [
        replace(
            one,
            scores={path: _with_adjusted(score, adjusted[path].get(str(n))) for path, score in one.scores.items()},
        )
        for n, one in enumerate(found)
    ]


def _with_adjusted(score: SliceScore, p: float | None) -> SliceScore:
    return replace(score, difference=replace(score.difference, p_adjusted=p)) if score.difference else score


def _ranked(found: Sequence[Slice], by: str) -> list[Slice]:
    can = [not one.small and one.scores[by].value is not None for one in found]
    ranked = [one for one, good in zip(found, can, strict=True) if good]
    ranked.sort(key=lambda one: (one.scores[by].value or 0.0, one.name))
    others = [one for one, good in zip(found, can, strict=True) if not good]
    return [replace(one, rank=rank) for rank, one in enumerate(ranked, start=1)] + others


def _check(test: TestSet, answers: Answers, rank_by: str, resamples: int, level: float) -> None:
    sizes = {len(test.items), len(test.clusters), len(test.gold.presence), len(answers.labels.presence)}
    if sizes == {0} or len(sizes) > 1:
        raise DataError(
            f"slices of {sorted(sizes)} segments, gold labels and answers: give one of each, and at least one"
        )
    if rank_by not in SCORES:
        raise DataError(f"rank_by = {rank_by!r}: expected one of {', '.join(SCORES)}")
    if resamples < 100 or not 0 < level < 1:
        raise DataError(f"resamples = {resamples}, level = {level}: expected at least 100, and a level between 0 and 1")
