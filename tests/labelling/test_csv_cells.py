"""Cells that a spreadsheet would run as formulas."""

import csv
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naba.labelling.csv_cells import text_cells
from naba.labelling.labeller import LabelledArticle
from naba.labelling.summarise.job import summarise_paths
from naba.labelling.writer import join_parts, write_part
from naba.records import Article, Prediction, Segment, TopicPrediction
from naba.schema import LabelSchema
from tests.labelling.test_labelled_files import UP, labelled_article, write

FORMULA = '=HYPERLINK("https://example.org","اضغط")'


@pytest.mark.parametrize("sign", list("=+-@\t\r"))
def test_text_that_begins_like_a_formula_gets_an_apostrophe(sign: str) -> None:
    assert text_cells({"a": f"{sign}1"}) == {"a": f"'{sign}1"}
    assert text_cells({"a": f"'{sign}1"}) == {"a": f"''{sign}1"}
    assert text_cells({"a": f"1{sign}"}) == {"a": f"1{sign}"}


def test_numbers_and_empty_cells_stay() -> None:
    row = {"a": -1, "b": -0.5, "c": None, "d": "", "e": "'قال", "f": "\u200f=x"}
    assert text_cells(row) == row


@given(st.text("'=+-@\t\rا"))
def test_the_text_as_it_was_can_always_be_had_again(text: str) -> None:
    (cell,) = text_cells({"a": text}).values()
    assert re.sub("^'(?='*[=+\\-@\t\r])", "", cell) == text


def test_labelled_csv_has_safe_cells_and_the_offsets_of_the_text_as_it_was(
    tmp_path: Path, markets: LabelSchema
) -> None:
    shares = dict.fromkeys(markets.stance_ids, 1 / len(markets.stance_ids))
    answers = {topic: TopicPrediction(False, 0.1, None, shares) for topic in markets.topic_ids}
    text = "- ارتفع الذهب"
    article = Article("=1", text, (), FORMULA, None, "+src", "@url")
    labelled = LabelledArticle(article, [(Segment("=1", text, "paragraph", 0, 13), Prediction(text, answers, 1))])
    for kind in ("csv", "jsonl", "parquet"):
        write_part(tmp_path / f"a.{kind}", [labelled], markets)
    join_parts([tmp_path / "a.csv", tmp_path / "a.csv"], tmp_path / "joined.csv")
    with (tmp_path / "joined.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(markets.topic_ids)
    for row in rows:
        cells = [row[name] for name in ("article_id", "title", "source", "url", "text")]
        assert cells == ["'=1", f"'{FORMULA}", "'+src", "'@url", f"'{text}"]
        assert (row["start"], row["end"]) == ("0", "13")
    (plain,) = pq.read_table(tmp_path / "a.parquet").to_pylist()[:1]
    assert (plain["title"], plain["text"]) == (FORMULA, text)
    assert json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8"))["title"] == FORMULA


def test_tables_of_a_summary_have_safe_cells(tmp_path: Path) -> None:
    said = labelled_article("=1", [{"oil": (UP, 0.9)}], title=FORMULA, source="@src", url="-u", parent_id="+p")
    said["segments"][0] |= {"id": "=s", "start": None, "end": None}
    summarise_paths([write(tmp_path / "x.jsonl", said, labelled_article("-2", [{}], source="@src"))], tmp_path / "out")
    rows = {}
    for name in ("articles", "trends"):
        with (tmp_path / "out" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            rows[name] = list(csv.DictReader(file))
    first, second = rows["articles"]
    names = ("article_id", "parent_id", "title", "source", "url", "evidence_ids", "evidence_starts")
    assert [first[name] for name in names] == ["'=1", "'+p", f"'{FORMULA}", "'@src", "'-u", "'=s", "-"]
    assert (second["article_id"], second["topic"]) == ("'-2", "")
    assert {row["source"] for row in rows["trends"]} == {"'@src"}
