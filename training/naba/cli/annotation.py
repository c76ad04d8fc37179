"""Commands that send segments to annotation tools and bring the answers back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from naba.cli.terminal import Bars, Replace, quiet, show
from naba.errors import DataError

if TYPE_CHECKING:
    from naba.annotation import Imported, Task
    from naba.schema import LabelSchema

app = typer.Typer(help="Send segments to annotators and bring their answers back as votes.", no_args_is_help=True)

Tool = Annotated[
    Literal["label-studio", "doccano", "argilla", "prodigy"],
    typer.Option(help="The annotation tool.", show_default=False),
]
Schema = Annotated[Path, typer.Option(help="The label schema.")]
SHOWN = 5
"""Places named for each reason why answers were left out."""


@app.command("export")
def export(
    segments: Annotated[list[Path], typer.Argument(help="Segments as JSONL, with labels or without.")],
    tool: Tool,
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    labels: Schema = Path("configs/labels.yaml"),
    suggestions: Annotated[
        list[Path] | None,
        typer.Option(help="Votes of models, rules or people to show as suggestions; may be repeated."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="A run folder whose answers are shown as suggestions.")] = None,
    prefill: Annotated[
        bool, typer.Option("--prefill", help="Show the segments' own labels as the first suggestion, to be corrected.")
    ] = False,
    overwrite: Replace = False,
) -> None:
    """Write tasks, labelling interface and instructions for an annotation tool."""
    from naba.annotation import TOOLS, export_tasks, load_segments, make_tasks
    from naba.paths import find
    from naba.records import Vote
    from naba.schema import LabelSchema
    from naba.voting.votes import load_votes

    if out.exists() and not out.is_dir():
        raise DataError(f"{out}: a file; --out names a folder")
    if out.is_dir() and any(out.iterdir()) and not overwrite:
        raise DataError(f"{out}: not empty; name another folder, or replace its files with --overwrite")
    schema = LabelSchema.load(find(labels))
    items = load_segments(segments, schema)
    votes = [Vote(item, "existing labels") for item in items] if prefill else []
    given = load_votes(suggestions, schema) if suggestions else []
    tasks = make_tasks(items, [*votes, *given])
    if model:
        tasks = _with_model(tasks, model, schema)
    files = export_tasks(tool, tasks, schema, out)
    shown = sum(bool(task.suggestions) for task in tasks)
    show(f"{out}: {len(tasks):,} tasks, {shown:,} with a suggestion: " + ", ".join(file.name for file in files))
    if repeats := len(items) - len(tasks):
        show(f"  {repeats:,} segments repeat a text: it is asked once, and each gets the answer")
    ids = {task.segment.id for task in tasks}
    if foreign := sum(vote.item.segment.id not in ids for vote in given):
        show(f"  left out {foreign:,} suggestions: on other segments")
    show(f"  {TOOLS[tool].NEXT}")


@app.command("import")
def import_(
    exports: Annotated[list[Path], typer.Argument(help="What the tool exported.")],
    tool: Tool,
    out: Annotated[Path, typer.Option(help="The votes to write, as JSONL.")],
    labels: Schema = Path("configs/labels.yaml"),
    adjudicated: Annotated[
        bool, typer.Option("--adjudicated", help="Mark the answers as the last word: an adjudicator gave them.")
    ] = False,
    annotators: Annotated[
        Path | None, typer.Option(help="YAML map of the tool's user id → the annotator's name in the votes.")
    ] = None,
    overwrite: Replace = False,
) -> None:
    """Read annotators' answers back as votes; skipped, draft and unreviewed ones are counted and left out."""
    from naba.annotation import import_votes, load_names
    from naba.paths import find
    from naba.schema import LabelSchema
    from naba.voting.votes import write_votes

    if out.exists() and not overwrite:
        raise DataError(f"{out}: already there; name another file, or replace it with --overwrite")
    schema = LabelSchema.load(find(labels))
    names = load_names(annotators) if annotators else {}
    imported = import_votes(tool, [find(path) for path in exports], schema, names, adjudicated=adjudicated)
    write_votes(out, imported.votes)
    _tell(out, imported)


def _with_model(tasks: "list[Task]", model: str, schema: "LabelSchema") -> "list[Task]":
    quiet()
    from dataclasses import replace

    from naba import Labeller
    from naba.annotation import Suggestion
    from naba.paths import find

    labeller = Labeller.load(find(Path(model)))
    if labeller.schema.fingerprint != schema.fingerprint:
        raise DataError(
            f"{model}: labels by the schema {labeller.schema.name!r}, not {schema.name!r}; name the model's with --labels"
        )
    voter = f"model:{Path(model).resolve().name}"
    predictions = labeller.label([task.segment.text for task in tasks], progress=Bars())
    return [
        replace(task, suggestions=(*task.suggestions, Suggestion.from_prediction(voter, prediction)))
        for task, prediction in zip(tasks, predictions, strict=True)
    ]


def _tell(out: Path, imported: "Imported") -> None:
    from collections import Counter

    by_annotator = Counter(vote.annotator for vote in imported.votes)
    segments = len({vote.item.segment.id for vote in imported.votes})
    show(f"{out}: {len(imported.votes):,} votes on {segments:,} segments")
    for name, count in by_annotator.most_common():
        show(f"  {name}: {count:,}")
    for reason, places in imported.left_out.items():
        named = (
            f": {', '.join(places[:SHOWN])}{', …' if len(places) > SHOWN else ''}" if reason == "contradictory" else ""
        )
        show(f"  left out {len(places):,}: {reason}{named}")
