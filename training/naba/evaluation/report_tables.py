"""The tables of a report, made from report.json: a page, Markdown and a model card are set from the same."""

from collections.abc import Mapping, Sequence
from typing import Any

from naba.evaluation.figures import HEADLINE, NONE, bracketed, figure, met, score_at
from naba.evaluation.tables import Cell, Column, Table, chance, columns, estimate, number, signed, whole, words
from naba.evaluation.wording import INDEPENDENT, NAMES, POINTS, held, independent, system_names, systems_rows

_SCORES = ("precision", "recall", "f1")
_CLASS = ("precision", "recall", "F1", "said", "support")
MOST_SLICES = 200
"""Ranked slices, and small ones, that are listed; report.json has all."""


def systems_table(report: Mapping[str, Any]) -> Table:
    """The systems side by side, with what each is of."""
    rows = []
    for name, texts in zip(system_names(report), systems_rows(report), strict=True):
        part = report["systems"][name]
        scores = [
            Cell(text, score_at(part.get("scores"), path) if text != NONE else None)
            for text, path in zip(texts[1:], HEADLINE, strict=True)
        ]
        support = whole(part["scores"]["pairs"]["support"]) if "scores" in part else Cell(NONE)
        rows.append([words(texts[0]), *scores, support, words(str(part.get("basis", "")))])
    head = columns("system", *HEADLINE.values(), "gold pairs", "made of")
    return Table("Systems side by side, with 95 % intervals", (*head[:-1], columns("made of")[0]), rows)


def comparisons_table(report: Mapping[str, Any], path: str) -> Table:
    """This run minus each other system, in one score."""
    rows = [
        [words(NAMES.get(name, name)), *difference_cells(found, row["mcnemar"], mcnemar_too=independent(report))]
        for name, row in report["comparisons"].items()
        if (found := row["differences"].get(path))
    ]
    head = (*columns("other"), *difference_columns("this run is", mcnemar_too=independent(report)))
    return Table(f"This run minus the others, {HEADLINE[path]}", head, rows)


def difference_columns(told: str, *, mcnemar_too: bool) -> list[Column]:
    """The heads of `difference_cells`."""
    names = ("difference, 95\N{NO-BREAK SPACE}%", "p", "p (Holm)", told, "detectable from", "only one wholly right")
    heads = [Column(name, numeric=name not in (told, "only one wholly right")) for name in names]
    return heads + [Column(f"p (McNemar, {INDEPENDENT})")] * mcnemar_too


def difference_cells(found: Mapping[str, Any], exactly: Mapping[str, Any], *, mcnemar_too: bool) -> list[Cell]:
    """A difference with its tests; `mcnemar_too`: McNemar's among them, which takes segments for independent."""
    told = held(found)
    return [
        signed(found["value"], found["interval"], told if told in ("better", "worse") else ""),
        chance(found["p"]),
        chance(found.get("p_holm")),
        words(told),
        number(found["detectable"]),
        words(f"{exactly['only_first']} : {exactly['only_second']}"),
        *([chance(exactly["p"])] if mcnemar_too else []),
    ]


def topics_table(part: Mapping[str, Any]) -> Table:
    """Every topic's presence."""
    rows = []
    for topic, scores in part["scores"]["topics"]["per_topic"].items():
        path = f"topics.per_topic.{topic}"
        rows.append([words(topic), *_class_row(part, path, scores), estimate(part, f"{path}.average_precision")])
    return Table("Topics", columns("topic", *_CLASS, "average precision"), rows)


def stances_table(part: Mapping[str, Any]) -> Table:
    """Every stance where gold has the topic."""
    rows = [
        [words(topic), words(stance), *_class_row(part, f"stances.per_topic.{topic}.stances.{stance}", scores)]
        for topic, per in part["scores"]["stances"]["per_topic"].items()
        for stance, scores in per["stances"].items()
    ]
    return Table("Stances, given the gold topic", columns("topic", "stance", *_CLASS, words=2), rows, heads=2)


def pairs_table(part: Mapping[str, Any]) -> Table:
    """Every (topic, stance) pair, end to end."""
    rows = [
        [words(topic), words(stance), *_class_row(part, f"pairs.per_pair.{topic}.{stance}", scores)]
        for topic, per in part["scores"]["pairs"]["per_pair"].items()
        for stance, scores in per.items()
    ]
    return Table("(topic, stance) pairs, end to end", columns("topic", "stance", *_CLASS, words=2), rows, heads=2)


def averages_table(part: Mapping[str, Any]) -> Table:
    """The means over classes, each with what it is over."""
    scores = part["scores"]
    named = {
        "topic micro-F1": ("topics.micro_f1", "topics"),
        "topic macro average precision": ("topics.macro_average_precision", "topics"),
        "example-based F1 of topics": ("topics.example_f1", "segments"),
        "stance accuracy given the topic": ("stances.accuracy", "stances"),
        "favour/against mean": ("stances.favg", "stances"),
        "pair macro-F1": ("pairs.macro_f1", "pairs"),
        "example-based F1 of pairs": ("pairs.example_f1", "segments"),
    }
    support = {
        "topics": sum(one["support"] for one in scores["topics"]["per_topic"].values()),
        "stances": scores["stances"]["support"],
        "pairs": scores["pairs"]["support"],
        "segments": scores["segments"],
    }
    rows = [
        [words(name), estimate(part, path), whole(support[over]), words(over)] for name, (path, over) in named.items()
    ]
    head = columns("mean", "value", "support", "of")
    return Table("Means over the classes", (*head[:-1], columns("of")[0]), rows)


def calibration_table(trust: Mapping[str, Any]) -> Table:
    """Calibration errors before and after the temperatures."""
    rows = []
    for kind, question in (("topics", "presence"), ("stances", "stance")):
        for topic, after in trust["after"][kind].items():
            before = trust["before"][kind][topic]
            values = (before["ece"], after["ece"], before["brier"], after["brier"])
            rows.append([words(topic), words(question), *map(number, values), whole(after["support"])])
    head = columns("topic", "question", "ECE before", "ECE after", "Brier before", "Brier after", "support", words=2)
    return Table("Calibration errors before and after the temperatures", head, rows, heads=2)


def thresholds_table(chosen: Mapping[str, Any]) -> Table:
    """The operating points, chosen on validation and measured here."""
    rows = [
        [
            words(topic),
            words(POINTS[name]),
            number(point["threshold"], 2),
            *(_wilson(point, score) for score in ("precision", "recall")),
            number(point["f1"]),
            whole(point["predicted"]),
            whole(point["support"]),
        ]
        for topic, per in chosen["thresholds"].items()
        for name in POINTS
        if (point := per.get(name))
    ]
    head = columns("topic", "point", "threshold", *_CLASS, words=2)
    return Table("Operating points", head, rows, heads=2)


def first_stage_table(found: Mapping[str, Any], segments: int) -> Table:
    """How a run does behind its first stage, for each recall that this was made for."""
    rows = []
    for recall, level in found.items():
        behind, nothing = level["difference"], Cell(NONE)
        costs = [signed(behind["value"], behind["interval"]), chance(behind["p_holm"])] if behind else [nothing] * 2
        whole_set = [whole(segments), number(level["passes"]), nothing, nothing]
        rows.append([words(recall), words("all segments"), *whole_set, number(level["pair_f1"]), *costs])
        for name, part in {"any topic": level["any_topic"], **level["topics"]}.items():
            counted = [
                whole(part["segments"]),
                number(part["recall"]),
                whole(part["clusters"]),
                number(part["bound"], 4),
            ]
            rows.append([words(recall), words(name), *counted, *[nothing] * 3])
    head = ("made for", "segments with", "segments", "pass", "clusters", "whole, at least")
    costs_head = ("pair-F1", "minus the run alone", "p (Holm)")
    return Table("Behind the first stage", columns(*head, *costs_head, words=2), rows, heads=2)


def slices_tables(slices: Sequence[Mapping[str, Any]]) -> list[Table]:
    """The ranked slices, the worst first, and apart from them those that are not ranked."""
    ranked = [one for one in slices if one["rank"]]
    others = sorted((one for one in slices if not one["rank"]), key=lambda one: -one["segments"])
    head = ("slice", "segments", "gold pairs", "pair-F1", "minus the rest", "p worse (Holm)")
    found = []
    for caption, rows in (("Slices, the worst first", ranked), ("Not ranked", others)):
        if rows:
            shown = rows[:MOST_SLICES]
            left_out = len(rows) - len(shown)
            found.append(Table(caption, columns(*head), [_slice_row(one) for one in shown], left_out=left_out))
    return found


def kinds_table(errors: Mapping[str, Any]) -> Table:
    """How many mistakes are of which kind."""
    rows = [
        [
            words(kind_name(one["kind"])),
            whole(one["count"]),
            number(one["share"], 2),
            whole(one["possible"]),
            number(one["rate"]),
        ]
        for one in errors["kinds"]
    ]
    return Table("Kinds of mistakes", columns("kind", "mistakes", "share", "could have been", "rate"), rows)


def readings_table(found: Mapping[str, Any]) -> Table:
    """Mistakes where the readings of a segment differ, and where they agree."""
    named = {"differ": "the readings differ", "agree": "the readings agree", "once": "read once"}
    rows = [
        [words(name), whole(found[key]["answers"]), whole(found[key]["mistakes"]), number(found[key]["rate"])]
        for key, name in named.items()
    ]
    return Table("Mistakes where the readings differ", columns("where", "answers", "mistakes", "rate"), rows)


def behaviour_kinds_table(behaviour: Mapping[str, Any]) -> Table:
    """The behaviour tests by kind."""
    rows = [
        [
            words(kind),
            whole(found["tests"]),
            whole(found["gates_missed"]),
            whole(found["cases"]),
            number(found["pass_rate"]),
            number(found.get("at_least"), 2),
            words(NONE if found.get("at_least") is None else _gate(kind not in behaviour.get("gates_missed", {}))),
        ]
        for kind, found in behaviour["kinds"].items()
    ]
    head = columns("kind", "tests", "tests that fall short", "cases", "pass rate", "a release needs")
    return Table("Kinds of behaviour tests", (*head, *columns("gate")), rows)


def behaviour_table(caption: str, tests: Sequence[Mapping[str, Any]]) -> Table:
    """Behaviour tests and what a release needs of them."""
    rows = [
        [
            words(test["name"]),
            words(test["kind"]),
            whole(test["cases"]),
            whole(test["sources"]),
            number(test["pass_rate"]),
            number(test["at_least"], 2),
            words(_gate(test["gate_met"])),
        ]
        for test in tests
    ]
    head = columns("test", "kind", "cases", "made of", "pass rate", "a release needs", "gate", words=2)
    return Table(caption, (*head[:-1], columns("gate")[0]), rows)


def kind_name(kind: str) -> str:
    """A kind of mistake in words."""
    return kind.replace("_", " ")


def _class_row(part: Mapping[str, Any], path: str, scores: Mapping[str, Any]) -> list[Cell]:
    counts = [whole(scores["predicted"]), whole(scores["support"])]
    if not met(scores):
        return [Cell(NONE)] * len(_SCORES) + counts
    return [estimate(part, f"{path}.{name}") for name in _SCORES] + counts


def _gate(met: bool) -> str:
    return "✓ met" if met else "✗ missed"


def _wilson(point: Mapping[str, Any], score: str) -> Cell:
    return Cell(figure(point[score]) + bracketed((point[f"{score}_low"], point[f"{score}_high"])), point[score])


def _slice_row(one: Mapping[str, Any]) -> list[Cell]:
    score = one["scores"]["pairs.f1"]
    interval, difference = score["interval"], score["difference"]
    value = Cell(NONE)
    if score["value"] is not None:
        value = Cell(
            figure(score["value"]) + bracketed((interval["low"], interval["high"]) if interval else None),
            score["value"],
        )
    return [
        words(one["name"]),
        whole(one["segments"]),
        whole(score["support"]),
        value,
        signed(difference["value"] if difference else None),
        chance(difference["p_adjusted"] if difference else None),
    ]
