import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from naba.annotation import import_votes, make_tasks, prodigy
from naba.annotation.tasks import Suggestion, Task
from naba.errors import DataError
from naba.records import LabelledSegment, TopicLabel, Vote
from naba.schema import LabelSchema

Make = Callable[..., LabelledSegment]
Lines = Callable[..., list[dict[str, Any]]]
ABSENT, SUPPORT = TopicLabel(False), TopicLabel(True, "support")


@pytest.fixture
def lines(tmp_path: Path, schema: LabelSchema) -> Lines:
    """The lines that a task file has for these tasks."""

    def write(*tasks: Task) -> list[dict[str, Any]]:
        prodigy.write(tmp_path, tasks, schema)
        return [json.loads(line) for line in (tmp_path / "tasks.jsonl").read_text(encoding="utf-8").splitlines()]

    return write


def save(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_options_are_arabic_coloured_by_stance_and_have_unique_ids(schema: LabelSchema, awkward: LabelSchema) -> None:
    options = prodigy.choices(schema)
    assert options[0] == {"id": "diplomacy:support", "text": "دبلوماسية: تأييد", "style": {"background": "#c8e6c9"}}
    assert options[-1]["text"] == "لا شيء من هذه المواضيع"
    assert options[5]["style"] == options[0]["style"]  # support of the second topic
    for offered in (options, prodigy.choices(awkward)):
        assert len({option["id"] for option in offered}) == len({option["text"] for option in offered}) == len(offered)


def test_settings_are_for_several_choices_from_right_to_left(schema: LabelSchema) -> None:
    settings = prodigy.settings(schema)
    assert (settings["choice_style"], settings["choice_auto_accept"], settings["writing_dir"]) == (
        "multiple",
        False,
        "rtl",
    )
    keys = settings["keymap_by_label"]
    assert keys["diplomacy:support"] == "1"
    assert keys["_none"] == "0"
    assert len(set(keys.values())) == len(keys) == 16


def test_suggestion_is_chosen_beforehand_and_its_voter_named(segment: Make, lines: Lines) -> None:
    item = segment("نص")
    labels = dict(zip(item.labels, (SUPPORT, TopicLabel(None), ABSENT), strict=True))
    scores = {"diplomacy": 0.5, "military_action": 0.75}
    plain, suggested = lines(Task((item,)), Task((item,), (Suggestion("model:m", labels, scores),)))
    assert "accept" not in plain
    assert suggested["accept"] == ["diplomacy:support"]
    assert suggested["meta"]["suggested by"] == "model:m 0.50"
    (ruled,) = lines(*make_tasks([item], [Vote(replace(item, labels=labels), "rule:x")]))
    assert ruled["meta"]["suggested by"] == "rule:x"


def test_only_accepted_choices_are_votes(segment: Make, lines: Lines, tmp_path: Path, schema: LabelSchema) -> None:
    given = [
        {"answer": "accept", "accept": ["diplomacy:support", "humanitarian_aid:_unsure"]},
        {"answer": "accept", "accept": ["_none"]},
        {"answer": "accept", "accept": []},
        {"answer": "accept"},
        {"answer": "reject", "accept": ["_none"]},
        {"answer": "ignore", "accept": ["_none"]},
        {"answer": "accept", "accept": ["_none", "diplomacy:support"]},
        {},
    ]
    rows = lines(*make_tasks([segment(f"نص {number}") for number in range(len(given))]))
    named = {"_annotator_id": "news-amal", "_session_id": "news-amal"}
    path = save(tmp_path / "out.jsonl", [{**row, **named, **said} for row, said in zip(rows, given, strict=True)])
    imported = import_votes("prodigy", [path], schema, {"news-amal": "amal"})
    assert [tuple(vote.item.labels.values()) for vote in imported.votes] == [
        (SUPPORT, TopicLabel(None), ABSENT),
        (ABSENT, ABSENT, ABSENT),
    ]
    assert {vote.annotator for vote in imported.votes} == {"amal"}
    assert {reason: len(places) for reason, places in imported.left_out.items()} == {
        "empty answer": 2,
        "rejected": 1,
        "ignored": 1,
        "contradictory": 1,
        "unanswered": 1,
    }


def test_last_answer_of_a_session_counts(segment: Make, lines: Lines, tmp_path: Path, schema: LabelSchema) -> None:
    (row,) = lines(*make_tasks([segment("نص")]))
    answers = [
        ("amal", "support", 1_700_000_009),
        ("amal", "oppose", 1_700_000_010),
        ("amal", "neutral", 1_700_000_001),
    ]
    answers += [("basim", "neutral", 1)]
    path = save(
        tmp_path / "out.jsonl",
        [
            {**row, "answer": "accept", "accept": [f"diplomacy:{stance}"], "_session_id": who, "_timestamp": when}
            for who, stance, when in answers
        ],
    )
    imported = import_votes("prodigy", [path], schema)
    assert {vote.annotator: vote.item.labels["diplomacy"].stance for vote in imported.votes} == {
        "amal": "oppose",
        "basim": "neutral",
    }
    assert [place.rpartition(":")[2] for place in imported.left_out["answered again later"]] == ["1", "3"]


def test_answers_without_a_session_have_no_name(
    segment: Make, lines: Lines, tmp_path: Path, schema: LabelSchema
) -> None:
    (row,) = lines(*make_tasks([segment("نص")]))
    path = save(tmp_path / "out.jsonl", [{**row, "answer": "accept", "accept": ["_none"], "_session_id": None}])
    assert import_votes("prodigy", [path], schema).votes[0].annotator == "prodigy:unnamed"
    assert import_votes("prodigy", [path], schema, {"prodigy:unnamed": "amal"}).votes[0].annotator == "amal"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accept": ["sport:support"]}, r"out.jsonl:1: label 'sport:support' is not in the label schema"),
        ({"accept": "diplomacy:support"}, "accept is a str, not a list"),
        ({"accept": [1]}, "accept is no list of texts"),
        ({"answer": "maybe"}, "answer 'maybe'; Prodigy writes accept, reject or ignore"),
        ({"text": "آخر"}, "the text is not the one exported"),
        ({"naba": None}, "no task that naba exported"),
    ],
)
def test_damaged_line_is_refused(
    change: dict[str, Any], message: str, segment: Make, lines: Lines, tmp_path: Path, schema: LabelSchema
) -> None:
    (row,) = lines(*make_tasks([segment("نص")]))
    path = save(tmp_path / "out.jsonl", [{**row, "answer": "accept", "accept": ["_none"], **change}])
    with pytest.raises(DataError, match=message):
        import_votes("prodigy", [path], schema)
