"""Fixtures: segments with every field a row can have, and a schema whose ids are also words of the tools."""

from collections.abc import Callable
from typing import Any

import pytest

from naba.records import LabelledSegment
from naba.schema import LabelSchema

ROW = {
    "article_id": "article-7",
    "start": 12,
    "end": 61,
    "kind": "headline",
    "provenance": {"source": "وكالة", "licence": "CC BY 4.0", "date": "2026-01-05"},
    "cluster": "c-3",
    "register": "wire",
    "weight": 0.1234567890123456,
    "big": 2**63 + 1,
}


@pytest.fixture(scope="session")
def awkward() -> LabelSchema:
    """Ids that are fields and answers of the tools, two stances of one Arabic name, one topic's name a code."""
    stances = [
        {"id": "absent", "name_ar": "غير موجود", "name_en": "absent"},
        {"id": "present", "name_ar": "نعم", "name_en": "yes"},
        {"id": "unsure", "name_ar": "نعم", "name_en": "yes too"},
    ]
    topics = [
        {
            "id": topic,
            "name_ar": "موضوع <&\"'> $text (x)",
            "name_en": topic,
            "definition": 'quotes " and <tags> & $5 name="text"',
            "target": "test",
            "stances": {"absent": "a", "present": "b", "unsure": "c"},
        }
        for topic in ("text", "none", "label", "id", "topic_text", "topics_left_open", "naba")
    ]
    return LabelSchema.parse({"name": "awkward", "stances": stances, "topics": topics}, "test")


@pytest.fixture
def segment(schema: LabelSchema) -> Callable[..., LabelledSegment]:
    """A segment with all fields set and no labels known: `segment("text", article_id="a")`."""

    def make(text: str, **fields: Any) -> LabelledSegment:
        return LabelledSegment.from_row({**ROW, **fields, "text": text, "labels": {}}, schema, "test")

    return make
