from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naba.cli.resolve import resolve as command
from naba.errors import ConfigError, DataError
from naba.metrics import Labels
from naba.records import LabelledSegment, TopicLabel, Vote
from naba.schema import UNKNOWN, LabelSchema
from naba.voting.aggregate import METHODS
from naba.voting.resolve import Resolved, decide, labels_of, resolve, resolve_table
from naba.voting.vote_table import VoteTable
from tests.conftest import FOUR_TOPICS

Make = Callable[..., LabelledSegment]
ABSENT = TopicLabel(False)
UNJUDGED = TopicLabel(None)


def table(segments: int, *votes: tuple[int, int, int, bool, int], adjudicated: tuple[int, ...] = ()) -> VoteTable:
    """Votes as (segment, annotator, topic, present, stance)."""
    columns = np.array(votes, dtype=np.int64).reshape(-1, 5).T
    last_word = np.isin(np.arange(len(votes)), adjudicated)
    names = tuple("abcdefg")
    return VoteTable(
        segments, names, columns[0], columns[1], columns[2], columns[3].astype(bool), columns[4], last_word
    )


def votes_on(item: LabelledSegment, *others: LabelledSegment) -> list[Vote]:
    return [Vote(each, f"annotator-{number}") for number, each in enumerate((item, *others))]


def test_presence_and_stance_are_two_questions(schema: LabelSchema) -> None:
    # Four judge topic 0: three say it is there, of whom two give a stance, support (0) and oppose (1).
    votes = [(0, 0, 0, True, 0), (0, 1, 0, True, 1), (0, 2, 0, True, UNKNOWN), (0, 3, 0, False, UNKNOWN)]
    resolved = resolve_table(table(1, *votes), schema)
    assert resolved.presence[0, 0] == pytest.approx(0.75)
    assert resolved.stance[0, 0] == pytest.approx([0.5, 0.5, 0])
    (labels,) = labels_of(resolved, schema)
    assert labels["diplomacy"] == TopicLabel(True, None)  # the stances tie, so the stance is unknown


@pytest.mark.parametrize("method", ["majority", "dawid-skene", "mace"])
def test_what_nobody_judged_stays_unknown(method: str, schema: LabelSchema) -> None:
    resolved = resolve_table(table(3, (0, 0, 0, True, 2), (2, 0, 1, False, UNKNOWN)), schema, method)
    assert np.isnan(resolved.presence).tolist() == [[False, True, True], [True] * 3, [True, False, True]]
    assert np.isnan(resolved.stance).all(axis=2).tolist() == [[False, True, True], [True] * 3, [True] * 3]
    assert labels_of(resolved, schema)[1] == dict.fromkeys(schema.topic_ids, UNJUDGED)


def test_a_tie_is_unknown_and_so_is_what_is_less_sure_than_asked(schema: LabelSchema) -> None:
    presence = np.array([[0.5, 0.4, 0.81]])
    stance = np.array([[[0.4, 0.4, 0.2], [0.8, 0.1, 0.1], [0.6, 0.3, 0.1]]])
    resolved = Resolved(presence, stance)
    assert list(labels_of(resolved, schema)[0].values()) == [UNJUDGED, ABSENT, TopicLabel(True, "support")]
    assert list(labels_of(resolved, schema, 0.7)[0].values()) == [UNJUDGED, UNJUDGED, TopicLabel(True, None)]
    assert list(labels_of(resolved, schema, 0.9)[0].values()) == [UNJUDGED] * 3
    labels, sure, certain = decide(resolved)
    assert labels.presence.tolist() == [[UNKNOWN, 0, 1]]
    assert labels.stance.tolist() == [[UNKNOWN, 0, 0]]  # also where the topic is absent: what it would be
    assert sure[0] == pytest.approx([0.5, 0.6, 0.81])
    assert certain[0] == pytest.approx([0.4, 0.8, 0.6])


def test_three_of_five_reach_a_confidence_of_six_tenths(schema: LabelSchema) -> None:
    votes = [(0, n, 0, n < 2, UNKNOWN) for n in range(5)]  # three of five say absent
    assert labels_of(resolve_table(table(1, *votes), schema), schema, 0.6)[0]["diplomacy"] == ABSENT


def test_an_adjudicated_vote_wins_with_confidence_one(labelled: Make, schema: LabelSchema) -> None:
    support, oppose = labelled("نص", diplomacy="support"), labelled("نص", diplomacy="oppose")
    (row,) = resolve([*votes_on(support, support, support), Vote(oppose, "رئيس التحرير", True)], schema)
    assert row.labels["diplomacy"] == TopicLabel(True, "oppose")
    assert row.extra["confidence"]["diplomacy"] == {"present": 1.0, "stance": 1.0}
    assert row.provenance["annotator"] == "resolved:majority of 3, adjudicated"


def test_what_an_adjudicator_left_unsaid_stays_with_the_votes(schema: LabelSchema) -> None:
    # Votes: present-support twice, absent once. The adjudicator says "present" and no stance on topic 0, absent on 1.
    votes = [(0, n, topic, True, 0) for n in (0, 1) for topic in (0, 1)] + [(0, 2, 0, False, UNKNOWN)]
    votes += [(0, 3, 0, True, UNKNOWN), (0, 3, 1, False, UNKNOWN)]
    resolved = resolve_table(table(1, *votes, adjudicated=(5, 6)), schema)
    (labels,) = labels_of(resolved, schema)
    assert labels["diplomacy"] == TopicLabel(True, "support")
    assert labels["humanitarian_aid"] == ABSENT
    assert resolved.presence[0].tolist()[:2] == [1.0, 0.0]


def test_two_adjudicators_who_differ_are_an_error(labelled: Make, schema: LabelSchema) -> None:
    support, oppose, absent = labelled("نص", diplomacy="support"), labelled("نص", diplomacy="oppose"), labelled("نص")
    unsaid = LabelledSegment.from_row({"text": "نص", "labels": {"diplomacy": {"present": True}}}, schema, "test")
    for other in (oppose, absent):
        votes = [Vote(unsaid, "ثالث", True), Vote(support, "سلمى", True), Vote(other, "عمر", True)]
        with pytest.raises(DataError, match=rf"segment {support.segment.id}, diplomacy: .* adjudicated it differently"):
            resolve(votes, schema)
    (row,) = resolve([Vote(unsaid, "ثالث", True), Vote(support, "سلمى", True), Vote(support, "عمر", True)], schema)
    assert row.labels["diplomacy"] == TopicLabel(True, "support")
    # The same adjudicator's later round corrects the earlier one.
    (row,) = resolve([Vote(support, "سلمى", True), Vote(oppose, "سلمى", True)], schema)
    assert row.labels["diplomacy"] == TopicLabel(True, "oppose")


def test_the_same_vote_twice_counts_once_and_a_later_one_replaces_it(labelled: Make, schema: LabelSchema) -> None:
    support, oppose = labelled("نص", diplomacy="support"), labelled("نص", diplomacy="oppose")
    (row,) = resolve([Vote(support, "a"), Vote(support, "a"), Vote(oppose, "b")], schema)
    assert row.labels["diplomacy"] == TopicLabel(True, None)  # one against one
    (row,) = resolve([Vote(support, "a"), Vote(oppose, "b"), Vote(oppose, "a")], schema)
    assert row.labels["diplomacy"] == TopicLabel(True, "oppose")
    assert row.provenance["annotator"] == "resolved:majority of 2"


def test_a_row_keeps_what_its_votes_brought(schema: LabelSchema) -> None:
    row = {"text": "نص", "article_id": "a", "start": 3, "end": 5, "labels": {"diplomacy": {"present": False}}}
    first = LabelledSegment.from_row(row | {"provenance": {"source": "وكالة"}, "register": "agency"}, schema, "x")
    second = LabelledSegment.from_row(
        row | {"provenance": {"source": "غيرها", "date": "2024-01-01"}, "cluster": "c", "answers": {}}, schema, "x"
    )
    (resolved,) = resolve([Vote(first, "a"), Vote(second, "b")], schema)
    assert resolved.segment == first.segment
    assert resolved.cluster == "c"
    assert resolved.provenance == {"source": "وكالة", "date": "2024-01-01", "annotator": "resolved:majority of 2"}
    assert resolved.extra == {"register": "agency", "confidence": {"diplomacy": {"present": 1.0}}}
    again = LabelledSegment.from_row(resolved.to_row(), schema, "x")
    assert again == resolved


def test_segments_come_in_the_order_of_their_first_vote(labelled: Make, schema: LabelSchema) -> None:
    items = [labelled(text) for text in ("ج", "أ", "ب")]
    rows = resolve([Vote(item, name) for name in "yx" for item in items], schema)
    assert [row.segment.text for row in rows] == ["ج", "أ", "ب"]


def test_no_votes_give_no_rows(schema: LabelSchema) -> None:
    assert resolve([], schema) == []
    assert resolve_table(table(2), schema, "mace").presence.shape == (2, 3)


def test_an_unknown_resolver_is_named_with_the_known_ones(schema: LabelSchema) -> None:
    with pytest.raises(ConfigError, match="no resolver 'median'; known: majority, dawid-skene, mace, weighted"):
        resolve_table(table(1), schema, "median")


def test_weighted_learns_presence_and_stance_from_gold(labelled: Make, schema: LabelSchema) -> None:
    # Annotator "good" is always right on ten gold segments, "two" others always say the opposite of it.
    def said(number: int, right: bool) -> LabelledSegment:
        stance = "support" if (number % 2 == 0) == right else "oppose"
        return labelled(f"نص {number}", diplomacy=stance)

    votes = [Vote(said(n, True), "good") for n in range(12)]
    votes += [Vote(said(n, False), name) for name in ("bad", "worse") for n in range(12)]
    gold = [said(n, True) for n in range(10)]
    plain = resolve(votes, schema)
    learnt = resolve(votes, schema, "weighted", gold=gold)
    assert [row.labels["diplomacy"].stance for row in plain[10:]] == ["oppose", "support"]
    assert [row.labels["diplomacy"].stance for row in learnt[10:]] == ["support", "oppose"]
    with pytest.raises(DataError, match="no segment of the gold was voted on"):
        resolve(votes, schema, "weighted", gold=[labelled("نص لم يره أحد")])
    with pytest.raises(ConfigError, match="learns its weights from gold"):
        resolve(votes, schema, "weighted")


def test_gold_changes_nothing_for_other_resolvers(labelled: Make, schema: LabelSchema) -> None:
    votes = votes_on(labelled("نص", diplomacy="support"))
    assert resolve(votes, schema, gold=[labelled("نص")]) == resolve(votes, schema)


@pytest.mark.parametrize("method", ["majority", "dawid-skene"])
def test_another_schema_resolves_as_well(method: str, markets: LabelSchema, market_rows: list[dict[str, Any]]) -> None:
    items = [LabelledSegment.from_row(row, markets, "test") for row in market_rows]
    votes = [Vote(item, name) for name in "abc" for item in items]
    rows = resolve(votes, markets, method)
    assert [row.labels for row in rows] == [item.labels for item in items]


MARKETS = LabelSchema.parse(FOUR_TOPICS, "test")
VOTES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 3), st.booleans(), st.sampled_from([0, 1, UNKNOWN])),
    max_size=40,
)


@settings(max_examples=60)
@given(votes=VOTES, seed=st.integers(0, 5))
def test_majority_of_any_votes_is_the_share_of_the_last_ones(votes: list[Any], seed: int) -> None:
    votes = [(*vote[:4], vote[4] if vote[3] else UNKNOWN) for vote in votes]
    resolved = resolve_table(table(5, *votes), MARKETS, seed=seed)
    last = {(segment, topic, who): (present, stance) for segment, who, topic, present, stance in votes}
    for segment in range(5):
        for topic in range(4):
            said = [answer for key, answer in last.items() if key[:2] == (segment, topic)]
            if not said:
                assert np.isnan(resolved.presence[segment, topic])
                continue
            assert resolved.presence[segment, topic] == pytest.approx(np.mean([present for present, _ in said]))
            stances = [stance for _, stance in said if stance != UNKNOWN]
            if stances:
                expected = [stances.count(0) / len(stances), stances.count(1) / len(stances)]
                assert resolved.stance[segment, topic] == pytest.approx(expected)
            else:
                assert np.isnan(resolved.stance[segment, topic]).all()


def test_the_command_offers_every_resolver() -> None:
    assert get_args(get_type_hints(command)["method"]) == tuple(METHODS)


def test_gold_of_resolve_table_is_in_the_tables_order(schema: LabelSchema) -> None:
    # One annotator says of a hundred segments that topic 0 is there; gold says of 99 that it is not; the last is asked.
    presence = np.full((100, 3), UNKNOWN)
    presence[:99, 0] = 0
    gold = Labels(presence, np.full((100, 3), UNKNOWN))
    votes = [(segment, 0, 0, True, UNKNOWN) for segment in range(100)]
    assert resolve_table(table(100, *votes), schema, "weighted", gold=gold).presence[99, 0] < 0.2
