"""Labelled articles as rows: what each field holds."""

import json
from collections.abc import Mapping

from naba.labelling.labeller import LabelledArticle
from naba.labelling.rows import article_row, summary, table_columns, table_rows
from naba.records import Article, Prediction, Segment, TopicPrediction
from naba.schema import LabelSchema

ARTICLE = Article("a", "نص", (), title="عنوان", date="2024-05-01", source="صحيفة", keywords=("سلام",), parent_id="p")


def labelled(schema: LabelSchema, *said: Mapping[str, str]) -> LabelledArticle:
    """An article with a segment for each of `said`: topic → stance of the present topics."""
    segments = []
    for number, stances in enumerate(said):
        text = f"جملة {number}"
        answers = {
            topic: TopicPrediction(
                topic in stances,
                0.91234567 if topic in stances else 0.1,
                stances.get(topic),
                {stance: 1 / len(schema.stance_ids) for stance in schema.stance_ids},
            )
            for topic in schema.topic_ids
        }
        segments.append((Segment("a", text, "paragraph", number, number + 5), Prediction(text, answers, number + 1)))
    return LabelledArticle(ARTICLE, segments)


def test_summary_counts_stances_and_nets_nothing(schema: LabelSchema) -> None:
    item = labelled(schema, {"diplomacy": "support"}, {"diplomacy": "oppose"}, {"diplomacy": "support"}, {})
    assert summary(item) == {"diplomacy": {"segments": 3, "share": 0.75, "stances": {"support": 2, "oppose": 1}}}


def test_row_of_an_article_holds_its_metadata_and_every_answer(schema: LabelSchema) -> None:
    row = json.loads(json.dumps(article_row(labelled(schema, {"diplomacy": "oppose"}, {}))))
    assert {key: row[key] for key in ("id", "title", "date", "source", "url", "parent_id", "keywords")} == {
        "id": "a",
        "title": "عنوان",
        "date": "2024-05-01",
        "source": "صحيفة",
        "url": None,
        "parent_id": "p",
        "keywords": ["سلام"],
    }
    first, second = row["segments"]
    assert (first["start"], first["end"], first["text"]) == (0, 5, "جملة 0")
    assert first["topics"]["diplomacy"]["probability"] == 0.9123
    assert first["topics"]["diplomacy"]["stance"] == "oppose"
    assert "windows" not in first
    assert second["windows"] == 2
    assert second["topics"]["diplomacy"]["stance"] is None


def test_table_has_a_row_a_segment_and_topic_of_any_schema(markets: LabelSchema) -> None:
    rows = list(table_rows(labelled(markets, {"oil": "optimistic"}, {})))
    assert [list(row) for row in rows] == [table_columns(markets)] * 8
    assert [(row["topic"], row["present"], row["stance"], row["windows"]) for row in rows[:2]] == [
        ("oil", 1, "optimistic", 1),
        ("gold", 0, None, 1),
    ]
    assert rows[0]["p_optimistic"] == 0.5
    assert (rows[0]["article_id"], rows[0]["parent_id"]) == ("a", "p")
