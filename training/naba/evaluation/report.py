"""A report as files: report.json whole, report.md and report.html to read; and the table of systems for a terminal.

Everything here is made from the report alone, so that a stored report.json can be rendered again. How figures, words and
tables look, in all of them: figures, wording, report_tables.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from naba.evaluation.figures import HEADLINE
from naba.evaluation.markdown_table import escaped, table
from naba.evaluation.report_sections import sections
from naba.evaluation.wording import notes, readings_line, systems_rows, unseen, warnings
from naba.jsonl import write_json, write_text


def write_report(folder: Path, report: Mapping[str, Any]) -> list[Path]:
    """Write report.json, report.md and report.html into `folder`; returns their paths."""
    from naba.evaluation.page.render import html_report  # loads Jinja

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
        table.caption = escape(readings_line(report))
    return table


def markdown(report: Mapping[str, Any]) -> str:
    """The report as Markdown: warnings, the systems side by side, then everything about the run."""
    lines = [f"# Evaluation of {escaped(report['run'])}", "", *map(escaped, (*warnings(report), *notes(report)))]
    lines.append(
        f"- data: {escaped(', '.join(report['data']))}: {report['segments']} segments, {report['distinct_segments']} distinct, "
        f"in {report['clusters']} clusters of articles and near-duplicates"
    )
    lines += [f"- {escaped(note)}" for note in report["systems"]["model"]["notes"]]
    lines += [f"- commit {report['commit']}, {report['date']}, torch {report['versions']['torch']}", ""]
    lines += table(["system", *HEADLINE.values()], systems_rows(report))
    if report["readings"]:
        lines += [f"{escaped(readings_line(report))}.", ""]
    lines += [" ".join(filter(None, ("Intervals are 95 %, over resampled clusters.", unseen(report)))), ""]
    return "\n".join([*lines, *sections(report)])
