from collections.abc import Callable
from dataclasses import replace

import pytest

from naba.errors import DataError
from naba.modelling.targets import loss_targets, weigh_classes
from naba.records import LabelledSegment
from naba.schema import LabelSchema

Make = Callable[..., LabelledSegment]

TEACHER = {
    "diplomacy": {"probability": 0.9, "stance_probability": {"support": 0.7, "oppose": 0.1, "neutral": 0.2}},
    "humanitarian_aid": {"probability": 0.0, "stance_probability": {"support": 0.5, "oppose": 0.25, "neutral": 0.25}},
    "military_action": {"probability": 0.2, "stance_probability": {"support": 0.2, "oppose": 0.2, "neutral": 0.4}},
}


def test_hard_labels_are_certain_and_unknown_weighs_nothing(labelled: Make, schema: LabelSchema) -> None:
    item = labelled("نص", diplomacy="support", military_action=None)
    targets = loss_targets(item, schema, weight=0.5)
    assert targets["topic_target"] == [1.0, 0.0, 0.0]
    assert targets["topic_known"] == [1.0, 1.0, 0.0]
    assert targets["stance_target"][0] == [1.0, 0.0, 0.0]
    assert targets["stance_known"] == [1.0, 0.0, 0.0]
    assert targets["weight"] == 0.5


def test_teacher_replaces_labels_and_stance_counts_as_far_as_the_topic_is_there(
    labelled: Make, schema: LabelSchema
) -> None:
    item = replace(labelled("نص", diplomacy="oppose"), extra={"teacher": TEACHER})
    targets = loss_targets(item, schema)
    assert targets["topic_target"] == [0.9, 0.0, 0.2]
    assert targets["topic_known"] == [1.0, 1.0, 1.0]
    assert targets["stance_target"][0] == [0.7, 0.1, 0.2]
    assert targets["stance_known"] == [0.9, 0.0, 0.2]
    # Rounded digits do not add up to one: 0.2 of 0.8.
    assert targets["stance_target"][2] == pytest.approx([0.25, 0.25, 0.5])


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [],
        "diplomacy",
        TEACHER | {"diplomacy": {"probability": 0.9}},
        TEACHER | {"diplomacy": {"probability": 1.5, "stance_probability": {"support": 1, "oppose": 0, "neutral": 0}}},
        TEACHER | {"diplomacy": {"probability": 0.5, "stance_probability": {"support": 0, "oppose": 0, "neutral": 0}}},
    ],
)
def test_broken_teacher_is_told(labelled: Make, schema: LabelSchema, broken: object) -> None:
    with pytest.raises(DataError, match="teacher"):
        loss_targets(replace(labelled("نص"), extra={"teacher": broken}), schema)


def test_rare_classes_weigh_by_the_root_of_how_much_rarer_they_are() -> None:
    # One topic, two stances. Present in 2 of 10 known rows: √(8 / 2) = 2. Stance 0 once, stance 1 once and half by a teacher.
    def row(target: float, known: float, stance: list[float], judged: float) -> dict[str, object]:
        return {"topic_target": [target], "topic_known": [known], "stance_target": [stance], "stance_known": [judged]}

    rows = [row(0, 1, [0, 0], 0) for _ in range(8)]
    rows += [row(1, 1, [1, 0], 1), row(1, 1, [0, 1], 1), row(0, 0, [0, 0], 0)]
    rows += [row(1, 0, [0, 1], 1) for _ in range(3)]  # presence is not judged, the stance is
    weigh_classes(rows)
    assert [one["topic_known"] for one in rows] == [[1.0]] * 8 + [[2.0], [2.0], [0.0]] + [[0.0]] * 3
    assert [one["stance_known"] for one in rows] == [[0.0]] * 8 + [[2.0], [1.0], [0.0]] + [[1.0]] * 3


def test_classes_without_an_example_do_no_harm() -> None:
    rows = [{"topic_target": [0.0], "topic_known": [1.0], "stance_target": [[0.0, 0.0]], "stance_known": [0.0]}]
    weigh_classes(rows)
    assert rows[0]["topic_known"] == [1.0]
    assert rows[0]["stance_known"] == [0.0]
    rows = [{"topic_target": [1.0], "topic_known": [1.0], "stance_target": [[1.0, 0.0]], "stance_known": [1.0]}] * 4
    weigh_classes(rows)  # always present: it has to be learnt all the same
    assert rows[0]["topic_known"] == [0.5]
    assert rows[0]["stance_known"] == [1.0]
