import logging
from collections.abc import Callable

import pytest

from naba.errors import DataError
from naba.finetuning.trainable import check_apart, check_trainable
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


def test_what_no_row_shows_is_told_in_a_line_each(
    labelled: Make, schema: LabelSchema, caplog: pytest.LogCaptureFixture
) -> None:
    one, two, three = schema.topic_ids
    training = [labelled("نص", **{one: stance, two: None}) for stance in schema.stance_ids]
    validation = [
        labelled("نص آخر", **{topic: stance})
        for topic in schema.topic_ids
        for stance in schema.stance_ids
        if (topic, stance) != (one, "neutral")
    ]
    check_trainable(training, validation, schema)
    assert caplog.messages == [
        f"train: {two} is unknown in every row; the model cannot learn what no row shows",
        f"train: {three} is present in no row; the model cannot learn what no row shows",
        f"train: {one} is absent in no row; the model cannot learn what no row shows",
        f"validation: no example of {one}: neutral; its scores do not tell how well the model does there",
    ]


def test_segment_in_training_and_validation_is_refused_unless_allowed(
    labelled: Make, caplog: pytest.LogCaptureFixture
) -> None:
    same, other, third = labelled("نص"), labelled("آخر"), labelled("ثالث")
    with pytest.raises(
        DataError, match=r"^segments of validation that are in train too: 1 of 2. .* set allow_leak=true$"
    ):
        check_apart([same, third], [same, other])
    with pytest.raises(DataError, match=r"^segments of validation that are in train too: 2 of 2"):
        check_apart([same, other], [same, other])
    assert not caplog.messages
    check_apart([same, third], [same, other], allow_leak=True)
    check_apart([third], [same, other])
    told = "segments of validation that are in train too: 1 of 2 (allow_leak); the scores say nothing of other text"
    assert caplog.messages == [told]


def test_article_or_cluster_on_both_sides_is_warned_of(
    labelled: Make, schema: LabelSchema, caplog: pytest.LogCaptureFixture
) -> None:
    def of_article(text: str, article: str) -> LabelledSegment:
        return LabelledSegment.from_row({"text": text, "labels": {}, "article_id": article}, schema, "test")

    check_apart([labelled("نص", cluster="7"), labelled("ثالث")], [labelled("آخر", cluster="7"), labelled("رابع")])
    check_apart([of_article("نص", "a")], [of_article("آخر", "a")])
    assert [message.partition(" (")[0] for message in caplog.messages] == [
        "segments of validation from a cluster that train has segments of too: 1 of 2; the scores are too high",
        "segments of validation from an article that train has segments of too: 1 of 1; the scores are too high",
    ]
