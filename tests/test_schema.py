from pathlib import Path

import pytest

from naba.errors import SchemaError
from naba.schema import LabelSchema


def test_shipped_schema_holds_the_codebook_topics_and_stances_in_order(schema: LabelSchema) -> None:
    assert schema.topic_ids == ("diplomacy", "humanitarian_aid", "military_action")
    assert schema.stance_ids == ("support", "oppose", "neutral")


def test_every_topic_has_names_target_and_a_meaning_for_each_stance(schema: LabelSchema) -> None:
    for topic in schema.topics:
        assert topic.name_ar
        assert topic.name_en
        assert topic.target
        assert set(topic.stances) == set(schema.stance_ids)


def test_fingerprint_follows_ids_and_order_but_not_wording(schema: LabelSchema) -> None:
    content = schema.model_dump()
    reworded = LabelSchema.parse(content | {"name": "other"}, "test")
    assert reworded.fingerprint == schema.fingerprint
    reordered = LabelSchema.parse(content | {"stances": content["stances"][::-1]}, "test")
    assert reordered.fingerprint != schema.fingerprint


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"stances": []}, "stances"),
        ({"colour": 1}, "colour"),
        ({"examples": [{"text": "x", "labels": {"sport": "support"}}]}, "sport"),
        ({"examples": [{"text": "x", "labels": {"diplomacy": "maybe"}}]}, "maybe"),
    ],
)
def test_broken_schema_names_what_is_wrong(schema: LabelSchema, change: dict[str, object], says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        LabelSchema.parse(schema.model_dump() | change, "labels.yaml")


def test_topic_without_all_stances_is_refused(schema: LabelSchema) -> None:
    content = schema.model_dump()
    del content["topics"][0]["stances"]["oppose"]
    with pytest.raises(SchemaError, match="diplomacy"):
        LabelSchema.parse(content, "labels.yaml")


def test_missing_schema_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"none\.yaml"):
        LabelSchema.load(tmp_path / "none.yaml")
