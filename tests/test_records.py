from collections.abc import Callable

import pytest

from naba.errors import DataError
from naba.records import LabelledSegment, segment_id
from naba.schema import UNKNOWN, LabelSchema

ROW = {
    "article_id": "a",
    "start": 3,
    "end": 9,
    "kind": "paragraph",
    "text": "التقى الوزير نظيره",
    "labels": {
        "diplomacy": {"present": True, "stance": "neutral"},
        "humanitarian_aid": {"present": False, "stance": None},
        "military_action": {"present": None, "stance": None},
    },
    "provenance": {"source": "test"},
    "cluster": "c",
    "register": "agency",
}


def test_row_survives_a_round_trip_with_its_extra_fields(schema: LabelSchema) -> None:
    item = LabelledSegment.from_row(ROW, schema, "test")
    assert item.to_row() == {"id": segment_id(ROW["text"])} | ROW  # type: ignore[arg-type]


def test_absent_has_no_stance_and_unknown_is_neither_present_nor_absent(schema: LabelSchema) -> None:
    presence, stance = LabelledSegment.from_row(ROW, schema, "test").targets(schema)
    assert presence == [1, 0, UNKNOWN]
    assert stance == [2, UNKNOWN, UNKNOWN]


def test_topic_that_is_not_named_is_unknown(schema: LabelSchema) -> None:
    item = LabelledSegment.from_row({"text": "س", "labels": {}}, schema, "test")
    assert item.targets(schema) == ([UNKNOWN] * 3, [UNKNOWN] * 3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": " "}, "no 'text'"),
        ({"labels": None}, "no 'labels'"),
        ({"labels": {"sport": {"present": True, "stance": None}}}, "'sport' is not in the label schema"),
        ({"labels": {"diplomacy": {"present": True, "stance": "maybe"}}}, "'maybe' is not in the label schema"),
        ({"labels": {"diplomacy": {"present": False, "stance": "neutral"}}}, "not present"),
        ({"labels": {"diplomacy": "yes"}}, "expected"),
        ({"labels": {"diplomacy": {"present": 1, "stance": "support"}}}, "expected"),
        ({"provenance": "agency"}, "'provenance' is no object"),
        ({"text": "نص \ud83d"}, "half a character"),
    ],
)
def test_bad_row_names_place_and_fault(schema: LabelSchema, change: dict[str, object], says: str) -> None:
    with pytest.raises(DataError, match=rf"file:7.*{says}"):
        LabelledSegment.from_row(ROW | change, schema, "file:7")


def test_id_is_the_head_of_the_sha1_of_the_text(labelled: Callable[..., LabelledSegment]) -> None:
    # printf 'نص' | sha1sum
    assert labelled("نص").segment.id == "4ddc2135457a"
