import pytest

from naba.errors import DataError
from naba.evaluation.seeds import summarise


def test_mean_deviation_and_t_interval_worked_out_by_hand() -> None:
    # Mean 0.72, deviation √((0.01² + 0 + 0.01²) / 2) = 0.01, t(0.975, 2) = 4.302653, reach 4.302653 · 0.01 / √3.
    found = summarise([0.71, 0.72, 0.73])
    assert (found.mean, found.deviation, found.count) == (pytest.approx(0.72), pytest.approx(0.01), 3)
    assert (found.low, found.high) == (pytest.approx(0.72 - 0.0248414), pytest.approx(0.72 + 0.0248414))


def test_folds_that_share_training_data_are_less_sure() -> None:
    seeds, folds = summarise([0.7, 0.8, 0.75, 0.7, 0.8]), summarise([0.7, 0.8, 0.75, 0.7, 0.8], test_over_train=0.25)
    assert seeds.low is not None and folds.low is not None
    assert (folds.mean - folds.low) / (seeds.mean - seeds.low) == pytest.approx(1.5)  # √((1/5 + 1/4) / (1/5))


def test_one_run_has_no_spread() -> None:
    assert summarise([0.7]).low is None
    assert summarise([0.7]).deviation is None
    with pytest.raises(DataError, match="at least one"):
        summarise([])
