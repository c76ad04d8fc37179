"""Labels that look wrong: confident learning over probabilities of a classifier that has not seen the segment.

cleanlab (Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels") compares the
given labels with such probabilities, topic by topic: is the topic there ("presence"), and which stance has it where it is
("stance"). What it finds is for a person to read, never to be corrected by itself: an unusual segment that is labelled
well looks the same as a slip.

    found = find_suspects(items, out_of_fold(items, find_clusters(items).of.tolist(), schema), schema)
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.markup import escape
from rich.table import Table
from sklearn.model_selection import GroupKFold

from naba.errors import DataError, NabaError
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema
from naba.tfidf import Floats, Ints, Probabilities, TfidfClassifier, targets

FOLDS = 5
PRESENCE = ("absent", "present")


@dataclass(frozen=True)
class Suspect:
    """One label that looks wrong."""

    number: int
    """Which of the segments it is a label of."""
    topic: str
    question: str
    """"presence" or "stance"."""
    given: str
    """The label as it stands: "absent" or "present", or a stance id."""
    suggested: str
    """What the classifier holds likeliest."""
    score: float
    """cleanlab's label quality: 0 (surely wrong) to 1 (surely right), 0.5 where the given label and the likeliest other
    are equally likely (normalised margin)."""


def find_suspects(items: Sequence[LabelledSegment], probabilities: Probabilities, schema: LabelSchema) -> list[Suspect]:
    """The labels that confident learning finds in error, the least likely first.

    Args:
        items: N segments; unknown labels take no part.
        probabilities: of a classifier that was not trained on them; NaN where it cannot judge a label.

    Raises NabaError where cleanlab is not installed.
    """
    gold = targets(items, schema)
    found: list[Suspect] = []
    for t, topic in enumerate(schema.topic_ids):
        there = probabilities.presence[:, t]
        binary = np.stack([1 - there, there], axis=1)  # [N, 2]
        found += _of_question(topic, "presence", PRESENCE, gold.presence[:, t], binary)
        stances = probabilities.stance[:, t]  # [N, S]
        found += _of_question(topic, "stance", schema.stance_ids, gold.stance[:, t], stances)
    return sorted(found, key=lambda suspect: (suspect.score, suspect.number, suspect.topic))


def out_of_fold(
    items: Sequence[LabelledSegment],
    clusters: Sequence[int],
    schema: LabelSchema,
    *,
    folds: int = FOLDS,
    seed: int = 1,
    progress: Progress = SILENT,
) -> Probabilities:
    """Probabilities of TF-IDF + logistic regression for each segment, from a fit without its cluster.

    A label whose class the other folds do not have cannot be judged: its probabilities are NaN.

    Args:
        clusters: N numbers; segments that share one (an article, copies) stay in one fold.

    Raises DataError where all segments are of one cluster.
    """
    folds = min(folds, len(set(clusters)))
    if folds < 2:
        raise DataError(f"{len(items):,} segments, all of one article or cluster; label errors need at least two")
    gold = targets(items, schema)
    presence = np.full(gold.presence.shape, np.nan)
    stance = np.full((*gold.stance.shape, len(schema.stance_ids)), np.nan)
    split = GroupKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(items)), groups=clusters)
    with progress.task("judging labels", folds, "folds") as advance:
        for rest, fold in split:
            said = TfidfClassifier([items[n] for n in rest], schema).probabilities(
                [items[n].segment.text for n in fold]
            )
            presence[fold] = np.where(_known(gold.presence, rest, fold), said.presence, np.nan)
            stance[fold] = np.where(_known(gold.stance, rest, fold)[..., None], said.stance, np.nan)
            advance(1, "")
    return Probabilities(presence, stance)


def suspect_rows(
    suspects: Iterable[Suspect], items: Sequence[LabelledSegment], count: int | None = None
) -> Iterator[dict[str, Any]]:
    """The segments for an adjudicator, the most suspicious first: what is at issue, and the labelled row as it stands.

    Args:
        count: so many segments at most; None: all.
    """
    by_segment: dict[int, list[Suspect]] = {}
    for suspect in suspects:
        by_segment.setdefault(suspect.number, []).append(suspect)
    for number, found in list(by_segment.items())[:count]:
        details = [
            {"topic": s.topic, "question": s.question, "given": s.given, "suggested": s.suggested, "score": s.score}
            for s in found
        ]
        at_issue = list(dict.fromkeys(suspect.topic for suspect in found))
        yield items[number].to_row() | {"at_issue": at_issue, "suspected": details}


def suspects_table(rows: Sequence[dict[str, Any]], total: int) -> Table:
    """Rows of `suspect_rows` for a terminal, the suspected labels of a segment beside its text."""
    title = f"{len(rows):,} of {total:,} segments with a label that looks wrong, the worst first"
    table = Table(title=title, caption="an unusual segment that is labelled well looks the same: read before you mend")
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("label, and what is likelier", no_wrap=True)
    table.add_column("text", overflow="fold")
    for row in rows:
        found = row["suspected"]
        labels = "".join(f"\n{s['topic']}:\n  {s['given']} → {s['suggested']}" for s in found)
        table.add_row(f"{found[0]['score']:.3f}", row["id"] + labels, escape(row["text"]), end_section=True)
    return table


def _known(labels: Ints, rest: Ints, fold: Ints) -> Any:
    """Whether each label of the fold [F, T] is of a class that the rest has, and the rest has two classes at least."""
    known = np.zeros((len(fold), labels.shape[1]), dtype=bool)
    for t in range(labels.shape[1]):
        seen = np.setdiff1d(labels[rest, t], UNKNOWN)
        known[:, t] = np.isin(labels[fold, t], seen) & (len(seen) > 1)
    return known


def _of_question(topic: str, question: str, names: Sequence[str], labels: Ints, probabilities: Floats) -> list[Suspect]:
    rows = np.flatnonzero((labels != UNKNOWN) & ~np.isnan(probabilities).any(axis=1))
    # Classes that nobody was given are no candidates, and cleanlab counts its classes from 0 without gaps.
    classes, given = np.unique(labels[rows], return_inverse=True)
    if len(classes) < 2:
        return []
    beliefs = probabilities[np.ix_(rows, classes)]
    beliefs = beliefs / beliefs.sum(axis=1, keepdims=True)
    flagged, quality = _confident_learning(given, beliefs)
    return [
        Suspect(int(rows[n]), topic, question, names[classes[given[n]]], names[classes[beliefs[n].argmax()]],
                round(float(quality[n]), 4))
        for n in np.flatnonzero(flagged)
    ]  # fmt: skip


def _confident_learning(given: Ints, beliefs: Floats) -> tuple[Any, Any]:
    try:
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores
    except ImportError:
        raise NabaError("label errors need cleanlab; install it with: pip install -e '.[build]'") from None
    # Filter and score as tests/benchmarks/suspects.py found them best. One process: the sets are small, and forked workers
    # outlive an interruption.
    with warnings.catch_warnings():
        # A rare class has few errors that can be found; that is no news to a reader of the list.
        warnings.filterwarnings("ignore", "May not flag all label issues", UserWarning)
        flagged = find_label_issues(given, beliefs, filter_by="both", n_jobs=1)
    return flagged, get_label_quality_scores(given, beliefs, method="normalized_margin")
