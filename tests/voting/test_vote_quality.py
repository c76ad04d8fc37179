from collections.abc import Callable

import numpy as np
import pytest

from naba.metrics import Labels
from naba.records import LabelledSegment, Vote
from naba.schema import UNKNOWN, LabelSchema
from naba.voting.resolve import Resolved, decide
from naba.voting.vote_quality import (
    annotator_quality,
    confidence_curve,
    gold_segments,
    quality,
    resolve_fairly,
)
from naba.voting.vote_table import VoteTable, gold_of

Make = Callable[..., LabelledSegment]
U = UNKNOWN


def test_an_abstention_is_not_said_and_does_not_count_as_wrong(schema: LabelSchema) -> None:
    # Gold: diplomacy support; absent, absent | diplomacy oppose; aid unknown, military neutral.
    gold = Labels(np.array([[1, 0, 0], [1, U, 1]]), np.array([[0, U, U], [1, U, 2]]))
    # Said: right; right; nothing | present of no stance (half an answer); said where gold is unknown; wrong stance.
    said = Labels(np.array([[1, 0, U], [1, 1, 1]]), np.array([[0, U, U], [U, 0, 0]]))
    row = quality("x", said, gold, schema)
    assert row.decided == 3
    assert row.coverage == pytest.approx(3 / 5)
    assert row.accuracy == pytest.approx(2 / 3)
    # Pairs: said support (right) and military support (wrong), gold has three: F1 = 2 · 1 / (2 + 3).
    assert row.pair_f1 == pytest.approx(2 / 5)
    assert row.topic_f1 == 1.0
    # Stance given gold's topic: diplomacy support 1, oppose 0 (nothing said); military neutral 0: (1/2 + 0) / 2.
    assert row.stance_f1 == pytest.approx(1 / 4)


def test_who_says_nothing_has_no_accuracy(schema: LabelSchema) -> None:
    gold = Labels(np.array([[1, 0, 0]]), np.array([[0, U, U]]))
    nothing = Labels(np.full((1, 3), U), np.full((1, 3), U))
    row = quality("x", nothing, gold, schema)
    assert (row.decided, row.coverage, row.accuracy, row.pair_f1) == (0, 0.0, None, 0.0)
    assert quality("x", gold, nothing, schema).coverage is None


def test_annotators_are_scored_alone_and_adjudicators_not_at_all(labelled: Make, schema: LabelSchema) -> None:
    right, wrong = labelled("نص", diplomacy="support"), labelled("نص", diplomacy="oppose")
    elsewhere = labelled("لا ذهب له", diplomacy="support")
    votes = [Vote(right, "a"), Vote(wrong, "b"), Vote(right, "c", True), Vote(elsewhere, "d")]
    table, _ = VoteTable.from_votes(votes, schema)
    gold = gold_of([right], table.segment_ids, schema)
    assert gold_segments(gold) == 1
    rows = annotator_quality(table, gold, schema)
    assert [(row.name, row.accuracy) for row in rows] == [("a", 1.0), ("b", pytest.approx(2 / 3))]


def test_the_curve_counts_what_is_left_and_how_right_it_is() -> None:
    # Presence of one topic: sure and right, sure and wrong, unsure and right.
    resolved = Resolved(np.array([[0.05], [0.02], [0.4]]), np.full((3, 1, 2), np.nan))
    gold = Labels(np.array([[0], [1], [0]]), np.array([[U], [0], [U]]))
    points = confidence_curve(resolved, gold, (0.5, 0.9, 0.97, 0.99))
    assert [(point.coverage, point.accuracy) for point in points] == [
        (1.0, pytest.approx(2 / 3)),
        (pytest.approx(2 / 3), 0.5),
        (pytest.approx(1 / 3), 0.0),
        (0.0, None),
    ]


def test_weights_never_come_from_the_gold_they_are_compared_with(labelled: Make, schema: LabelSchema) -> None:
    # Who says "there" of all; gold bears it out on every fifth segment, which are one fold, and on no other. By its own
    # gold that fold would speak for the annotator; by the others' it speaks against.
    items = [labelled(f"نص {n}", diplomacy="support") for n in range(200)]
    truth = [item if n % 5 == 0 else labelled(f"نص {n}") for n, item in enumerate(items)]
    table, _ = VoteTable.from_votes([Vote(item, "a") for item in items], schema)
    presence = resolve_fairly(table, schema, "weighted", gold_of(truth, table.segment_ids, schema)).presence[:, 0]
    assert (presence[0::5] < 0.15).all()
    assert (presence[1::5] > presence[0]).all()


def test_adjudicated_votes_take_no_part_in_a_comparison(labelled: Make, schema: LabelSchema) -> None:
    right, wrong = labelled("نص", diplomacy="support"), labelled("نص", diplomacy="oppose")
    table, _ = VoteTable.from_votes([Vote(wrong, "a"), Vote(right, "b", True)], schema)
    gold = gold_of([right], table.segment_ids, schema)
    labels, _, _ = decide(resolve_fairly(table, schema, "majority", gold))
    assert labels.stance[0, 0] == 1


def test_one_gold_segment_is_too_few_to_weigh_by(labelled: Make, schema: LabelSchema) -> None:
    item = labelled("نص", diplomacy="support")
    table, _ = VoteTable.from_votes([Vote(item, "a")], schema)
    gold = gold_of([item], table.segment_ids, schema)
    assert np.isnan(resolve_fairly(table, schema, "weighted", gold).presence).all()
