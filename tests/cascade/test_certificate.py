"""Certified recall: the bound against scipy's, and thresholds worked out by hand."""

import numpy as np
import pytest
from scipy.stats import beta, binomtest

from naba.cascade.certificate import certify, fewest, lower_bound, lowest_of, measured, most_misses


@pytest.mark.parametrize(("hits", "count"), [(149, 149), (148, 150), (990, 1000), (1, 3), (40, 80)])
def test_bound_is_the_one_sided_clopper_pearson_bound(hits: int, count: int) -> None:
    two_sided = binomtest(hits, count).proportion_ci(confidence_level=0.9, method="exact")
    assert lower_bound(hits, count) == pytest.approx(two_sided.low, abs=1e-12)


def test_recall_is_of_segments_and_its_bound_of_whole_clusters_rounded_down() -> None:
    # 99 clusters of one segment that pass, and one of 200 of which a single one does not.
    passes, clusters = np.r_[np.ones(298, dtype=bool), False], np.r_[np.arange(99), np.full(200, 99)]
    found = measured(passes, clusters)
    assert (found["segments"], found["clusters"]) == (299, 100)
    assert found["recall"] == pytest.approx(298 / 299, abs=1e-4)
    assert found["bound"] == pytest.approx(float(beta.ppf(0.05, 99, 2)), abs=1e-4)
    # One cluster short of what shows 0.99: the bound must not be rounded up to it.
    assert (
        measured(np.ones(298, dtype=bool), np.arange(298))["bound"]
        < 0.99
        <= measured(np.ones(299, dtype=bool), np.arange(299))["bound"]
    )
    assert measured(np.zeros(0, dtype=bool), np.zeros(0, dtype=int)) == {
        "segments": 0,
        "recall": None,
        "clusters": 0,
        "bound": None,
    }


def test_bound_without_a_miss_is_a_root_and_without_a_hit_nothing() -> None:
    assert lower_bound(100, 100) == pytest.approx(0.05 ** (1 / 100))
    assert lower_bound(0, 5) == 0


@pytest.mark.parametrize(("recall", "sizes"), [(0.98, (149, 236, 313)), (0.99, (299, 473, 628))])
def test_so_many_positives_allow_none_one_or_two_misses_as_in_wilks_tables(
    recall: float, sizes: tuple[int, ...]
) -> None:
    assert fewest(recall) == sizes[0]
    for misses, size in enumerate(sizes):
        assert most_misses(size, recall) == misses
        assert most_misses(size - 1, recall) == (misses - 1 if misses else None)


def test_threshold_is_the_first_score_that_may_not_be_missed() -> None:
    scores = np.arange(473, dtype=float)[::-1]  # 473 positives at 0.99 allow one miss: the lowest, 0
    found = certify(scores, np.arange(473), 0.99)
    assert found.threshold == 1
    assert lower_bound(int((scores >= found.threshold).sum()), 473) >= 0.99
    assert lower_bound(int((scores > found.threshold).sum()), 473) < 0.99


def test_ties_pass_together() -> None:
    assert certify(np.zeros(473), np.arange(473), 0.99).threshold == 0


def test_too_few_positives_certify_nothing_and_say_how_many_are_missing() -> None:
    found = certify(np.ones(100), np.arange(100), 0.98)
    assert found.threshold is None
    assert (found.positives, found.needed, found.missing) == (100, 149, 49)
    assert certify(np.ones(0), np.arange(0), 0.98).missing == 149
    assert found.to_dict()["missing"] == 49


def test_segments_of_one_cluster_count_once_by_their_lowest_score() -> None:
    assert lowest_of(np.array([3.0, 1.0, 2.0, 5.0]), np.array([7, 7, 4, 9])).tolist() == [2, 1, 5]
    together = certify(np.ones(1000), np.arange(1000) // 10, 0.98)
    assert (together.positives, together.independent, together.threshold) == (1000, 100, None)


def test_bound_holds_as_often_as_it_says() -> None:
    """The share above the (m + 1)-th smallest of n uniform scores: below the recall in at most one draw of twenty."""
    draws = np.random.default_rng(1).random((4000, 473))
    recall = 1 - np.sort(draws, axis=1)[:, most_misses(473, 0.99)]
    assert (recall < 0.99).mean() == pytest.approx(beta(473 - 1, 1 + 1).cdf(0.99), abs=0.012)
    assert (recall < 0.99).mean() < 0.062
