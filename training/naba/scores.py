"""What every score of topic and stance is made of: counts that add up over segments, and the formulas over them.

Counting is apart from the formulas because a bootstrap needs the formulas a thousand times and the counting once:
counts of one segment, one cluster, one resample or a whole test set have the same last axes, and `figures` takes any.
`naba.metrics.score` is the formulas on the total; `naba.evaluation.intervals` has them on resamples.

    figures(count(gold, predicted, schema).total(), schema)["pairs.f1"]
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.schema import UNKNOWN, LabelSchema

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]
Numbers = NDArray[Any]

NO_POSITION = frozenset({"neutral", "none"})
"""Stances that take no side, by id; the field's mean over the two sides leaves them out."""

_SEGMENTS, _WHOLE, _EXACT, _TOPIC_EXAMPLES, _PAIR_EXAMPLES = range(5)


@dataclass(frozen=True)
class Labels:
    """Labels of N segments: `presence` [N, T] of 1, 0 or UNKNOWN, `stance` [N, T] of stance indices or UNKNOWN.

    In predictions the stance is given for every topic, also absent ones: what the model would say were it present.
    """

    presence: Ints
    stance: Ints


@dataclass(frozen=True)
class Counts:
    """Counts that add up; the leading axes [...] are segments, clusters, resamples, or none for a total.

    The last axis of `topics`, `stances` and `pairs` is (hit, said, true).
    """

    topics: Numbers  # [..., T, 3]
    stances: Numbers  # [..., T, S, 3]
    """Over topics that are present with a judged stance, whether or not the topic was said."""
    pairs: Numbers  # [..., T, S, 3]
    """End to end: a pair is said where its topic is."""
    segments: Numbers  # [..., 5]
    """Segments; fully judged ones; those of them all right; those with a topic true or said; with a pair true or said."""
    example_f1: Floats  # [..., 2]
    """Sum over segments of the F1 of the segment's topics, and of its pairs."""

    def total(self) -> "Counts":
        """The sum over the first axis."""
        return Counts(*(np.asarray(part.sum(axis=0)) for part in self._parts))

    def matrix(self) -> Floats:
        """The counts as [N, K], for sums by matrix product; `of_matrix` undoes it."""
        return np.concatenate([part.reshape(len(part), -1).astype(np.float64) for part in self._parts], axis=1)

    def of_matrix(self, matrix: Floats) -> "Counts":
        """Counts in the shape of these, with the leading axes of `matrix` [..., K]."""
        parts, start = [], 0
        for part in self._parts:
            shape = part.shape[1:]
            end = start + int(np.prod(shape))
            parts.append(matrix[..., start:end].reshape(*matrix.shape[:-1], *shape))
            start = end
        return Counts(*parts)

    @property
    def _parts(self) -> tuple[Numbers, ...]:
        return self.topics, self.stances, self.pairs, self.segments, self.example_f1


def count(gold: Labels, predicted: Labels, schema: LabelSchema) -> Counts:
    """Counts of each segment [N, ...]; what nobody judged counts nowhere."""
    known = gold.presence != UNKNOWN  # [N, T]
    present = gold.presence == 1
    said = (predicted.presence == 1) & known
    judged = present & (gold.stance != UNKNOWN)
    # A topic that is present with a stance nobody judged cannot be counted as a pair, right or wrong.
    scorable = known & ~(present & ~judged)
    stances = np.arange(len(schema.stance_ids))
    truth = judged[..., None] & (gold.stance[..., None] == stances)  # [N, T, S]
    answer = predicted.stance[..., None] == stances
    whole = scorable.all(axis=1)
    right = (gold.presence == predicted.presence) & ((gold.stance == predicted.stance) | ~present)
    topics = _hits(present, said)
    pairs = _hits(truth, answer & (said & scorable)[..., None])
    examples = [topics.sum(axis=1), pairs.sum(axis=(1, 2))]
    segments = np.stack(
        [np.ones_like(whole), whole, whole & right.all(axis=1), *(hits[:, 1:].any(axis=1) for hits in examples)],
        axis=-1,
    ).astype(np.int8)
    example_f1 = np.stack([_example_f1(hits) for hits in examples], axis=-1)
    return Counts(topics, _hits(truth, answer & judged[..., None]), pairs, segments, example_f1)


def figures(counts: Counts, schema: LabelSchema, *, whole: Counts | None = None) -> dict[str, Numbers]:
    """Every score by its dotted path in the result of `naba.metrics.score`, as arrays of the counts' leading axes.

    Precision, recall and F1 of a class without support are 0, as scikit-learn has them with `zero_division=0`, and macro
    averages leave it out; other undefined scores are NaN.

    Args:
        whole: the total of the test set that `counts` are resamples of. Macro averages are then over the classes of the
            whole, and they and a class's own scores are NaN in a resample without it: dropping a rare class, mostly a
            hard one, would make the average look better than it is.
    """
    absent = 0.0 if whole is None else np.nan
    given = whole or counts
    found: dict[str, Numbers] = {"segments": counts.segments[..., _SEGMENTS]}
    found |= _topic_figures(counts, schema, given, absent)
    found |= _stance_figures(counts, schema, given, absent)
    sums = counts.pairs.sum(axis=(-3, -2))
    found |= _named("pairs", _rates(sums, absent))
    rates = _rates(counts.pairs, absent)
    for t, topic in enumerate(schema.topic_ids):
        for s, stance in enumerate(schema.stance_ids):
            found |= _named(f"pairs.per_pair.{topic}.{stance}", rates, t, s)
    found["pairs.macro_f1"] = _mean(rates["f1"], given.pairs[..., 2] > 0, (-2, -1))
    found["pairs.example_f1"] = _divide(counts.example_f1[..., 1], counts.segments[..., _PAIR_EXAMPLES], np.nan)
    found["exact_match"] = _divide(counts.segments[..., _EXACT], counts.segments[..., _WHOLE], np.nan)
    return found


def exact(gold: Labels, predicted: Labels, schema: LabelSchema) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which segments are fully judged [N], and in which of them every label is right [N]."""
    segments = count(gold, predicted, schema).segments
    return segments[:, _WHOLE] == 1, segments[:, _EXACT] == 1


def taking_sides(schema: LabelSchema) -> list[int]:
    """Indices of the stances that take a side (favour, against); all of them where no other is left."""
    return [s for s, stance in enumerate(schema.stance_ids) if stance not in NO_POSITION]


def _topic_figures(counts: Counts, schema: LabelSchema, given: Counts, absent: float) -> dict[str, Numbers]:
    found: dict[str, Numbers] = {}
    rates, supported = _rates(counts.topics, absent), given.topics[..., 2] > 0
    for t, topic in enumerate(schema.topic_ids):
        found |= _named(f"topics.per_topic.{topic}", rates, t)
    micro = _rates(counts.topics.sum(axis=-2), absent)
    found["topics.macro_f1"] = _mean(rates["f1"], supported, -1)
    # Without any support the micro average is 0 rather than undefined, as it has always been.
    found["topics.micro_f1"] = micro["f1"]
    for name in ("precision", "recall"):
        found[f"topics.macro_{name}"] = _mean(rates[name], supported, -1)
        found[f"topics.micro_{name}"] = micro[name]
    found["topics.example_f1"] = _divide(counts.example_f1[..., 0], counts.segments[..., _TOPIC_EXAMPLES], np.nan)
    return found


def _stance_figures(counts: Counts, schema: LabelSchema, given: Counts, absent: float) -> dict[str, Numbers]:
    """Scores given the gold topic.

    `favg` is the mean F1 of the stances that take a side. Its mean over topics is StanceEval 2024's score (Alturayeif
    et al. 2024); `favg_micro` pools the topics first, as SemEval-2016 Task 6 does (Mohammad et al. 2016, section 5).
    """
    found: dict[str, Numbers] = {}
    rates, supported = _rates(counts.stances, absent), given.stances[..., 2] > 0
    sides = taking_sides(schema)
    macro = _mean(rates["f1"], supported, -1)  # [..., T]
    favg = _mean(rates["f1"][..., sides], supported[..., sides], -1)
    right, total = counts.stances[..., 0].sum(axis=-1), counts.stances[..., 2].sum(axis=-1)
    accuracy = _divide(right, total, np.nan)
    for t, topic in enumerate(schema.topic_ids):
        for s, stance in enumerate(schema.stance_ids):
            found |= _named(f"stances.per_topic.{topic}.stances.{stance}", rates, t, s)
        values = {"macro_f1": macro, "accuracy": accuracy, "support": total, "favg": favg}
        found |= {f"stances.per_topic.{topic}.{name}": value[..., t] for name, value in values.items()}
    found["stances.macro_f1"] = _mean(macro, supported.any(axis=-1), -1)
    found["stances.accuracy"] = _divide(right.sum(axis=-1), total.sum(axis=-1), np.nan)
    found["stances.support"] = total.sum(axis=-1)
    found["stances.favg"] = _mean(favg, supported[..., sides].any(axis=-1), -1)
    pooled = counts.stances[..., sides, :].sum(axis=-3)  # [..., sides, 3]
    found["stances.favg_micro"] = _mean(_rates(pooled, absent)["f1"], supported[..., sides].any(axis=-2), -1)
    return found


def _hits(true: NDArray[np.bool_], said: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.stack([true & said, said, true], axis=-1).astype(np.int8)


def _example_f1(hits: Ints) -> Floats:
    """F1 of each segment's set of labels [N] from its counts [N, 3]; 0 where nothing is true and nothing said.

    Example-based F1 (Godbole and Sarawagi 2004) as ConfliBERT has it (Hu et al. 2022; example_based.py of its
    repository): segments with nothing true and nothing said take no part in the mean.
    """
    return _divide(2 * hits[:, 0], hits[:, 1] + hits[:, 2], 0.0)


def _rates(hits: Numbers, absent: float) -> dict[str, Numbers]:
    hit, said, true = hits[..., 0], hits[..., 1], hits[..., 2]
    rates = {
        "precision": _divide(hit, said, 0.0),
        "recall": _divide(hit, true, 0.0),
        "f1": _divide(2 * hit, said + true, 0.0),
    }
    if np.isnan(absent):
        rates = {name: np.where(true > 0, value, absent) for name, value in rates.items()}
    return rates | {"support": true, "predicted": said}


def _named(path: str, rates: dict[str, Numbers], *index: int) -> dict[str, Numbers]:
    place: Any = (..., *index)
    return {f"{path}.{name}": value[place] for name, value in rates.items()}


def _divide(over: Numbers, under: Numbers, undefined: float) -> Floats:
    over, under = np.asarray(over, dtype=np.float64), np.asarray(under, dtype=np.float64)
    return np.asarray(np.divide(over, under, out=np.full(over.shape, undefined), where=under > 0))


def _mean(values: Floats, where: Any, axis: int | tuple[int, ...]) -> Floats:
    """Mean of `values` over the classes that `where` has; NaN where there is none."""
    return _divide(np.where(where, values, 0.0).sum(axis=axis), where.sum(axis=axis), np.nan)
