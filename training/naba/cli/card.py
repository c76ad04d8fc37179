"""`naba card`: the model card of a run."""

from pathlib import Path
from typing import Annotated

import typer

from naba.cli.terminal import quiet, show


def card(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    report: Annotated[
        list[Path] | None,
        typer.Option(help="A report.json or its folder; may be repeated. Those in the run folder where not given."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The card; README.md in the run folder where not given.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Of the texts, as ar; may be repeated.")] = None,
    license: Annotated[str | None, typer.Option(help="Of the weights, as apache-2.0.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a card as a whole.")] = False,
) -> None:
    """Write a run's model card for the Hub, with the figures of its reports; keeps what you wrote outside the markers."""
    quiet()
    from naba.evaluation.card.card import write_card
    from naba.evaluation.card.facts import gather
    from naba.paths import find

    folder = find(run)
    facts = gather(folder, [find(path) for path in report] if report else None)
    path = out or folder / "README.md"
    write_card(path, facts, languages=language, license=license, overwrite=overwrite)
    show(f"card: {path}, with the figures of {len(facts.reports)} reports")
