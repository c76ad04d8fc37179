"""What kinds of mistakes a system makes: answers counted against gold, one (segment, topic) at a time.

A topic can be missed or invented; where it is found, its stance can be flipped to the other side, lost to a stance that
takes no side, or made up where the segment takes none. Which stances take a side: `naba.scores.taking_sides`.

    kinds = mistake_kinds(test.gold, answers.labels, schema)   # [N, T], names: KINDS
    kind_shares(...)[0]                                        # Kind("topic_missed", count=31, share=0.42, …)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Labels, taking_sides
from naba.voting.agreement import ABSENT, NO_STANCE

Codes = NDArray[np.int8]

KINDS = (
    "topic_missed",
    "topic_invented",
    "stance_flipped",
    "stance_to_neutral",
    "neutral_to_stance",
    "stance_other",
)
"""Kinds of mistakes by number. `stance_other`: between two stances that take no side, or none was given."""
RIGHT = -1
NOT_JUDGED = -1
NONE = "none"
"""In a confusion of topics: nothing was missed, or nothing invented."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How many mistakes are of one kind."""

    kind: str
    count: int
    share: float | None
    """Of all mistakes; None without any."""
    possible: int
    """How often it could have been made: absent topics for an invented one, stances of found topics for a flipped one."""
    rate: float | None
    """Of the possible ones."""
    by_topic: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Confusion:
    """What was said of one topic against gold, over the segments where it was judged."""

    topic: str
    answers: tuple[str, ...]
    """The schema's stances, "absent" and, where there are such, "no stance": present, of a stance that was not given."""
    counts: tuple[tuple[int, ...], ...]
    """[gold answer][answer said] → segments."""
    segments: int


@dataclass(frozen=True, slots=True)
class TopicConfusion:
    """Which topics were said in place of which: [missed][invented] → segments; the last row and column are "none"."""

    topics: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


def answer_names(schema: LabelSchema) -> tuple[str, ...]:
    """The names of `answer_codes`: the stances, "absent", "no stance"."""
    return (*schema.stance_ids, ABSENT, NO_STANCE)


def answer_codes(labels: Labels, schema: LabelSchema) -> Codes:
    """Each topic's answer as one number [N, T], index into `answer_names`; NOT_JUDGED where presence is unknown."""
    absent = len(schema.stance_ids)
    stance = np.where(labels.stance == UNKNOWN, absent + 1, labels.stance)
    codes = np.where(labels.presence == 1, stance, np.where(labels.presence == UNKNOWN, NOT_JUDGED, absent))
    return codes.astype(np.int8)


def said_codes(labels: Labels, schema: LabelSchema) -> Codes:
    """`answer_codes` of a system: what it does not say is absent."""
    codes = answer_codes(labels, schema)
    return np.where(codes == NOT_JUDGED, len(schema.stance_ids), codes).astype(np.int8)


def mistake_kinds(gold: Labels, predicted: Labels, schema: LabelSchema) -> Codes:
    """The kind of each answer's mistake [N, T], index into KINDS; RIGHT where it is right or cannot be judged.

    A topic that is present with a stance nobody judged can be missed, but its stance cannot be wrong.
    """
    truth, said = answer_codes(gold, schema), said_codes(predicted, schema)
    absent = len(schema.stance_ids)
    side = _sides(schema)
    wrong = (truth >= 0) & (truth < absent) & (said != absent) & (truth != said)
    from_side, to_side = side[truth], side[said]
    named = said < absent
    stance = np.select(
        [from_side & to_side, from_side & named, ~from_side & to_side],
        [KINDS.index(kind) for kind in ("stance_flipped", "stance_to_neutral", "neutral_to_stance")],
        KINDS.index("stance_other"),
    )
    missed = (truth >= 0) & (truth != absent) & (said == absent)
    invented = (truth == absent) & (said != absent)
    return np.select([missed, invented, wrong], [0, 1, stance], RIGHT).astype(np.int8)


def kind_shares(gold: Labels, predicted: Labels, schema: LabelSchema) -> list[Kind]:
    """How many mistakes there are of each kind, in the order of KINDS: where the errors lie."""
    kinds = mistake_kinds(gold, predicted, schema)
    per_topic = np.stack([(kinds == number).sum(axis=0) for number in range(len(KINDS))])  # [kinds, T]
    total = int(per_topic.sum())
    found = []
    for kind, counts, possible in zip(KINDS, per_topic, _possible(gold, predicted, schema), strict=True):
        count = int(counts.sum())
        by_topic = dict(zip(schema.topic_ids, counts.tolist(), strict=True))
        found.append(Kind(kind, count, _share(count, total), possible, _share(count, possible), by_topic))
    return found


def confusions(gold: Labels, predicted: Labels, schema: LabelSchema) -> list[Confusion]:
    """For each topic what was said against gold."""
    names = answer_names(schema)
    truth, said = answer_codes(gold, schema), said_codes(predicted, schema)
    found = []
    for t, topic in enumerate(schema.topic_ids):
        judged = truth[:, t] != NOT_JUDGED
        pairs = truth[judged, t].astype(np.int64) * len(names) + said[judged, t]
        counts = np.bincount(pairs, minlength=len(names) ** 2).reshape(len(names), -1)
        used = len(names) if counts[-1].any() or counts[:, -1].any() else len(names) - 1
        rows = tuple(tuple(row) for row in counts[:used, :used].tolist())
        found.append(Confusion(topic, names[:used], rows, int(judged.sum())))
    return found


def topic_confusion(gold: Labels, predicted: Labels, schema: LabelSchema) -> TopicConfusion:
    """Which topics were said where which were missed; a segment with several mistakes counts for each pair of them."""
    kinds = mistake_kinds(gold, predicted, schema)
    missed, invented = (_with_none(kinds == KINDS.index(kind)) for kind in ("topic_missed", "topic_invented"))
    # Products in floating point are fast, and exact for counts up to 2^53.
    counts = (missed.T.astype(np.float64) @ invented.astype(np.float64)).astype(np.int64)
    counts[-1, -1] = 0  # segments without such a mistake are no confusion
    return TopicConfusion((*schema.topic_ids, NONE), tuple(tuple(row) for row in counts.tolist()))


def _possible(gold: Labels, predicted: Labels, schema: LabelSchema) -> list[int]:
    truth, said = answer_codes(gold, schema), said_codes(predicted, schema)
    absent = len(schema.stance_ids)
    found = (truth >= 0) & (truth < absent) & (said != absent)
    side = _sides(schema)[truth]
    from_side, from_neutral = int((found & side).sum()), int((found & ~side).sum())
    present = int(((truth >= 0) & (truth != absent)).sum())
    return [present, int((truth == absent).sum()), from_side, from_side, from_neutral, from_side + from_neutral]


def _sides(schema: LabelSchema) -> NDArray[np.bool_]:
    """Whether each answer code takes a side; the last, for codes of -1 and "no stance", does not."""
    side = np.zeros(len(schema.stance_ids) + 2, dtype=bool)
    side[taking_sides(schema)] = True
    return side


def _with_none(mask: NDArray[np.bool_]) -> Any:
    """[N, T + 1]: a last column for the segments that have none."""
    return np.concatenate([mask, ~mask.any(axis=1, keepdims=True)], axis=1)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
