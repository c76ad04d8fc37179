"""How far readings of the same segments agree: per topic on presence, and on stance where all found the topic.

Cohen's kappa for each pair of readers (scikit-learn; Cohen 1960) and Krippendorff's alpha over all (crowd-kit, nominal;
Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"). A reading is topic → stance, None where absent; a topic
it does not name was not judged by that reader.

    rows = agreement(readings, schema)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from rich.table import Table
from sklearn.metrics import cohen_kappa_score

from naba.errors import NabaError
from naba.records import LabelledSegment
from naba.schema import LabelSchema

Reading = Mapping[str, str | None]

HUMAN_RANGE = (0.33, 0.65)
"""Kappas that people reach on bias in news of the same war (FIGNEWS 2024 shared task, Zaghouani et al.), for scale."""


@dataclass(frozen=True)
class Agreement:
    """Agreement on one question: is the topic there ("presence"), or which stance has it ("stance")."""

    topic: str
    question: str
    segments: int
    """Segments that at least two readers judged."""
    observed: float | None
    """Share of reader pairs on them that said the same; None without segments."""
    kappa: float | None
    """Cohen's kappa, the mean over pairs of readers; None where all said one and the same label."""
    alpha: float | None
    """Krippendorff's alpha over all readers; None where all said one and the same label."""


def agreement(readings: Sequence[Sequence[Reading]], schema: LabelSchema) -> list[Agreement]:
    """Agreement per topic and question.

    Args:
        readings: for each segment its readings, in the same order of readers throughout.

    Raises NabaError where crowd-kit is not installed.
    """
    rows = []
    for topic in schema.topic_ids:
        presence = [[_presence(reading, topic) for reading in segment] for segment in readings]
        rows.append(_measure(topic, "presence", presence))
        # Readers who disagree on presence have no stances to compare: that disagreement is counted above.
        stances = [[reading.get(topic) for reading in segment] for segment in readings]
        rows.append(_measure(topic, "stance", stances))
    return rows


def disagreements(items: Sequence[LabelledSegment], schema: LabelSchema) -> Iterator[dict[str, Any]]:
    """The segments whose readings differ, as rows for an adjudicator: what is at issue, the readings, the present labels."""
    for item in items:
        readings = readings_of(item)
        topics = [
            topic
            for topic in schema.topic_ids
            if len({reading.get(topic) for reading in readings if topic in reading}) > 1
        ]
        if topics:
            yield {"at_issue": topics} | item.to_row()


def agreement_table(rows: Sequence[Agreement], segments: int) -> Table:
    """The measures for a terminal, with what people reach on a like task for scale."""
    low, high = HUMAN_RANGE
    table = Table(
        title=f"{segments:,} segments read more than once",
        caption=f"for scale: people reach kappas of {low}–{high} on bias in war news (FIGNEWS 2024); readings by one "
        "reader or model are consistency, not agreement",
    )
    for column in ("topic", "question", "segments", "same", "Cohen's kappa", "Krippendorff's alpha"):
        table.add_column(column, justify="left" if column in ("topic", "question") else "right")
    for row in rows:
        figures = ["–" if value is None else f"{value:.3f}" for value in (row.observed, row.kappa, row.alpha)]
        table.add_row(row.topic, row.question, f"{row.segments:,}", *figures)
    return table


def readings_of(item: LabelledSegment) -> Sequence[Reading]:
    """The readings that stand in a labelled row; none where it was read once."""
    readings = item.extra.get("readings") or []
    return [reading for reading in readings if isinstance(reading, Mapping)]


def _presence(reading: Reading, topic: str) -> str | None:
    """ "present" or "absent"; None where the reader did not judge the topic."""
    if topic not in reading:
        return None
    return "absent" if reading[topic] is None else "present"


def _measure(topic: str, question: str, answers: Sequence[Sequence[str | None]]) -> Agreement:
    judged = [row for row in answers if sum(answer is not None for answer in row) >= 2]
    pairs = [(a, b) for row in judged for a, b in combinations([answer for answer in row if answer is not None], 2)]
    observed = float(np.mean([a == b for a, b in pairs])) if pairs else None
    return Agreement(topic, question, len(judged), observed, _kappa(judged), _alpha(judged))


def _kappa(rows: Sequence[Sequence[str | None]]) -> float | None:
    readers = max((len(row) for row in rows), default=0)
    kappas = []
    for first, second in combinations(range(readers), 2):
        both = [
            (row[first], row[second]) for row in rows if len(row) > second and None not in (row[first], row[second])
        ]
        if both and len({label for pair in both for label in pair}) > 1:
            one, other = zip(*both, strict=True)
            kappas.append(float(cohen_kappa_score(one, other)))
    return float(np.mean(kappas)) if kappas else None


def _alpha(rows: Sequence[Sequence[str | None]]) -> float | None:
    try:
        import pandas
        from crowdkit.metrics.data import alpha_krippendorff
    except ImportError:
        raise NabaError("agreement needs crowd-kit; install it with: pip install -e '.[build]'") from None
    records = [
        {"task": task, "worker": worker, "label": label}
        for task, row in enumerate(rows)
        for worker, label in enumerate(row)
        if label is not None
    ]
    if len({record["label"] for record in records}) < 2:
        return None
    return float(alpha_krippendorff(pandas.DataFrame.from_records(records)))
