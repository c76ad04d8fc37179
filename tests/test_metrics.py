import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, precision_recall_fscore_support

from naba.errors import DataError
from naba.metrics import Labels, average_precision, score, topic_stance_metric
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import count, figures, taking_sides


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


@given(
    rows=st.lists(st.lists(_CELL, min_size=3, max_size=3), min_size=1, max_size=30), blind=st.sets(st.integers(0, 29))
)
def test_averages_equal_scikit_learn(
    schema: LabelSchema, rows: list[list[tuple[int, int, int, int]]], blind: set[int]
) -> None:
    cells = np.array(rows)
    presence, said, answer = cells[..., 0], cells[..., 2], cells[..., 3]
    stance = np.where(presence == 1, cells[..., 1], UNKNOWN)
    stance[[row for row in blind if row < len(rows)], 0] = UNKNOWN  # present or not, its stance was not judged
    found = score(Labels(presence, stance), Labels(said, answer), schema)
    # Unknown cells: said and true are both blanked, so that they count nowhere.
    known = presence != UNKNOWN
    true, given_ = np.where(known, presence, 0), np.where(known, said, 0)
    for average in ("micro", "macro"):
        wanted = np.flatnonzero(true.any(axis=0)) if average == "macro" else None  # macro: topics with support
        if wanted is None or len(wanted):
            p, r, f, _ = precision_recall_fscore_support(true, given_, average=average, labels=wanted, zero_division=0)
            names = [f"{average}_precision", f"{average}_recall", f"{average}_f1"]
            assert [found["topics"][name] for name in names] == pytest.approx([p, r, f])
    assert found["topics"]["example_f1"] == _examples(true, given_)
    scorable = known & ~((presence == 1) & (stance == UNKNOWN))
    one_hot = [
        np.concatenate([(on * scorable) * (value == s) for s in range(3)], axis=1)
        for on, value in ((true, stance), (given_, answer))
    ]
    assert found["pairs"]["example_f1"] == _examples(*one_hot)
    if supported := list(np.flatnonzero(one_hot[0].any(axis=0))):
        macro = f1_score(*one_hot, average="macro", labels=supported, zero_division=0)
        assert found["pairs"]["macro_f1"] == pytest.approx(macro)
    judged = (presence == 1) & (stance != UNKNOWN)
    if judged.any():
        assert found["stances"]["accuracy"] == pytest.approx((stance == answer)[judged].mean())
    sides = sorted(set(stance[judged]) & {0, 1})
    if sides:  # SemEval-2016: the topics pooled, the two sides' F1 averaged
        favg = f1_score(stance[judged], answer[judged], labels=sides, average="macro", zero_division=0)
        assert found["stances"]["favg_micro"] == pytest.approx(favg)
    per_topic = []  # StanceEval 2024: the same for each topic, then the mean over topics
    for t in range(3):
        here = judged[:, t]
        if sides := sorted(set(stance[here, t]) & {0, 1}):
            per_topic.append(f1_score(stance[here, t], answer[here, t], labels=sides, average="macro", zero_division=0))
    assert found["stances"]["favg"] == (pytest.approx(np.mean(per_topic)) if per_topic else None)


def _examples(true: np.ndarray, said: np.ndarray) -> object:
    """scikit-learn's mean over the segments with anything true or said."""
    if not (true | said).any():
        return None
    return pytest.approx(f1_score(true, said, average="samples", zero_division=np.nan))


@settings(max_examples=40)
@given(
    rows=st.lists(st.tuples(st.sampled_from([0, 1, UNKNOWN]), st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])), min_size=1),
)
def test_average_precision_equals_scikit_learn_with_ties(schema: LabelSchema, rows: list[tuple[int, float]]) -> None:
    presence, probability = (np.repeat(np.array(column)[:, None], 3, axis=1) for column in zip(*rows, strict=True))
    gold = Labels(presence, np.full(presence.shape, UNKNOWN))
    known = presence[:, 0] != UNKNOWN
    found = average_precision(gold, probability, schema)["diplomacy"]
    if (presence[:, 0] == 1).any():
        assert found == pytest.approx(average_precision_score(presence[known, 0], probability[known, 0]))
    else:
        assert found is None
    macro = score(gold, gold, schema, probability)["topics"]["macro_average_precision"]
    assert macro == (None if found is None else pytest.approx(found))


def test_probabilities_of_another_shape_are_refused(schema: LabelSchema) -> None:
    gold = labels([[1, 0, 0]], [[0, UNKNOWN, UNKNOWN]])
    with pytest.raises(DataError, match="one for each segment and topic"):
        average_precision(gold, np.zeros((2, 3)), schema)
    with pytest.raises(DataError, match="not finite"):
        average_precision(gold, np.full((1, 3), np.nan), schema)


def test_favg_leaves_out_the_stance_that_takes_no_side(schema: LabelSchema, markets: LabelSchema) -> None:
    assert [schema.stance_ids[s] for s in taking_sides(schema)] == ["support", "oppose"]
    assert taking_sides(markets) == [0, 1]  # optimistic and pessimistic: every stance is a side
    gold = labels([[1, 0, 0]] * 4, [[s, UNKNOWN, UNKNOWN] for s in (0, 0, 1, 2)])
    said = labels([[1, 0, 0]] * 4, [[s, 0, 0] for s in (0, 2, 1, 1)])
    # support: hit 1, said 1, true 2 → ⅔; oppose: hit 1, said 2, true 1 → ⅔; neutral 0 counts only in macro-F1.
    stances = score(gold, said, schema)["stances"]
    assert stances["favg"] == stances["favg_micro"] == pytest.approx(2 / 3)
    assert stances["macro_f1"] == pytest.approx(4 / 9)


def test_segment_with_nothing_true_and_nothing_said_has_no_part_in_example_f1(schema: LabelSchema) -> None:
    gold = labels([[1, 1, 0], [0, 0, 0]], [[0, 0, UNKNOWN], [UNKNOWN] * 3])
    said = labels([[1, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]])
    assert score(gold, said, schema)["topics"]["example_f1"] == pytest.approx(2 / 3)


def test_counts_of_parts_add_up_to_the_score(markets: LabelSchema) -> None:
    random = np.random.default_rng(0)
    presence = random.choice([0, 1, UNKNOWN], (40, 4))
    gold = Labels(presence, np.where(presence == 1, random.integers(0, 2, (40, 4)), UNKNOWN))
    said = Labels(random.integers(0, 2, (40, 4)), random.integers(0, 2, (40, 4)))
    counts = count(gold, said, markets)
    whole = figures(counts.total(), markets)
    halves = np.stack([counts.matrix()[:20].sum(axis=0), counts.matrix()[20:].sum(axis=0)])
    again = figures(counts.of_matrix(halves.sum(axis=0)), markets)
    assert {path: float(value) for path, value in again.items()} == pytest.approx(
        {path: float(value) for path, value in whole.items()}, nan_ok=True
    )
    assert figures(counts.of_matrix(halves), markets)["pairs.f1"].shape == (2,)


def test_no_segments_have_no_scores(schema: LabelSchema) -> None:
    nothing = Labels(np.zeros((0, 3), dtype=int), np.zeros((0, 3), dtype=int))
    found = score(nothing, nothing, schema)
    assert (found["segments"], found["exact_match"], found["topics"]["macro_f1"]) == (0, None, None)


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
