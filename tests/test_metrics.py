import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_recall_fscore_support

from naba.metrics import Labels, score, topic_stance_metric
from naba.schema import UNKNOWN, LabelSchema


def labels(presence: list[list[int]], stance: list[list[int]]) -> Labels:
    return Labels(np.array(presence), np.array(stance))


def test_hand_worked_example(schema: LabelSchema) -> None:
    # Three segments, topics D H M; stances 0 support, 1 oppose, 2 neutral.
    gold = labels([[1, 0, 0], [1, 0, 1], [0, 0, UNKNOWN]], [[0, UNKNOWN, UNKNOWN], [1, UNKNOWN, 2], [UNKNOWN] * 3])
    said = labels([[1, 0, 0], [1, 0, 0], [1, 0, 1]], [[0, 0, 0], [2, 0, 2], [0, 0, 0]])
    found = score(gold, said, schema)
    # D: said 3, true 2, hit 2 → P ⅔, R 1, F1 0.8. M: true 1, hit 0; the third segment's M is unknown and not counted.
    assert found["topics"]["per_topic"]["diplomacy"] == {
        "precision": pytest.approx(2 / 3), "recall": 1.0, "f1": pytest.approx(0.8), "support": 2, "predicted": 3
    }  # fmt: skip
    assert found["topics"]["per_topic"]["military_action"]["predicted"] == 0
    assert found["topics"]["macro_f1"] == pytest.approx(0.4)  # H has no support and is left out
    # Stance given the gold topic: D support right, D oppose wrong, M neutral right although M was not said.
    assert found["stances"]["per_topic"]["diplomacy"]["accuracy"] == 0.5
    assert found["stances"]["per_topic"]["military_action"]["macro_f1"] == 1.0
    # Pairs: true (1,D+) (2,D−) (2,M=); said (1,D+) (2,D=) (3,D+): one hit of three said and three true.
    assert found["pairs"]["f1"] == pytest.approx(1 / 3)
    assert found["pairs"]["support"] == 3
    # The third segment has an unknown topic: exact match looks at the first two, and one is right.
    assert found["exact_match"] == 0.5


_CELL = st.tuples(
    st.sampled_from([0, 1, UNKNOWN]), st.sampled_from([0, 1, 2]), st.sampled_from([0, 1]), st.sampled_from([0, 1, 2])
)


@given(rows=st.lists(st.lists(_CELL, min_size=3, max_size=3), min_size=1, max_size=30))
def test_scores_equal_scikit_learn(schema: LabelSchema, rows: list[list[tuple[int, int, int, int]]]) -> None:
    cells = np.array(rows)  # [N, T, 4]
    presence, said = cells[..., 0], cells[..., 2]
    stance, answer = np.where(presence == 1, cells[..., 1], UNKNOWN), cells[..., 3]
    found = score(Labels(presence, stance), Labels(said, answer), schema)
    pairs_true, pairs_said = [], []
    for t, topic in enumerate(schema.topic_ids):
        known = presence[:, t] != UNKNOWN
        row = found["topics"]["per_topic"][topic]
        if known.any():
            p, r, f, _ = precision_recall_fscore_support(
                presence[known, t], said[known, t], average="binary", zero_division=0, labels=[0, 1]
            )
            assert (row["precision"], row["recall"], row["f1"]) == pytest.approx((p, r, f))
        here = presence[:, t] == 1
        if here.any():
            wanted = sorted(set(stance[here, t]))
            macro = f1_score(stance[here, t], answer[here, t], labels=wanted, average="macro", zero_division=0)
            assert found["stances"]["per_topic"][topic]["macro_f1"] == pytest.approx(macro)
        for s in range(3):
            pairs_true += list((here & (stance[:, t] == s))[known].astype(int))
            pairs_said += list(((said[:, t] == 1) & (answer[:, t] == s))[known].astype(int))
    if pairs_true:
        assert found["pairs"]["f1"] == pytest.approx(f1_score(pairs_true, pairs_said, zero_division=0))


def test_absent_is_never_neutral(schema: LabelSchema) -> None:
    gold = labels([[0, 0, 0]] * 5, [[UNKNOWN] * 3] * 5)
    silent = score(gold, labels([[0, 0, 0]] * 5, [[2, 2, 2]] * 5), schema)
    assert silent["pairs"]["support"] == silent["pairs"]["predicted"] == 0
    assert silent["topics"]["macro_f1"] is None
    assert silent["stances"]["macro_f1"] is None


def test_present_topic_with_unjudged_stance_counts_for_the_topic_alone(schema: LabelSchema) -> None:
    gold = labels([[1, 0, 0]], [[UNKNOWN] * 3])
    found = score(gold, labels([[1, 0, 0]], [[0, 0, 0]]), schema)
    assert found["topics"]["per_topic"]["diplomacy"]["f1"] == 1.0
    assert (found["pairs"]["predicted"], found["pairs"]["support"]) == (0, 0)
    assert found["exact_match"] is None


def test_evaluate_metric_works_offline_and_gives_the_same(schema: LabelSchema) -> None:
    metric = topic_stance_metric(schema)
    rows = [
        {"presence": [1, 0, 0], "stance": [0, UNKNOWN, UNKNOWN]},
        {"presence": [0, 1, 0], "stance": [UNKNOWN, 2, UNKNOWN]},
    ]
    said = [{"presence": [1, 0, 0], "stance": [0, 0, 0]}, {"presence": [0, 1, 0], "stance": [0, 1, 0]}]
    found = metric.compute(predictions=said, references=rows)
    assert found["pairs"]["f1"] == 0.5
    assert found["topics"]["macro_f1"] == 1.0
