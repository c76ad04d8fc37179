"""One summary: labelled files in; articles.csv, trends.csv and index.html out, the page last.

summarise_paths([Path("labelled")], Path("summary"), by="week")
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from naba.errors import DataError
from naba.jsonl import atomic_open, write_text
from naba.labelling.labelled_files import labelled_files, read_labelled
from naba.labelling.labelled_row import LabelledRow
from naba.labelling.summarise import tables
from naba.labelling.summarise.article_topics import article_topics
from naba.labelling.summarise.page import html_summary
from naba.labelling.summarise.trends import By, Trends
from naba.labelling.summarise.view import Summary
from naba.out_folder import hold
from naba.progress import SILENT, Advance, Progress

ARTICLES, TRENDS, PAGE = "articles.csv", "trends.csv", "index.html"


def summarise_paths(
    paths: Sequence[Path],
    out: Path,
    *,
    by: By = "week",
    outlets: int = 6,
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Summarise labelled files into a folder; an article at a time is in memory, and the groups' counts.

    Args:
        paths: what `naba.labelling.labelled_files.read_labelled` reads. out: the folder.
        by: the period of trends. outlets: so many are drawn one by one, the smaller ones as one.

    Raises:
        DataError: no labelled segment in all the files, a path or line that cannot be used, or an output that is there
            already and not to be overwritten. ConfigError: the folder cannot be used.
    """
    found = labelled_files(paths)
    summary = Summary(
        [path.name for path in found.files], [str(folder) for folder in found.unfinished], Trends(by), outlets
    )
    with hold(out, lambda: _check_free(out, overwrite=overwrite)):
        with atomic_open(out / ARTICLES) as articles, progress.task("reading", None, "articles") as advance:
            _read(paths, articles, summary, advance)
            if not summary.trends.topics:
                raise DataError(f"{_named(paths)}: no labelled segment in it; there is nothing to summarise")
            html = html_summary(summary)
            with suppress(FileNotFoundError):
                (out / PAGE).unlink()  # a page beside tables that it was not made with would say what is not true
        with atomic_open(out / TRENDS) as file:
            table = tables.table_writer(file, tables.trend_columns(summary.trends.stances))
            table.writerows(tables.trend_rows(summary.trends))
        write_text(out / PAGE, html)
    return summary


def _read(paths: Sequence[Path], file: IO[str], summary: Summary, advance: Advance) -> None:
    """Count all articles, and write articles.csv as they come."""
    table = None
    early: list[LabelledRow] = []  # articles without a segment, which come before the stances are known
    for row in read_labelled(paths):
        topics = article_topics(row)
        summary.add(row, topics)
        advance(1, "")
        if table is None and not summary.trends.topics:
            early.append(row)
            continue
        stances = summary.trends.stances
        if table is None:
            table = tables.table_writer(file, tables.article_columns(stances))
            for one in early:
                table.writerows(tables.article_rows(one, [], stances))
        table.writerows(tables.article_rows(row, topics, stances))


def _check_free(out: Path, *, overwrite: bool) -> None:
    there = [name for name in (ARTICLES, TRENDS, PAGE) if (out / name).exists()]
    if there and not overwrite:
        raise DataError(
            f"{out}: holds {', '.join(there)} already; choose another --out, or pass --overwrite to replace them"
        )


def _named(paths: Sequence[Path]) -> str:
    shown = ", ".join(map(str, paths[:3]))
    return f"{shown} and {len(paths) - 3} more" if len(paths) > 3 else shown
