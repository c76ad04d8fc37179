"""From logits to decisions: temperatures and thresholds, both fitted on validation only and saved with the run.

Temperature scaling: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.errors import DataError
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Labels
from naba.thresholds import best_threshold

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

_TEMPERATURES = np.exp(np.linspace(np.log(0.25), np.log(4), 81))
MIN_EXAMPLES = 20
"""Fewer known examples than this (or, for presence, of either class than a quarter of it) leave the temperature at 1."""


@dataclass(frozen=True)
class TopicDecision:
    """How one topic's logits become a decision."""

    threshold: float = 0.5
    """Calibrated probability from which the topic counts as present."""
    temperature: float = 1.0
    """Topic logits are divided by it before the sigmoid."""
    stance_temperature: float = 1.0
    """Stance logits are divided by it before the softmax."""


@dataclass(frozen=True)
class Decision:
    """Topic id → TopicDecision; topics not named use the defaults."""

    topics: Mapping[str, TopicDecision]

    def of(self, topic: str) -> TopicDecision:
        """The topic's values."""
        return self.topics.get(topic, TopicDecision())

    def to_dict(self) -> dict[str, Any]:
        """The form of decision.json."""
        return {"topics": {topic: asdict(values) for topic, values in self.topics.items()}}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], schema: LabelSchema) -> "Decision":
        """Read decision.json. Raises DataError for unknown topics or fields."""
        try:
            topics = {topic: TopicDecision(**values) for topic, values in content["topics"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"decision.json: not as naba writes it ({error})") from None
        if set(topics) - set(schema.topic_ids):
            raise DataError(
                f"decision.json: topics {sorted(set(topics) - set(schema.topic_ids))} are not in the run's schema"
            )
        return cls(topics)

    def probabilities(self, topic_logits: Floats, stance_logits: Floats, schema: LabelSchema) -> tuple[Floats, Floats]:
        """Calibrated topic probabilities [N, T] and stance probabilities [N, T, S] from raw logits of those shapes."""
        values = [self.of(topic) for topic in schema.topic_ids]
        topic_t = np.array([v.temperature for v in values])  # [T]
        stance_t = np.array([v.stance_temperature for v in values])[:, None]  # [T, 1]
        return sigmoid(topic_logits / topic_t), softmax(stance_logits / stance_t)

    def thresholds(self, schema: LabelSchema) -> Floats:
        """Thresholds [T] in the schema's order."""
        return np.array([self.of(topic).threshold for topic in schema.topic_ids])

    def labels(self, topic: Floats, stance: Floats, schema: LabelSchema) -> Labels:
        """What is said, from `probabilities`: topics at their thresholds, and the likeliest stance of each, also of absent ones."""
        return Labels((topic >= self.thresholds(schema)).astype(int), np.asarray(stance.argmax(-1)))


def fit_decision(
    topic_logits: Floats, stance_logits: Floats, presence: Ints, stance: Ints, schema: LabelSchema
) -> Decision:
    """Fit temperatures, then thresholds, on validation.

    Args:
        topic_logits: [N, T]; stance_logits: [N, T, S].
        presence: [N, T] of 1, 0 or UNKNOWN; stance: [N, T] of indices or UNKNOWN.
    """
    topics = {}
    for t, topic in enumerate(schema.topic_ids):
        known = presence[:, t] != UNKNOWN
        logits, truth = topic_logits[known, t], presence[known, t]
        temperature = _fit(lambda x, y=truth, z=logits: _binary_nll(z / x, y)) if _enough(truth) else 1.0
        judged = stance[:, t] != UNKNOWN
        stance_temperature = 1.0
        if judged.sum() >= MIN_EXAMPLES:
            z, y = stance_logits[judged, t], stance[judged, t]
            stance_temperature = _fit(
                lambda x, y=y, z=z: float(-np.log(softmax(z / x)[np.arange(len(y)), y] + 1e-12).mean())
            )
        threshold = best_threshold(sigmoid(logits / temperature), truth)
        topics[topic] = TopicDecision(round(threshold, 4), round(temperature, 4), round(stance_temperature, 4))
    return Decision(topics)


def sigmoid(logits: Floats) -> Floats:
    """Logistic function, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * np.asarray(logits, dtype=np.float64))))


def softmax(logits: Floats) -> Floats:
    """Softmax over the last axis."""
    shifted = np.exp(np.asarray(logits, dtype=np.float64) - np.max(logits, axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def _enough(truth: Ints) -> bool:
    positive = int(truth.sum())
    return len(truth) >= MIN_EXAMPLES and min(positive, len(truth) - positive) >= MIN_EXAMPLES // 4


def _binary_nll(logits: Floats, truth: Ints) -> float:
    return float((np.logaddexp(0, logits) - truth * logits).mean())


def _fit(loss: Any) -> float:
    return float(min(_TEMPERATURES, key=loss))
