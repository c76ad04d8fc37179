"""What behaviour tests found: pass rates per test and kind, which gates are missed, and the failing cases themselves.

report = run_behaviour(predict, suite, schema)
report.gates_missed(); report.to_dict()         # `naba.evaluation.behaviour.tables` makes it readable
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from naba.evaluation.behaviour.cases import Case, Decision
from naba.evaluation.behaviour.material import Kind
from naba.records import segment_id

_KINDS: tuple[Kind, ...] = ("invariance", "direction", "minimum")


@dataclass(frozen=True)
class Outcome:
    """One case, the decisions on its texts, and whether they are as expected."""

    case: Case
    decisions: Sequence[Decision]
    """Of each text, on the topics that are judged."""
    passed: bool

    def to_dict(self, *, texts: bool = True) -> dict[str, Any]:
        """Plain values; with `texts` false, ids stand for texts that are not the suite's own."""
        shown = texts or not self.case.given
        sides = ("text",) if len(self.case.texts) == 1 else ("before", "after")
        rows: dict[str, Any] = {}
        for number, (side, text) in enumerate(zip(sides, self.case.texts, strict=True)):
            rows[side] = {"text": text} if shown else {"id": segment_id(text)}
            if self.case.expected:
                rows[side]["expected"] = self.case.judged(self.case.expected[number])
            rows[side]["decision"] = dict(self.decisions[number])
        return rows


@dataclass(frozen=True)
class TestResult:
    """One test's outcomes."""

    __test__ = False  # pytest would collect it by its name

    name: str
    kind: Kind
    description: str
    at_least: float
    """Share of cases that a released model has to pass."""
    outcomes: Sequence[Outcome]

    @property
    def cases(self) -> int:
        """How many cases were run."""
        return len(self.outcomes)

    @property
    def passed(self) -> int:
        """How many cases passed."""
        return sum(outcome.passed for outcome in self.outcomes)

    @property
    def sources(self) -> int:
        """How many different templates or sentences the cases were made of: the sample that the pass rate rests on."""
        return len({outcome.case.source for outcome in self.outcomes})

    @property
    def pass_rate(self) -> float:
        """Share of cases passed, in [0, 1]; of an invariance test the share of unchanged decisions."""
        return self.passed / self.cases

    @property
    def gate_met(self) -> bool:
        """Whether the share of cases passed is `at_least` what a release needs."""
        return self.pass_rate >= self.at_least

    @property
    def failures(self) -> list[Outcome]:
        """The cases that failed, in order."""
        return [outcome for outcome in self.outcomes if not outcome.passed]

    def to_dict(self, *, examples: int | None = None, texts: bool = True) -> dict[str, Any]:
        """Plain values for JSON; see `BehaviourReport.to_dict`."""
        given = [outcome for outcome in self.outcomes if outcome.case.given]
        of_given = {"cases": len(given), "passed": sum(outcome.passed for outcome in given)}
        return {
            "name": self.name,
            "kind": self.kind,
            "description": self.description,
            "cases": self.cases,
            "sources": self.sources,
            "passed": self.passed,
            "pass_rate": round(self.pass_rate, 4),
            "at_least": self.at_least,
            "gate_met": self.gate_met,
            **({"given_segments": of_given} if given else {}),
            "failures": [outcome.to_dict(texts=texts) for outcome in self.failures[:examples]],
        }


@dataclass(frozen=True)
class BehaviourReport:
    """All tests' results."""

    tests: Sequence[TestResult]
    at_least: Mapping[Kind, float]
    """Share of all cases of a kind that a released model has to pass, where there is such a gate."""
    texts: int
    """Distinct texts predicted."""
    segments: int
    """Distinct segments of the caller's that the invariance tests changed too."""

    def gates_missed(self) -> dict[str, tuple[float, float]]:
        """Kind or test → (share of cases passed, share needed), of all gates that are not met; none: fit for release."""
        kinds = self.by_kind()
        missed: dict[str, tuple[float, float]] = {
            kind: (kinds[kind]["pass_rate"], least)
            for kind, least in self.at_least.items()
            if kind in kinds and kinds[kind]["passed"] < least * kinds[kind]["cases"]
        }
        of_tests = {test.name: (test.pass_rate, test.at_least) for test in self.tests if not test.gate_met}
        return {**missed, **of_tests}

    def by_kind(self) -> dict[str, dict[str, Any]]:
        """Per kind: tests, missed gates, cases, share of cases passed, mean of the tests' pass rates."""
        kinds: dict[str, dict[str, Any]] = {}
        for kind in _KINDS:
            if tests := [test for test in self.tests if test.kind == kind]:
                cases = sum(test.cases for test in tests)
                kinds[kind] = {
                    "tests": len(tests),
                    "gates_missed": sum(not test.gate_met for test in tests),
                    "cases": cases,
                    "passed": sum(test.passed for test in tests),
                    "pass_rate": round(sum(test.passed for test in tests) / cases, 4),
                    "mean_test_pass_rate": round(sum(test.pass_rate for test in tests) / len(tests), 4),
                    "at_least": self.at_least.get(kind),
                }
        return kinds

    def to_dict(self, *, examples: int | None = None, texts: bool = True) -> dict[str, Any]:
        """Plain values for JSON.

        Args:
            examples: failing cases given for each test; None gives all.
            texts: False gives ids instead of the texts made of the caller's segments; the suite's own texts stay.
        """
        return {
            "distinct_texts": self.texts,
            "given_segments": self.segments,
            "kinds": self.by_kind(),
            "gates_missed": {name: list(rates) for name, rates in self.gates_missed().items()},
            "tests": [test.to_dict(examples=examples, texts=texts) for test in self.tests],
        }
