"""The page of labelled articles: one file that loads nothing, and runs nothing but its own script.

write_page([Path("labelled.jsonl")], Path("labelled.html"))
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from naba.errors import DataError
from naba.evaluation.page.environment import asset, environment, policy
from naba.jsonl import write_text
from naba.labelling.labelled_files import LabelledRow, read_labelled
from naba.labelling.viewer.tints import combination_style, stance_styles, topic_styles
from naba.labelling.viewer.view import BLOCK, Shown, gather, name
from naba.progress import SILENT, Progress

HERE = "naba.labelling.viewer"


@dataclass(frozen=True)
class PageWritten:
    """What a page holds."""

    articles: int
    segments: int
    more: bool
    """Whether the files hold more articles than the page."""


def write_page(
    paths: Sequence[Path],
    out: Path,
    *,
    limit: int | None = None,
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> PageWritten:
    """Write labelled articles as a page.

    Args:
        paths: what `naba label` wrote (see `naba.labelling.labelled_files.read_labelled`).
        out: the file, which ends in .html.
        limit: show the first so many articles; all where None.

    Raises:
        DataError: files that cannot be read as labelled articles, hold none or more than a page can show, or an output
            that cannot be written, or that is there already and not to be overwritten.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise DataError(f"{out}: the page is a file that ends in .html; choose another --out")
    if out.is_dir():
        raise DataError(f"{out}: is a folder; choose another --out")
    if out.exists() and not overwrite:
        raise DataError(f"{out}: is there already; choose another --out, or pass --overwrite to replace it")

    def watched() -> Iterator[LabelledRow]:
        with progress.task("reading", None, "articles") as advance:
            for row in read_labelled(paths):
                advance(1, "")
                yield row

    shown = gather(watched(), limit)
    write_text(out, html_articles(shown, [path.name or str(path) for path in paths]))
    return PageWritten(len(shown.articles), shown.segments, shown.more)


def html_articles(shown: Shown, files: Sequence[str]) -> str:
    """The page, from what it shows and the names of the files that this was read from."""
    tints = [combination_style(css_class, topics) for topics, css_class in shown.combinations.items()]
    style = "\n".join(
        [
            asset("style.css"),
            asset("viewer.css", HERE),
            topic_styles(len(shown.topics)) + stance_styles(len(shown.stances)) + "".join(tints),
        ]
    )
    script = asset("page.js") + asset("viewer.js", HERE)
    return environment(HERE).get_template("articles.html.j2").render(
        shown=shown,
        topics=[name(topic) for topic in shown.topics],
        stances=[name(stance) for stance in shown.stances],
        files=list(files),
        block_size=BLOCK,
        index=_embedded(shown.index()),
        style=Markup(style),
        script=Markup(script),
        policy=policy(style, script),
    )  # fmt: skip


def _embedded(value: Any) -> Markup:
    """JSON that can stand in a script element: no "<" could end it or start a comment."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))
