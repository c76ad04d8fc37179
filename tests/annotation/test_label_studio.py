import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from naba.annotation import import_votes, label_studio, make_tasks
from naba.annotation.tasks import Imported, Suggestion, pack
from naba.errors import DataError
from naba.records import LabelledSegment, TopicLabel, Vote
from naba.schema import LabelSchema
from tests.annotation.simulate import choices

Make = Callable[..., LabelledSegment]
ABSENT, SUPPORT = TopicLabel(False), TopicLabel(True, "support")


def said(item: LabelledSegment, *labels: TopicLabel) -> LabelledSegment:
    return replace(item, labels=dict(zip(item.labels, labels, strict=True)))


def result(**answers: str | list[str]) -> list[dict[str, Any]]:
    return [
        {
            "from_name": name,
            "to_name": "text",
            "type": "choices",
            "value": {"choices": answer if isinstance(answer, list) else [answer]},
        }
        for name, answer in answers.items()
    ]


@pytest.fixture
def export(tmp_path: Path, segment: Make, schema: LabelSchema) -> Callable[..., Imported]:
    """Import an export of one task with these annotations: `export([annotation, …])`."""
    (task,) = make_tasks([segment("تصريح عن المعبر")])

    def run(annotations: list[dict[str, Any]], names: dict[str, str] | None = None, **fields: Any) -> Imported:
        data = {"text": task.segment.text, "segment": task.segment.id, "naba": pack(task, schema)}
        whole = {"id": 41, "data": {**data, **fields.pop("data", {})}, "annotations": annotations, **fields}
        path = tmp_path / "export.json"
        path.write_text(json.dumps([whole]), encoding="utf-8")
        return import_votes("label-studio", [path], schema, names)

    return run


@pytest.mark.parametrize("name", ["schema", "markets", "awkward"])
def test_interface_has_a_question_a_topic_with_every_answer(name: str, request: pytest.FixtureRequest) -> None:
    schema: LabelSchema = request.getfixturevalue(name)
    root = ElementTree.fromstring(label_studio.interface(schema))
    assert "direction: rtl" in root.attrib["style"]
    (text,) = root.iter("Text")
    assert text.attrib == {"name": "text", "value": "$text"}
    questions = {choices.attrib["name"]: choices for choices in root.iter("Choices")}
    assert list(questions) == ["none", *(f"topic_{topic}" for topic in schema.topic_ids)]
    for topic in schema.topics:
        question = questions[f"topic_{topic.id}"]
        assert (question.attrib["choice"], question.attrib["required"]) == ("single", "true")
        aliases = [choice.attrib["alias"] for choice in question]
        assert aliases == [*schema.stance_ids, "_absent", "_present", "_unsure"]
        assert len({choice.attrib["value"] for choice in question}) == len(aliases)
    assert [panel.attrib["value"].partition(" ·")[0] for panel in root.iter("Panel")] == [
        topic.name_ar.replace("$", "＄") for topic in schema.topics
    ]
    keys = [choice.attrib["hotkey"] for choice in root.iter("Choice") if "hotkey" in choice.attrib]
    assert len(keys) == len(set(keys))


def test_interface_names_answers_in_arabic_and_explains_them_on_hover(schema: LabelSchema) -> None:
    root = ElementTree.fromstring(label_studio.interface(schema))
    first = next(choice for choice in root.iter("Choice") if choice.attrib["alias"] == "oppose")
    assert first.attrib["value"] == "معارضة"
    assert first.attrib["hint"].startswith("oppose: rejects, obstructs")
    assert first.attrib["hotkey"] == "2"


def test_none_hides_the_topics_and_with_them_what_they_require(schema: LabelSchema) -> None:
    root = ElementTree.fromstring(label_studio.interface(schema))
    hidden = [view for view in root.iter("View") if view.attrib.get("visibleWhen") == "choice-unselected"]
    assert [view.find("Choices").attrib["name"] for view in hidden] == [f"topic_{topic}" for topic in schema.topic_ids]  # type: ignore[union-attr]
    assert {(view.attrib["whenTagName"], view.attrib["whenChoiceValue"]) for view in hidden} == {("none", "_none")}


def test_each_voter_is_a_prediction_and_what_it_does_not_know_is_left_open(
    tmp_path: Path, segment: Make, schema: LabelSchema
) -> None:
    item = segment("نص")
    votes = [
        Vote(said(item, SUPPORT, TopicLabel(None), ABSENT), "rule:a"),
        Vote(said(item, ABSENT, ABSENT, ABSENT), "rule:b"),
        Vote(said(item, TopicLabel(True), ABSENT, ABSENT), "people"),
    ]
    (task,) = make_tasks([item], votes)
    scored = Suggestion("model:m", votes[0].item.labels, {"diplomacy": 0.8, "military_action": 0.6})
    label_studio.write(tmp_path, [replace(task, suggestions=(*task.suggestions, scored))], schema)
    (written,) = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    found = {
        prediction["model_version"]: {r["from_name"]: r["value"]["choices"][0] for r in prediction["result"]}
        for prediction in written["predictions"]
    }
    assert found == {
        "rule:a": {"topic_diplomacy": "support", "topic_military_action": "_absent"},
        "rule:b": {"none": "_none"},
        "people": {
            "topic_diplomacy": "_present",
            "topic_humanitarian_aid": "_absent",
            "topic_military_action": "_absent",
        },
        "model:m": {"topic_diplomacy": "support", "topic_military_action": "_absent"},
    }
    assert [prediction.get("score") for prediction in written["predictions"]] == [None, None, None, 0.6]
    ids = [r["id"] for prediction in written["predictions"] for r in prediction["result"]]
    assert len(ids) == len(set(ids))


def test_skipped_and_draft_and_empty_answers_are_left_out_and_counted(export: Callable[..., Imported]) -> None:
    whole = result(topic_diplomacy="support", topic_humanitarian_aid="_absent", topic_military_action="_unsure")
    imported = export(
        [
            {"completed_by": 1, "result": whole},
            {"completed_by": 2, "result": result(none="_none"), "was_cancelled": True},
            {"completed_by": 3, "result": []},
        ],
        drafts=[{"result": whole}],
    )
    (vote,) = imported.votes
    assert vote.annotator == "label-studio:1"
    assert dict(vote.item.labels) == {
        "diplomacy": SUPPORT,
        "humanitarian_aid": ABSENT,
        "military_action": TopicLabel(None),
    }
    where = imported.left_out["skipped"]
    assert {reason: len(places) for reason, places in imported.left_out.items()} == {
        "draft": 1,
        "skipped": 1,
        "empty answer": 1,
    }
    assert where[0].endswith("export.json: entry 1 (task 41)")


def test_only_skipped_is_no_vote_at_all(export: Callable[..., Imported]) -> None:
    with pytest.raises(DataError, match=r"no submitted answer \(1 skipped\)"):
        export([{"completed_by": 1, "result": [], "was_cancelled": True}])
    with pytest.raises(DataError, match=r"no submitted answer \(1 unanswered\)"):
        export([])


def test_question_left_open_is_unknown(export: Callable[..., Imported]) -> None:
    (vote,) = export([{"completed_by": 1, "result": result(topic_diplomacy="_present")}]).votes
    assert vote.item.labels["diplomacy"] == TopicLabel(True)
    assert vote.item.labels["military_action"] == TopicLabel(None)


def test_none_counts_over_answers_that_it_hid(export: Callable[..., Imported]) -> None:
    (vote,) = export([{"completed_by": 1, "result": result(topic_diplomacy="oppose", none="_none")}]).votes
    assert set(vote.item.labels.values()) == {ABSENT}


@pytest.mark.parametrize(
    ("user", "name"),
    [
        (7, "label-studio:7"),
        ({"id": 7, "email": "amal@example.org", "first_name": ""}, "amal@example.org"),
        ({"id": 7}, "label-studio:7"),
        ("amal@example.org", "amal@example.org"),
        (None, "label-studio:unnamed"),
    ],
)
def test_annotator_is_the_address_or_the_number(user: Any, name: str, export: Callable[..., Imported]) -> None:
    (vote,) = export([{"completed_by": user, "result": result(none="_none")}]).votes
    assert vote.annotator == name


def test_map_names_an_annotator_by_number_or_address(export: Callable[..., Imported]) -> None:
    annotation = {"completed_by": {"id": 7, "email": "a@x"}, "result": result(none="_none")}
    assert export([annotation], {"7": "أمل"}).votes[0].annotator == "أمل"
    assert export([annotation], {"a@x": "أمل"}).votes[0].annotator == "أمل"


def test_later_annotation_of_one_annotator_counts(export: Callable[..., Imported]) -> None:
    imported = export(
        [
            {"completed_by": 1, "result": result(topic_diplomacy="oppose"), "updated_at": "2026-02-02T00:00:00Z"},
            {"completed_by": 1, "result": result(topic_diplomacy="support"), "updated_at": "2026-02-01T00:00:00Z"},
        ]
    )
    assert [vote.item.labels["diplomacy"].stance for vote in imported.votes] == ["oppose"]
    assert list(imported.left_out) == ["answered again later"]


def test_time_spent_and_answers_to_questions_the_user_added_are_kept(export: Callable[..., Imported]) -> None:
    note = {"from_name": "note", "type": "textarea", "value": {"text": ["غامض"]}}
    (vote,) = export([{"completed_by": 1, "lead_time": 12.5, "result": [*result(none="_none"), note]}]).votes
    assert vote.item.extra["lead_time"] == 12.5
    assert vote.item.extra["other_answers"] == {"note": {"text": ["غامض"]}}


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"topic_diplomacy": "optimistic"}, r"task 41\): answer 'optimistic' is not in the label schema"),
        ({"topic_sport": "support"}, r"task 41\): question 'topic_sport' is about no topic of the label schema"),
        ({"topic_diplomacy": ["a", 3]}, "no list of texts"),
    ],
)
def test_answer_of_another_schema_is_refused(
    answers: dict[str, Any], message: str, export: Callable[..., Imported]
) -> None:
    with pytest.raises(DataError, match=message):
        export([{"completed_by": 1, "result": result(**answers)}])


def test_two_answers_to_a_single_choice_contradict(export: Callable[..., Imported]) -> None:
    with pytest.raises(DataError, match="1 contradictory"):
        export([{"completed_by": 1, "result": result(topic_diplomacy=["support", "oppose"])}])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data": {"text": "نص آخر"}}, "the text is not the one exported"),
        ({"data": {"naba": None}}, "no task that naba exported"),
        ({"annotations": {}}, "annotations is a dict, not a list"),
        ({"annotations": [3]}, "an annotation is a int, not an object"),
        ({"annotations": [{"result": ["x"]}]}, "a result is a str, not an object"),
        ({"annotations": [{"result": [{"from_name": "none"}]}]}, "value is a NoneType, not an object"),
    ],
)
def test_damaged_task_is_refused(fields: dict[str, Any], message: str, export: Callable[..., Imported]) -> None:
    with pytest.raises(DataError, match=message):
        export(fields.pop("annotations", [{"completed_by": 1, "result": result(none="_none")}]), **fields)


def test_minimal_export_gives_the_same_votes(tmp_path: Path, segment: Make, schema: LabelSchema) -> None:
    items = [segment("واحد"), segment("اثنان"), segment("ثلاثة")]
    answers = [(ABSENT, ABSENT, ABSENT), (SUPPORT, TopicLabel(True), TopicLabel(None))]
    rows: list[dict[str, Any]] = []
    for number, (task, labels) in enumerate(zip(make_tasks(items), answers, strict=False), start=1):
        flat = {r["from_name"]: r["value"]["choices"][0] for r in choices(said(items[0], *labels).labels, schema)}
        data = {"text": task.segment.text, "segment": task.segment.id, "naba": pack(task, schema)}
        rows.append({**data, "id": number, **flat, "annotator": 1, "annotation_id": number, "lead_time": 2.0})
    rows.append({"text": "ثلاثة", "id": 3, "annotator": None, "annotation_id": None})
    path = tmp_path / "min.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    imported = import_votes("label-studio", [path], schema, {"1": "amal"})
    assert [tuple(vote.item.labels.values()) for vote in imported.votes] == answers
    assert [vote.item.extra["lead_time"] for vote in imported.votes] == [2.0, 2.0]
    assert "other_answers" not in imported.votes[0].item.extra
    assert list(imported.left_out) == ["unanswered"]
