from collections.abc import Callable
from typing import Any

import pytest

from naba.errors import DataError, SchemaError
from naba.records import LabelledSegment, TopicLabel
from naba.schema import LabelSchema
from naba.voting.adjudication import adjudicated_votes, disagreements, readings_of, undecided, votes_of
from naba.voting.resolve import resolve

Make = Callable[..., LabelledSegment]


def item(schema: LabelSchema, **row: Any) -> LabelledSegment:
    return LabelledSegment.from_row({"text": "نص", "labels": {}} | row, schema, "test")


def vote(
    schema: LabelSchema, annotator: str, text: str = "نص", adjudicated: bool = False, **stances: str | None
) -> Any:
    """A vote's row; a stance of None is absent, a topic not named not judged."""
    labels = {topic: {"present": stance is not None, "stance": stance} for topic, stance in stances.items()}
    return item(schema, text=text, labels=labels, annotator=annotator, **({"adjudicated": True} if adjudicated else {}))


def test_rows_with_readings_name_what_is_at_issue(schema: LabelSchema) -> None:
    a = {"diplomacy": "support"}
    same = item(schema, readings=[{"diplomacy": "support", "military_action": None}, dict(a)])
    other = item(schema, text="خبر", readings=[{"diplomacy": "oppose"}, dict(a)])
    (found,) = disagreements([same, other], schema)
    assert found["at_issue"] == ["diplomacy"]
    assert found["readings"] == list(readings_of(other))
    assert found["answers"] == {
        "reading-1": {"diplomacy": {"present": True, "stance": "oppose"}},
        "reading-2": {"diplomacy": {"present": True, "stance": "support"}},
    }


def test_a_labelled_row_keeps_its_labels_and_one_made_of_votes_shows_what_all_agree_on(schema: LabelSchema) -> None:
    decided = {"diplomacy": {"present": True, "stance": "oppose"}}
    readings = [{"diplomacy": "oppose"}, {"diplomacy": "support"}]
    (found,) = disagreements([item(schema, labels=decided, readings=readings)], schema)
    assert found["labels"]["diplomacy"] == decided["diplomacy"]
    voted = [
        vote(schema, "سلمى", diplomacy="oppose", military_action="neutral"),
        vote(schema, "عمر", diplomacy=None, military_action="neutral"),
    ]
    (found,) = disagreements(voted, schema)
    assert found["at_issue"] == ["diplomacy"]
    assert found["labels"] == {
        "diplomacy": {"present": None, "stance": None},  # at issue: the adjudicator's to set
        "humanitarian_aid": {"present": None, "stance": None},  # nobody judged it
        "military_action": {"present": True, "stance": "neutral"},
    }
    assert "annotator" not in found


def test_silence_is_no_disagreement_and_what_was_adjudicated_is_settled(schema: LabelSchema) -> None:
    bare = item(schema, labels={"diplomacy": {"present": True}}, annotator="c")
    agreed = [vote(schema, "a", diplomacy="support"), vote(schema, "b", military_action=None), bare]
    assert list(disagreements(agreed, schema)) == []
    differing = [*agreed, vote(schema, "d", diplomacy="oppose")]
    assert len(list(disagreements(differing, schema))) == 1
    settled = [*differing, vote(schema, "رئيس التحرير", adjudicated=True, diplomacy="support")]
    assert list(disagreements(settled, schema)) == []


def test_an_annotators_later_answer_ends_a_disagreement(schema: LabelSchema) -> None:
    votes = [vote(schema, "a", diplomacy="support"), vote(schema, "b", diplomacy="oppose")]
    assert list(disagreements([*votes, vote(schema, "b", diplomacy="support")], schema)) == []


def test_the_edited_list_resolves_what_was_at_issue(schema: LabelSchema) -> None:
    rows = [
        vote(schema, "a", diplomacy="support", military_action=None),
        vote(schema, "b", diplomacy="oppose", military_action=None),
        vote(schema, "a", text="خبر", diplomacy=None),
        vote(schema, "b", text="خبر", diplomacy="neutral"),
    ]
    first, second = disagreements(rows, schema)
    first["labels"]["diplomacy"] = first["answers"]["b"]["diplomacy"]
    edited = [LabelledSegment.from_row(row, schema, "edited") for row in (first, second)]
    assert undecided(edited) == 1  # the second was left as it came
    votes = [vote for row in rows for vote in votes_of(row, schema)]
    one, other = resolve([*votes, *adjudicated_votes(edited, "edited.jsonl")], schema)
    assert one.labels["diplomacy"] == TopicLabel(True, "oppose")
    assert one.labels["military_action"] == TopicLabel(False)
    assert one.provenance["annotator"] == "resolved:majority of 2, adjudicated"
    assert other.labels["diplomacy"] == TopicLabel(None)  # one against one, and nobody decided it
    assert set(one.extra) == {"confidence"}


def test_another_schema_is_adjudicated_as_well(markets: LabelSchema) -> None:
    votes = [vote(markets, "a", oil="optimistic", gold=None), vote(markets, "b", oil="pessimistic", gold=None)]
    (found,) = disagreements(votes, markets)
    assert found["at_issue"] == ["oil"]
    assert found["labels"]["gold"] == {"present": False, "stance": None}


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ({"readings": [{"diplomacy": "pro"}, {}]}, SchemaError, "segment [0-9a-f]{12}: reading 1: stance 'pro'"),
        ({"readings": [{"oil": "support"}, {}]}, SchemaError, "topic 'oil' is not in the label schema"),
        ({"annotator": 7}, DataError, "segment [0-9a-f]{12}: no 'annotator'"),
        ({"annotator": "a", "adjudicated": "no"}, DataError, "expected true or false"),
    ],
)
def test_a_broken_row_names_its_segment(schema: LabelSchema, row: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        votes_of(item(schema, **row), schema)


@pytest.mark.parametrize("readings", [None, [], "support", ["support"], {"diplomacy": "support"}, 3])
def test_a_row_without_readings_says_nothing_of_who_said_what(schema: LabelSchema, readings: Any) -> None:
    assert votes_of(item(schema, readings=readings), schema) == []


@pytest.mark.parametrize("at_issue", [None, "diplomacy", [7, "unheard-of"], {}])
def test_an_at_issue_that_is_no_list_of_topics_leaves_nothing_undecided(schema: LabelSchema, at_issue: Any) -> None:
    assert undecided([item(schema, at_issue=at_issue)]) == (1 if isinstance(at_issue, list) else 0)
