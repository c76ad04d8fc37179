"""A report as files: report.json whole, report.md to read."""

from pathlib import Path
from typing import Any

from rich.table import Table

from naba.jsonl import write_json, write_text

_NAMES = {
    "model": "this run",
    "shipped": "naba-news, as shipped",
    "tfidf": "TF-IDF + logistic regression",
    "majority": "majority",
}


def write_report(folder: Path, report: dict[str, Any]) -> list[Path]:
    """Write report.json and report.md into `folder`; returns their paths."""
    paths = [folder / "report.json", folder / "report.md"]
    write_json(paths[0], report)
    write_text(paths[1], markdown(report))
    return paths


def systems_table(report: dict[str, Any]) -> Table:
    """The systems side by side, for a terminal."""
    table = Table("system", *_HEADLINE, title=f"{report['segments']} segments")
    for name, scores in report["systems"].items():
        table.add_row(_NAMES[name], *_headline(scores))
    return table


def markdown(report: dict[str, Any]) -> str:
    """The report as Markdown: the systems side by side, then the run per topic, per stance and per pair."""
    model = report["systems"]["model"]
    lines = [f"# Evaluation of {report['run']}", ""]
    lines += [
        f"- data: {', '.join(report['data'])}: {report['segments']} segments, {report['distinct_segments']} distinct"
    ]
    if report["seen_in_training"] and report["seen_dropped"]:
        lines.append(
            f"- {report['seen_in_training']} more share an article or text with the training data and were left out"
        )
    elif report["seen_in_training"]:
        lines.append(
            f"- **{report['seen_in_training']} of them share an article or text with the training data: the scores are too high**"
        )
    if report["authored"]:
        lines.append(
            f"- **{report['authored']} of them were authored, not published: they say nothing about real news**"
        )
    lines += [f"- commit {report['commit']}, {report['date']}, torch {report['versions']['torch']}", ""]
    systems = [[_NAMES[name], *_headline(scores)] for name, scores in report["systems"].items()]
    lines += _table(["system", *_HEADLINE], systems)
    lines += ["## Topics", ""]
    lines += _table(["topic", *_COLUMNS], [[topic, *_row(s)] for topic, s in model["topics"]["per_topic"].items()])
    lines += ["## Stances, given the gold topic", ""]
    lines += _table(
        ["topic", "stance", *_COLUMNS],
        [
            [t, stance, *_row(s)]
            for t, per in model["stances"]["per_topic"].items()
            for stance, s in per["stances"].items()
        ],
    )
    lines += ["## (topic, stance) pairs, end to end", ""]
    lines += _table(
        ["topic", "stance", *_COLUMNS],
        [[t, stance, *_row(s)] for t, per in model["pairs"]["per_pair"].items() for stance, s in per.items()],
    )
    return "\n".join(lines)


_HEADLINE = ["topic macro-F1", "stance macro-F1 given the topic", "(topic, stance) pair F1", "exact match"]


def _headline(scores: dict[str, Any]) -> list[str]:
    values = (scores["topics"]["macro_f1"], scores["stances"]["macro_f1"], scores["pairs"]["f1"], scores["exact_match"])
    return [_f(value) for value in values]


_COLUMNS = ["precision", "recall", "F1", "support"]


def _row(scores: dict[str, Any]) -> list[str]:
    if not scores["support"] and not scores["predicted"]:
        return ["–", "–", "–", "0"]
    return [_f(scores["precision"]), _f(scores["recall"]), _f(scores["f1"]), str(scores["support"])]


def _f(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
    ]
