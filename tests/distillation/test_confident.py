import numpy as np
import pytest

from naba.distillation.confident import (
    BEYOND_COUNT,
    BEYOND_NEGATIVES,
    SEEN,
    TOO_LONG,
    UNSURE_STANCE,
    UNSURE_TOPIC,
    SelectionRules,
    confidence,
    select_confident,
)
from naba.distillation.teachers import Consensus

SURE, UNSURE = [0.8, 0.1, 0.1], [0.5, 0.3, 0.2]


def said(
    presence: list[list[float]], stance: list[list[list[float]]] | None = None, threshold: float = 0.5
) -> Consensus:
    """What one teacher says of segments on two topics, sure of every stance where none is given."""
    there = np.array(presence)
    stances = np.array(stance or [[SURE] * there.shape[1]] * len(there))
    return Consensus(
        there,
        stances,
        np.full(there.shape, threshold),
        np.ones((len(there), 1), dtype=bool),
        np.zeros(there.shape, dtype=bool),
        np.ones(len(there), dtype=np.int64),
    )


def rules(
    confidence: float = 0.9, stance: float = 0.7, negatives: float = 1.0, count: int | None = None
) -> SelectionRules:
    return SelectionRules(confidence, stance, negatives, count)


def test_segment_stays_where_every_topic_is_surely_there_or_surely_not() -> None:
    answers = said([[0.95, 0.02], [0.95, 0.3], [0.7, 0.02], [0.9, 0.1]])
    assert confidence(answers)[0] == pytest.approx([0.95, 0.7, 0.7, 0.9])
    selection = select_confident(answers, rules(), seed=1)
    assert selection.kept.tolist() == [True, False, False, True]
    assert selection.reasons == {UNSURE_TOPIC: 2}


def test_what_counts_is_how_sure_the_decision_is_not_how_far_it_lies_from_a_half() -> None:
    # A threshold of 0.2 says that a topic of 0.3 is present: that is believed by 0.3, not by 0.7.
    selection = select_confident(said([[0.3, 0.05]], threshold=0.2), rules(0.6), seed=1)
    assert not selection.kept.any()


def test_stance_must_be_sure_where_its_topic_is_present_only() -> None:
    answers = said([[0.95, 0.02], [0.95, 0.02], [0.02, 0.02]], [[SURE, UNSURE], [UNSURE, SURE], [UNSURE, UNSURE]])
    assert confidence(answers)[1].tolist() == [0.8, 0.5, 1.0]
    selection = select_confident(answers, rules(), seed=1)
    assert selection.kept.tolist() == [True, False, True]
    assert selection.reasons == {UNSURE_STANCE: 1}


def test_segments_without_a_topic_are_limited_to_their_share() -> None:
    answers = said([[0.95, 0.02]] * 3 + [[0.02, 0.02]] * 20)
    for share, kept in ((0.0, 0), (0.25, 1), (0.5, 3), (0.75, 9), (1.0, 20)):
        selection = select_confident(answers, rules(negatives=share), seed=1)
        assert selection.kept[:3].all()
        assert selection.kept[3:].sum() == kept
        assert selection.reasons == ({BEYOND_NEGATIVES: 20 - kept} if kept < 20 else {})


def test_segments_without_a_topic_are_drawn_by_the_seed() -> None:
    answers = said([[0.95, 0.02]] * 3 + [[0.02, 0.02]] * 40)
    first, again, other = (select_confident(answers, rules(negatives=0.5), seed).kept for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_surest_of_each_class_stay_and_a_segment_may_come_in_by_either_class() -> None:
    support, oppose = [0.9, 0.05, 0.05], [0.05, 0.9, 0.05]
    presence = [[0.92, 0.02], [0.99, 0.02], [0.95, 0.02], [0.91, 0.02], [0.90, 0.95], [0.02, 0.02]]
    stance = [[support, support]] * 3 + [[oppose, support], [support, support], [support, support]]
    selection = select_confident(said(presence, stance), rules(count=1), seed=1)
    # First topic, support: the second segment. Oppose: the fourth. Second topic, support: the fifth.
    assert selection.kept.tolist() == [False, True, False, True, True, True]
    assert selection.reasons == {BEYOND_COUNT: 2}


def test_nothing_asked_for_keeps_all_that_was_read_whole_and_voted_on() -> None:
    answers = said([[0.5, 0.4], [0.6, 0.6], [np.nan, np.nan], [0.9, 0.1]])
    answers.voted[2] = False
    answers.windows[3] = 2
    selection = select_confident(answers, rules(0, 0), seed=1)
    assert selection.kept.tolist() == [True, True, False, False]
    assert selection.reasons == {TOO_LONG: 1, SEEN: 1}
