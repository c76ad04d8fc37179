"""Segments that were read twice: how consistent the readings are, and whether a system fails where they differ.

Two readings by one reader are consistency: no measure of what people agree on, and no ceiling for a model. A segment's
readings stand in its row as `readings`, each topic → stance, null where absent.

    found = consistency(test.items, schema)
    found.scores["pairs"]["f1"]     # beside the systems', as reading_name(test.items) names it
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from naba.errors import SchemaError
from naba.evaluation.mistakes import NOT_JUDGED, RIGHT, Codes
from naba.metrics import score
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Labels
from naba.voting.adjudication import readings_of
from naba.voting.agreement import confusions
from naba.voting.vote_table import VoteTable

READERS = "one reader twice (consistency, not a human ceiling)"
"""What to call a line with the scores of the second reading against the first, where a language model read both times."""
_SECOND = "second reading against the first (consistency, not a ceiling)"
_MACHINE = "language-model"


@dataclass(frozen=True)
class Consistency:
    """The second reading against the first, over the segments that have both."""

    segments: int
    kappa: Mapping[str, Mapping[str, Any]]
    """Topic → `presence`, `stance` (Cohen's kappa; None where both said one label throughout), `segments`, and `both`:
    those where both found the topic, which the stance's kappa is over."""
    scores: Mapping[str, Any]
    """As `naba.metrics.score` has them; stances over the topics that both found."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Answers on (segment, topic) pairs, and how many of them are mistakes."""

    answers: int
    mistakes: int
    rate: float | None
    """None without answers."""


@dataclass(frozen=True, slots=True)
class WhereReadersDiffer:
    """Whether a system's mistakes are those of the readings."""

    differ: Answered
    agree: Answered
    once: Answered
    """Read once, or not by itself."""
    as_read: int
    """Mistakes among `differ` in which the system said what one of the readings said."""
    by_topic: Mapping[str, Mapping[str, Answered]]
    """Topic → `differ` and `agree`."""


def reading_name(items: Sequence[LabelledSegment]) -> str:
    """What to call a line with the scores of the second reading against the first.

    One reader twice only where the provenance of every segment with two readings names a language model as annotator;
    who read other data is not known.
    """
    twice = [item for item in items if len(readings_of(item)) > 1]
    by_machine = [_MACHINE in str(item.provenance.get("annotator")).lower().replace(" ", "-") for item in twice]
    return READERS if twice and all(by_machine) else _SECOND


def reading_codes(items: Sequence[LabelledSegment], schema: LabelSchema) -> Codes:
    """The readings [N, T, R], coded as `mistakes.answer_codes`; NOT_JUDGED where a segment has fewer or left a topic out.

    Topics that the schema has not are passed over: a test set may be narrowed to the topics that a system answers for.

    Raises:
        SchemaError: a reading gives a topic a stance that the schema has not; names the segment.
    """
    readings = [readings_of(item) for item in items]
    most = max(map(len, readings), default=0)
    codes = np.full((len(items), len(schema.topic_ids), most), NOT_JUDGED, dtype=np.int8)
    topics = {topic: number for number, topic in enumerate(schema.topic_ids)}
    answers: dict[str | None, int] = {stance: number for number, stance in enumerate(schema.stance_ids)}
    answers[None] = len(answers)
    for row, of_item in enumerate(readings):
        for number, reading in enumerate(of_item):
            known = {topic: stance for topic, stance in reading.items() if topic in topics}
            try:
                schema.check(known)
            except SchemaError as error:
                raise SchemaError(f"segment {items[row].segment.id}: reading {number + 1}: {error}") from None
            for topic, stance in known.items():
                codes[row, topics[topic], number] = answers[stance]
    return codes


def readers_differ(codes: Codes) -> tuple[Any, Any]:
    """Whether at least two readings judged the topic [N, T], and whether two of them said different things [N, T]."""
    judged = codes != NOT_JUDGED
    twice = judged.sum(axis=-1) >= 2
    if not codes.shape[-1]:
        return twice, twice
    highest = codes.max(axis=-1)
    lowest = np.where(judged, codes, highest[..., None]).min(axis=-1)
    return twice, twice & (highest != lowest)


def where_readers_differ(
    codes: Codes, kinds: Codes, judged: Any, said: Codes, schema: LabelSchema
) -> WhereReadersDiffer | None:
    """How many of a system's mistakes fall where the readings differ; None where nothing was read twice.

    Args:
        codes: [N, T, R] of `reading_codes`. kinds: [N, T] of `mistakes.mistake_kinds`. judged: [N, T], whether gold knows
            the topic. said: [N, T] of `mistakes.said_codes`.
    """
    twice, differ = readers_differ(codes)
    if not twice.any():
        return None
    wrong = kinds != RIGHT
    parts = {"differ": judged & differ, "agree": judged & twice & ~differ}
    as_read = wrong & parts["differ"] & (codes == said[..., None]).any(axis=-1)
    by_topic = {
        topic: {name: _answered(part[:, t], wrong[:, t]) for name, part in parts.items()}
        for t, topic in enumerate(schema.topic_ids)
    }
    differing, agreeing, once = (_answered(part, wrong) for part in (*parts.values(), judged & ~twice))
    return WhereReadersDiffer(differing, agreeing, once, int(as_read.sum()), by_topic)


def consistency(items: Sequence[LabelledSegment], schema: LabelSchema) -> Consistency | None:
    """Scores and kappas of each segment's second reading against its first; None where no segment has two.

    The scores are those of a system that is the second reading, with the first for gold. Which is which matters to
    precision and recall only.

    Raises:
        SchemaError: a reading gives a topic a stance that the schema has not.
    """
    codes = reading_codes(items, schema)[..., :2]
    if codes.shape[-1] < 2:
        return None
    judged = (codes != NOT_JUDGED).all(axis=-1)  # [N, T]
    rows = np.flatnonzero(judged.any(axis=1))
    if not len(rows):
        return None
    codes, judged = codes[rows], judged[rows]
    codes[~judged] = NOT_JUDGED
    first, second = (_labels(codes[..., number], schema) for number in (0, 1))
    both = judged & (first.presence == 1) & (second.presence == 1)
    scores = score(first, second, schema)
    stances = score(Labels(first.presence, np.where(both, first.stance, UNKNOWN)), second, schema)["stances"]
    return Consistency(len(rows), _kappas(codes, judged, both, schema), scores | {"stances": stances})


def _labels(codes: Codes, schema: LabelSchema) -> Labels:
    absent = len(schema.stance_ids)
    presence = np.where(codes == NOT_JUDGED, UNKNOWN, (codes != absent).astype(int))
    return Labels(presence, np.where(presence == 1, codes, UNKNOWN))


def _kappas(codes: Codes, judged: Any, both: Any, schema: LabelSchema) -> dict[str, dict[str, Any]]:
    segment, topic, reader = np.nonzero(codes != NOT_JUDGED)
    answer = codes[segment, topic, reader].astype(np.int64)
    present = answer != len(schema.stance_ids)
    stance = np.where(present, answer, UNKNOWN)
    never = np.zeros(len(answer), dtype=bool)
    table = VoteTable(len(codes), ("reading-1", "reading-2"), segment, reader, topic, present, stance, never)
    found = {confusion.topic: confusion.kappa for confusion in confusions(table, schema)}
    nothing = {"presence": None, "stance": None}
    return {
        name: {**found.get(name, nothing), "segments": int(judged[:, t].sum()), "both": int(both[:, t].sum())}
        for t, name in enumerate(schema.topic_ids)
    }


def _answered(part: Any, wrong: Any) -> Answered:
    answers, mistakes = int(part.sum()), int((part & wrong).sum())
    return Answered(answers, mistakes, mistakes / answers if answers else None)
