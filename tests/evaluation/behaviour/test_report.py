import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from naba.evaluation.behaviour.report import BehaviourReport
from naba.evaluation.behaviour.suite import load_suite, run_behaviour
from naba.evaluation.behaviour.tables import behaviour_failures, behaviour_table
from naba.schema import LabelSchema

CONTENT = """
kind: direction
at_least: 0.9
tests:
  - name: refused
    description: Accepting against refusing
    before_labels: {diplomacy: support}
    after_labels: {diplomacy: oppose}
    cases:
      - {before: "قبل هدنة", after: "رفض هدنة"}
      - {before: "قبل صلحا", after: "أبى صلحا"}
      - {before: "أيد هدنة", after: "لا يؤيد هدنة"}
"""


@pytest.fixture
def report(folder: Callable[..., Path], schema: LabelSchema, predictor: Callable[..., Any]) -> BehaviourReport:
    words = {"هدنة": ("diplomacy", "support"), "رفض": ("diplomacy", "oppose")}
    return run_behaviour(predictor(words), load_suite(folder(tests=CONTENT), schema), schema)


def test_the_table_shows_the_kinds_and_every_missed_test(report: BehaviourReport) -> None:
    console = Console(width=120, record=True)
    with console.capture() as shown:
        console.print(behaviour_table(report.to_dict()))
    text = shown.get()
    assert "1 behaviour tests, 6 texts" in text
    assert all(part in text for part in ("direction: 1", "refused (direction)", "0.333", "0.90", "missed"))


def test_failures_are_shown_before_and_after(report: BehaviourReport) -> None:
    assert behaviour_failures(report.to_dict(), examples=1) == (
        "refused (direction), 2 of 3 failed: Accepting against refusing\n"
        "  قبل صلحا\n"
        "    said no topic, expected diplomacy: support\n"
        "  أبى صلحا\n"
        "    said no topic, expected diplomacy: oppose"
    )
    assert behaviour_failures(report.to_dict(), examples=9).count("expected") == 4


def test_the_plain_form_goes_through_json(report: BehaviourReport) -> None:
    row = json.loads(json.dumps(report.to_dict(examples=1)))
    [test] = row["tests"]
    assert (test["cases"], test["sources"], test["passed"], test["pass_rate"]) == (3, 3, 1, 0.3333)
    assert not test["gate_met"]
    assert test["failures"] == [
        {
            "before": {"text": "قبل صلحا", "expected": {"diplomacy": "support"}, "decision": {}},
            "after": {"text": "أبى صلحا", "expected": {"diplomacy": "oppose"}, "decision": {}},
        }
    ]
    assert len(report.to_dict()["tests"][0]["failures"]) == 2


def test_a_kind_is_gated_as_a_whole_beside_each_of_its_tests(
    folder: Callable[..., Path], schema: LabelSchema, predictor: Callable[..., Any]
) -> None:
    words = {"هدنة": ("diplomacy", "support"), "رفض": ("diplomacy", "oppose")}

    def missed(content: str) -> dict[str, tuple[float, float]]:
        return run_behaviour(predictor(words), load_suite(folder(tests=content), schema), schema).gates_missed()

    lenient = CONTENT.replace("at_least: 0.9", "at_least: 0.3\nkind_at_least: {}")
    assert missed(lenient.replace("{}", "0.4")) == {"direction": (pytest.approx(1 / 3, abs=1e-4), 0.4)}
    assert missed(lenient.replace("{}", "0.3")) == {}
    assert missed(CONTENT) == {"refused": (pytest.approx(1 / 3), 0.9)}


def test_nothing_is_shown_where_all_passed(
    folder: Callable[..., Path], schema: LabelSchema, predictor: Callable[..., Any]
) -> None:
    content = "tests: [{name: a, kind: minimum, description: d, labels: {}, cases: [نص]}]"
    report = run_behaviour(predictor({}), load_suite(folder(tests=content), schema), schema)
    assert behaviour_failures(report.to_dict()) == "" and report.gates_missed() == {}
