"""`naba summarise`: labelled articles as tables over time and by outlet, with a page."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from naba.cli.terminal import Bars, Replace, show


def summarise(
    paths: Annotated[
        list[Path], typer.Argument(help="Labelled JSONL of `naba label`: files, or the folders it filled.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of articles.csv, trends.csv and index.html.")],
    by: Annotated[Literal["week", "month", "day"], typer.Option(help="The period of a trend.")] = "week",
    outlets: Annotated[
        int, typer.Option(min=1, max=30, help="So many outlets are drawn one by one, the smaller ones as one.")
    ] = 6,
    overwrite: Replace = False,
) -> None:
    """Sum up labelled articles: topics and stances an article, and their shares over time and by outlet."""
    from naba.labelling.summarise.job import summarise_paths

    summary = summarise_paths(paths, out, by=by, outlets=outlets, overwrite=overwrite, progress=Bars())
    total = summary.trends.total()
    show(f"{total.articles:,} articles, {total.segments:,} segments: {out / 'index.html'}, articles.csv, trends.csv")
    for told, place in (("undated", 0), ("of an unknown source", 1)):
        articles = summary.trends.total(key for key in summary.trends.groups if key[place] is None).articles
        if articles:
            show(f"{articles:,} {'article is' if articles == 1 else 'articles are'} {told}, and counted as such")
