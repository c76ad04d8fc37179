"""The command for those who write labelling rules: how good is each, and what fires on a sentence."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naba.cli.terminal import Bars, console, say, show
from naba.errors import NabaError

if TYPE_CHECKING:
    from naba.voting.rules.report import RulesReport
    from naba.voting.rules.ruleset import RuleSet

_DATA = (Path("data/authored.jsonl"), Path("data/seed-gold.jsonl"))


def rules(
    data: Annotated[
        list[Path] | None, typer.Argument(help="Labelled JSONL; data/authored.jsonl and data/seed-gold.jsonl if none.")
    ] = None,
    folder: Annotated[Path, typer.Option("--rules", help="The folder of the rules.")] = Path("configs/rules"),
    labels: Annotated[Path, typer.Option(help="The label schema.")] = Path("configs/labels.yaml"),
    out: Annotated[Path | None, typer.Option(help="Write the whole report as JSON.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="Show so many wrongly voted segments for each rule.")] = 0,
    text: Annotated[str | None, typer.Option(help="Show the rules that fire on this text, and where.")] = None,
) -> None:
    """Report coverage, overlap, conflicts and accuracy of every labelling rule against labelled segments."""
    from naba.dataset.labelled import load_labelled
    from naba.jsonl import write_json
    from naba.paths import find
    from naba.schema import LabelSchema
    from naba.voting.rules.report import measure
    from naba.voting.rules.ruleset import RuleSet

    schema = LabelSchema.load(find(labels))
    found = RuleSet.load(find(folder), schema)
    if text is not None:
        if data or out or examples:
            raise NabaError("--text goes alone: it tries the rules on one text, not on labelled data")
        return _try(found, text)
    paths = data or list(_DATA)
    report = measure(found, load_labelled(paths, schema), schema, examples=examples, progress=Bars())
    _print(report)
    if out:
        sources = {"data": [str(path) for path in paths], "schema": schema.name, "labels": schema.fingerprint}
        write_json(out, sources | report.to_json())
        show(f"{out}: the whole report")
    for fault in found.unproven():
        say(f"naba: warning: {fault}")
    return None


def _try(found: "RuleSet", text: str) -> None:
    from naba.voting.rules.tables import firings_table

    if not text.strip():
        raise NabaError("--text is empty; give it a sentence in quotes")
    firings = found.explain(text)
    if firings:
        console().print(firings_table(firings))
    else:
        show("no rule fires")


def _print(report: "RulesReport") -> None:
    from naba.voting.rules.tables import conflicts_table, rules_table, topics_table

    console().print(rules_table(report))
    console().print(topics_table(report))
    if report.conflicts:
        console().print(conflicts_table(report))
    for rule in report.rules:
        if rule.wrong:
            show(f"{rule.rule} votes {' '.join(rule.said)}, wrongly on:")
        for text in rule.wrong:
            show(f"  – {text}")
