"""Commands that say what a person should look at: labels that look wrong, and what to label next."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naba.cli.terminal import Bars, Replace, console, quiet, say, show

if TYPE_CHECKING:
    from naba.labelling.labeller import Labeller
    from naba.records import LabelledSegment
    from naba.schema import LabelSchema
    from naba.tfidf import Floats, Probabilities

SHOWN = 20
"""Suspicious segments shown where --top is not given."""
RUN_WORDS = 13
"""A segment that shares a run of this many words with training counts as seen, as in evaluation."""

Labels = Annotated[Path, typer.Option(help="The label schema; a model brings its own.")]


class Method(StrEnum):
    """How segments are picked (naba.dataset.select)."""

    diverse = "diverse"
    uncertainty = "uncertainty"
    random = "random"


def suspects(
    data: Annotated[list[Path], typer.Argument(help="Labelled JSONL.")],
    model: Annotated[
        Path | None, typer.Option(help="Judge by a run that was not trained on the data; else TF-IDF, out of fold.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the segments as JSONL, for adjudication.")] = None,
    top: Annotated[
        int | None, typer.Option(min=1, help=f"Only so many segments; else all are written and {SHOWN} shown.")
    ] = None,
    labels: Labels = Path("configs/labels.yaml"),
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the folds.")] = 1,
    overwrite: Replace = False,
) -> None:
    """Find labels that look wrong, for a person to read again: confident learning, per topic, on presence and stance."""
    _free(out, overwrite)
    labeller, schema = _judge(model, labels)
    from naba.dataset import suspects as module
    from naba.dataset.clusters import find_clusters
    from naba.dataset.labelled import load_labelled
    from naba.jsonl import write_jsonl

    items = load_labelled(data, schema)
    if labeller and model:
        _warn_of_training(model, items, schema)
        probabilities = _probabilities(labeller, items)
    else:
        clusters = find_clusters(items).of.tolist()
        probabilities = module.out_of_fold(items, clusters, schema, seed=seed, progress=Bars())
    found = module.find_suspects(items, probabilities, schema)
    rows = list(module.suspect_rows(found, items, top))
    if not rows:
        show(f"no label of {len(items):,} segments looks wrong")
    else:
        console().print(module.suspects_table(rows[: top or SHOWN], len({suspect.number for suspect in found})))
    if out:
        write_jsonl(out, rows)
        show(f"{len(rows):,} segments to read again: {out}")


def select(
    pool: Annotated[list[Path], typer.Argument(help="JSONL of segments, a text a row; labels in it are ignored.")],
    count: Annotated[int, typer.Option(min=1, help="How many segments.")],
    out: Annotated[Path, typer.Option(help="The JSONL file to write, for `naba annotation export`.")],
    labelled: Annotated[
        list[Path] | None, typer.Option(help="What is labelled so far; may be repeated. TF-IDF is fitted on it.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Judge by this run instead of TF-IDF.")] = None,
    method: Annotated[
        Method, typer.Option(help="Unsure and unlike each other, only unsure, or a draw.")
    ] = Method.diverse,
    want: Annotated[
        str | None, typer.Option(metavar="TOPIC[:STANCE]", help="Rather what is likely of this class, for a rare one.")
    ] = None,
    labels: Labels = Path("configs/labels.yaml"),
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the draw and the clusters.")] = 1,
    overwrite: Replace = False,
) -> None:
    """Pick the segments to label next: those a model is unsure of and that are unlike each other."""
    from naba.errors import ConfigError, DataError

    if want and method is Method.random:
        raise ConfigError(f"--want {want}: a random draw wants nothing; leave out --method random")
    if not (labelled or model or method is Method.random):
        raise ConfigError("give --labelled DATA or --model RUN to judge by, or --method random")
    _free(out, overwrite)
    labeller, schema = _judge(model, labels)
    from naba.dataset import select as module
    from naba.dataset.labelled import load_labelled, write_labelled

    wanted = module.parse_want(want, schema) if want else None
    segments = module.load_pool(pool, schema)
    known = load_labelled(labelled, schema) if labelled else []
    if model:
        known += _trained_on(model, schema)
    scores = None
    if method is not Method.random:
        scores = _scores(segments, labeller, known, schema, wanted)
    chosen = module.select_segments(segments, known, scores, count, method=method.value, seed=seed)
    rows = [
        module.to_label(segments[pick.number], pick, rank, method.value, want)
        for rank, pick in enumerate(chosen, start=1)
    ]
    if not rows:
        raise DataError(
            f"{', '.join(map(str, pool))}: every segment is labelled already, or nearly the same as one that is"
        )
    write_labelled(out, rows)
    show(f"{len(rows):,} of {len(segments):,} segments to label: {out}")
    if len(rows) < count:
        say(f"naba: {count:,} were asked for; the rest of the pool is labelled, or nearly the same as what is")


def _scores(
    segments: "Sequence[LabelledSegment]",
    labeller: "Labeller | None",
    known: "Sequence[LabelledSegment]",
    schema: "LabelSchema",
    wanted: tuple[int, int | None] | None,
) -> "Floats":
    """What segments are picked by: the model's doubt, or that of TF-IDF fitted on what is known; or a class's probability."""
    from naba.dataset import select as module
    from naba.tfidf import TfidfClassifier

    if labeller:
        probabilities = _probabilities(labeller, segments)
    else:
        module.check_examples(known, schema, wanted)
        probabilities = TfidfClassifier(known, schema).probabilities([item.segment.text for item in segments])
    return module.likelihood(probabilities, *wanted) if wanted else module.uncertainty(probabilities)


def _free(out: Path | None, overwrite: bool) -> None:
    from naba.errors import DataError

    if out and out.exists() and not overwrite:
        raise DataError(f"{out}: is there already; choose another --out, or pass --overwrite to replace it")


def _judge(model: Path | None, labels: Path) -> "tuple[Labeller | None, LabelSchema]":
    from naba.paths import find
    from naba.schema import LabelSchema

    if model is None:
        return None, LabelSchema.load(find(labels))
    quiet()
    from naba.labelling.labeller import Labeller

    labeller = Labeller.load(model)
    return labeller, labeller.schema


def _probabilities(labeller: "Labeller", items: "Sequence[LabelledSegment]") -> "Probabilities":
    import numpy as np

    from naba.tfidf import Probabilities

    topics, stances = labeller.schema.topic_ids, labeller.schema.stance_ids
    answers = labeller.label([item.segment.text for item in items], progress=Bars())
    presence = [[answer[topic].probability for topic in topics] for answer in answers]
    stance = [[[answer[topic].stance_probability[s] for s in stances] for topic in topics] for answer in answers]
    return Probabilities(np.array(presence), np.array(stance))


def _warn_of_training(model: Path, items: "Sequence[LabelledSegment]", schema: "LabelSchema") -> None:
    """A model believes what it was trained on: of those segments it finds hardly an error."""
    from naba.dataset.leakage import stock_text, without_overlap

    training = _trained_on(model, schema)
    stock = stock_text((item.segment.text for item in (*items, *training)), RUN_WORDS)
    seen = len(items) - len(without_overlap(items, training, RUN_WORDS, stock))
    if seen:
        say(
            f"naba: {seen:,} of {len(items):,} segments share an article or text with what {model} was trained on: its "
            "answers there are not out-of-fold, and hide errors; leave out --model to judge them"
        )


def _trained_on(model: Path, schema: "LabelSchema") -> "list[LabelledSegment]":
    """The training segments of a run, as far as its files are still there as they were; says which are not."""
    from naba.dataset.labelled import load_labelled
    from naba.paths import find
    from naba.run import training_files

    files, all_there = training_files(find(model))
    if not all_there:
        say(f"naba: {model}: not all it was trained on is here as it was; what of the data it has seen cannot be told")
    return load_labelled(files, schema) if files else []
