"""A report as files: report.json whole, report.md and report.html to read; and the table of systems for a terminal.

Everything here is made from the report alone, so that a stored report.json can be rendered again.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from naba.evaluation.report_sections import sections
from naba.jsonl import write_json, write_text

NAMES = {
    "model": "this run",
    "rules": "labelling rules",
    "tfidf": "TF-IDF + logistic regression",
    "frozen": "frozen encoder + logistic regression",
    "zero_shot": "nearest description, no labels",
    "majority": "majority",
}
"""Baselines in words; other runs go by the name they were given."""

HEADLINE = {
    "topics.macro_f1": "topic macro-F1",
    "stances.macro_f1": "stance macro-F1 given the topic",
    "pairs.f1": "(topic, stance) pair F1",
    "exact_match": "exact match",
}
"""What systems are compared by: path of the score → its name in a table."""


def write_report(folder: Path, report: Mapping[str, Any]) -> list[Path]:
    """Write report.json, report.md and report.html into `folder`; returns their paths."""
    from naba.evaluation.page import html_report  # draws with what is public here

    paths = [folder / f"report.{kind}" for kind in ("json", "md", "html")]
    write_json(paths[0], dict(report))
    write_text(paths[1], markdown(report))
    write_text(paths[2], html_report(report))
    return paths


def systems_table(report: Mapping[str, Any]) -> Table:
    """The systems side by side with their intervals, for a terminal."""
    table = Table("system", *HEADLINE.values(), title=f"{report['segments']} segments, with 95 % intervals")
    for name, *scores in systems_rows(report):
        # Two lines of eleven characters: so that they fit 80 columns.
        cells = (score.replace(" [", "\n").replace(", ", "–").rstrip("]") for score in scores)
        table.add_row(escape(name), *cells)
    if report["readings"]:
        table.caption = f"{report['readings']['name']}: {readings_line(report)}"
    return table


def systems_rows(report: Mapping[str, Any]) -> list[list[str]]:
    """Name and headline scores of every system, the run first, then by falling pair-F1; what is missing says why."""
    rows = []
    for name in system_names(report):
        part = report["systems"][name]
        shown = NAMES.get(name, name)
        if "scores" in part:
            rows.append([shown, *(with_interval(part, path) for path in HEADLINE)])
        else:
            rows.append([f"{shown} (not to be had: {part['reason']})", *["–"] * len(HEADLINE)])
    return rows


def system_names(report: Mapping[str, Any]) -> list[str]:
    """The systems in the order of every table: the run first, then by falling pair-F1."""
    systems = report["systems"]
    return sorted(systems, key=lambda name: (name != "model", -_pair_f1(systems[name])))


def score_at(scores: Mapping[str, Any] | None, path: str) -> Any:
    """The score with this dotted path; None where there is none."""
    value: Any = scores
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def with_interval(part: Mapping[str, Any], path: str) -> str:
    """A score of a system, as "0.625 [0.552, 0.695]"."""
    value = score_at(part["scores"], path)
    interval = part["intervals"].get(path)
    if value is None:
        return "–"
    return f"{value:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def readings_line(report: Mapping[str, Any]) -> str:
    """The headline scores of the second reading against the first."""
    readings = report["readings"]
    values = [f"{name} {figure(score_at(readings['scores'], path))}" for path, name in HEADLINE.items()]
    return ", ".join(values) + f" ({readings['segments']} segments)"


def figure(value: float | None, digits: int = 3) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table and an empty line."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in (list(head), *cells)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:], ""]


def markdown(report: Mapping[str, Any]) -> str:
    """The report as Markdown: warnings, the systems side by side, then everything about the run."""
    lines = [f"# Evaluation of {report['run']}", "", *warnings(report)]
    lines.append(
        f"- data: {', '.join(report['data'])}: {report['segments']} segments, {report['distinct_segments']} distinct, "
        f"in {report['clusters']} clusters of articles and near-duplicates"
    )
    lines += [f"- {note}" for note in report["systems"]["model"]["notes"]]
    lines += [f"- commit {report['commit']}, {report['date']}, torch {report['versions']['torch']}", ""]
    lines += table(["system", *HEADLINE.values()], systems_rows(report))
    if report["readings"]:
        lines += [f"{report['readings']['name']}: {readings_line(report)}.", ""]
    detectable = report["systems"]["model"]["detectable"]["pairs.f1"]
    if detectable is not None:
        lines += [
            f"Intervals are 95 %, over resampled clusters. With this test set, differences in pair-F1 under {100 * detectable:.1f} "
            "points can't be seen.",
            "",
        ]
    return "\n".join([*lines, *sections(report, table, figure, NAMES)])


def warnings(report: Mapping[str, Any]) -> list[str]:
    """What makes the scores other than they look, as lines of a list."""
    leaks, lines = report["leaks"], []
    if leaks["in_training"] and leaks["dropped"]:
        lines.append(f"- {leaks['in_training']} more share an article or text with the training data and were left out")
    elif leaks["in_training"]:
        lines.append(
            f"- **{leaks['in_training']} segments share an article or text with the training data: the scores are too high**"
        )
    if leaks["in_validation"]:
        lines.append(
            f"- **{leaks['in_validation']} segments are in the run's validation set, on which its checkpoint and thresholds were "
            "chosen: the scores are too high**"
        )
    if leaks["in_training"] is None:
        lines.append("- the run's training data is not at hand: whether it holds these segments could not be checked")
    if report["authored"]:
        lines.append(
            f"- **{report['authored']} segments were authored, not published: they say nothing about real news**"
        )
    return lines


def _pair_f1(part: Mapping[str, Any]) -> float:
    return float(part["scores"]["pairs"]["f1"]) if "scores" in part else -1.0
