"""Commands between votes and labels: how far annotators agree, and what their votes come to."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from naba.cli.terminal import Replace, console, say, show
from naba.errors import DataError, NabaError

SHOWN = 3
"""Most pairs of annotators whose confusions are printed; the report has all."""
Schema = Annotated[Path, typer.Option("--labels", help="The label schema.")]


def resolve(
    votes: Annotated[list[Path], typer.Argument(help="JSONL of votes, or of labelled rows with several readings.")],
    out: Annotated[Path, typer.Option(help="Where to write the labelled segments.")],
    method: Annotated[
        Literal["majority", "dawid-skene", "mace", "weighted"],
        typer.Option(help="How votes are weighed; weighted learns the weights from --gold."),
    ] = "majority",
    min_confidence: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="An answer less probable than this becomes unknown.")
    ] = 0.5,
    gold: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled JSONL that every annotator and resolver is compared with; may be repeated."),
    ] = None,
    adjudicated: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled JSONL that has the last word, as naba agreement lists it; may be repeated."),
    ] = None,
    labels: Schema = Path("configs/labels.yaml"),
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of MACE's random starts.")] = 1,
    overwrite: Replace = False,
) -> None:
    """Resolve votes of people, rules and models into labels with a confidence; an adjudicated vote wins."""
    from naba.dataset.labelled import load_labelled, write_labelled
    from naba.paths import find
    from naba.schema import LabelSchema
    from naba.voting import resolve as resolver
    from naba.voting.adjudication import adjudicated_votes, undecided
    from naba.voting.vote_table import VoteTable
    from naba.voting.votes import load_votes

    _refuse(out, overwrite)
    schema = LabelSchema.load(find(labels))
    given = load_votes(votes, schema)
    known = {vote.item.segment.id for vote in given}
    decisions = []
    for path in adjudicated or []:
        items = load_labelled([path], schema)
        decisions += adjudicated_votes(items, str(path))
        if strange := sum(item.segment.id not in known for item in items):
            say(
                f"naba: {path}: {strange:,} of {len(items):,} rows are of segments that nobody voted on; they are added"
            )
        if left := undecided(items):
            show(
                f"{path}: {left:,} of {len(items):,} rows still have a topic at issue without a label; votes decide it"
            )
    _advise(VoteTable.from_votes(given, schema)[0], method)
    truth = load_labelled(gold, schema) if gold else []
    rows = resolver.resolve([*given, *decisions], schema, method, min_confidence, seed, truth)
    if gold:
        _compare(given, truth, schema, seed)
    write_labelled(out, rows)
    annotators = len({vote.annotator for vote in given})
    show(f"{out}: {len(rows):,} segments from {len(given):,} votes of {annotators:,} annotators")
    for topic in schema.topic_ids:
        judged = [row.labels[topic] for row in rows]
        present, absent = (
            sum(label.present is True for label in judged),
            sum(label.present is False for label in judged),
        )
        bare = sum(label.present is True and label.stance is None for label in judged)
        show(
            f"  {topic}: {present:,} present"
            + (f" ({bare:,} of them of unknown stance)" if bare else "")
            + f", {absent:,} absent, {len(judged) - present - absent:,} unknown"
        )


def agreement(
    data: Annotated[list[Path], typer.Argument(help="JSONL of votes, or of labelled rows with several readings.")],
    disagreements: Annotated[
        Path | None, typer.Option(help="Write the segments on which annotators differ, for adjudication.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the measures and all confusions as JSON.")] = None,
    labels: Schema = Path("configs/labels.yaml"),
    overwrite: Replace = False,
) -> None:
    """Measure how far annotators agree: kappa and alpha per topic, on presence and on stance, and who confuses what."""
    from naba.dataset.labelled import load_labelled
    from naba.jsonl import write_json, write_jsonl
    from naba.paths import find
    from naba.schema import LabelSchema
    from naba.voting import adjudication
    from naba.voting import agreement as module
    from naba.voting.vote_table import VoteTable

    for path in filter(None, (disagreements, out)):
        _refuse(path, overwrite)
    schema = LabelSchema.load(find(labels))
    items = load_labelled(data, schema)
    table, _ = VoteTable.from_votes([v for item in items for v in adjudication.votes_of(item, schema)], schema)
    segments = module.segments_in_common(table)
    if not segments:
        raise NabaError(
            f"{', '.join(map(str, data))}: no segment was judged twice; expected rows with two 'readings' or votes of two "
            "annotators, see data/README.md for the format"
        )
    rows, confusions = module.agreement_of(table, schema), module.confusions(table, schema)
    console().print(module.agreement_table(rows, segments))
    pairs = len({(confusion.first, confusion.second) for confusion in confusions})
    if pairs <= SHOWN:
        for confusion in confusions:
            console().print(module.confusion_table(confusion))
    else:
        show(f"{pairs:,} pairs of annotators: --out FILE writes the confusions of each")
    if out:
        write_json(out, module.agreement_report(rows, confusions, segments))
        show(f"report: {out}")
    if disagreements:
        count = write_jsonl(disagreements, adjudication.disagreements(items, schema))
        show(f"{count:,} segments on which annotators differ: {disagreements}")


def _refuse(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise DataError(f"{path}: already there; name another file, or replace it with --overwrite")


def _advise(table: Any, method: str) -> None:
    """Say so where a resolver that learns from the votes alone has little to learn from."""
    single = table.one_answer()
    if method in ("dawid-skene", "mace") and single:
        show(
            f"{single:,} of {len(table.annotators):,} annotators only ever give one answer on a topic: {method} learns "
            "nothing of them; majority and weighted count them"
        )


def _compare(votes: list[Any], gold: list[Any], schema: Any, seed: int) -> None:
    """Print how each annotator and each resolver meets gold."""
    from naba.voting import vote_quality
    from naba.voting.aggregate import METHODS
    from naba.voting.resolve import decide
    from naba.voting.vote_table import VoteTable, gold_of

    table, _ = VoteTable.from_votes(votes, schema)
    truth = gold_of(gold, table.segment_ids, schema)
    known = vote_quality.gold_segments(truth)
    if not known:
        raise DataError("no segment of the gold was voted on, so there is nothing to compare; texts must be the same")
    rows = vote_quality.annotator_quality(table, truth, schema)
    curves = {}
    for method in METHODS:
        try:
            resolved = vote_quality.resolve_fairly(table, schema, method, truth, seed)
        except NabaError as error:
            show(f"{method} is left out of the comparison: {error}")
            continue
        rows.append(vote_quality.quality(method, decide(resolved)[0], truth, schema))
        curves[method] = vote_quality.confidence_curve(resolved, truth)
    console().print(vote_quality.quality_table(rows, known))
    console().print(vote_quality.curve_table(curves))
