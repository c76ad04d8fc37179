from itertools import product

import pytest

from naba.annotation import doccano, label_studio, prodigy
from naba.annotation.answers import (
    ABSENT,
    NONE,
    PRESENT,
    UNSURE,
    answer_ids,
    answer_names,
    answer_of,
    label_of,
    labels_of,
    shortcuts,
    tick_ids,
    tick_names,
    ticks,
)
from naba.errors import DataError
from naba.records import TopicLabel
from naba.schema import LabelSchema

UNKNOWN, GONE, THERE, SUPPORT = TopicLabel(None), TopicLabel(False), TopicLabel(True), TopicLabel(True, "support")


def labels(*given: TopicLabel) -> dict[str, TopicLabel]:
    return dict(zip(("diplomacy", "humanitarian_aid", "military_action"), given, strict=True))


def test_every_label_has_one_answer_and_every_answer_one_label(schema: LabelSchema) -> None:
    assert [answer_of(label) for label in (UNKNOWN, GONE, THERE, SUPPORT)] == [UNSURE, ABSENT, PRESENT, "support"]
    assert [answer_of(label_of(answer, schema, "x")) for answer in answer_ids(schema)] == list(answer_ids(schema))


def test_answer_that_the_schema_lacks_names_what_it_offers(schema: LabelSchema) -> None:
    with pytest.raises(
        DataError, match="f:3: answer 'optimistic' is not in the label schema; it offers support, oppose"
    ):
        label_of("optimistic", schema, "f:3")


def test_naba_s_own_answers_are_never_taken_for_a_stance_of_that_name(awkward: LabelSchema) -> None:
    assert label_of("absent", awkward, "x") == TopicLabel(True, "absent")
    assert label_of("_absent", awkward, "x") == GONE


def test_names_differ_even_where_the_schema_s_do_not(awkward: LabelSchema) -> None:
    assert answer_names(awkward)["present"] == "نعم (present)"
    assert len(set(tick_names(awkward).values())) == len(tick_ids(awkward)) == 7 * 5 + 1


def test_ticks_of_the_four_kinds_of_label(schema: LabelSchema) -> None:
    assert ticks(labels(SUPPORT, GONE, THERE), schema) == ["diplomacy:support", "military_action:_present"]
    assert ticks(labels(GONE, UNKNOWN, GONE), schema) == ["humanitarian_aid:_unsure"]
    assert ticks(labels(GONE, GONE, GONE), schema) == [NONE]
    assert ticks(labels(UNKNOWN, UNKNOWN, UNKNOWN), schema) == [f"{topic}:_unsure" for topic in schema.topic_ids]


def test_suggested_ticks_leave_what_is_unknown_to_the_annotator(schema: LabelSchema) -> None:
    assert ticks(labels(SUPPORT, UNKNOWN, GONE), schema, suggested=True) == ["diplomacy:support"]
    assert ticks(labels(GONE, UNKNOWN, GONE), schema, suggested=True) == []
    assert ticks(labels(GONE, GONE, GONE), schema, suggested=True) == [NONE]


def test_ticks_read_back_for_every_combination_of_labels(schema: LabelSchema) -> None:
    for given in product((UNKNOWN, GONE, THERE, SUPPORT), repeat=3):
        assert labels_of(ticks(labels(*given), schema), schema, "x") == labels(*given)


@pytest.mark.parametrize(
    "ticked",
    [
        ["diplomacy:support", "diplomacy:oppose"],
        [NONE, "diplomacy:support"],
        ["diplomacy:_unsure", "diplomacy:neutral"],
    ],
)
def test_ticks_that_contradict_each_other_say_nothing(ticked: list[str], schema: LabelSchema) -> None:
    assert labels_of(ticked, schema, "x") is None


@pytest.mark.parametrize("tick", ["sport:support", "diplomacy:optimistic", "diplomacy", "diplomacy:_absent", ""])
def test_tick_that_the_schema_lacks_is_refused(tick: str, schema: LabelSchema) -> None:
    with pytest.raises(DataError, match=r"x: label .* is not in the label schema"):
        labels_of([tick], schema, "x")


def test_shortcuts_begin_each_group_on_a_row_and_run_out_without_repeating() -> None:
    assert shortcuts([2, 3], ["123", "qwe"]) == [["1", "2"], ["q", "w", "e"]]
    assert shortcuts([5, 1, 2], ["123", "qwe"]) == [["1", "2", "3", None, None], ["q"], [None, None]]
    many = [key for row in shortcuts([12] * 50, label_studio.KEYS) for key in row if key]
    assert len(many) == len(set(many)) == sum(map(len, label_studio.KEYS))


@pytest.mark.parametrize(("keys", "own"), [(label_studio.KEYS, "0u"), (prodigy.KEYS, "0axfh "), (doccano.KEYS, "0")])
def test_shortcuts_leave_the_tool_its_own_keys(keys: tuple[str, ...], own: str) -> None:
    every = "".join(keys)
    assert len(set(every)) == len(every)
    assert not set(every) & set(own)
