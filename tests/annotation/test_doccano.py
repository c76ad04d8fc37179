import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from naba.annotation import doccano, import_votes, make_tasks
from naba.annotation.tasks import Task
from naba.errors import DataError
from naba.records import LabelledSegment, TopicLabel, Vote
from naba.schema import LabelSchema

Make = Callable[..., LabelledSegment]
Lines = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def lines(tmp_path: Path, schema: LabelSchema) -> Lines:
    """The lines that a task file has for these tasks."""

    def write(*tasks: Task) -> list[dict[str, Any]]:
        doccano.write(tmp_path, tasks, schema)
        return [json.loads(line) for line in (tmp_path / "tasks.jsonl").read_text(encoding="utf-8").splitlines()]

    return write


@pytest.fixture
def shown(schema: LabelSchema) -> dict[str, str]:
    return doccano.label_texts(schema)


def save(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_labels_are_named_in_arabic_with_their_id_and_have_a_key_each(schema: LabelSchema) -> None:
    types = doccano.label_types(schema)
    assert types[0] == {
        "text": "دبلوماسية: تأييد (diplomacy:support)",
        "suffixKey": "1",
        "backgroundColor": "#2e7d32",
        "textColor": "#ffffff",
    }
    # 3 topics × (3 stances, present, not sure), none, and the mark of a suggestion
    assert len(types) == len({kind["text"] for kind in types}) == 17
    keys = [kind["suffixKey"] for kind in types if "suffixKey" in kind]
    assert len(keys) == len(set(keys)) == 16


def test_labels_of_any_schema_fit_doccano(awkward: LabelSchema) -> None:
    types = doccano.label_types(awkward)
    assert len({kind["text"] for kind in types}) == len(types)
    assert max(len(kind["text"]) for kind in types) <= 100


def test_ids_too_long_for_doccano_are_refused(schema: LabelSchema) -> None:
    content = {**schema.model_dump(), "examples": []}
    content["topics"][0]["id"] = "t" * 100
    with pytest.raises(DataError, match="longer than doccano's 100 characters"):
        doccano.label_types(LabelSchema.parse(content, "test"))


def test_suggestion_is_ticked_and_marked_and_its_voter_named(
    segment: Make, lines: Lines, shown: dict[str, str]
) -> None:
    labels = {
        "diplomacy": TopicLabel(True, "oppose"),
        "humanitarian_aid": TopicLabel(None),
        "military_action": TopicLabel(False),
    }
    item = segment("نص")
    (row,) = lines(*make_tasks([item], [Vote(replace(item, labels=labels), "rule:x"), Vote(item, "rule:y")]))
    assert row["label"] == [shown["diplomacy:oppose"], shown["_suggested"]]
    assert row["suggested_by"] == "rule:x"


def test_earlier_readings_do_not_stand_before_the_annotators_eyes(segment: Make, lines: Lines) -> None:
    (row,) = lines(*make_tasks([segment("نص", readings=[{"diplomacy": "oppose"}])]))
    assert row["label"] == []
    assert "oppose" not in json.dumps(row)


def test_what_is_ticked_is_the_answer_and_silence_is_none(
    segment: Make, lines: Lines, shown: dict[str, str], tmp_path: Path, schema: LabelSchema
) -> None:
    ticked = [
        [shown["diplomacy:support"], shown["military_action:_unsure"]],
        [shown["_none"]],
        [],
        [shown["diplomacy:support"], shown["_suggested"]],
        [shown["diplomacy:support"], shown["diplomacy:oppose"]],
    ]
    rows = lines(*make_tasks([segment(f"نص {number}") for number in range(5)]))
    path = save(tmp_path / "amal.jsonl", [{**row, "label": said} for row, said in zip(rows, ticked, strict=True)])
    imported = import_votes("doccano", [path], schema)
    assert [tuple(vote.item.labels.values()) for vote in imported.votes] == [
        (TopicLabel(True, "support"), TopicLabel(False), TopicLabel(None)),
        (TopicLabel(False), TopicLabel(False), TopicLabel(False)),
    ]
    assert {reason: len(places) for reason, places in imported.left_out.items()} == {
        "unanswered": 1,
        "suggestion not reviewed": 1,
        "contradictory": 1,
    }
    assert {vote.annotator for vote in imported.votes} == {"amal"}


def test_reworded_arabic_name_is_still_understood(
    segment: Make, lines: Lines, tmp_path: Path, schema: LabelSchema
) -> None:
    (row,) = lines(*make_tasks([segment("نص")]))
    path = save(tmp_path / "amal.jsonl", [{**row, "label": ["اسم قديم (diplomacy:neutral)"]}])
    assert import_votes("doccano", [path], schema).votes[0].item.labels["diplomacy"].stance == "neutral"


def test_zip_folder_and_files_give_the_same_votes(
    segment: Make, lines: Lines, shown: dict[str, str], tmp_path: Path, schema: LabelSchema
) -> None:
    (row,) = lines(*make_tasks([segment("نص")]))
    folder = tmp_path / "export"
    folder.mkdir()
    for user in ("amal", "basim"):
        save(folder / f"{user}.jsonl", [{**row, "id": 1, "label": [shown["_none"]], "Comments": ["واضح"]}])
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    for given in ([folder], [tmp_path / "export.zip"], sorted(folder.iterdir())):
        votes = import_votes("doccano", given, schema).votes
        assert [vote.annotator for vote in votes] == ["amal", "basim"]
        assert votes[0].item.extra["comments"] == ["واضح"]


def test_shared_annotations_belong_to_all_until_they_are_named(
    segment: Make, lines: Lines, shown: dict[str, str], tmp_path: Path, schema: LabelSchema
) -> None:
    (row,) = lines(*make_tasks([segment("نص")]))
    path = save(tmp_path / "all.jsonl", [{**row, "label": [shown["_none"]]}])
    assert import_votes("doccano", [path], schema).votes[0].annotator == "doccano:all"
    assert import_votes("doccano", [path], schema, {"all": "فريق"}).votes[0].annotator == "فريق"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": ["سياسة"]}, r"amal.jsonl:1 \(document 9\): label 'سياسة' is not in the label schema"),
        ({"label": "x"}, "label is a str, not a list"),
        ({"text": "آخر"}, "the text is not the one exported"),
        ({"naba": "not base64"}, "no task that naba exported"),
        ({"naba": 3}, "no task that naba exported"),
        ({"Comments": [3]}, "Comments is no list of texts"),
    ],
)
def test_damaged_line_is_refused(
    change: dict[str, Any],
    message: str,
    segment: Make,
    lines: Lines,
    shown: dict[str, str],
    tmp_path: Path,
    schema: LabelSchema,
) -> None:
    (row,) = lines(*make_tasks([segment("نص")]))
    path = save(tmp_path / "amal.jsonl", [{**row, "id": 9, "label": [shown["_none"]], **change}])
    with pytest.raises(DataError, match=message):
        import_votes("doccano", [path], schema)


def test_archive_or_folder_without_answers_is_refused(tmp_path: Path, schema: LabelSchema) -> None:
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(DataError, match=r"no \.jsonl file in this archive"):
        import_votes("doccano", [tmp_path / "empty.zip"], schema)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no \.jsonl file in this folder"):
        import_votes("doccano", [tmp_path / "empty"], schema)


def test_damaged_archive_is_refused(tmp_path: Path, schema: LabelSchema) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("amal.jsonl", '{"id": 1, "text": "x", "label": []}\n' * 50)
    raw = bytearray(path.read_bytes())
    raw[45:60] = bytes(15)
    path.write_bytes(raw)
    with pytest.raises(DataError, match="the archive cannot be read"):
        import_votes("doccano", [path], schema)
