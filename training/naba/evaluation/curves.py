"""Precision over recall of every topic, as points that a picture is drawn from.

precision_recall(test, answers, thresholds)["oil"]["average_precision"]
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from naba.evaluation.answers import Answers, TestSet
from naba.metrics import average_precision
from naba.schema import UNKNOWN
from naba.scores import Floats, Ints

POINTS = 200
"""A curve is thinned to so many."""


def precision_recall(
    test: TestSet, answers: Answers, thresholds: Mapping[str, float | None]
) -> dict[str, dict[str, Any] | None] | None:
    """Curves by topic over the segments where it was judged; None for answers without probabilities.

    Args:
        thresholds: by topic, the probability from which it was said to be present.

    Returns:
        {topic: `recall`, `precision`, `thresholds` [K] by falling threshold, `average_precision`, `prevalence` (the share
        of positives, which is the precision of guessing) and `at`, the point that the answers were decided at}; None
        for a topic without a positive, or without a negative.
    """
    if answers.topic is None:
        return None
    scores = average_precision(test.gold, answers.topic, test.schema)
    found: dict[str, dict[str, Any] | None] = {}
    for t, topic in enumerate(test.schema.topic_ids):
        known = test.gold.presence[:, t] != UNKNOWN
        truth, probability = test.gold.presence[known, t], answers.topic[known, t]
        if not 0 < truth.sum() < len(truth):
            found[topic] = None
            continue
        cuts, recall, precision = _points(truth, probability)
        kept = np.unique(np.linspace(0, len(cuts) - 1, min(POINTS, len(cuts))).astype(int))
        found[topic] = {
            "recall": recall[kept].round(6).tolist(),
            "precision": precision[kept].round(6).tolist(),
            "thresholds": cuts[kept].round(6).tolist(),
            "average_precision": scores[topic],
            "prevalence": float(truth.mean()),
            "at": _decided(truth, answers.labels.presence[known, t], thresholds[topic]),
        }
    return found


def _points(truth: Ints, probability: Floats) -> tuple[Floats, Floats, Floats]:
    """Falling distinct probabilities [K], and recall and precision [K] of saying yes from there on."""
    order = np.argsort(-probability, kind="stable")
    ranked, hits = probability[order], np.cumsum(truth[order] == 1)
    ends = np.flatnonzero(np.append(ranked[:-1] > ranked[1:], True))
    return ranked[ends], hits[ends] / hits[-1], hits[ends] / (ends + 1)


def _decided(truth: Ints, said: Ints, threshold: float | None) -> dict[str, float | None]:
    hits, predicted = int(((said == 1) & (truth == 1)).sum()), int((said == 1).sum())
    return {
        "threshold": threshold,
        "precision": hits / predicted if predicted else None,
        "recall": hits / int((truth == 1).sum()),
    }
