"""Thresholds for different needs, chosen on validation, and what each of them does on data it was not chosen on.

`shrunk` is what a run ships with; `unshrunk` the raw optimum of F1 on validation, shown so that one sees what shrinking
costs or saves; `default` 0.5; `precision` and `recall` reach a wanted precision (a feed nobody checks) or recall (an
archive where nothing may be missed), and give as little of the other away as they can.

    points = choose(gold, probability, schema, precision=0.9, recall=0.9)               # on validation
    compare_points(points, test_gold, test_probability, schema)["oil"]["shrunk"].f1     # on test
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from naba.errors import DataError
from naba.evaluation.reliability import wilson
from naba.metrics import check_probability
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Floats, Ints, Labels
from naba.thresholds import best_threshold

POINTS = ("shrunk", "unshrunk", "default", "precision", "recall")


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What one threshold does to one topic on one set of segments."""

    threshold: float
    precision: float
    precision_low: float
    """Wilson's 95 % interval of the precision, low to high."""
    precision_high: float
    recall: float
    recall_low: float
    """Wilson's 95 % interval of the recall, low to high."""
    recall_high: float
    f1: float
    predicted: int
    support: int


def choose(
    gold: Labels, probability: Floats, schema: LabelSchema, *, precision: float = 0.9, recall: float = 0.9
) -> dict[str, dict[str, float | None]]:
    """Thresholds by topic and operating point, chosen on validation.

    Args:
        probability: [N, T], calibrated. precision, recall: what `precision` and `recall` must reach on validation.

    Returns:
        {topic: {point: threshold}}; None where the wanted precision is reached nowhere, or a topic has no positive.

    Raises:
        DataError: a wanted value is not in (0, 1], or the probabilities do not fit the labels.
    """
    check_probability(gold, probability)
    if not 0 < precision <= 1 or not 0 < recall <= 1:
        raise DataError(f"precision = {precision}, recall = {recall}: expected shares above 0 and at most 1")
    found: dict[str, dict[str, float | None]] = {}
    for topic, (values, truth) in _topics(gold, probability, schema).items():
        found[topic] = {
            "shrunk": best_threshold(values, truth),
            "unshrunk": best_threshold(values, truth, shrinkage=0),
            "default": 0.5,
            "precision": _precision_first(values, truth, precision),
            "recall": _recall_first(values, truth, recall),
        }
    return found


def compare_points(
    points: Mapping[str, Mapping[str, float | None]], gold: Labels, probability: Floats, schema: LabelSchema
) -> dict[str, dict[str, OperatingPoint | None]]:
    """What chosen thresholds do on other segments, as {topic: {point: OperatingPoint}}; None where none was chosen."""
    check_probability(gold, probability)
    topics = _topics(gold, probability, schema)
    return {
        topic: {
            name: None if threshold is None else measure(*topics[topic], threshold)
            for name, threshold in chosen.items()
        }
        for topic, chosen in points.items()
    }


def measure(probability: Floats, truth: Ints, threshold: float) -> OperatingPoint:
    """Precision and recall of `probability >= threshold` [N] against truth [N] of 0 and 1; 0 where undefined."""
    said = probability >= threshold
    hit, predicted, support = int((said & (truth == 1)).sum()), int(said.sum()), int((truth == 1).sum())
    return OperatingPoint(
        threshold,
        hit / predicted if predicted else 0.0,
        *wilson(hit, predicted),
        hit / support if support else 0.0,
        *wilson(hit, support),
        2 * hit / (predicted + support) if predicted + support else 0.0,
        predicted,
        support,
    )


def macro_f1(points: Mapping[str, Mapping[str, OperatingPoint | None]], point: str) -> float | None:
    """Macro-F1 of one operating point over the topics with support; None where a topic has no such threshold."""
    chosen = [by_point[point] for by_point in points.values()]
    if any(value is None for value in chosen):
        return None
    values = [value.f1 for value in chosen if value is not None and value.support]
    return float(np.mean(values)) if values else None


def _topics(gold: Labels, probability: Floats, schema: LabelSchema) -> dict[str, tuple[Floats, Ints]]:
    """Probability and truth of each topic where it was judged."""
    known = gold.presence != UNKNOWN
    return {
        topic: (probability[known[:, t], t], gold.presence[known[:, t], t]) for t, topic in enumerate(schema.topic_ids)
    }


def _precision_first(probability: Floats, truth: Ints, wanted: float) -> float | None:
    """The lowest threshold with the wanted precision: of all that reach it, the one that finds the most."""
    thresholds, hits, said = _cuts(probability, truth)
    good = np.flatnonzero((hits >= wanted * said - 1e-9) & (hits > 0))
    return float(thresholds[good[-1]]) if len(good) else None


def _recall_first(probability: Floats, truth: Ints, wanted: float) -> float | None:
    """The threshold with the best precision among those with the wanted recall, and of equals the highest."""
    thresholds, hits, said = _cuts(probability, truth)
    if not len(hits) or not hits[-1]:
        return None
    good = hits >= wanted * hits[-1] - 1e-9
    return float(thresholds[int(np.argmax(np.where(good, hits / said, -1.0)))])


def _cuts(probability: Floats, truth: Ints) -> tuple[Floats, Ints, Ints]:
    """Every threshold that can be set, falling, with the hits and the predictions it makes [K].

    Midway between two neighbouring probabilities, so that as much room as possible is left on both sides.
    """
    order = np.argsort(-probability, kind="stable")
    ranked, hits = probability[order], np.cumsum(truth[order] == 1)
    ends = np.flatnonzero(np.append(ranked[:-1] > ranked[1:], True)[: len(ranked)])
    following = np.append(ranked[ends[:-1] + 1], 0.0) if len(ends) else ranked
    return (ranked[ends] + following) / 2, hits[ends], ends + 1
