"""How far annotators of the same segments agree: per topic on presence, and on stance where all found the topic.

Cohen's kappa for each pair of annotators (scikit-learn; Cohen 1960) and Krippendorff's alpha over all (crowd-kit, nominal;
Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"), which takes any number of annotators and any holes: what
someone did not judge counts for nothing. Adjudicated votes are left out, since their giver saw the other answers.

    votes = [vote for item in items for vote in votes_of(item, schema)]
    rows = agreement_of(VoteTable.from_votes(votes, schema)[0], schema)

The disagreements that `naba.voting.adjudication` lists are decided by a person and go back through `naba.voting.resolve`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from rich.table import Table
from sklearn.metrics import cohen_kappa_score

from naba.errors import NabaError
from naba.schema import UNKNOWN, LabelSchema
from naba.voting.vote_table import Ints, VoteTable

Reading = Mapping[str, str | None]

HUMAN_RANGE = (0.33, 0.65)
"""Kappas that people reach on bias in news of the same war (FIGNEWS 2024 shared task, Zaghouani et al.), for scale."""
ABSENT, NO_STANCE = "absent", "no stance"
"""The answers of a confusion that are no stance: not there, and there but of a stance that was not judged."""
_HOLE = -1


@dataclass(frozen=True)
class Agreement:
    """Agreement on one question: is the topic there ("presence"), or which stance has it ("stance")."""

    topic: str
    question: str
    segments: int
    """Segments that at least two annotators judged."""
    observed: float | None
    """Share of annotator pairs on them that said the same; None without segments."""
    kappa: float | None
    """Cohen's kappa, the mean over pairs of annotators; None where all said one and the same label."""
    alpha: float | None
    """Krippendorff's alpha over all annotators; None where all said one and the same label."""


@dataclass(frozen=True)
class Confusion:
    """What two annotators said of the segments on which both judged the topic."""

    topic: str
    first: str
    second: str
    answers: tuple[str, ...]
    """"absent", the schema's stances, and "no stance"."""
    counts: tuple[tuple[int, ...], ...]
    """[first's answer][second's answer] → segments."""
    kappa: dict[str, float | None]
    """"presence" and "stance" → Cohen's kappa of the two; None where both said one and the same label throughout."""

    @property
    def segments(self) -> int:
        """On how many segments both judged the topic."""
        return sum(map(sum, self.counts))


def agreement(readings: Sequence[Sequence[Reading]], schema: LabelSchema) -> list[Agreement]:
    """Agreement per topic and question of readings: topic → stance, None where absent, left out where not judged.

    Args:
        readings: for each segment its readings, in the same order of readers throughout.

    Raises SchemaError for a topic or stance outside the schema, NabaError where crowd-kit is not installed.
    """
    return agreement_of(_table(readings, schema), schema)


def agreement_of(table: VoteTable, schema: LabelSchema) -> list[Agreement]:
    """Agreement per topic and question of votes. Raises NabaError where crowd-kit is not installed."""
    table = _independent(table)
    rows = []
    for topic, topic_id in enumerate(schema.topic_ids):
        votes = table.take(table.topic == topic)
        rows.append(_measure(topic_id, "presence", _matrix(votes, votes.present.astype(np.int64))))
        # Annotators who disagree on presence have no stances to compare: that disagreement is counted above.
        votes = votes.take(votes.stance != UNKNOWN)
        rows.append(_measure(topic_id, "stance", _matrix(votes, votes.stance)))
    return rows


def confusions(table: VoteTable, schema: LabelSchema) -> list[Confusion]:
    """For each topic and each pair of annotators with a segment in common, what the one said against the other."""
    table = _independent(table)
    answers = (ABSENT, *schema.stance_ids, NO_STANCE)
    found = []
    for topic, topic_id in enumerate(schema.topic_ids):
        votes = table.take(table.topic == topic)
        said = np.where(~votes.present, 0, np.where(votes.stance == UNKNOWN, len(answers) - 1, votes.stance + 1))
        matrix = _matrix(votes, said)
        for first, second in combinations(range(len(table.annotators)), 2):
            one, other = _both(matrix[:, first], matrix[:, second])
            if not len(one):
                continue
            counts = np.bincount(one * len(answers) + other, minlength=len(answers) ** 2)
            staged = _both(*(np.where((a == 0) | (a == len(answers) - 1), _HOLE, a) for a in (one, other)))
            kappa = {"presence": _kappa(np.minimum(one, 1), np.minimum(other, 1)), "stance": _kappa(*staged)}
            rows = tuple(tuple(row) for row in counts.reshape(len(answers), -1).tolist())
            found.append(Confusion(topic_id, table.annotators[first], table.annotators[second], answers, rows, kappa))
    return found


def agreement_table(rows: Sequence[Agreement], segments: int) -> Table:
    """The measures for a terminal, with what people reach on a like task for scale."""
    low, high = HUMAN_RANGE
    table = Table(
        title=f"{segments:,} segments read more than once",
        caption=f"Cohen's kappa, Krippendorff's alpha; for scale: people reach kappas of {low}–{high} on bias in war news (FIGNEWS 2024); readings by one "
        "reader or model are consistency, not agreement",
    )
    for column in ("topic", "question", "segments", "same", "kappa", "alpha"):
        table.add_column(column, justify="left" if column in ("topic", "question") else "right")
    for row in rows:
        table.add_row(row.topic, row.question, f"{row.segments:,}", *map(_figure, (row.observed, row.kappa, row.alpha)))
    return table


def confusion_table(confusion: Confusion) -> Table:
    """One topic and pair for a terminal: the first annotator's answers down, the second's across; unused ones left out."""
    counts = np.array(confusion.counts)
    used = [n for n in range(len(confusion.answers)) if counts[n].any() or counts[:, n].any()]
    kappa = ", ".join(f"{question} {_figure(value)}" for question, value in confusion.kappa.items())
    table = Table(title=confusion.topic, caption=f"kappa: {kappa}")
    table.add_column(f"{confusion.first} ↓ {confusion.second} →")
    for n in used:
        table.add_column(confusion.answers[n], justify="right")
    for n in used:
        table.add_row(confusion.answers[n], *(f"{counts[n, m]:,}" for m in used))
    return table


def agreement_report(rows: Sequence[Agreement], confusions: Sequence[Confusion], segments: int) -> dict[str, Any]:
    """All measures as plain values for JSON."""
    return {
        "segments": segments,
        "human_range": {"kappa": HUMAN_RANGE, "source": "FIGNEWS 2024 shared task"},
        "agreement": [asdict(row) for row in rows],
        "confusions": [asdict(confusion) | {"segments": confusion.segments} for confusion in confusions],
    }


def segments_in_common(table: VoteTable) -> int:
    """How many segments have a topic that at least two annotators judged."""
    table = _independent(table)
    topics = int(table.topic.max(initial=0)) + 1
    judged = np.bincount(table.segment * topics + table.topic, minlength=1)
    return len(np.unique(np.flatnonzero(judged >= 2) // topics))


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _independent(table: VoteTable) -> VoteTable:
    return table.take(~table.adjudicated).latest()


def _table(readings: Sequence[Sequence[Reading]], schema: LabelSchema) -> VoteTable:
    """Readings as votes of annotators "reading-1", "reading-2" …; each row is a segment of its own."""
    rows = []
    for segment, of_segment in enumerate(readings):
        for reader, reading in enumerate(of_segment):
            schema.check(reading)
            for topic, stance in reading.items():
                chosen = UNKNOWN if stance is None else schema.stance_ids.index(stance)
                rows.append((segment, reader, schema.topic_ids.index(topic), stance is not None, chosen))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    names = tuple(f"reading-{number + 1}" for number in range(max(map(len, readings), default=0)))
    present, adjudicated = columns[3].astype(bool), np.zeros(len(rows), dtype=bool)
    return VoteTable(len(readings), names, columns[0], columns[1], columns[2], present, columns[4], adjudicated)


def _matrix(votes: VoteTable, answer: Ints) -> Ints:
    """Answers [segments that were judged, annotators], _HOLE where one did not judge."""
    judged, row = np.unique(votes.segment, return_inverse=True)
    matrix = np.full((len(judged), len(votes.annotators)), _HOLE)
    matrix[row, votes.annotator] = answer
    return matrix


def _measure(topic: str, question: str, matrix: Ints) -> Agreement:
    judged = matrix[(matrix != _HOLE).sum(axis=1) >= 2]  # [N, annotators]
    times = np.stack([(judged == label).sum(axis=1) for label in range(judged.max(initial=0) + 1)])  # [labels, N]
    pairs = int((times.sum(axis=0) * (times.sum(axis=0) - 1)).sum())
    same = int((times * (times - 1)).sum())
    kappas = [_kappa(*_both(judged[:, a], judged[:, b])) for a, b in combinations(range(judged.shape[1]), 2)]
    found = [kappa for kappa in kappas if kappa is not None]
    mean = float(np.mean(found)) if found else None
    return Agreement(topic, question, len(judged), same / pairs if pairs else None, mean, _alpha(judged))


def _both(one: Ints, other: Ints) -> tuple[Ints, Ints]:
    """What two said where neither has a hole."""
    judged = (one != _HOLE) & (other != _HOLE)
    return one[judged], other[judged]


def _kappa(one: Ints, other: Ints) -> float | None:
    """Cohen's kappa; None without segments, and where both said one and the same label throughout."""
    if not len(one) or ((one == one[0]) & (other == one[0])).all():
        return None
    return float(cohen_kappa_score(one, other))


def _alpha(matrix: Ints) -> float | None:
    try:
        import pandas
        from crowdkit.metrics.data import alpha_krippendorff
    except ImportError:
        raise NabaError("agreement needs crowd-kit; install it with: pip install -e '.[build]'") from None
    segment, annotator = np.nonzero(matrix != _HOLE)
    label = matrix[segment, annotator]
    if len(np.unique(label)) < 2:
        return None
    return float(alpha_krippendorff(pandas.DataFrame({"task": segment, "worker": annotator, "label": label})))
