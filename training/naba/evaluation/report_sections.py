"""The parts of report.md that are about the run alone: classes, calibration, thresholds, slices, errors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

TableOf = Callable[[Sequence[str], Sequence[Sequence[str]]], list[str]]
FigureOf = Callable[..., str]

_COLUMNS = ("precision", "recall", "F1", "support")
_SLICES = 12
_MISTAKES = 15


def sections(report: Mapping[str, Any], table: TableOf, figure: FigureOf, names: Mapping[str, str]) -> list[str]:
    """All of them, as lines."""
    model = report["systems"]["model"]
    lines: list[str] = []
    for part in (
        _comparisons(report["comparisons"], table, figure, names),
        _classes(model["scores"], table, figure),
        _calibration(report["trust"], table, figure),
        _slices(report["slices"], table, figure),
        _behaviour(report.get("behaviour"), table, figure),
        _errors(report["errors"], table, figure),
    ):
        lines += part
    return lines


def _comparisons(
    comparisons: Mapping[str, Any], table: TableOf, figure: FigureOf, names: Mapping[str, str]
) -> Iterator[str]:
    if not comparisons:
        return
    rows = []
    for name, row in comparisons.items():
        found = row["differences"].get("pairs.f1")
        if found is None:
            continue
        low, high = found["interval"] or (None, None)
        rows.append(
            [
                names.get(name, name),
                f"{found['value']:+.3f}",
                f"[{figure(low)}, {figure(high)}]",
                figure(found["p"]),
                figure(found["p_holm"]),
                f"{row['mcnemar']['only_first']} : {row['mcnemar']['only_second']}",
                figure(row["mcnemar"]["p"]),
            ]
        )
    yield from ["## This run minus the others, pair-F1", ""]
    yield from table(["other", "difference", "95 %", "p", "p (Holm)", "only one wholly right", "p (McNemar)"], rows)


def _classes(scores: Mapping[str, Any], table: TableOf, figure: FigureOf) -> Iterator[str]:
    yield from ["## Topics", ""]
    rows = [
        [topic, *_row(part, figure), figure(part.get("average_precision"))]
        for topic, part in scores["topics"]["per_topic"].items()
    ]
    yield from table(["topic", *_COLUMNS, "average precision"], rows)
    yield from ["## Stances, given the gold topic", ""]
    yield from table(
        ["topic", "stance", *_COLUMNS],
        [
            [topic, stance, *_row(part, figure)]
            for topic, per in scores["stances"]["per_topic"].items()
            for stance, part in per["stances"].items()
        ],
    )
    yield from ["## (topic, stance) pairs, end to end", ""]
    yield from table(
        ["topic", "stance", *_COLUMNS],
        [
            [topic, stance, *_row(part, figure)]
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


def _calibration(trust: Mapping[str, Any] | None, table: TableOf, figure: FigureOf) -> Iterator[str]:
    if not trust:
        return
    yield from ["## Calibration", "", "Before and after the temperatures that were fitted on validation.", ""]
    rows = []
    for kind in ("topics", "stances"):
        for topic, after in trust["after"][kind].items():
            before = trust["before"][kind][topic]
            values = (before["ece"], after["ece"], before["brier"], after["brier"])
            rows.append(
                [topic, "presence" if kind == "topics" else "stance", *map(figure, values), str(after["support"])]
            )
    yield from table(["topic", "question", "ECE before", "after", "Brier before", "after", "support"], rows)
    chosen = trust.get("chosen")
    if not chosen:
        return
    yield from ["## Thresholds, chosen on validation and measured here", ""]
    points = [
        [topic, name, figure(p["threshold"], 2), figure(p["precision"]), figure(p["recall"]), figure(p["f1"])]
        for topic, per in chosen["thresholds"].items()
        for name, p in per.items()
        if p
    ]
    yield from table(["topic", "point", "threshold", "precision", "recall", "F1"], points)
    advice = chosen["recommendation"]
    if not advice:
        yield from ["Validation supports no confidence above which labels need no person.", ""]
        return
    low, high = advice["error_interval"] or (None, None)
    yield from [
        f"Label automatically above confidence {advice['threshold']:.3f}, send the rest to people: that labels "
        f"{figure(advice['coverage'], 2)} of the segments here, {figure(advice['error'], 2)} of them wrong "
        f"[{figure(low, 2)}, {figure(high, 2)}]; wanted: at most {advice['target']:.2f}.",
        "",
    ]


def _slices(slices: Sequence[Mapping[str, Any]], table: TableOf, figure: FigureOf) -> Iterator[str]:
    ranked = [one for one in slices if one["rank"]][:_SLICES]
    if not ranked:
        return
    rows = []
    for one in ranked:
        score = one["scores"]["pairs.f1"]
        interval, difference = score["interval"], score["difference"]
        rows.append(
            [
                one["name"],
                str(one["segments"]),
                figure(score["value"]) + (f" [{interval['low']:.3f}, {interval['high']:.3f}]" if interval else ""),
                f"{difference['value']:+.3f}" if difference else "–",
                figure(difference["p_adjusted"]) if difference else "–",
            ]
        )
    yield from ["## Slices, the worst first", ""]
    yield from table(["slice", "segments", "pair-F1", "minus the rest", "p worse (Holm)"], rows)


def _behaviour(behaviour: Mapping[str, Any] | None, table: TableOf, figure: FigureOf) -> Iterator[str]:
    if not behaviour:
        return
    yield from ["## Behaviour tests", ""]
    rows = [
        [kind, str(found["tests"]), str(found["cases"]), figure(found["pass_rate"]), figure(found["at_least"], 2)]
        for kind, found in behaviour["kinds"].items()
    ]
    yield from table(["kind", "tests", "cases", "pass rate", "a release needs"], rows)
    missed = {name: rates for name, rates in behaviour["gates_missed"].items() if name not in behaviour["kinds"]}
    if missed:
        yield from [f"{len(missed)} of {len(behaviour['tests'])} tests are below what a release needs:", ""]
        yield from table(
            ["test", "pass rate", "needed"], [[n, figure(r), figure(m, 2)] for n, (r, m) in missed.items()]
        )


def _errors(errors: Mapping[str, Any], table: TableOf, figure: FigureOf) -> Iterator[str]:
    yield from ["## Errors", "", f"{errors['mistakes']} mistakes in {errors['answers']} answers.", ""]
    yield from table(
        ["kind", "mistakes", "share"],
        [[one["kind"].replace("_", " "), str(one["count"]), figure(one["share"], 2)] for one in errors["kinds"]],
    )
    for one in errors["confusions"]:
        yield from [f"{one['topic']}: gold in rows, answers in columns", ""]
        yield from table(
            ["", *one["answers"]],
            [[name, *map(str, counts)] for name, counts in zip(one["answers"], one["counts"], strict=True)],
        )
    mistakes = (errors["most_confident"] or [])[:_MISTAKES]
    if mistakes:
        words = {one["id"]: one["text"] for one in errors["texts"] or []}
        rows = [
            [
                m["place"]["id"],
                m["topic"],
                m["gold"],
                m["said"],
                figure(m["probability"]),
                words.get(m["place"]["id"], ""),
            ]
            for m in mistakes
        ]
        yield from ["The surest mistakes:", ""]
        yield from table(["segment", "topic", "gold", "said", "probability", "words"], rows)


def _row(scores: Mapping[str, Any], figure: FigureOf) -> list[str]:
    if not scores["support"] and not scores["predicted"]:
        return ["–", "–", "–", "0"]
    return [figure(scores[name]) for name in ("precision", "recall", "f1")] + [str(scores["support"])]
