import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import brier_score_loss

from naba.errors import DataError
from naba.evaluation.reliability import (
    brier_score,
    calibration,
    calibration_error,
    confidence,
    recommend,
    reliability,
    reliability_bins,
    risk_coverage,
    segment_confidence,
    wilson,
)
from naba.metrics import Labels
from naba.schema import UNKNOWN, LabelSchema


def flags(*values: int) -> np.ndarray:
    return np.array(values, dtype=bool)


def test_calibration_error_worked_out_by_hand() -> None:
    probability = np.array([0.05, 0.15, 0.95, 0.85])
    right = flags(0, 1, 1, 1)
    # Two bins: (0.1, ½) and (0.9, 1): ½ · 0.4 + ½ · 0.1.
    assert calibration_error(probability, right, bins=2) == pytest.approx(0.25)
    # Ten bins of one answer: (.05 + .85 + .05 + .15) / 4.
    assert calibration_error(probability, right, bins=10) == pytest.approx(0.275)
    # Three low ones and a high one; equal mass halves them: (0.1, 0) and (0.6, 1) → ½ · 0.1 + ½ · 0.4.
    crowded = np.array([0.1, 0.1, 0.3, 0.9])
    assert calibration_error(crowded, flags(0, 0, 1, 1), bins=2, equal_mass=True) == pytest.approx(0.25)
    assert calibration_error(crowded, flags(0, 0, 1, 1), bins=2) == pytest.approx(0.75 * (1 / 3 - 1 / 6) + 0.25 * 0.1)


def test_bins_hold_count_confidence_accuracy_and_interval() -> None:
    bars = reliability_bins(np.array([0.0, 0.1, 0.55, 0.6, 1.0]), flags(0, 0, 1, 0, 1), bins=5)
    assert [(bar.count, bar.accuracy) for bar in bars] == [(2, 0.0), (2, 0.5), (1, 1.0)]  # right-closed; 0 in the first
    assert bars[1].confidence == pytest.approx(0.575)
    assert (bars[1].low, bars[1].high) == wilson(1, 2)
    assert (
        sum(bar.count for bar in reliability_bins(np.linspace(0, 1, 7), np.ones(7, dtype=bool), equal_mass=True)) == 7
    )


def test_wilson_interval_worked_out_by_hand() -> None:
    # z² = 3.8415: centre (0.8 + 3.8415 / 20) / (1 + .38415) = 0.7168, half-width 0.2265
    low, high = wilson(8, 10)
    assert (low, high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_brier_equals_scikit_learn(rows: list[tuple[float, bool]]) -> None:
    probability, right = (np.array(column) for column in zip(*rows, strict=True))
    found = calibration(probability, right)
    assert found.brier == pytest.approx(brier_score_loss(right.astype(int), probability, pos_label=1))
    assert found.ece is not None and 0 <= found.ece <= 1
    assert found.ece_equal_mass is not None and 0 <= found.ece_equal_mass <= 1


def test_brier_over_stances_worked_out_by_hand() -> None:
    # (0.7 − 1)² + 0.2² + 0.1² = 0.14 and 0.5² + (0.5 − 1)² + 0 = 0.5
    assert brier_score(np.array([[0.7, 0.2, 0.1], [0.5, 0.5, 0.0]]), np.array([0, 1])) == pytest.approx(0.32)


def test_reliability_looks_at_judged_topics_and_stances_alone(schema: LabelSchema) -> None:
    gold = Labels(
        np.array([[1, 0, UNKNOWN], [1, 1, UNKNOWN], [0, 1, UNKNOWN]]),
        np.array([[0, UNKNOWN, UNKNOWN], [UNKNOWN, 2, UNKNOWN], [UNKNOWN, 1, UNKNOWN]]),
    )
    topic = np.array([[0.9, 0.2, 0.5], [0.7, 0.6, 0.5], [0.4, 0.8, 0.5]])
    stance = np.tile([0.5, 0.2, 0.3], (3, 3, 1))
    found = reliability(gold, topic, stance, schema)
    assert found["topics"]["diplomacy"].support == 3
    assert found["topics"]["diplomacy"].brier == pytest.approx((0.01 + 0.09 + 0.16) / 3)
    assert (found["topics"]["military_action"].support, found["topics"]["military_action"].ece) == (0, None)
    # humanitarian_aid: the stances neutral and oppose were judged; support is said of both with 0.5.
    aid = found["stances"]["humanitarian_aid"]
    assert (aid.support, aid.ece) == (2, pytest.approx(0.5))
    assert found["stances"]["diplomacy"].support == 1  # the second is present with a stance nobody judged
    assert found["per_stance"]["humanitarian_aid"]["oppose"].ece == pytest.approx(0.3)
    assert found["stances"]["military_action"].bins == ()


def test_logits_and_wrong_shapes_are_refused(markets: LabelSchema) -> None:
    gold = Labels(np.zeros((2, 4), dtype=int), np.full((2, 4), UNKNOWN))
    with pytest.raises(DataError, match="not logits"):
        reliability(gold, np.full((2, 4), 3.0), np.full((2, 4, 2), 0.5), markets)
    with pytest.raises(DataError, match="shape"):
        reliability(gold, np.full((2, 3), 0.5), np.full((2, 4, 2), 0.5), markets)
    with pytest.raises(DataError, match="one for each answer"):
        risk_coverage(np.zeros(3), np.zeros(2, dtype=bool))


def test_segment_confidence_is_the_probability_of_the_whole_answer(schema: LabelSchema) -> None:
    said = Labels(np.array([[1, 0, 1], [0, 0, 0]]), np.array([[1, 0, 2], [0, 0, 0]]))
    topic = np.array([[0.9, 0.2, 0.5], [0.1, 0.2, 0.5]])
    stance = np.tile([0.1, 0.7, 0.2], (2, 3, 1))
    # 0.9·0.7 · 0.8 · 0.5·0.2 = 0.0504 and 0.9 · 0.8 · 0.5 = 0.36
    assert confidence(said, topic, stance) == pytest.approx([0.0504, 0.36])
    gold = Labels(np.array([[1, 0, 1], [UNKNOWN, 0, 0]]), np.array([[1, UNKNOWN, 2], [UNKNOWN] * 3]))
    found, right = segment_confidence(gold, said, topic, stance, schema)
    assert (found.tolist(), right.tolist()) == ([pytest.approx(0.0504)], [True])  # the second is not fully judged


def test_risk_coverage_and_its_area_worked_out_by_hand() -> None:
    found = risk_coverage(np.array([0.9, 0.5, 0.8, 0.8]), flags(1, 0, 1, 0))
    assert found.threshold.tolist() == [0.9, 0.8, 0.5]
    assert found.coverage.tolist() == [0.25, 0.75, 1.0]
    assert found.risk == pytest.approx([0, 1 / 3, 1 / 2])
    assert found.aurc == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 2) / 4)  # the two equal ones share their group's risk
    assert risk_coverage(np.zeros(0), flags()).aurc is None


def test_confidence_that_knows_its_mistakes_has_the_smaller_area() -> None:
    right = flags(1, 1, 1, 0)
    assert (
        risk_coverage(np.array([4.0, 3, 2, 1]), right).aurc
        < risk_coverage(np.zeros(4), right).aurc
        < risk_coverage(np.array([1.0, 2, 3, 4]), right).aurc
    )


def test_recommended_threshold_worked_out_by_hand() -> None:
    # 60 right above, then 40 wrong. Without an error the bound after n is 1 − 0.05^(1/n): below 5 % from n = 59 on.
    found = recommend(np.linspace(1, 0.01, 100), flags(*[1] * 60, *[0] * 40), target=0.05)
    assert found is not None
    assert (found.automatic, found.wrong, found.coverage) == (60, 0, 0.6)
    assert found.threshold == pytest.approx(0.41)
    assert found.bound == pytest.approx(1 - 0.05 ** (1 / 60))
    assert (found.error, found.low, found.high) == (0.0, 0.0, pytest.approx(1 - 0.025 ** (1 / 60)))
    # One error among n: the bound is the p at which 0 or 1 errors have a chance of 5 %.
    one = recommend(np.linspace(1, 0.01, 100), flags(*[1] * 50, 0, *[1] * 49), target=0.05)
    assert one is not None and one.wrong == 1 and one.automatic == 100
    assert stats.binom.cdf(1, 100, one.bound) == pytest.approx(0.05)


def test_nothing_is_recommended_where_nothing_qualifies() -> None:
    assert recommend(np.linspace(1, 0, 58), np.ones(58, dtype=bool), target=0.05) is None  # 59 are needed
    assert recommend(np.linspace(1, 0, 200), np.zeros(200, dtype=bool)) is None
    assert recommend(np.zeros(0), flags()) is None
    with pytest.raises(DataError, match="shares between 0 and 1"):
        recommend(np.zeros(2), flags(1, 1), target=5)


def test_equal_confidences_are_recommended_together_or_not_at_all() -> None:
    found = recommend(np.full(100, 0.7), flags(*[1] * 100), target=0.05)
    assert found is not None and found.automatic == 100
    assert recommend(np.full(100, 0.7), flags(*[1] * 60, *[0] * 40), target=0.05) is None


def test_recommendation_rarely_breaks_its_promise() -> None:
    broken = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        sure = random.random(400)
        right = random.random(400) < 0.6 + 0.4 * sure
        found = recommend(sure, right, target=0.1)
        # Above t the true error is the mean of 0.4 · (1 − c) over c in (t, 1).
        broken += found is not None and 0.2 * (1 - found.threshold) > 0.1
        strict = recommend(sure, right, target=0.1, candidates=10)
        assert strict is None or (found is not None and strict.automatic <= found.automatic)
    assert broken <= 18  # 5 % of 200 is 10; 19 or more have a chance of 0.6 %


def test_overconfidence_shows() -> None:
    random = np.random.default_rng(0)
    truth = random.random(4000)
    right = random.random(4000) < truth
    honest, bold = calibration(truth, right), calibration(np.clip(truth * 3 - 1, 0.01, 0.99), right)
    assert honest.ece is not None and bold.ece is not None and honest.brier is not None and bold.brier is not None
    assert honest.ece < 0.03 < 0.1 < bold.ece
    assert honest.brier < bold.brier
