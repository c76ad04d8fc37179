import pytest

from naba.corpus.agreement import agreement, disagreements, readings_of
from naba.records import LabelledSegment
from naba.schema import LabelSchema

A, B = {"diplomacy": "support"}, {"diplomacy": None}


def measure(readings: list[list[dict[str, str | None]]], schema: LabelSchema, question: str) -> tuple[object, ...]:
    (row,) = [row for row in agreement(readings, schema) if (row.topic, row.question) == ("diplomacy", question)]
    return row.segments, row.observed, row.kappa, row.alpha


def test_presence_agreement_equals_the_hand_computed_values(schema: LabelSchema) -> None:
    # Twenty segments, two readers: both present 8, both absent 8, they differ 2 and 2. Observed 0.8, chance 0.5,
    # kappa (0.8 − 0.5) / 0.5 = 0.6. Alpha: expected disagreement 20·20·2 / (40·39) = 0.5128; 1 − 0.2 / 0.5128 = 0.61.
    readings = [[A, A]] * 8 + [[B, B]] * 8 + [[A, B]] * 2 + [[B, A]] * 2
    segments, observed, kappa, alpha = measure(readings, schema, "presence")
    assert (segments, observed) == (20, pytest.approx(0.8))
    assert kappa == pytest.approx(0.6)
    assert alpha == pytest.approx(0.61)


def test_stance_is_compared_only_where_both_found_the_topic(schema: LabelSchema) -> None:
    oppose = {"diplomacy": "oppose"}
    readings = [[A, A], [oppose, oppose], [A, oppose], [A, B], [B, B]]
    segments, observed, _, _ = measure(readings, schema, "stance")
    assert segments == 3
    assert observed == pytest.approx(2 / 3)


def test_topic_that_a_reader_did_not_judge_is_no_disagreement(schema: LabelSchema) -> None:
    assert measure([[A, {}], [A, A], [B, B]], schema, "presence")[:2] == (2, 1.0)


def test_one_label_throughout_leaves_chance_undefined(schema: LabelSchema) -> None:
    assert measure([[A, A]] * 5, schema, "presence") == (5, 1.0, None, None)
    assert measure([], schema, "presence") == (0, None, None, None)


def test_disagreements_name_what_is_at_issue(schema: LabelSchema) -> None:
    row = {"text": "نص", "labels": {}, "readings": [{"diplomacy": "support", "military_action": None}, dict(A)]}
    same = LabelledSegment.from_row(row, schema, "x")
    row = {"text": "نص", "labels": {}, "readings": [{"diplomacy": "oppose"}, dict(A)]}
    other = LabelledSegment.from_row(row, schema, "x")
    (found,) = disagreements([same, other], schema)
    assert found["at_issue"] == ["diplomacy"]
    assert found["readings"] == list(readings_of(other))
