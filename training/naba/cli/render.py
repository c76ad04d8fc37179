"""`naba render`: a stored report as pages again."""

from pathlib import Path
from typing import Annotated

import typer

from naba.cli.terminal import show


def render(
    report: Annotated[Path, typer.Argument(help="report.json or comparison.json, or the folder of one.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write to; the file's own where not given.")] = None,
) -> None:
    """Write the Markdown and the page of a stored report or comparison again; nothing is computed."""
    from naba.errors import DataError
    from naba.evaluation.comparison.report import write_comparison
    from naba.evaluation.report import write_report
    from naba.evaluation.stored.report import check_comparison, read_report
    from naba.jsonl import read_json
    from naba.paths import find

    path = find(report)
    if path.is_dir():
        inside = [path / name for name in ("report.json", "comparison.json") if (path / name).is_file()]
        if not inside:
            raise DataError(f"{report}: holds no report.json and no comparison.json; `naba evaluate` writes one")
        path = inside[0]
    folder = out or path.parent
    if path.name.startswith("comparison"):
        files = write_comparison(folder, check_comparison(read_json(path), str(path)))
    else:
        files = write_report(folder, read_report(path))
    show("written: " + ", ".join(map(str, files)))
