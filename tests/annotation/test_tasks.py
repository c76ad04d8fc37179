import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from naba.annotation.tasks import (
    SUPERSEDED,
    Answer,
    LeftOut,
    Suggestion,
    Task,
    collect,
    load_names,
    load_segments,
    make_tasks,
    pack,
    unpack,
)
from naba.errors import DataError
from naba.records import LabelledSegment, Prediction, TopicLabel, TopicPrediction, Vote
from naba.schema import LabelSchema

Make = Callable[..., LabelledSegment]
Write = Callable[[str, list[dict[str, Any]]], Path]
SUPPORT = TopicLabel(True, "support")


def answer(item: LabelledSegment, user: str, time: str | None = None, **keys: Any) -> Answer:
    return Answer((item,), user, keys.get("ids", (user,)), keys.get("where", "f:1"), time)


def judged(item: LabelledSegment, stance: str) -> LabelledSegment:
    return replace(item, labels=dict.fromkeys(item.labels, TopicLabel(True, stance)))


def test_segments_without_labels_are_unknown_throughout(write_rows: Write, schema: LabelSchema) -> None:
    path = write_rows("s.jsonl", [{"text": "أ"}, {"text": "ب", "labels": None}, {"text": "ج", "labels": {}}])
    items = load_segments([path], schema)
    assert [item.labels["diplomacy"] for item in items] == [TopicLabel(None)] * 3


def test_segments_with_a_byte_order_mark_are_read(tmp_path: Path, schema: LabelSchema) -> None:
    (tmp_path / "s.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "x"}\n')
    assert load_segments([tmp_path / "s.jsonl"], schema)[0].segment.text == "x"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"text": "أ", "annotator": "amal", "labels": {}},
            "s.jsonl:1: a vote, not a segment; give votes with --suggestions",
        ),
        ({"text": " "}, "s.jsonl:1: no 'text'"),
        ({"text": "أ", "labels": ["diplomacy"]}, "s.jsonl:1: no 'labels' object"),
        ({"text": "أ", "labels": {"oil": None}}, "s.jsonl:1: topic 'oil' is not in the label schema"),
        ({"text": "\ud800"}, "half a character"),
    ],
)
def test_broken_segment_names_its_line(row: dict[str, Any], message: str, tmp_path: Path, schema: LabelSchema) -> None:
    (tmp_path / "s.jsonl").write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_segments([tmp_path / "s.jsonl"], schema)


def test_no_segments_is_an_error(write_rows: Write, tmp_path: Path, schema: LabelSchema) -> None:
    with pytest.raises(DataError, match="no segments"):
        load_segments([write_rows("empty.jsonl", [])], schema)
    with pytest.raises(DataError, match="no such file"):
        load_segments([tmp_path / "missing.jsonl"], schema)


def test_text_that_stands_twice_is_asked_once_and_each_place_gets_the_vote(segment: Make, schema: LabelSchema) -> None:
    here, there = segment("نص واحد", article_id="a", start=0), segment("نص واحد", article_id="b", start=9)
    (task,) = make_tasks([here, there])
    items = unpack(pack(task, schema), "نص واحد", judged(here, "support").labels, schema, "x")
    imported = collect([Answer(items, "amal", ("amal",), "x")], {})
    assert [(vote.item.segment.article_id, vote.item.segment.start) for vote in imported.votes] == [("a", 0), ("b", 9)]
    assert {vote.annotator for vote in imported.votes} == {"amal"}


def test_suggestions_keep_the_voters_order_and_each_voter_s_last_word(segment: Make) -> None:
    one, other, foreign = segment("واحد"), segment("اثنان"), segment("غيره")
    votes = [
        Vote(judged(one, "support"), "rule:a"),
        Vote(judged(one, "oppose"), "model:b"),
        Vote(judged(one, "neutral"), "rule:a"),
        Vote(other, "rule:a"),  # knows nothing
        Vote(judged(foreign, "support"), "rule:a"),
    ]
    first, second = make_tasks([one, other], votes)
    said = [(suggestion.voter, suggestion.labels["diplomacy"].stance) for suggestion in first.suggestions]
    assert said == [("rule:a", "neutral"), ("model:b", "oppose")]
    assert second.suggestions == ()


def test_a_model_s_scores_are_of_the_answers_it_gives() -> None:
    by_stance = {"support": 0.5, "oppose": 0.3, "neutral": 0.2}
    topics = {
        "diplomacy": TopicPrediction(True, 0.9, "support", by_stance),
        "military_action": TopicPrediction(False, 0.2, None, by_stance),
    }
    suggestion = Suggestion.from_prediction("model:m", Prediction("x", topics))
    # present: 0.9 · 0.5; absent: 1 − 0.2
    assert suggestion.scores == {"diplomacy": 0.45, "military_action": 0.8}
    assert suggestion.score == 0.45
    assert suggestion.labels["military_action"] == TopicLabel(False)
    assert Suggestion("rule:r", {}).score is None


def test_task_carries_the_row_but_not_the_labels(segment: Make, schema: LabelSchema) -> None:
    item = judged(segment("نص"), "oppose")
    carried = pack(Task((item,)), schema)
    assert "oppose" not in carried
    (back,) = unpack(carried, "نص", item.labels, schema, "x")
    assert back.to_row() == item.to_row()


def test_row_that_other_tools_could_not_read_is_refused(segment: Make, schema: LabelSchema) -> None:
    with pytest.raises(DataError, match="NaN or Infinity"):
        pack(Task((segment("نص", weight=float("nan")),)), schema)


@pytest.mark.parametrize(
    "carried", [None, 3, "", "{", "[]", "{}", '{"rows": []}', '{"rows": [], "schema": "", "schema_name": ""}']
)
def test_task_that_naba_did_not_make_is_refused(carried: Any, schema: LabelSchema) -> None:
    with pytest.raises(DataError, match="f:2: no task that naba exported"):
        unpack(carried, "نص", {}, schema, "f:2")


def test_task_of_another_schema_is_refused(segment: Make, schema: LabelSchema, markets: LabelSchema) -> None:
    carried = pack(Task((segment("نص"),)), schema)
    with pytest.raises(
        DataError, match=r"exported with the label schema 'naba-news'.* not those of 'markets'; name it with --labels"
    ):
        unpack(carried, "نص", {}, markets, "f:2")


def test_text_changed_in_the_tool_is_refused(segment: Make, schema: LabelSchema) -> None:
    carried = pack(Task((segment("النص الأول"),)), schema)
    with pytest.raises(DataError, match="f:2: the text is not the one exported"):
        unpack(carried, "النص الثاني", {}, schema, "f:2")


def test_last_answer_of_an_annotator_counts_and_the_others_are_counted(segment: Make) -> None:
    item = segment("نص")
    early, late = judged(item, "support"), judged(item, "oppose")
    by_time = collect([answer(late, "amal", "2026-02"), answer(early, "amal", "2026-01", where="f:9")], {})
    by_order = collect([answer(early, "amal", where="f:1"), answer(late, "amal", where="f:2")], {})
    assert [vote.item.labels["diplomacy"].stance for vote in (*by_time.votes, *by_order.votes)] == ["oppose", "oppose"]
    assert by_time.left_out == {SUPERSEDED: ["f:9"]}
    assert by_order.left_out == {SUPERSEDED: ["f:1"]}


def test_annotators_are_named_by_the_map_and_their_accounts_joined(segment: Make) -> None:
    one, other = judged(segment("واحد"), "support"), judged(segment("اثنان"), "oppose")
    found = [
        answer(one, "a@x", ids=("1", "a@x")),
        answer(other, "label-studio:2", ids=("2",)),
        LeftOut("skipped", "f:3"),
    ]
    imported = collect(found, {"a@x": "amal", "2": "amal"}, adjudicated=True)
    assert [(vote.annotator, vote.adjudicated) for vote in imported.votes] == [("amal", True), ("amal", True)]
    assert imported.left_out == {"skipped": ["f:3"]}


@pytest.mark.parametrize("name", ["model:x", "rule:y"])
def test_person_is_never_named_like_a_model_or_a_rule(name: str, segment: Make) -> None:
    with pytest.raises(DataError, match="marks models and rules"):
        collect([answer(segment("نص"), "1")], {"1": name})


def test_names_are_read_with_numbers_as_keys(tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text("1: أمل\nb@example.org: basim\n", encoding="utf-8")
    assert load_names(tmp_path / "names.yaml") == {"1": "أمل", "b@example.org": "basim"}


@pytest.mark.parametrize("text", ["- a\n", "1: 2\n", "1: ''\n", "1: [a\n", ""])
def test_map_of_names_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"names\.yaml"):
        load_names(tmp_path / "names.yaml")
    with pytest.raises(DataError, match=r"missing\.yaml"):
        load_names(tmp_path / "missing.yaml")
