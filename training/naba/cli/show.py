"""`naba show`: labelled articles as a page to read."""

from pathlib import Path
from typing import Annotated

import typer

from naba.cli.terminal import Bars, Replace
from naba.cli.terminal import show as tell


def show(
    paths: Annotated[list[Path], typer.Argument(help="What `naba label` wrote: .jsonl files, folders or patterns.")],
    out: Annotated[Path, typer.Option(help="The page, a file that ends in .html.")] = Path("labelled.html"),
    limit: Annotated[int | None, typer.Option(min=1, help="Show the first so many articles.")] = None,
    overwrite: Replace = False,
) -> None:
    """Write labelled articles as one page to read and filter in a browser, without any connection."""
    from naba.labelling.viewer import write_page

    page = write_page(paths, out, limit=limit, overwrite=overwrite, progress=Bars())
    first = "the first " if page.more else ""
    articles, segments = (
        f"{number:,} {noun}{'s' if number != 1 else ''}"
        for number, noun in ((page.articles, "article"), (page.segments, "segment"))
    )
    tell(f"{out}: {first}{articles}, {segments}")
    if page.more:
        tell(f"  the files hold more; --limit {limit} left them out")
