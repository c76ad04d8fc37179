"""Scores of topic and stance, as numbers and as an `evaluate.Metric` that needs no network.

Two questions are kept apart: is the stance right *given the gold topic*, and is the whole (topic, stance) pair right
*end to end*, which is what a user gets. Absent and unknown topics never count as `neutral`; unknown ones count nowhere.

    scores = score(gold, predicted, schema)
    scores["pairs"]["f1"]
"""

from typing import Any

import numpy as np

from naba.errors import DataError
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Floats, Ints, Labels, count, figures

__all__ = [
    "Floats", "Ints", "Labels", "Ranking", "average_precision", "check_probability", "nested", "score",
    "topic_stance_metric",
]  # fmt: skip


def score(gold: Labels, predicted: Labels, schema: LabelSchema, probability: Floats | None = None) -> dict[str, Any]:
    """All scores of predictions against gold, with the support beside each.

    Args:
        probability: [N, T] that the topic is present; adds `average_precision` per topic and its macro average.

    Returns:
        `segments`; `topics` (per topic; macro and micro precision, recall, F1; example-based F1); `stances` given the
        gold topic (per topic and stance; macro_f1 over stances with support, accuracy, favg over the stances that take
        a side; all of it over topics); `pairs` end to end (micro precision, recall, f1, support; per topic and stance,
        macro_f1 over them; example-based F1); `exact_match` (share of fully judged segments with every label right).
        Macro averages leave out classes without support: an absent class cannot be scored. None where there is nothing
        to score. Formulas and their sources: `naba.scores`.
    """
    found: dict[str, Any] = nested(figures(count(gold, predicted, schema).total(), schema))
    if probability is not None:
        precision = average_precision(gold, probability, schema)
        for topic, value in precision.items():
            found["topics"]["per_topic"][topic]["average_precision"] = value
        values = [value for value in precision.values() if value is not None]
        found["topics"]["macro_average_precision"] = float(np.mean(values)) if values else None
    return found


def nested(by_path: dict[str, Any]) -> dict[str, Any]:
    """Figures by dotted path as nested dictionaries of plain numbers; NaN becomes None."""
    found: dict[str, Any] = {}
    for path, value in by_path.items():
        *above, name = path.split(".")
        place = found
        for part in above:
            place = place.setdefault(part, {})
        whole = np.issubdtype(np.asarray(value).dtype, np.integer)
        place[name] = int(value) if whole else None if np.isnan(value) else float(value)
    return found


def average_precision(gold: Labels, probability: Floats, schema: LabelSchema) -> dict[str, float | None]:
    """Average precision of each topic's ranking, over the segments where it was judged; None without a positive.

    Args:
        probability: [N, T] that the topic is present.

    Raises:
        DataError: the shape is another, or a value is no number.
    """
    check_probability(gold, probability)
    found: dict[str, float | None] = {}
    for t, topic in enumerate(schema.topic_ids):
        known = gold.presence[:, t] != UNKNOWN
        ranking = Ranking(gold.presence[known, t], probability[known, t], np.zeros(int(known.sum()), dtype=int))
        value = float(ranking.average_precision(np.ones((1, 1)))[0])
        found[topic] = None if np.isnan(value) else value
    return found


def check_probability(gold: Labels, probability: Floats) -> None:
    """Raise DataError unless there is one finite probability for each segment and topic of `gold`."""
    if probability.shape != gold.presence.shape or not np.isfinite(probability).all():
        raise DataError(
            f"probabilities of shape {probability.shape} for labels of shape {gold.presence.shape}, or not finite: give one for each segment and topic"
        )


class Ranking:
    """One topic's ranking, ready to give its average precision under many weightings of the clusters.

    Sum over distinct probabilities of (recall − recall before) · precision: scikit-learn's `average_precision_score`
    (Manning, Raghavan and Schütze 2008, chapter 8), without interpolation.
    """

    def __init__(self, truth: Ints, probability: Floats, groups: Ints):
        """Truth [n] of 0 and 1, probability [n], and the cluster number [n] of the segments where it was judged."""
        order = np.argsort(-probability, kind="stable")
        ranked, positive = probability[order], np.flatnonzero(truth[order] == 1)
        ends = np.flatnonzero(np.append(ranked[:-1] > ranked[1:], True)[: len(ranked)])
        # Equal probabilities enter together; where none of them is a positive nothing is gained.
        step = np.searchsorted(ends, positive)
        gaining, self._starts = np.unique(step, return_index=True)
        self._ends = ends[gaining]
        self._groups, self._positive = groups[order], groups[order][positive]

    @property
    def has_positives(self) -> bool:
        """Whether there is anything to find."""
        return len(self._positive) > 0

    def average_precision(self, weights: Floats) -> Floats:
        """Average precision [B] where cluster c counts weights[b, c] times; NaN where no positive has weight."""
        if not len(self._positive):
            return np.full(len(weights), np.nan)
        said = np.cumsum(weights[:, self._groups], axis=1)[:, self._ends]  # [B, steps]
        gained = np.add.reduceat(weights[:, self._positive], self._starts, axis=1)
        hits = np.cumsum(gained, axis=1)
        precision = np.divide(hits, said, out=np.zeros_like(hits), where=said > 0)
        summed, positives = (gained * precision).sum(axis=1, dtype=np.float64), hits[:, -1].astype(np.float64)
        return np.asarray(np.divide(summed, positives, out=np.full(len(weights), np.nan), where=positives > 0))


def topic_stance_metric(schema: LabelSchema) -> Any:
    """The scores as an `evaluate.Metric`, made here instead of loaded by name, so that it works without a network.

    `compute(predictions=…, references=…)` takes rows `{"presence": [T ints], "stance": [T ints]}`.
    """
    import datasets
    import evaluate

    class TopicStance(evaluate.Metric):  # type: ignore[misc]
        def _info(self) -> Any:
            labels = {name: datasets.Sequence(datasets.Value("int64")) for name in ("presence", "stance")}
            return evaluate.MetricInfo(
                description="Topic, stance and (topic, stance) pair scores of a naba label schema.",
                citation="",
                inputs_description="Rows of presence and stance per topic, in the schema's order.",
                features=datasets.Features({"predictions": labels, "references": labels}),
            )

        def _compute(self, predictions: list[Any], references: list[Any]) -> dict[str, Any]:
            return score(_labels(references), _labels(predictions), schema)

    return TopicStance()


def _labels(rows: list[dict[str, list[int]]]) -> Labels:
    return Labels(np.array([row["presence"] for row in rows]), np.array([row["stance"] for row in rows]))
