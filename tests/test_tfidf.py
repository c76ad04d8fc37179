from collections.abc import Callable

import numpy as np
import pytest

from naba.errors import DataError
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema
from naba.tfidf import TfidfClassifier, targets

Make = Callable[..., LabelledSegment]


@pytest.fixture
def train(labelled: Make) -> list[LabelledSegment]:
    talks = [labelled(f"هدنة مفاوضات رقم {i}", diplomacy="support" if i % 2 else "neutral") for i in range(10)]
    return talks + [labelled(f"غارة قصف رقم {i}", military_action="neutral") for i in range(10)]


def test_probabilities_follow_the_words_and_stances_sum_to_one(
    train: list[LabelledSegment], schema: LabelSchema
) -> None:
    said = TfidfClassifier(train, schema).probabilities(["هدنة جديدة", "قصف جديد"])
    assert said.presence.shape == (2, 3)
    assert said.stance.shape == (2, 3, 3)
    assert said.presence[0, 0] > 0.5 > said.presence[1, 0]
    np.testing.assert_allclose(said.stance.sum(axis=-1), 1)


def test_a_class_that_training_has_not_gets_no_probability(train: list[LabelledSegment], schema: LabelSchema) -> None:
    said = TfidfClassifier(train, schema).probabilities(["هدنة"])
    assert said.stance[0, 0, schema.stance_ids.index("oppose")] == 0  # never seen
    assert said.stance[0, 2].tolist() == [0, 0, 1]  # only neutral seen
    assert said.presence[0, 1] == 0  # humanitarian aid: always absent
    assert said.stance[0, 1].tolist() == [1, 0, 0]  # no stance seen: the first, as the majority baseline has it


def test_the_answer_is_the_likelier_class(train: list[LabelledSegment], schema: LabelSchema) -> None:
    classifier = TfidfClassifier(train, schema)
    texts = [item.segment.text for item in train]
    said, answer = classifier.probabilities(texts), classifier.predict(texts)
    assert (answer.presence == (said.presence > 0.5)).all()
    assert (answer.stance == said.stance.argmax(-1)).all()


def test_texts_without_words_are_told(labelled: Make, schema: LabelSchema) -> None:
    with pytest.raises(DataError, match="TF-IDF cannot be fitted on 1 segments"):
        TfidfClassifier([labelled("…")], schema)


def test_targets_of_nothing_have_the_shape_of_the_schema(schema: LabelSchema, labelled: Make) -> None:
    assert targets([], schema).presence.shape == (0, 3)
    assert targets([labelled("أ", diplomacy=None)], schema).presence.tolist() == [[UNKNOWN, 0, 0]]
