import json
from pathlib import Path

import pytest

from naba.errors import DataError
from naba.schema import LabelSchema
from naba.voting.votes import load_votes, write_votes


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_votes_come_back_as_they_were_written(tmp_path: Path, schema: LabelSchema) -> None:
    row = {
        "text": "رفضت الحركة الهدنة",
        "article_id": "a",
        "start": 3,
        "end": 21,
        "labels": {"diplomacy": {"present": True, "stance": "oppose"}},
        "annotator": "سلمى",
        "adjudicated": True,
        "note": "kept",
    }
    votes = load_votes([write(tmp_path / "a.jsonl", row)], schema)
    assert votes[0].annotator == "سلمى" and votes[0].adjudicated
    assert votes[0].item.labels["humanitarian_aid"].present is None  # not judged, not absent
    write_votes(tmp_path / "b.jsonl", votes)
    assert load_votes([tmp_path / "b.jsonl"], schema) == votes
    assert votes[0].item.extra == {"note": "kept"}


def test_readings_are_votes_and_null_is_absent(tmp_path: Path, schema: LabelSchema) -> None:
    row = {"text": "نص", "labels": {}, "readings": [{"diplomacy": "support"}, {"diplomacy": None}]}
    first, second = load_votes([write(tmp_path / "a.jsonl", row)], schema)
    assert (first.annotator, first.item.labels["diplomacy"].stance) == ("reading-1", "support")
    assert (second.annotator, second.item.labels["diplomacy"].present) == ("reading-2", False)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "نص", "labels": {}}, r"a\.jsonl:1: no 'annotator'"),
        ({"text": "نص", "labels": {}, "annotator": "x", "adjudicated": "yes"}, "expected true or false"),
        ({"text": "نص", "labels": {}, "readings": ["support"]}, "reading 1 is no object"),
    ],
)
def test_a_broken_vote_names_its_line(tmp_path: Path, schema: LabelSchema, row: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_votes([write(tmp_path / "a.jsonl", row)], schema)
