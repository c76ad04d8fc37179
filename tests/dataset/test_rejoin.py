"""Labels by hash find their texts again, and say which they do not find."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from naba.config import ReadConfig
from naba.dataset.rejoin import rejoin
from naba.errors import DataError
from naba.jsonl import read_jsonl
from naba.records import segment_id
from naba.schema import LabelSchema

Run = Callable[..., tuple[int, str, str]]
FIRST, SECOND = "قصفت الطائرات مواقع قرب المدينة.", "اتصلوا بالرقم 0123456789 قبل الظهر من كل يوم."
MASKED = "اتصلوا بالرقم ########## قبل الظهر من كل يوم."
LABELS = {"military_action": {"present": True, "stance": "neutral"}}


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    path = tmp_path / "articles.jsonl"
    row = {"id": "a1", "text": f"{FIRST}\n{SECOND}\n{FIRST}", "date": "2024-05-01", "source": "صحيفة"}
    path.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.jsonl"
    rows = [
        {"id": segment_id("نص لا يوجد"), "labels": LABELS},
        {"id": segment_id(MASKED), "labels": LABELS, "annotator": "somebody", "readings": [{}, {}]},
        {"id": segment_id(FIRST), "labels": LABELS, "source": "other"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_labels_get_text_place_and_origin_of_their_segments(articles: Path, labels: Path, schema: LabelSchema) -> None:
    found = rejoin(labels, [articles], ReadConfig(), schema)
    assert found.missing == [segment_id("نص لا يوجد")]
    masked, first = found.segments
    assert masked.segment.text == MASKED
    assert masked.provenance == {"source": "صحيفة", "annotator": "somebody", "licence": None, "date": "2024-05-01"}
    assert masked.extra["readings"] == [{}, {}]
    assert (first.segment.article_id, first.segment.start, first.segment.end) == ("a1", 0, len(FIRST))
    assert first.provenance["source"] == "other"
    assert first.labels["military_action"].stance == "neutral"
    assert first.labels["diplomacy"].present is None


def test_other_articles_and_broken_labels_are_told(articles: Path, labels: Path, schema: LabelSchema) -> None:
    articles.write_text(json.dumps({"text": "خبر آخر عن الطقس والأمطار في المدينة."}), encoding="utf-8")
    with pytest.raises(DataError, match="none of the 3 texts is in these articles"):
        rejoin(labels, [articles], ReadConfig(), schema)
    labels.write_text('{"id": "x"}')
    with pytest.raises(DataError, match=r"labels.jsonl:1: no 'id' and 'labels'"):
        rejoin(labels, [articles], ReadConfig(), schema)
    labels.write_text("")
    with pytest.raises(DataError, match="no labels"):
        rejoin(labels, [articles], ReadConfig(), schema)


def test_command_writes_labelled_segments_once(articles: Path, labels: Path, naba: Run, tmp_path: Path) -> None:
    code, out, errors = naba("rejoin", labels, "--articles", articles, "--out", tmp_path / "read.jsonl")
    assert (code, out) == (0, f"{tmp_path / 'read.jsonl'}: 2 labelled segments\n")
    assert "1 labels without a text" in errors
    assert [row["id"] for row in read_jsonl(tmp_path / "read.jsonl")] == [segment_id(MASKED), segment_id(FIRST)]
    code, _, errors = naba("rejoin", labels, "--articles", articles, "--out", tmp_path / "read.jsonl")
    assert code == 2
    assert "--overwrite" in errors
