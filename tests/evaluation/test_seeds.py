import pytest

from naba.errors import DataError
from naba.evaluation.seeds import summarise


def test_mean_deviation_and_t_interval_worked_out_by_hand() -> None:
    # Mean 0.72, deviation √((0.02² + 0 + 0 + 0.02²) / 3) = 0.0163299, t(0.975, 3) = 3.182446, reach t · deviation / √4.
    found = summarise([0.70, 0.72, 0.72, 0.74])
    assert (found.mean, found.deviation, found.count) == (pytest.approx(0.72), pytest.approx(0.0163299, rel=1e-5), 4)
    assert (found.low, found.high) == (pytest.approx(0.72 - 0.0259846), pytest.approx(0.72 + 0.0259846))
    assert not found.cut


def test_folds_that_share_training_data_are_less_sure() -> None:
    seeds, folds = summarise([0.7, 0.8, 0.75, 0.7, 0.8]), summarise([0.7, 0.8, 0.75, 0.7, 0.8], test_over_train=0.25)
    assert seeds.low is not None and folds.low is not None
    assert (folds.mean - folds.low) / (seeds.mean - seeds.low) == pytest.approx(1.5)  # √((1/5 + 1/4) / (1/5))


def test_few_runs_have_a_spread_and_no_interval() -> None:
    # Two folds that score 0.095 and 0.595: a t interval would reach from −2.8 to 3.5.
    for values in ([0.095, 0.595], [0.1, 0.2, 0.3]):
        found = summarise(values, test_over_train=1.0)
        assert (found.low, found.high, found.cut) == (None, None, False)
        assert found.deviation is not None
    assert summarise([0.7]).low is None
    assert summarise([0.7]).deviation is None
    with pytest.raises(DataError, match="at least one"):
        summarise([])


def test_interval_ends_where_the_score_does_and_says_so() -> None:
    # Mean 0.5, deviation √(4 · 0.4² / 3) = 0.46188, reach 3.182446 · 0.46188 / 2 = 0.73496: −0.235 … 1.235.
    found = summarise([0.1, 0.1, 0.9, 0.9])
    assert (found.low, found.high, found.cut) == (0.0, 1.0, True)
    # The same, less 0.5: a difference of two scores lies between −1 and 1.
    found = summarise([-0.4, -0.4, 0.4, 0.4], bounds=(-1, 1))
    assert (found.low, found.high, found.cut) == (
        pytest.approx(-0.73496, abs=1e-5),
        pytest.approx(0.73496, abs=1e-5),
        False,
    )
    with pytest.raises(DataError, match=r"scores from -0\.4 to 0\.4: expected 0 to 1"):
        summarise([-0.4, -0.4, 0.4, 0.4])


def test_runs_that_all_score_alike_are_no_certainty() -> None:
    found = summarise([0.7] * 5)
    assert (found.deviation, found.low, found.high) == (pytest.approx(0.0), None, None)
