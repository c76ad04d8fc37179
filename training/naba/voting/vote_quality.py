"""How good voters and resolvers are: the answers of each against gold labels, abstention counted honestly.

    gold = gold_of(items, table.segment_ids, schema)
    resolved = resolve_fairly(table, schema, "weighted", gold)
    rows = [*annotator_quality(table, gold, schema), quality("weighted", decide(resolved)[0], gold, schema)]
    curve = confidence_curve(resolved, gold, (0.5, 0.9))

Behind `naba resolve --gold`. Every figure is over the same topics of the same segments, those that gold decides, whoever
judged them: where a voter abstains its F1 counts the topic, stance or pair as not said, and accuracy leaves it out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from naba.metrics import Labels, score
from naba.schema import UNKNOWN, LabelSchema
from naba.voting.resolve import Resolved, decide, resolve_table
from naba.voting.vote_table import Bools, Ints, VoteTable

_ABSENT = -1
_FOLDS = 5
CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class Quality:
    """One voter or resolver against gold."""

    name: str
    decided: int
    """Topics of gold segments with a full answer: absent, or present with a stance."""
    coverage: float | None
    """Share of gold's topics decided; None without gold."""
    accuracy: float | None
    """Share of the decided ones that equal gold; None where none is decided."""
    topic_f1: float | None
    """Macro-F1 of presence."""
    stance_f1: float | None
    """Macro-F1 of the stance given gold's topic."""
    pair_f1: float
    """Micro-F1 of (topic, stance) pairs."""


@dataclass(frozen=True)
class CurvePoint:
    """What is left, and how right it is, when only answers of some confidence are taken."""

    confidence: float
    coverage: float | None
    accuracy: float | None


def gold_segments(gold: Labels) -> int:
    """How many segments have any gold."""
    return int((gold.presence != UNKNOWN).any(axis=1).sum())


def annotator_quality(table: VoteTable, gold: Labels, schema: LabelSchema) -> list[Quality]:
    """Each annotator's own answers against gold, in the order of `table.annotators`; those with none on gold are left out."""
    table = table.take((gold.presence[table.segment, table.topic] != UNKNOWN) & ~table.adjudicated).latest()
    rows = []
    for number, name in enumerate(table.annotators):
        votes = table.take(table.annotator == number)
        if len(votes):
            labels = Labels(np.full_like(gold.presence, UNKNOWN), np.full_like(gold.stance, UNKNOWN))
            labels.presence[votes.segment, votes.topic] = votes.present
            labels.stance[votes.segment, votes.topic] = votes.stance
            rows.append(quality(name, labels, gold, schema))
    return rows


def resolve_fairly(table: VoteTable, schema: LabelSchema, method: str, gold: Labels, seed: int = 1) -> Resolved:
    """Resolve so that the result may be compared with gold: "weighted" answers for each fifth of gold by the other four.

    Segments without gold stay NaN where the method is "weighted". Adjudicated votes take no part: they may be the gold.
    """
    table = table.take(~table.adjudicated)
    if method != "weighted":
        return resolve_table(table, schema, method, seed)
    shape = (table.segments, len(schema.topic_ids))
    whole = Resolved(np.full(shape, np.nan), np.full((*shape, len(schema.stance_ids)), np.nan))
    with_gold = np.flatnonzero((gold.presence != UNKNOWN).any(axis=1))
    for fold in range(min(_FOLDS, len(with_gold)) if len(with_gold) > 1 else 0):
        held = with_gold[fold::_FOLDS]
        rest = Labels(gold.presence.copy(), gold.stance.copy())
        rest.presence[held], rest.stance[held] = UNKNOWN, UNKNOWN
        part = resolve_table(table, schema, method, seed, rest)
        whole.presence[held], whole.stance[held] = part.presence[held], part.stance[held]
    return whole


def quality(name: str, labels: Labels, gold: Labels, schema: LabelSchema) -> Quality:
    """Compare answers with gold, both [N, T]; see the module for how abstentions count."""
    scores = score(gold, labels, schema)
    coverage, accuracy, decided = _decided(labels, gold)
    topic, stance = scores["topics"]["macro_f1"], scores["stances"]["macro_f1"]
    return Quality(name, decided, coverage, accuracy, topic, stance, scores["pairs"]["f1"])


def confidence_curve(resolved: Resolved, gold: Labels, confidences: Sequence[float] = CONFIDENCES) -> list[CurvePoint]:
    """Coverage and accuracy when presence and stance must each reach a confidence."""
    points = []
    for confidence in confidences:
        coverage, accuracy, _ = _decided(decide(resolved, confidence)[0], gold)
        points.append(CurvePoint(confidence, coverage, accuracy))
    return points


def quality_table(rows: Sequence[Quality], segments: int) -> Table:
    """The comparison for a terminal."""
    table = Table(
        title=f"against gold: {segments:,} segments that were voted on",
        caption="F1 counts an abstention as not said; accuracy is over the topics that were decided",
    )
    names = ("voter", "decided", "coverage", "accuracy", "topic F1", "stance F1", "pair F1")
    for column in names:
        table.add_column(column, justify="left" if column == names[0] else "right", overflow="fold")
    for row in rows:
        figures = (row.coverage, row.accuracy, row.topic_f1, row.stance_f1, row.pair_f1)
        table.add_row(row.name, f"{row.decided:,}", *map(_figure, figures))
    return table


def curve_table(curves: Mapping[str, Sequence[CurvePoint]]) -> Table:
    """Resolver → curve, for a terminal: one line a confidence."""
    table = Table(title="selected by confidence: coverage and accuracy of what is left")
    table.add_column("confidence", justify="right")
    for name in curves:
        table.add_column(name, justify="right")
    for points in zip(*curves.values(), strict=True):
        cells = [f"{_figure(point.coverage)}  {_figure(point.accuracy)}" for point in points]
        table.add_row(f"≥ {points[0].confidence:g}", *cells)
    return table


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _decided(labels: Labels, gold: Labels) -> tuple[float | None, float | None, int]:
    """Coverage, accuracy and number of topics decided, among those that gold decides."""
    answer, truth = _answers(labels), _answers(gold)
    known: Bools = truth != UNKNOWN
    decided = known & (answer != UNKNOWN)
    coverage = float(decided.sum() / known.sum()) if known.any() else None
    accuracy = float((answer == truth)[decided].mean()) if decided.any() else None
    return coverage, accuracy, int(decided.sum())


def _answers(labels: Labels) -> Ints:
    """One number a topic [N, T]: a stance, _ABSENT, or UNKNOWN where presence or the stance of a present topic is."""
    return np.where(labels.presence == 0, _ABSENT, np.where(labels.presence == 1, labels.stance, UNKNOWN))
