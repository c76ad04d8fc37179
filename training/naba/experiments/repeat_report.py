"""A repeat and its comparison with another as Markdown: the tables that the terminal shows, the notes, what they rest on.

write_report(Path("models/repeated"), summary)                               # repeat.md
write_comparison_report(file, comparison, summary, first, second)            # beside compared-with-OTHER.json
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from naba.experiments.experiment_tables import comparison_sheet, runs_sheet, summary_sheet
from naba.experiments.repeat_comparison import Comparison
from naba.experiments.repeat_files import PREDICTIONS, REPORT, SUMMARY
from naba.experiments.wording import counted
from naba.jsonl import write_text


def write_report(folder: Path, summary: Mapping[str, Any]) -> Path:
    """Write repeat.md into the folder of a repeat; returns its path."""
    lines = [f"# {folder.resolve().name}: {counted(len(summary['runs']), 'run')}", "", *_facts(summary), ""]
    lines += [*runs_sheet(summary).as_markdown(), *summary_sheet(summary).as_markdown()]
    if summary["notes"]:
        lines += ["Notes:", "", *(f"- {note}" for note in summary["notes"]), ""]
    lines.append(f"All scores: `{SUMMARY}`; every answer: `{PREDICTIONS}`.")
    return _written(folder / REPORT, lines)


def write_comparison_report(
    file: Path, comparison: Comparison, summary: Mapping[str, Any], first: Path, second: Path
) -> Path:
    """Write a comparison as Markdown beside its JSON file; returns its path.

    Args:
        summary: of the first experiment.
    """
    lines = [f"# {first.resolve().name} compared with {second.resolve().name}", "", f"- this: `{first}`"]
    lines += [f"- other: `{second}`", f"- commit {summary['commit']}, {summary['date']}", ""]
    lines += comparison_sheet(comparison, summary["headline"]).as_markdown()
    if left_out := comparison.only_first + comparison.only_second:
        lines += [f"Left out, for only one of the two has scored them: {counted(left_out, 'segment')}.", ""]
    lines.append(f"All scores: `{file.name}`.")
    return _written(file.with_suffix(".md"), lines)


def _facts(summary: Mapping[str, Any]) -> list[str]:
    data = ", ".join(f"{path} ({mark})" for path, mark in summary["data"].items())
    encoder = ", ".join(f"{value}" for key, value in summary["encoder"].items() if value and key != "base")
    return [
        f"- data, with a mark of their content: {data}",
        f"- encoder: {encoder}; labels: {summary['schema']['name']}",
        f"- commit {summary['commit']}, {summary['date']}, torch {summary['versions']['torch']}",
    ]


def _written(path: Path, lines: Sequence[str]) -> Path:
    write_text(path, "\n".join(lines) + "\n")
    return path
