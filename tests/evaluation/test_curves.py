from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve

from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.curves import POINTS, precision_recall
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.scores import Labels

HALF = {"diplomacy": 0.5, "humanitarian_aid": 0.5, "military_action": None}


def made(labelled: Callable[..., LabelledSegment], schema: LabelSchema, present: list[bool | None]) -> TestSet:
    named = {True: {"diplomacy": "support"}, False: {}, None: {"diplomacy": None}}
    return TestSet.of([labelled(f"نص رقم {n}", **named[here]) for n, here in enumerate(present)], schema)


def said(probability: list[float], threshold: float = 0.5) -> Answers:
    topic = np.array([[value, 0.0, 0.0] for value in probability])
    presence = (topic >= threshold).astype(int)
    return Answers(Labels(presence, np.zeros_like(presence)), topic, None)


def test_points_are_those_worked_out_by_hand(labelled: Callable[..., LabelledSegment], schema: LabelSchema) -> None:
    test = made(labelled, schema, [True, False, True, False, None])
    curve = (precision_recall(test, said([0.9, 0.8, 0.8, 0.1, 0.95]), HALF) or {})["diplomacy"]
    assert curve is not None
    # 0.9: one hit of one; 0.8: two come in together, two hits of three; 0.1: two of four. The unjudged one counts nowhere.
    assert (curve["thresholds"], curve["recall"]) == ([0.9, 0.8, 0.1], [0.5, 1.0, 1.0])
    assert curve["precision"] == [1.0, pytest.approx(2 / 3, abs=1e-6), 0.5]
    assert curve["prevalence"] == 0.5
    assert curve["at"] == {"threshold": 0.5, "precision": pytest.approx(2 / 3), "recall": 1.0}


def test_what_cannot_be_drawn_is_none(labelled: Callable[..., LabelledSegment], schema: LabelSchema) -> None:
    test = made(labelled, schema, [True, False])
    found = precision_recall(test, said([0.2, 0.1]), HALF)
    assert found is not None and found["humanitarian_aid"] is None  # without a positive
    assert found["diplomacy"] is not None
    assert found["diplomacy"]["at"] == {"threshold": 0.5, "precision": None, "recall": 0.0}  # nothing was said
    assert precision_recall(test, Answers(said([0.2, 0.1]).labels), HALF) is None


def test_a_long_curve_is_thinned_and_agrees_with_scikit_learn(
    labelled: Callable[..., LabelledSegment], schema: LabelSchema
) -> None:
    generator = np.random.default_rng(0)
    present = (generator.random(900) < 0.3).tolist()
    probability = np.clip(generator.normal(0.3, 0.2, 900) + 0.3 * np.array(present), 0, 1).round(3)
    curve = (precision_recall(made(labelled, schema, present), said(probability.tolist()), HALF) or {})["diplomacy"]
    assert curve is not None and len(curve["recall"]) == POINTS
    assert curve["recall"][-1] == 1.0
    precision, recall, cuts = precision_recall_curve(present, probability)
    place = {round(cut, 6): n for n, cut in enumerate(cuts.tolist())}
    for threshold, p, r in zip(curve["thresholds"], curve["precision"], curve["recall"], strict=True):
        assert (p, r) == pytest.approx((precision[place[threshold]], recall[place[threshold]]), abs=1e-5)
