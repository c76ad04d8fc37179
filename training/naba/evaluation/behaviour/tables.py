"""Behaviour tests to read: the pass rates as a table, the failing cases as lines, from what a report stores of them.

behaviour_table(report["behaviour"]); behaviour_failures(report["behaviour"], examples=2)
"""

from collections.abc import Mapping
from typing import Any

from rich.table import Column, Table


def behaviour_table(behaviour: Mapping[str, Any]) -> Table:
    """The kinds and their pass rates, and every test that misses its gate, for a terminal."""
    title = f"{len(behaviour['tests'])} behaviour tests, {behaviour['distinct_texts']} texts"
    table = Table(Column("tests", overflow="fold"), "cases", "pass rate", "needed", "", title=title)
    for kind, found in behaviour["kinds"].items():
        needed = "" if found["at_least"] is None else f"{found['at_least']:.2f}"
        missed = "missed" if kind in behaviour["gates_missed"] else ""
        table.add_row(f"{kind}: {found['tests']}", str(found["cases"]), f"{found['pass_rate']:.3f}", needed, missed)
    table.add_section()
    for test in behaviour["tests"]:
        if not test["gate_met"]:
            rates = f"{test['pass_rate']:.3f}", f"{test['at_least']:.2f}"
            table.add_row(f"{test['name']} ({test['kind']})", str(test["cases"]), *rates, "missed")
    return table


def behaviour_failures(behaviour: Mapping[str, Any], *, examples: int = 2) -> str:
    """Failing cases, at most `examples` a test, with what was said and expected; plain lines, "" where all passed."""
    lines: list[str] = []
    for test in behaviour["tests"]:
        if not test["failures"]:
            continue
        failed = test["cases"] - test["passed"]
        lines.append(f"{test['name']} ({test['kind']}), {failed} of {test['cases']} failed: {test['description']}")
        for case in test["failures"][:examples]:
            for side in case.values():
                expected = f", expected {_labels(side['expected'])}" if "expected" in side else ""
                lines += [f"  {side.get('text') or side['id']}", f"    said {_labels(side['decision'])}{expected}"]
            lines.append("")
    return "\n".join(lines).rstrip()


def _labels(decision: Mapping[str, str | None]) -> str:
    return ", ".join(f"{topic}: {stance}" for topic, stance in decision.items()) or "no topic"
