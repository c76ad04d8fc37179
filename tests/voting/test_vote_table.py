from collections.abc import Callable

import numpy as np
import pytest

from naba.records import LabelledSegment, Vote
from naba.schema import UNKNOWN, LabelSchema
from naba.voting.vote_table import VoteTable, gold_of

Make = Callable[..., LabelledSegment]


def test_votes_on_the_same_words_are_of_one_segment_and_unknown_topics_make_no_row(
    labelled: Make, schema: LabelSchema
) -> None:
    first = labelled("نص", diplomacy="support", humanitarian_aid=None, military_action=None)
    second = labelled("نص", diplomacy="oppose")
    table, items = VoteTable.from_votes([Vote(first, "ب"), Vote(second, "أ"), Vote(first, "ب")], schema)
    assert (table.segments, table.segment_ids) == (1, (first.segment.id,))
    assert items == [first]
    assert table.annotators == ("أ", "ب")
    assert len(table) == 1 + 3 + 1
    assert table.topic.tolist() == [0, 0, 1, 2, 0]
    assert table.annotator.tolist() == [1, 0, 0, 0, 1]
    assert table.stance.tolist() == [0, 1, UNKNOWN, UNKNOWN, 0]


def test_the_last_vote_of_an_annotator_on_a_topic_stays(labelled: Make, schema: LabelSchema) -> None:
    rounds = [
        labelled("نص", diplomacy="support", humanitarian_aid="oppose"),
        labelled("نص", diplomacy="oppose", humanitarian_aid=None, military_action=None),
    ]
    table, _ = VoteTable.from_votes([Vote(item, "a") for item in rounds], schema)
    last = table.latest()
    assert last.topic.tolist() == [0, 1, 2]  # the topics the second round did not judge stay as they were
    assert last.stance.tolist() == [1, 1, UNKNOWN]
    assert len(last.latest()) == 3


def test_an_adjudicated_vote_and_an_ordinary_one_of_the_same_person_do_not_replace_each_other(
    labelled: Make, schema: LabelSchema
) -> None:
    item = labelled("نص", diplomacy="support")
    table, _ = VoteTable.from_votes([Vote(item, "a", True), Vote(item, "a")], schema)
    assert len(table.latest()) == 6


def test_no_votes_make_an_empty_table(schema: LabelSchema) -> None:
    table, items = VoteTable.from_votes([], schema)
    assert (len(table), len(table.latest()), items, table.one_answer()) == (0, 0, [], 0)


def test_annotators_with_one_answer_are_counted(labelled: Make, schema: LabelSchema) -> None:
    unknown = {"humanitarian_aid": None, "military_action": None}
    support = [labelled(text, diplomacy="support", **unknown) for text in ("نص", "خبر")]
    oppose, absent = labelled("خبر", diplomacy="oppose", **unknown), labelled("خبر", humanitarian_aid=None)
    votes = [Vote(item, "rule:one answer") for item in support]
    votes += [Vote(support[0], "rule:two stances"), Vote(oppose, "rule:two stances")]
    votes += [Vote(support[0], "rule:also absent"), Vote(absent, "rule:also absent")]
    votes += [Vote(support[0], "adjudicator", True)]
    table, _ = VoteTable.from_votes(votes, schema)
    assert table.one_answer() == 1


def test_gold_stands_in_the_order_of_the_segments(labelled: Make, schema: LabelSchema) -> None:
    gold = [labelled("خبر", diplomacy="oppose", military_action=None), labelled("لا صوت له", diplomacy="support")]
    ids = [labelled(text).segment.id for text in ("نص", "خبر")]
    labels = gold_of(gold, ids, schema)
    assert labels.presence.tolist() == [[UNKNOWN] * 3, [1, 0, UNKNOWN]]
    assert labels.stance.tolist() == [[UNKNOWN] * 3, [1, UNKNOWN, UNKNOWN]]


@pytest.mark.parametrize(("ids", "name"), [((), "segment number 0"), (("abc",), "segment abc")])
def test_a_segment_is_named_by_its_id_where_it_has_one(ids: tuple[str, ...], name: str) -> None:
    none = np.empty(0, dtype=np.int64)
    flags = np.empty(0, dtype=bool)
    assert VoteTable(1, (), none, none, none, flags, none, flags, ids).name(0) == name
