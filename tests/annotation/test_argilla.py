import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from naba.annotation import argilla, import_votes, make_tasks
from naba.annotation.tasks import Imported, Suggestion, pack
from naba.errors import DataError
from naba.records import LabelledSegment, TopicLabel, Vote
from naba.schema import LabelSchema

Make = Callable[..., LabelledSegment]
ABSENT, UNKNOWN, SUPPORT = TopicLabel(False), TopicLabel(None), TopicLabel(True, "support")


@pytest.fixture
def export(tmp_path: Path, segment: Make, schema: LabelSchema) -> Callable[..., Imported]:
    """Import one record, flat or nested, with these answers: question → [(user, value, status), …]."""
    (task,) = make_tasks([segment("تصريح عن المعبر")])

    def run(answers: dict[str, list[tuple[str, Any, str | None]]], *, flat: bool = True, **change: Any) -> Imported:
        record: dict[str, Any] = {"id": task.segment.id, "status": "completed", "_server_id": "s", "vectors": {}}
        data, metadata = {"text": task.segment.text}, {"naba": pack(task, schema)}
        if flat:
            record |= data | metadata
            for question, given in answers.items():
                record[f"{question}.responses"] = [value for _, value, _ in given]
                record[f"{question}.responses.users"] = [user for user, _, _ in given]
                record[f"{question}.responses.status"] = [status for _, _, status in given]
        else:
            found = {
                question: [{"value": value, "user_id": user} for user, value, _ in given]
                for question, given in answers.items()
            }
            record |= {"fields": data, "metadata": metadata, "suggestions": {}, "responses": found}
        path = tmp_path / "answers.json"
        path.write_text(json.dumps([record | change]), encoding="utf-8")
        return import_votes("argilla", [path], schema)

    return run


@pytest.mark.parametrize("name", ["schema", "markets", "awkward"])
def test_settings_keep_within_what_the_server_takes(name: str, request: pytest.FixtureRequest) -> None:
    schema: LabelSchema = request.getfixturevalue(name)
    settings = argilla.settings(schema)
    names = [question["name"] for question in settings["questions"]]
    assert names == [*(f"topic_{topic}" for topic in schema.topic_ids), "topics_left_open"]
    assert [question["required"] for question in settings["questions"]] == [False] * len(schema.topics) + [True]
    assert len(settings["guidelines"]) <= 10_000
    assert max(len(question["description"]) for question in settings["questions"]) <= 1_000
    for question in settings["questions"]:
        offered = question["settings"]["options"]
        assert len({option["value"] for option in offered}) == len(offered) >= 2
    assert settings["allow_extra_metadata"]


def test_long_codebook_is_shortened_where_argilla_has_no_room(schema: LabelSchema) -> None:
    content = schema.model_dump()
    content["topics"][0]["definition"] = "كلمة " * 4_000
    settings = argilla.settings(LabelSchema.parse(content, "test"))
    assert len(settings["guidelines"]) == 10_000
    assert settings["questions"][0]["description"].endswith("…")


def test_first_voter_is_suggested_with_its_scores(tmp_path: Path, segment: Make, schema: LabelSchema) -> None:
    item = segment("نص")
    labels = dict(zip(item.labels, (SUPPORT, UNKNOWN, ABSENT), strict=True))
    (task,) = make_tasks([item], [Vote(replace(item, labels=labels), "قاعدة 1")])
    scored = Suggestion("model:m", dict.fromkeys(item.labels, ABSENT), dict.fromkeys(item.labels, 0.75))
    argilla.write(tmp_path, [task, replace(task, suggestions=(scored, *task.suggestions))], schema)
    first, second = json.loads((tmp_path / "records.json").read_text(encoding="utf-8"))
    # Arabic letters are not among those that the server takes in an agent's name.
    assert first["suggestions"] == {
        "topic_diplomacy": {"value": "support", "score": None, "agent": "_____ 1"},
        "topic_military_action": {"value": "_absent", "score": None, "agent": "_____ 1"},
    }
    assert second["suggestions"]["topic_diplomacy"] == {"value": "_absent", "score": 0.75, "agent": "model:m"}
    assert second["suggestions"]["topics_left_open"]["value"] == "_absent"
    assert first["id"] == item.segment.id


@pytest.mark.parametrize(("rest", "label"), [("_absent", ABSENT), ("_unsure", UNKNOWN)])
def test_last_question_says_what_the_open_ones_are(
    rest: str, label: TopicLabel, export: Callable[..., Imported]
) -> None:
    imported = export(
        {"topic_diplomacy": [("u1", "support", "submitted")], "topics_left_open": [("u1", rest, "submitted")]}
    )
    (vote,) = imported.votes
    assert tuple(vote.item.labels.values()) == (SUPPORT, label, label)
    assert vote.annotator == "argilla:u1"


def test_topics_left_open_without_the_last_question_are_unknown(export: Callable[..., Imported]) -> None:
    (vote,) = export({"topic_diplomacy": [("u1", "_present", "submitted")]}).votes
    assert tuple(vote.item.labels.values()) == (TopicLabel(True), UNKNOWN, UNKNOWN)


def test_drafts_and_discarded_answers_are_left_out_and_counted(export: Callable[..., Imported]) -> None:
    given: list[tuple[str, Any, str | None]] = [
        ("u1", "_absent", "submitted"),
        ("u2", "_absent", "draft"),
        ("u3", "_absent", "discarded"),
        ("u4", "_absent", None),
        ("u5", None, "submitted"),
    ]
    imported = export({"topics_left_open": given})
    assert [vote.annotator for vote in imported.votes] == ["argilla:u1"]
    assert {reason: len(places) for reason, places in imported.left_out.items()} == {
        "draft": 1,
        "skipped": 1,
        argilla.UNCERTAIN: 1,
        "empty answer": 1,
    }


def test_export_without_status_counts_only_what_must_have_been_submitted(export: Callable[..., Imported]) -> None:
    one: dict[str, list[tuple[str, Any, str | None]]] = {"topics_left_open": [("u1", "_absent", None)]}
    two: dict[str, list[tuple[str, Any, str | None]]] = {
        "topics_left_open": [("u1", "_absent", None), ("u2", "_absent", None)]
    }
    (vote,) = export(one, flat=False).votes
    assert set(vote.item.labels.values()) == {ABSENT}
    for answers, change in ((two, {}), (one, {"status": "pending"})):
        with pytest.raises(DataError, match=r"not known to be submitted \(export with to_list\(flatten=True\)\)"):
            export(answers, flat=False, **change)


def test_record_nobody_answered_is_unanswered(export: Callable[..., Imported]) -> None:
    for flat in (True, False):
        with pytest.raises(DataError, match="1 unanswered"):
            export({}, flat=flat)


@pytest.mark.parametrize(
    ("answers", "change", "message"),
    [
        ({"topic_diplomacy": [("u", "optimistic", "submitted")]}, {}, "answer 'optimistic' is not in the label schema"),
        ({"topic_sport": [("u", "support", "submitted")]}, {}, "question 'topic_sport' is about no topic"),
        ({"topics_left_open": [("u", "support", "submitted")]}, {}, "neither _absent nor _unsure"),
        ({"topic_diplomacy": [("u", ["support"], "submitted")]}, {}, "is a list, not a text"),
        ({"topics_left_open": [("u", "_absent", "submitted")]}, {"text": "آخر"}, "the text is not the one exported"),
        ({"topics_left_open": [("u", "_absent", "submitted")]}, {"naba": None}, "no task that naba exported"),
        (
            {"topics_left_open": [("u", "_absent", "submitted")]},
            {"topics_left_open.responses.users": []},
            "1 values, 0 users",
        ),
    ],
)
def test_damaged_record_is_refused(
    answers: dict[str, Any], change: dict[str, Any], message: str, export: Callable[..., Imported]
) -> None:
    with pytest.raises(DataError, match=message):
        export(answers, **change)


@pytest.mark.parametrize("name", ["schema", "markets", "awkward"])
def test_argilla_s_own_library_reads_and_writes_it(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = pytest.importorskip("argilla")
    from argilla._api._client import APIClient
    from argilla.records._io import GenericIO, JsonIO

    schema: LabelSchema = request.getfixturevalue(name)
    monkeypatch.setattr(APIClient, "_validate_connection", lambda self: None)  # there is no server
    client = library.Argilla(api_url="http://127.0.0.1:9", api_key="none")
    monkeypatch.setattr(library.Argilla, "_default_client", client)
    items = [LabelledSegment.from_row({"text": f"نص {n}", "labels": {}}, schema, "x") for n in range(3)]
    labels = dict(zip(schema.topic_ids, [TopicLabel(True, schema.stance_ids[0]), *[ABSENT] * 9], strict=False))
    argilla.write(tmp_path, make_tasks(items, [Vote(replace(items[0], labels=labels), "rule:x")]), schema)

    settings = library.Settings.from_json(tmp_path / "settings.json")
    settings.validate()
    assert [question.name for question in settings.questions][-1] == "topics_left_open"
    assert settings.serialize()["questions"][0]["settings"]["type"] == "label_selection"
    records = JsonIO._records_from_json(tmp_path / "records.json")
    assert records[0].suggestions[f"topic_{schema.topic_ids[0]}"].value == schema.stance_ids[0]

    users = [uuid4(), uuid4()]
    for user, status in zip(users, ("submitted", "draft"), strict=True):
        for question, value in {f"topic_{schema.topic_ids[0]}": "_present", "topics_left_open": "_absent"}.items():
            records[0].responses.add(library.Response(question, value, user, status=status))
    records[1].responses.add(library.Response("topics_left_open", "_absent", users[0], status="submitted"))
    for record in records:
        record._model.status = "completed"
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(GenericIO.to_list(records, flatten=True)), encoding="utf-8")
    imported = import_votes("argilla", [path], schema, {str(users[0]): "amal"})
    assert [(vote.item.segment.text, vote.annotator) for vote in imported.votes] == [("نص 0", "amal"), ("نص 1", "amal")]
    assert imported.votes[0].item.labels[schema.topic_ids[0]] == TopicLabel(True)
    assert {reason: len(places) for reason, places in imported.left_out.items()} == {"draft": 1, "unanswered": 1}
    # to_json does not say what was submitted: two answered the first record, one the second
    nested = JsonIO.to_json(records, tmp_path / "nested.json")
    assert [vote.item.segment.text for vote in import_votes("argilla", [nested], schema).votes] == ["نص 1"]
