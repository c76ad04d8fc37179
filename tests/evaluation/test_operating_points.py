import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naba.errors import DataError
from naba.evaluation.operating_points import POINTS, choose, compare_points, macro_f1, measure
from naba.metrics import Labels, score
from naba.schema import UNKNOWN, LabelSchema
from naba.thresholds import best_threshold


def one_topic(schema: LabelSchema, probability: list[float], truth: list[int]) -> tuple[Labels, np.ndarray]:
    """The first topic as given; nobody judged the others."""
    presence = np.full((len(truth), len(schema.topic_ids)), UNKNOWN)
    presence[:, 0] = truth
    values = np.zeros(presence.shape)
    values[:, 0] = probability
    return Labels(presence, np.full(presence.shape, UNKNOWN)), values


def test_points_worked_out_by_hand(schema: LabelSchema) -> None:
    gold, probability = one_topic(schema, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.2], [1, 1, 0, 1, 0, 1, 0])
    found = choose(gold, probability, schema, precision=0.75, recall=0.75)["diplomacy"]
    # Cuts after 1…7: precision 1, 1, ⅔, ¾, ⅗, ⅔, 4/7; recall ¼, ½, ½, ¾, ¾, 1, 1.
    assert found["precision"] == pytest.approx(0.55)  # the lowest with precision ¾: after four, midway to 0.5
    assert found["recall"] == pytest.approx(0.55)  # of recall ≥ ¾ the best precision is ¾
    assert choose(gold, probability, schema, precision=0.9, recall=1)["diplomacy"]["precision"] == pytest.approx(0.75)
    assert choose(gold, probability, schema, precision=0.9, recall=1)["diplomacy"]["recall"] == pytest.approx(0.3)
    # Best F1: after six, 2·4/(6+4) = 0.8.
    assert found["unshrunk"] == pytest.approx(0.3)
    assert found["shrunk"] == pytest.approx(0.5 + 4 / 54 * (0.3 - 0.5))
    assert found["default"] == 0.5
    assert tuple(found) == POINTS


def test_topic_without_positives_has_no_precision_or_recall_first_threshold(schema: LabelSchema) -> None:
    gold, probability = one_topic(schema, [0.9, 0.1], [0, 0])
    chosen = choose(gold, probability, schema)
    for topic in ("diplomacy", "military_action"):  # none present, and none judged
        assert (chosen[topic]["precision"], chosen[topic]["recall"], chosen[topic]["shrunk"]) == (None, None, 0.5)
    found = compare_points(chosen, gold, probability, schema)
    assert found["diplomacy"]["precision"] is None
    assert macro_f1(found, "precision") is None
    assert macro_f1(found, "shrunk") is None


def test_precision_that_is_never_reached_gives_no_threshold(schema: LabelSchema) -> None:
    gold, probability = one_topic(schema, [0.9, 0.8, 0.7], [0, 1, 1])
    assert choose(gold, probability, schema, precision=0.9)["diplomacy"]["precision"] is None


def test_points_are_measured_on_other_segments(schema: LabelSchema) -> None:
    gold, probability = one_topic(schema, [0.9, 0.8, 0.3, 0.2], [1, 1, 0, 0])
    chosen = choose(gold, probability, schema)
    test_gold, test_probability = one_topic(schema, [0.95, 0.54, 0.5, 0.1], [1, 0, 1, 1])
    found = compare_points(chosen, test_gold, test_probability, schema)["diplomacy"]
    default = found["default"]
    assert default is not None
    assert (default.predicted, default.support, default.precision, default.recall) == (3, 3, 2 / 3, 2 / 3)
    assert default.precision_low < 2 / 3 < default.precision_high
    assert macro_f1(compare_points(chosen, test_gold, test_probability, schema), "default") == pytest.approx(2 / 3)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.55, 0.8, 0.99]), st.sampled_from([0, 1])), min_size=1, max_size=30
    ),
    st.sampled_from([0.5, 0.8, 0.9, 1.0]),
)
def test_wanted_values_are_reached_where_chosen_and_nothing_better_exists(
    schema: LabelSchema, rows: list[tuple[float, int]], wanted: float
) -> None:
    probability, truth = map(list, zip(*rows, strict=True))
    gold, values = one_topic(schema, probability, truth)
    found = choose(gold, values, schema, precision=wanted, recall=wanted)["diplomacy"]
    every = [measure(values[:, 0], gold.presence[:, 0], cut) for cut in (0.05, 0.2, 0.4, 0.52, 0.6, 0.9)]
    precise = [point for point in every if point.precision >= wanted and point.recall > 0]
    if found["precision"] is None:
        assert not precise
    else:
        point = measure(values[:, 0], gold.presence[:, 0], found["precision"])
        assert point.precision >= wanted - 1e-9
        assert point.recall == max(other.recall for other in precise)
    if found["recall"] is None:
        assert not any(truth)
    else:
        point = measure(values[:, 0], gold.presence[:, 0], found["recall"])
        assert point.recall >= wanted - 1e-9
        assert point.precision == max(other.precision for other in every if other.recall >= wanted - 1e-9)


def test_measured_points_are_the_scores_of_the_metric(markets: LabelSchema) -> None:
    random = np.random.default_rng(0)
    presence = random.choice([0, 1, UNKNOWN], (60, 4))
    gold, probability = Labels(presence, np.full((60, 4), UNKNOWN)), random.random((60, 4))
    found = compare_points(choose(gold, probability, markets), gold, probability, markets)
    said = Labels((probability >= 0.5).astype(int), np.zeros((60, 4), dtype=int))
    scores = score(gold, said, markets)["topics"]
    assert macro_f1(found, "default") == pytest.approx(scores["macro_f1"])
    for topic in markets.topic_ids:
        point = found[topic]["default"]
        assert point is not None
        assert (point.precision, point.recall) == (
            scores["per_topic"][topic]["precision"],
            scores["per_topic"][topic]["recall"],
        )
    known = presence[:, 0] != UNKNOWN
    raw = best_threshold(probability[known, 0], presence[known, 0], shrinkage=0)
    assert choose(gold, probability, markets)[markets.topic_ids[0]]["unshrunk"] == raw


def test_input_that_does_not_fit_is_refused(schema: LabelSchema) -> None:
    gold, probability = one_topic(schema, [0.9], [1])
    with pytest.raises(DataError, match="above 0"):
        choose(gold, probability, schema, precision=90)
    with pytest.raises(DataError, match="one for each segment and topic"):
        choose(gold, probability[:, :2], schema)
