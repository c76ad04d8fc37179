"""Thresholds and calibration."""

import numpy as np
import pytest

from naba.calibration import Decision, TopicDecision, fit_decision, sigmoid, softmax
from naba.errors import DataError
from naba.schema import UNKNOWN, LabelSchema
from naba.thresholds import best_threshold


def test_threshold_lies_between_the_classes_when_nothing_is_shrunk() -> None:
    probability = np.array([0.1, 0.2, 0.3, 0.8, 0.9])
    truth = np.array([0, 0, 1, 1, 1])
    assert best_threshold(probability, truth, shrinkage=0) == pytest.approx(0.25)


def test_few_positives_pull_the_threshold_to_one_half() -> None:
    probability, truth = np.array([0.1, 0.2, 0.3, 0.8, 0.9]), np.array([0, 0, 1, 1, 1])
    # Three positives against a shrinkage of 50: 0.5 + 3/53 · (0.25 − 0.5).
    assert best_threshold(probability, truth) == pytest.approx(0.5 - 0.25 * 3 / 53)


@pytest.mark.parametrize("truth", [[0, 0], [1, 1]])
def test_one_class_alone_leaves_one_half(truth: list[int]) -> None:
    assert best_threshold(np.array([0.1, 0.9]), np.array(truth)) == 0.5


def test_equal_probabilities_are_never_cut_apart() -> None:
    assert best_threshold(np.array([0.6, 0.6, 0.6, 0.1]), np.array([1, 0, 1, 0]), shrinkage=0) == pytest.approx(0.35)


def test_overconfident_logits_are_cooled(schema: LabelSchema) -> None:
    rng = np.random.default_rng(0)
    true_logits = rng.normal(size=(2000, 3))
    presence = (rng.random((2000, 3)) < sigmoid(true_logits)).astype(int)
    stance = np.where(presence == 1, rng.integers(0, 3, (2000, 3)), UNKNOWN)
    decision = fit_decision(3 * true_logits, np.zeros((2000, 3, 3)), presence, stance, schema)
    for topic in schema.topic_ids:
        assert decision.of(topic).temperature == pytest.approx(3, rel=0.15)


def test_too_few_examples_leave_the_temperature_alone(schema: LabelSchema) -> None:
    presence = np.array([[1, 0, UNKNOWN]] * 6)
    decision = fit_decision(np.ones((6, 3)), np.zeros((6, 3, 3)), presence, np.full((6, 3), UNKNOWN), schema)
    assert decision.of("diplomacy") == TopicDecision()


def test_probabilities_apply_the_temperatures(schema: LabelSchema) -> None:
    decision = Decision({"diplomacy": TopicDecision(0.4, 2.0, 1.0)})
    topic, stance = decision.probabilities(np.array([[2.0, 2.0, 2.0]]), np.zeros((1, 3, 3)), schema)
    assert topic[0] == pytest.approx([1 / (1 + np.exp(-1)), 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-2))])
    assert stance[0, 0] == pytest.approx([1 / 3] * 3)
    assert list(decision.thresholds(schema)) == [0.4, 0.5, 0.5]


def test_extreme_logits_do_not_overflow() -> None:
    assert sigmoid(np.array([-1e4, 1e4])) == pytest.approx([0, 1])
    assert softmax(np.array([[1e4, 0.0]]))[0] == pytest.approx([1, 0])


def test_decision_survives_a_round_trip_and_foreign_files_are_refused(schema: LabelSchema) -> None:
    decision = Decision({"diplomacy": TopicDecision(0.4, 2.0, 1.5)})
    assert Decision.from_dict(decision.to_dict(), schema) == decision
    for content in ({"topics": {"sport": {}}}, {"topics": {"diplomacy": {"cut": 1}}}, {}):
        with pytest.raises(DataError, match=r"decision\.json"):
            Decision.from_dict(content, schema)
