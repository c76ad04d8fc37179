"""The sections of a model card that are made of reports: scores, calibration and thresholds, behaviour tests.

figures(facts); trust(facts); behaviour(facts)     # lines; see naba.evaluation.card.sections
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from naba.evaluation.card.facts import RunFacts, data_name, plain
from naba.evaluation.report import HEADLINE, figure, readings_line, systems_rows, table, warnings, with_interval
from naba.evaluation.slices import SMALLEST

_MOST_ROWS = 30
_POINT = (("threshold", 3), ("precision", 3), ("recall", 3), ("f1", 3))


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
        yield from [f"{report['readings']['name']}: {readings_line(report)}.", ""]
    detectable = model["detectable"]["pairs.f1"]
    if detectable is not None:
        yield from [f"Differences in pair-F1 under {100 * detectable:.1f} points can't be seen with this test set.", ""]
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
            cell = figure(score["value"]) + (f" [{spread['low']:.3f}, {spread['high']:.3f}]" if spread else "")
            rows.append([plain(one["value"]), f"{one['segments']:,}", cell])
    if rows:
        yield from [
            f"By source, the worst first, and those under {SMALLEST} segments after them:",
            "",
            *table(["source", "segments", "pair F1"], rows[:_MOST_ROWS]),
        ]


def _class(part: Mapping[str, Any], path: str, rates: Mapping[str, Any]) -> list[str]:
    """Precision, recall and F1 with its interval, and support; dashes for a class that is neither true nor said."""
    if not rates["support"] and not rates["predicted"]:
        return ["–", "–", "–", "0"]
    return [
        figure(rates["precision"]),
        figure(rates["recall"]),
        with_interval(part, f"{path}.f1"),
        str(rates["support"]),
    ]


def _leaks(report: Mapping[str, Any]) -> list[str]:
    """How segments that the run had met before were handled."""
    lines, leaks = warnings(report), report["leaks"]
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
        rows = []
        for kind, question in (("topics", "presence"), ("stances", "stance")):
            for topic, after in found["after"][kind].items():
                before = found["before"][kind][topic]
                values = (before["ece"], after["ece"], before["brier"], after["brier"])
                rows.append([topic, question, *map(figure, values), str(after["support"])])
        yield from table(["topic", "question", "ECE before", "after", "Brier before", "after", "support"], rows)
        yield from _chosen(found["chosen"])


def _chosen(chosen: Mapping[str, Any] | None) -> Iterator[str]:
    if not chosen:
        return
    rows = [
        [topic, point, *(figure(found[key], digits) for key, digits in _POINT), str(found["support"])]
        for topic, points in chosen["thresholds"].items()
        for point, found in points.items()
        if found and point in ("shrunk", "precision", "recall")
    ]
    yield from ["Thresholds chosen on validation (`shrunk` is what the run uses), measured here:", ""]
    yield from table(["topic", "point", "threshold", "precision", "recall", "F1", "support"], rows)
    advice = chosen["recommendation"]
    if not advice:
        yield from ["Validation supports no confidence above which labels need no person.", ""]
        return
    low, high = advice["error_interval"] or (None, None)
    yield from [
        f"Above confidence {advice['threshold']:.3f} labels may need no person: that covers {figure(advice['coverage'], 2)} of the "
        f"segments ({advice['automatic']}), {figure(advice['error'], 2)} of them wrong [{figure(low, 2)}, {figure(high, 2)}]; wanted: at most "
        f"{advice['target']:.2f}.",
        "",
    ]


def behaviour(facts: RunFacts) -> Iterator[str]:
    """Pass rates of the behaviour tests; nothing where no report has them."""
    found = next((report["behaviour"] for report in facts.reports if report.get("behaviour")), None)
    if not found:
        return
    yield from [
        "## Behaviour tests",
        "",
        f"{len(found['tests'])} tests on {found['distinct_texts']:,} written texts:",
        "",
    ]
    rows = [
        [kind, str(part["tests"]), str(part["cases"]), figure(part["pass_rate"]), figure(part["at_least"], 2)]
        for kind, part in found["kinds"].items()
    ]
    yield from table(["kind", "tests", "cases", "passed", "needed"], rows)
    missed = [[plain(name), figure(rate), figure(least, 2)] for name, (rate, least) in found["gates_missed"].items()]
    if missed:
        yield from ["Less than a release needs:", "", *table(["kind or test", "passed", "needed"], missed)]
    else:
        yield from ["All reach what a release needs.", ""]
