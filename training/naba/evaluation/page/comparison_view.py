"""What the template of a comparison's page is given: runs side by side, and every pair of them tested."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from naba.evaluation.comparison.report import verdict
from naba.evaluation.figures import HEADLINE, NONE, bracketed, met
from naba.evaluation.page.drawing import Picture
from naba.evaluation.page.forests import Estimate, forest
from naba.evaluation.page.report_pictures import scores_picture
from naba.evaluation.page.visible import cut, visible
from naba.evaluation.report_tables import difference_cells, difference_columns
from naba.evaluation.tables import Cell, Table, columns, estimate, pairs_first, whole, words
from naba.evaluation.wording import (
    authored_warnings,
    held,
    independent,
    leak_notes,
    leak_warnings,
    no_mcnemar,
    unmarked,
)

_LONGEST = 19
"""Letters of a run's name in a picture of pairs."""
_MOST_RUNS, _MOST_PAIRS = 30, 60
"""Runs, and pairs of runs, that are drawn; the tables have all."""

_CONTENTS = (
    ("result", "Result"),
    ("runs", "Runs"),
    ("differences", "Differences"),
    ("topics", "Topics"),
    ("stances", "Stances"),
    ("pairs", "Pairs"),
    ("how", "How this was made"),
)


def comparison_view(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of comparison.html.j2."""
    runs, pairs = comparison["runs"], comparison["differences"]
    drawn = dict(list(runs.items())[:_MOST_RUNS])
    differences = [table for path in pairs_first() if (table := _differences_table(comparison, path)).rows]
    return {
        "entries": [entry for entry in _CONTENTS if entry[0] != "differences" or differences],
        "comparison": comparison,
        "verdict": verdict(comparison),
        "warnings": _warnings(comparison),
        "notes": {
            name: [*(unmarked(line) for line in leak_notes(run["leaks"])), *run["notes"]] for name, run in runs.items()
        },
        "no_mcnemar": no_mcnemar(comparison),
        "runs": _runs_table(runs),
        "runs_picture": scores_picture("runs", "Runs side by side", drawn, first=False),
        "differences_picture": _differences_picture(pairs),
        "matrix": _matrix(list(runs), pairs),
        "differences": differences,
        "topics": _side_by_side(runs, "Topics, F1", ("topic",), _topics),
        "stances": _side_by_side(runs, "Stances given the topic, F1", ("topic", "stance"), _stances),
        "pairs": _side_by_side(runs, "(topic, stance) pairs, F1", ("topic", "stance"), _pairs),
    }


def _warnings(comparison: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Run → what makes its scores other than they look."""
    found = [("all runs", authored_warnings(comparison["authored"]))]
    found += [(name, leak_warnings(run["leaks"])) for name, run in comparison["runs"].items()]
    return [(name, [unmarked(line) for line in lines]) for name, lines in found if lines]


def _runs_table(runs: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = [
        [
            words(name),
            *(estimate(run, path) for path in HEADLINE),
            whole(run["scores"]["pairs"]["support"]),
            words(run["basis"]),
        ]
        for name, run in runs.items()
    ]
    head = columns("run", *HEADLINE.values(), "gold pairs", "made of")
    return Table("Runs side by side, with 95 % intervals", (*head[:-1], columns("made of")[0]), rows)


def _matrix(names: Sequence[str], pairs: Sequence[Mapping[str, Any]]) -> Table:
    """The run of the row minus that of the column, in pair-F1, and whether the difference holds."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for pair in pairs:
        difference = pair["differences"].get("pairs.f1")
        if difference:
            found[pair["first"], pair["second"]] = difference
            found[pair["second"], pair["first"]] = difference | {"value": -difference["value"]}
    rows = [[words(row), *(_matrix_cell(found.get((row, column))) for column in names)] for row in names]
    return Table("Run of the row minus run of the column, pair-F1", columns("run", *names), rows)


def _matrix_cell(difference: Mapping[str, Any] | None) -> Cell:
    if difference is None:
        return Cell(NONE)
    told = held(difference)
    holds = told in ("better", "worse")
    return Cell(f"{difference['value']:+.3f} {told}", difference["value"], told if holds else "")


def _differences_table(comparison: Mapping[str, Any], path: str) -> Table:
    tested = independent(comparison)
    rows = [
        [words(pair["first"]), words(pair["second"]), *difference_cells(found, pair["mcnemar"], mcnemar_too=tested)]
        for pair in comparison["differences"]
        if (found := pair["differences"].get(path))
    ]
    head = (*columns("first", "second", words=2), *difference_columns("the first is", mcnemar_too=tested))
    return Table(f"Every pair of runs, {HEADLINE[path]}", head, rows, heads=2)


def _differences_picture(pairs: Sequence[Mapping[str, Any]]) -> Picture | None:
    rows = []
    for pair in pairs[:_MOST_PAIRS]:
        found = pair["differences"].get("pairs.f1")
        if found:
            told = (f"{found['value']:+.3f}{bracketed(found['interval'])}", held(found))
            name = " − ".join(cut(visible(pair[side]), _LONGEST) for side in ("first", "second"))
            rows.append(Estimate(name, found["value"], found["interval"], told))
    if not rows:
        return None
    return forest("differences", "Differences in pair-F1 between runs", rows, "difference in pair-F1", reference=0)


_Classes = Callable[[Mapping[str, Any]], dict[tuple[str, ...], tuple[str, Mapping[str, Any]]]]


def _side_by_side(
    runs: Mapping[str, Mapping[str, Any]], caption: str, heads: Sequence[str], classes: _Classes
) -> Table:
    """Classes in rows, runs in columns, support at the end."""
    of_runs = [(run, classes(run["scores"])) for run in runs.values()]
    rows = []
    for key, (path, scores) in of_runs[0][1].items() if of_runs else ():
        values = [
            Cell(NONE) if key not in of_run or not met(of_run[key][1]) else estimate(run, f"{path}.f1")
            for run, of_run in of_runs
        ]
        rows.append([*map(words, key), *values, whole(scores["support"])])
    return Table(caption, columns(*heads, *runs, "support", words=len(heads)), rows, heads=len(heads))


def _topics(scores: Mapping[str, Any]) -> dict[tuple[str, ...], tuple[str, Mapping[str, Any]]]:
    per_topic = scores["topics"]["per_topic"]
    return {(topic,): (f"topics.per_topic.{topic}", part) for topic, part in per_topic.items()}


def _stances(scores: Mapping[str, Any]) -> dict[tuple[str, ...], tuple[str, Mapping[str, Any]]]:
    return {
        (topic, stance): (f"stances.per_topic.{topic}.stances.{stance}", part)
        for topic, per in scores["stances"]["per_topic"].items()
        for stance, part in per["stances"].items()
    }


def _pairs(scores: Mapping[str, Any]) -> dict[tuple[str, ...], tuple[str, Mapping[str, Any]]]:
    return {
        (topic, stance): (f"pairs.per_pair.{topic}.{stance}", part)
        for topic, per in scores["pairs"]["per_pair"].items()
        for stance, part in per.items()
    }
