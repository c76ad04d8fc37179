"""The parts of report.md that are about the run alone: classes, calibration, thresholds, slices, errors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from naba.evaluation import report_tables as tables
from naba.evaluation.figures import NONE, figure, met
from naba.evaluation.markdown_table import escaped, set_table, table
from naba.evaluation.wording import WILSON, first_stage_line, no_mcnemar, recommendation

_COLUMNS = ("precision", "recall", "F1", "support")
_SLICES = 12
_MISTAKES = 15


def sections(report: Mapping[str, Any]) -> list[str]:
    """All of them, as lines."""
    lines: list[str] = []
    for part in (
        _comparisons(report),
        _classes(report["systems"]["model"]["scores"]),
        _calibration(report["trust"]),
        _first_stage(report),
        _slices(report["slices"]),
        behaviour_lines(report.get("behaviour")),
        _errors(report["errors"]),
    ):
        lines += part
    return lines


def _comparisons(report: Mapping[str, Any]) -> Iterator[str]:
    if report["comparisons"]:
        yield from ["## This run minus the others, pair-F1", "", *comparison_lines(report)]


def comparison_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The differences to the other systems with their tests; nothing without others."""
    if not report["comparisons"]:
        return
    found = tables.comparisons_table(report, "pairs.f1")
    if not found.rows:
        yield from ["There is no pair to find here, so that nothing can be compared.", ""]
        return
    yield from set_table(found)
    if told := no_mcnemar(report):
        yield from [told, ""]


def _classes(scores: Mapping[str, Any]) -> Iterator[str]:
    yield from ["## Topics", ""]
    rows = [
        [topic, *_row(part), figure(part.get("average_precision"))]
        for topic, part in scores["topics"]["per_topic"].items()
    ]
    yield from table(["topic", *_COLUMNS, "average precision"], rows)
    yield from ["## Stances, given the gold topic", ""]
    yield from table(
        ["topic", "stance", *_COLUMNS],
        [
            [topic, stance, *_row(part)]
            for topic, per in scores["stances"]["per_topic"].items()
            for stance, part in per["stances"].items()
        ],
    )
    yield from ["## (topic, stance) pairs, end to end", ""]
    yield from table(
        ["topic", "stance", *_COLUMNS],
        [
            [topic, stance, *_row(part)]
            for topic, per in scores["pairs"]["per_pair"].items()
            for stance, part in per.items()
        ],
    )
    others = {
        "favour/against mean": scores["stances"]["favg"],
        "example-based F1 of topics": scores["topics"]["example_f1"],
        "example-based F1 of pairs": scores["pairs"]["example_f1"],
        "topic micro-F1": scores["topics"]["micro_f1"],
        "pair macro-F1": scores["pairs"]["macro_f1"],
    }
    yield from ["; ".join(f"{name} {figure(value)}" for name, value in others.items()) + ".", ""]


def _calibration(trust: Mapping[str, Any] | None) -> Iterator[str]:
    if not trust:
        return
    yield from ["## Calibration", "", "Before and after the temperatures that were fitted on validation.", ""]
    yield from set_table(tables.calibration_table(trust))
    if trust.get("chosen"):
        yield from ["## Thresholds, chosen on validation and measured here", ""]
        yield from threshold_lines(trust["chosen"])
    else:
        yield from [recommendation(None), ""]


def threshold_lines(chosen: Mapping[str, Any]) -> Iterator[str]:
    """The operating points, and from which confidence labels need no person."""
    yield from set_table(tables.thresholds_table(chosen))
    yield from [WILSON, "", recommendation(chosen), ""]


def _first_stage(report: Mapping[str, Any]) -> Iterator[str]:
    if found := report.get("first_stage"):
        yield from ["## Behind the first stage", "", first_stage_line(found), ""]
        yield from set_table(tables.first_stage_table(found, report["segments"]))


def _slices(slices: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for ranked in tables.slices_tables(slices)[:1]:
        if any(one["rank"] for one in slices):
            yield from ["## Slices, the worst first", "", *set_table(ranked, _SLICES)]


def behaviour_lines(behaviour: Mapping[str, Any] | None) -> Iterator[str]:
    """Pass rates of the behaviour tests, and those that a release needs better; nothing without tests."""
    if not behaviour:
        return
    tests = behaviour["tests"]
    yield from ["## Behaviour tests", "", f"{len(tests)} tests on {behaviour['distinct_texts']:,} written texts:", ""]
    yield from set_table(tables.behaviour_kinds_table(behaviour))
    kinds = behaviour["kinds"]
    missed = {name: rates for name, rates in behaviour["gates_missed"].items() if name not in kinds}
    if missed:
        yield from [f"{len(missed)} of {len(tests)} tests are below what a release needs:", ""]
        rows = [[name, figure(rate), figure(least, 2)] for name, (rate, least) in missed.items()]
        yield from table(["test", "pass rate", "needed"], rows)
    elif not behaviour["gates_missed"]:
        yield from ["All reach what a release needs.", ""]


def _errors(errors: Mapping[str, Any]) -> Iterator[str]:
    yield from ["## Errors", "", f"{errors['mistakes']} mistakes in {errors['answers']} answers.", ""]
    yield from set_table(tables.kinds_table(errors))
    for one in errors["confusions"]:
        yield from [f"{escaped(one['topic'])}: gold in rows, answers in columns", ""]
        yield from table(
            ["", *one["answers"]],
            [[name, *map(str, counts)] for name, counts in zip(one["answers"], one["counts"], strict=True)],
        )
    mistakes = (errors["most_confident"] or [])[:_MISTAKES]
    if mistakes:
        words = {one["id"]: one["text"] for one in errors["texts"] or []}
        rows = [
            [
                one["place"]["id"],
                *(one[key] for key in ("topic", "gold", "said")),
                figure(one["probability"]),
                words.get(one["place"]["id"], ""),
            ]
            for one in mistakes
        ]
        yield from ["The surest mistakes:", ""]
        yield from table(["segment", "topic", "gold", "said", "probability", "words"], rows)


def _row(scores: Mapping[str, Any]) -> list[str]:
    rates = [figure(scores[name]) for name in ("precision", "recall", "f1")] if met(scores) else [NONE] * 3
    return [*rates, str(scores["support"])]
