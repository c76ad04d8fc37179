"""The sections of a model card that are made of reports: scores, calibration and thresholds, behaviour tests.

figures(facts); trust(facts); behaviour(facts)     # lines; see naba.evaluation.card.sections
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from naba.evaluation.card.facts import RunFacts, data_name, plain
from naba.evaluation.figures import HEADLINE, NONE, bracketed, figure, met, with_interval
from naba.evaluation.markdown_table import set_table, table
from naba.evaluation.report_sections import behaviour_lines, comparison_lines, threshold_lines
from naba.evaluation.report_tables import calibration_table
from naba.evaluation.slices import SMALLEST
from naba.evaluation.wording import notes, readings_line, systems_rows, unseen, warnings

_MOST_ROWS = 30


def figures(facts: RunFacts) -> Iterator[str]:
    """The scores on each report's data, and on validation."""
    yield from ["## Figures", ""]
    for report in facts.reports:
        yield from _figures_of(report)
    scores = facts.record["validation"]
    yield from [
        f"On validation ({facts.record['segments']['validation']:,} segments, on which checkpoint, thresholds and temperatures were "
        f"chosen, so that these are too high): topic macro-F1 {figure(scores['topics']['macro_f1'])}, stance macro-F1 "
        f"{figure(scores['stances']['macro_f1'])}, pair F1 {figure(scores['pairs']['f1'])}.",
        "",
    ]


def _figures_of(report: Mapping[str, Any]) -> Iterator[str]:
    model = report["systems"]["model"]
    scores = model["scores"]
    yield from [
        f"### On {plain(data_name(report))}",
        "",
        f"{report['segments']:,} segments, {report['distinct_segments']:,} distinct, in {report['clusters']:,} clusters of articles and "
        "near-duplicates; intervals are 95 %, over resampled clusters.",
        "",
        *_leaks(report),
        "",
    ]
    yield from table(["system", *HEADLINE.values()], [[plain(row[0]), *row[1:]] for row in systems_rows(report)])
    if report["readings"]:
        yield from [f"{readings_line(report)}.", ""]
    if told := unseen(report):
        yield from [told, ""]
    if report["comparisons"]:
        yield from ["This run minus the others, pair-F1:", "", *comparison_lines(report)]
    head = ["precision", "recall", "F1", "support"]
    rows = [
        [topic, *_class(model, f"topics.per_topic.{topic}", part), figure(part.get("average_precision"))]
        for topic, part in scores["topics"]["per_topic"].items()
    ]
    yield from table(["topic", *head, "average precision"], rows)
    yield from ["Stances, given the gold topic:", ""]
    rows = [
        [topic, stance, *_class(model, f"stances.per_topic.{topic}.stances.{stance}", part)]
        for topic, per in scores["stances"]["per_topic"].items()
        for stance, part in per["stances"].items()
    ]
    yield from table(["topic", "stance", *head], rows)
    yield from ["(topic, stance) pairs, end to end:", ""]
    rows = [
        [topic, stance, *_class(model, f"pairs.per_pair.{topic}.{stance}", part)]
        for topic, per in scores["pairs"]["per_pair"].items()
        for stance, part in per.items()
    ]
    yield from table(["topic", "stance", *head], rows)
    yield from _by_source(report["slices"])


def _by_source(slices: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    rows = []
    for one in slices:
        if one["by"] == "source":
            score = one["scores"]["pairs.f1"]
            spread = score["interval"]
            cell = figure(score["value"]) + bracketed((spread["low"], spread["high"]) if spread else None)
            rows.append([plain(one["value"]), f"{one['segments']:,}", cell])
    if rows:
        yield from [
            f"By source, the worst first, and those under {SMALLEST} segments after them:",
            "",
            *table(["source", "segments", "pair F1"], rows[:_MOST_ROWS]),
        ]


def _class(part: Mapping[str, Any], path: str, rates: Mapping[str, Any]) -> list[str]:
    """Precision, recall and F1 with its interval, and support; dashes for a class that is neither true nor said."""
    if not met(rates):
        return [NONE, NONE, NONE, "0"]
    return [
        figure(rates["precision"]),
        figure(rates["recall"]),
        with_interval(part, f"{path}.f1"),
        str(rates["support"]),
    ]


def _leaks(report: Mapping[str, Any]) -> list[str]:
    """How segments that the run had met before were handled."""
    lines, leaks = [*warnings(report), *notes(report)], report["leaks"]
    if leaks["in_training"] == 0:
        lines.insert(0, "- no segment shares an article, 13 words in a row or a near-duplicate with the training data")
    if leaks["in_validation"] == 0:
        lines.insert(1, "- no segment is in the validation set")
    return lines


def trust(facts: RunFacts) -> Iterator[str]:
    """Calibration, thresholds and the confidence above which labels need no person; nothing without a report of them."""
    reports = [report for report in facts.reports if report["trust"]]
    if not reports:
        return
    yield from ["## Calibration and thresholds", ""]
    for report in reports:
        found = report["trust"]
        yield from [f"### On {plain(data_name(report))}, calibration", "", "Before and after the temperatures:", ""]
        yield from set_table(calibration_table(found))
        if found["chosen"]:
            yield from ["Thresholds chosen on validation, measured here:", "", *threshold_lines(found["chosen"])]


def behaviour(facts: RunFacts) -> Iterator[str]:
    """Pass rates of the behaviour tests; nothing where no report has them."""
    yield from behaviour_lines(next((found for one in facts.reports if (found := one.get("behaviour"))), None))
