"""What the loss compares logits with: hard labels, or a teacher's probabilities where a row has them.

A row labelled by teachers (`naba pseudo-label`) has a field `teacher`: topic → `{"probability", "stance_probability"}`.
Its probabilities are the target then, and the stance counts as far as the teacher believes that the topic is there.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from naba.errors import DataError
from naba.records import LabelledSegment
from naba.schema import LabelSchema


def loss_targets(item: LabelledSegment, schema: LabelSchema, weight: float = 1.0) -> dict[str, Any]:
    """Targets of one segment, the labels' as lists in the schema's order.

    Args:
        weight: how much the segment counts beside others, > 0.

    Returns:
        `topic_target` [T] in [0, 1], `topic_known` [T] (0 where nobody judged the topic, else 1), `stance_target` [T, S],
        rows summing to 1, `stance_known` [T] (0 where there is no stance to learn, else 1, or the teacher's belief that the
        topic is there), and the `weight` itself.

    Raises:
        DataError: the row's `teacher` is not as naba writes it.
    """
    teacher = item.extra.get("teacher")
    targets: dict[str, Any] = {"topic_target": [], "topic_known": [], "stance_target": [], "stance_known": []}
    for topic in schema.topic_ids:
        if teacher is None:
            presence, known, stance, judged = _hard(item, topic, schema)
        else:
            presence, known, stance, judged = _soft(teacher, topic, schema, item.segment.id)
        targets["topic_target"].append(presence)
        targets["topic_known"].append(known)
        targets["stance_target"].append(stance)
        targets["stance_known"].append(judged)
    return targets | {"weight": weight}


def weigh_classes(rows: Sequence[dict[str, Any]]) -> None:
    """Let rare classes of a training set count more: each by the root of how much rarer it is than its counterpart.

    A present topic counts √(absent / present), a stance √(commonest / this one), both over the rows, which are those of
    `loss_targets` and are changed: `topic_known` and `stance_known` become such weights. Roots, for the whole ratio would
    let the few examples of a rare class rule (the ablation's figures are with roots).
    """
    topics, known, stances, judged = (
        np.array([row[name] for row in rows], dtype=np.float64)
        for name in ("topic_target", "topic_known", "stance_target", "stance_known")
    )  # [N, T], [N, T], [N, T, S], [N, T]
    present = (topics * known).sum(axis=0)  # [T]
    by_topic = np.sqrt(np.maximum(known.sum(axis=0) - present, 1) / np.maximum(present, 1))
    counts = (stances * judged[..., None]).sum(axis=0)  # [T, S]
    by_stance = np.sqrt(counts.max(axis=-1, keepdims=True) / np.maximum(counts, 1))
    topic_weights = known * (1 + topics * (by_topic - 1))
    stance_weights = judged * (stances * by_stance).sum(axis=-1)
    for row, topic, stance in zip(rows, topic_weights.tolist(), stance_weights.tolist(), strict=True):
        row["topic_known"], row["stance_known"] = topic, stance


def _hard(item: LabelledSegment, topic: str, schema: LabelSchema) -> tuple[float, float, list[float], float]:
    label = item.labels[topic]
    stance = [float(stance == label.stance) for stance in schema.stance_ids]
    return float(bool(label.present)), float(label.present is not None), stance, float(label.stance is not None)


def _soft(teacher: Any, topic: str, schema: LabelSchema, where: str) -> tuple[float, float, list[float], float]:
    try:
        presence = float(teacher[topic]["probability"])
        stance = [float(teacher[topic]["stance_probability"][stance]) for stance in schema.stance_ids]
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"segment {where}: 'teacher' has no probability of {topic} and of each of its stances; remove it, or label again"
        ) from None
    total = sum(stance)
    if not 0 <= presence <= 1 or min(stance) < 0 or not total > 0:
        raise DataError(f"segment {where}: 'teacher' holds numbers for {topic} that are no probabilities")
    return presence, 1.0, [value / total for value in stance], presence
