"""How far a model's probabilities and thresholds can be trusted, on data that neither was chosen on.

trust(test, answers, uncalibrated)["after"]["topics"]["oil"]["ece"]
chosen_on_validation(gold, its_answers, test, answers, in_use=thresholds)["recommendation"]
"""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.operating_points import choose, compare_points, macro_f1
from naba.evaluation.reliability import recommend, reliability, risk_coverage, segment_confidence, wilson
from naba.scores import Floats, Labels

TARGET_ERROR = 0.1
"""Share of wrongly labelled segments that the recommendation allows among those that the machine labels."""
_CURVE_POINTS = 200


def trust(test: TestSet, answers: Answers, uncalibrated: Answers) -> dict[str, Any]:
    """`before` and `after` the temperatures (reliability per topic and stance), `risk_coverage` and its area `aurc`.

    Args:
        answers, uncalibrated: one model's, with probabilities, with and without its temperatures.
    """
    found: dict[str, Any] = {
        name: _plain(reliability(test.gold, *_probabilities(said), test.schema))
        for name, said in (("before", uncalibrated), ("after", answers))
    }
    curve = risk_coverage(*segment_confidence(test.gold, answers.labels, *_probabilities(answers), test.schema))
    points = np.linspace(0, len(curve.coverage) - 1, min(_CURVE_POINTS, len(curve.coverage)))
    found["risk_coverage"] = [
        {"threshold": float(curve.threshold[n]), "coverage": float(curve.coverage[n]), "risk": float(curve.risk[n])}
        for n in np.unique(points.astype(int))
    ]
    return found | {"aurc": curve.aurc}


def chosen_on_validation(
    gold: Labels,
    there: Answers,
    test: TestSet,
    here: Answers,
    *,
    in_use: Mapping[str, float],
    target: float = TARGET_ERROR,
) -> dict[str, Any]:
    """What is chosen on validation, and how it fares on the test set: `thresholds`, `macro_f1` and `recommendation`.

    Args:
        gold: of the validation segments. there, here: the model's answers on them and on the test set, with probabilities.
        in_use: topic → the threshold that the model decides by.
        target: share of wrong ones allowed among the segments that the machine labels.

    Returns:
        `thresholds` {topic: {point: OperatingPoint or None}} and `macro_f1` {point: …}, measured on test (see
        `naba.evaluation.operating_points`); `recommendation`: the confidence above which the machine labels, chosen on
        validation with 95 % certainty, with `coverage`, `error` and `error_interval` on test, or None where validation
        supports none.
    """
    chosen = choose(gold, _probabilities(there)[0], test.schema)
    points = {topic: {"in_use": in_use.get(topic), **of_topic} for topic, of_topic in chosen.items()}
    measured = compare_points(points, test.gold, _probabilities(here)[0], test.schema)
    names = list(next(iter(points.values()))) if points else []
    found: dict[str, Any] = {
        "thresholds": _plain(measured),
        "macro_f1": {name: macro_f1(measured, name) for name in names},
        "recommendation": None,
    }
    sure, right = segment_confidence(gold, there.labels, *_probabilities(there), test.schema)
    advice = recommend(sure, right, target=target)
    if advice:
        sure, right = segment_confidence(test.gold, here.labels, *_probabilities(here), test.schema)
        automatic = sure >= advice.threshold
        kept, wrong = int(automatic.sum()), int((~right[automatic]).sum())
        found["recommendation"] = {
            "target": target,
            "threshold": advice.threshold,
            "validation": {"coverage": advice.coverage, "error": advice.error, "bound": advice.bound},
            "coverage": kept / len(sure) if len(sure) else None,
            "automatic": kept,
            "error": wrong / kept if kept else None,
            "error_interval": list(wilson(wrong, kept)) if kept else None,
        }
    return found


def _probabilities(answers: Answers) -> tuple[Floats, Floats]:
    if answers.topic is None or answers.stance is None:
        raise ValueError("answers without probabilities cannot be calibrated")
    return answers.topic, answers.stance


def _plain(value: Any) -> Any:
    """Dataclasses, at any depth of dictionaries, as dictionaries."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
