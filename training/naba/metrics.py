"""Scores of topic and stance, as numbers and as an `evaluate.Metric` that needs no network.

Two questions are kept apart: is the stance right *given the gold topic*, and is the whole (topic, stance) pair right
*end to end*, which is what a user gets. Absent and unknown topics never count as `neutral`; unknown ones count nowhere.

    scores = score(gold, predicted, schema)
    scores["pairs"]["f1"]
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.schema import UNKNOWN, LabelSchema

Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Labels:
    """Labels of N segments: `presence` [N, T] of 1, 0 or UNKNOWN, `stance` [N, T] of stance indices or UNKNOWN.

    In predictions the stance is given for every topic, also absent ones: what the model would say were it present.
    """

    presence: Ints
    stance: Ints


def counts_to_scores(hit: int, said: int, true: int) -> dict[str, Any]:
    """Precision, recall and F1 from counts; each 0 where undefined, as scikit-learn with `zero_division=0`."""
    precision = hit / said if said else 0.0
    recall = hit / true if true else 0.0
    f1 = 2 * hit / (said + true) if said + true else 0.0
    return {"precision": precision, "recall": recall, "f1": f1, "support": true, "predicted": said}


def score(gold: Labels, predicted: Labels, schema: LabelSchema) -> dict[str, Any]:
    """All scores of predictions against gold, with the support beside each.

    Returns:
        `segments`; `topics` (per topic, macro_f1, micro_f1); `stances` given the gold topic (per topic and stance,
        macro_f1 over stances with support, accuracy; macro_f1 over topics); `pairs` end to end (micro precision, recall,
        f1, support; per topic and stance); `exact_match` (share of fully judged segments with every label right).
        Macro averages leave out classes without support: an absent class cannot be scored.
    """
    known = gold.presence != UNKNOWN  # [N, T]
    present = (gold.presence == 1) & known
    said = (predicted.presence == 1) & known
    judged = present & (gold.stance != UNKNOWN)
    # A topic that is present with a stance nobody judged cannot be counted as a pair, right or wrong.
    scorable = known & ~(present & ~judged)
    topics = {t: counts_to_scores(int((present & said)[:, i].sum()), int(said[:, i].sum()), int(present[:, i].sum()))
              for i, t in enumerate(schema.topic_ids)}  # fmt: skip
    stances: dict[str, Any] = {}
    pairs: dict[str, Any] = {}
    totals = np.zeros(3, dtype=int)
    for i, topic in enumerate(schema.topic_ids):
        per_stance, per_pair = {}, {}
        truth, answer = gold.stance[:, i], predicted.stance[:, i]
        for s, stance in enumerate(schema.stance_ids):
            true, given = judged[:, i] & (truth == s), judged[:, i] & (answer == s)
            per_stance[stance] = counts_to_scores(int((true & given).sum()), int(given.sum()), int(true.sum()))
            spoken = said[:, i] & (answer == s) & scorable[:, i]
            row = (int((true & spoken).sum()), int(spoken.sum()), int(true.sum()))
            totals += row
            per_pair[stance] = counts_to_scores(*row)
        right = int((judged[:, i] & (truth == answer)).sum())
        support = int(judged[:, i].sum())
        stances[topic] = {
            "stances": per_stance,
            "macro_f1": _mean([v["f1"] for v in per_stance.values() if v["support"]]),
            "accuracy": right / support if support else None,
            "support": support,
        }
        pairs[topic] = per_pair
    micro = counts_to_scores(int((present & said).sum()), int(said.sum()), int(present.sum()))
    return {
        "segments": len(gold.presence),
        "topics": {
            "per_topic": topics,
            "macro_f1": _mean([v["f1"] for v in topics.values() if v["support"]]),
            "micro_f1": micro["f1"],
        },
        "stances": {
            "per_topic": stances,
            "macro_f1": _mean([v["macro_f1"] for v in stances.values() if v["macro_f1"] is not None]),
        },
        "pairs": counts_to_scores(*(int(n) for n in totals)) | {"per_pair": pairs},
        "exact_match": _exact_match(gold, predicted, known, present, judged),
    }


def _exact_match(gold: Labels, predicted: Labels, known: Any, present: Any, judged: Any) -> float | None:
    whole = known.all(axis=1) & ~(present & ~judged).any(axis=1)
    if not whole.any():
        return None
    same_topics = (gold.presence == predicted.presence)[whole].all(axis=1)
    same_stances = ((gold.stance == predicted.stance) | ~present)[whole].all(axis=1)
    return float((same_topics & same_stances).mean())


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


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
