import logging
from collections.abc import Callable

import pytest

from naba.errors import DataError
from naba.finetuning.trainable import check_trainable
from naba.records import LabelledSegment
from naba.schema import LabelSchema

Make = Callable[..., LabelledSegment]


def test_data_without_a_known_topic_is_refused(labelled: Make, schema: LabelSchema) -> None:
    unknown = [labelled("نص", **dict.fromkeys(schema.topic_ids))]
    good = [labelled("نص", diplomacy="support")]
    with pytest.raises(DataError, match="train: no topic of any segment is known"):
        check_trainable(unknown, good, schema)
    with pytest.raises(DataError, match="validation: no topic of any segment is known"):
        check_trainable(good, unknown, schema)


def test_validation_without_a_topic_is_refused(labelled: Make, schema: LabelSchema) -> None:
    with pytest.raises(DataError, match="validation: no topic is present"):
        check_trainable([labelled("نص", diplomacy="support")], [labelled("نص")], schema)


def test_classes_without_an_example_are_named(
    labelled: Make, schema: LabelSchema, caplog: pytest.LogCaptureFixture
) -> None:
    items = [
        labelled("نص", **{topic: stance})
        for topic in schema.topic_ids
        for stance in schema.stance_ids
        if (topic, stance) != ("humanitarian_aid", "oppose")
    ]
    with caplog.at_level(logging.WARNING):
        check_trainable(items, items, schema)
    assert "no example of humanitarian_aid: oppose;" in caplog.text
    assert "diplomacy" not in caplog.text
