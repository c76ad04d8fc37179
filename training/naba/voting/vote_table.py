"""Votes as arrays: who said what of which segment on which topic, so that millions of rule votes resolve in seconds.

    table, items = VoteTable.from_votes(votes, schema)   # items[i] is the segment that the number i stands for

Between the readers of votes and `naba.voting.resolve` and `naba.voting.agreement`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.metrics import Labels
from naba.records import LabelledSegment, Vote
from naba.schema import UNKNOWN, LabelSchema

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class VoteTable:
    """V votes on single topics; the arrays [V] run in parallel, later rounds after earlier ones."""

    segments: int
    """How many segments there are, also those without a vote."""
    annotators: tuple[str, ...]
    segment: Ints
    """0 … segments - 1."""
    annotator: Ints
    """Index into `annotators`."""
    topic: Ints
    """Index into the schema's topics."""
    present: Bools
    stance: Ints
    """Index into the schema's stances; UNKNOWN where the topic is absent or no stance was given."""
    adjudicated: Bools
    """The last word on the topic: it wins over every vote that is not."""
    segment_ids: tuple[str, ...] = ()
    """Names of the segments for error messages; may be left out."""

    @classmethod
    def from_votes(cls, votes: Iterable[Vote], schema: LabelSchema) -> tuple["VoteTable", list[LabelledSegment]]:
        """Number the segments by their id (the same text is the same segment) and spread votes over topics.

        Topics that a vote leaves unknown make no row. Returns the table, and for each segment the first vote's item.
        """
        numbers: dict[str, int] = {}
        names: dict[str, int] = {}
        items: list[LabelledSegment] = []
        rows: list[tuple[int, int, int, bool, int, bool]] = []
        stances = {stance: number for number, stance in enumerate(schema.stance_ids)}
        for vote in votes:
            number = numbers.setdefault(vote.item.segment.id, len(items))
            if number == len(items):
                items.append(vote.item)
            name = names.setdefault(vote.annotator, len(names))
            for topic, topic_id in enumerate(schema.topic_ids):
                label = vote.item.labels[topic_id]
                if label.present is not None:
                    stance = UNKNOWN if label.stance is None else stances[label.stance]
                    rows.append((number, name, topic, label.present, stance, vote.adjudicated))
        columns = np.array(rows, dtype=np.int64).reshape(-1, 6).T
        # Sorted names make a result independent of the order in which annotators turn up.
        order = sorted(names)
        place = {name: number for number, name in enumerate(order)}
        rank = np.array([place[name] for name in names], dtype=np.int64)
        table = cls(
            len(items),
            tuple(order),
            columns[0],
            rank[columns[1]] if len(rank) else columns[1],
            columns[2],
            columns[3].astype(bool),
            columns[4],
            columns[5].astype(bool),
            tuple(numbers),
        )
        return table, items

    def __len__(self) -> int:
        """How many votes there are."""
        return len(self.segment)

    def take(self, rows: NDArray[Any]) -> "VoteTable":
        """The votes at `rows` (a mask or positions); segments and annotators keep their numbers."""
        names = ("segment", "annotator", "topic", "present", "stance", "adjudicated")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def latest(self) -> "VoteTable":
        """Each annotator's last vote on each segment and topic, in the order of segments, topics and annotators.

        The same answer given twice counts once, and an answer of a later round replaces an earlier one. An adjudicated
        vote neither replaces nor is replaced by the same annotator's ordinary one.
        """
        keys = (self.annotator, self.adjudicated, self.topic, self.segment)
        order = np.lexsort(keys)
        sorted_ = np.stack([key[order] for key in keys])  # [4, V]
        last = np.ones(len(order), dtype=bool)
        last[:-1] = (sorted_[:, 1:] != sorted_[:, :-1]).any(axis=0)
        return self.take(order[last])

    def one_answer(self) -> int:
        """How many annotators never differ on any topic, as most labelling rules: one presence, at most one stance."""
        votes = self.take(~self.adjudicated)
        stances = np.unique(np.stack([votes.annotator, votes.topic, votes.stance])[:, votes.stance != UNKNOWN], axis=1)
        presences = np.unique(np.stack([votes.annotator, votes.topic, votes.present]), axis=1)
        differing = [said[0, :-1][(said[:2, 1:] == said[:2, :-1]).all(axis=0)] for said in (presences, stances)]
        return len(np.unique(votes.annotator)) - len(np.unique(np.concatenate(differing)))

    def name(self, segment: int) -> str:
        """What to call a segment in a message."""
        return f"segment {self.segment_ids[segment]}" if self.segment_ids else f"segment number {segment}"


def gold_of(items: Iterable[LabelledSegment], segment_ids: Sequence[str], schema: LabelSchema) -> Labels:
    """Gold labels [N, T] in the order of `segment_ids`; UNKNOWN throughout where a segment has none."""
    place = {name: number for number, name in enumerate(segment_ids)}
    shape = (len(segment_ids), len(schema.topic_ids))
    gold = Labels(np.full(shape, UNKNOWN), np.full(shape, UNKNOWN))
    for item in items:
        number = place.get(item.segment.id)
        if number is not None:
            gold.presence[number], gold.stance[number] = item.targets(schema)
    return gold
