import time

import numpy as np
import pytest
from scipy import stats

from naba.errors import DataError
from naba.evaluation import intervals
from naba.evaluation.intervals import bootstrap
from naba.evaluation.significance import alone, compare, detectable_difference, holm, mcnemar
from naba.metrics import Labels, nested, score
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import count, figures


def world(markets: LabelSchema, clusters: int, seed: int, size: int = 4) -> tuple[Labels, Labels, np.ndarray]:
    """Gold, predictions and clusters; how hard a segment is depends on its cluster."""
    random = np.random.default_rng(seed)
    of = np.repeat(np.arange(clusters), random.integers(1, size + 1, clusters))
    shape = (len(of), len(markets.topic_ids))
    presence = (random.random(shape) < 0.4).astype(int)
    stance = np.where(presence == 1, random.integers(0, 2, shape), UNKNOWN)
    return Labels(presence, stance), answers(presence, stance, of, random), of


def answers(presence: np.ndarray, stance: np.ndarray, of: np.ndarray, random: np.random.Generator) -> Labels:
    right = random.random(presence.shape) < random.beta(4, 1, of.max() + 1)[of][:, None]
    guess = random.integers(0, 2, presence.shape)
    return Labels(np.where(right, presence, 1 - presence), np.where(right & (stance >= 0), stance, guess))


def test_every_score_has_an_interval_that_holds_it(markets: LabelSchema) -> None:
    gold, said, of = world(markets, 60, seed=1)
    probability = np.clip(said.presence * 0.6 + np.random.default_rng(0).random(said.presence.shape) * 0.4, 0, 1)
    found = bootstrap(gold, said, markets, of, probability=probability, resamples=300)
    scores = score(gold, said, markets, probability)
    assert {"topics.macro_f1", "stances.macro_f1", "stances.favg", "pairs.f1", "exact_match"} <= set(found)
    assert {"topics.per_topic.oil.f1", "topics.per_topic.oil.average_precision"} <= set(found)
    for path, interval in found.items():
        value = scores
        for part in path.split("."):
            value = value[part]
        assert interval is not None, path
        assert interval.low <= value <= interval.high, path
        assert interval.error > 0
    assert not any(path.endswith(("support", "predicted", "segments")) for path in found)


def test_resample_scores_what_a_repeated_test_set_scores(markets: LabelSchema) -> None:
    gold, said, of = world(markets, 12, seed=2)
    drawn = np.random.default_rng(3).integers(0, 12, 12)
    rows = np.concatenate([np.flatnonzero(of == cluster) for cluster in drawn])
    repeated = score(
        Labels(gold.presence[rows], gold.stance[rows]), Labels(said.presence[rows], said.stance[rows]), markets
    )
    counts = count(gold, said, markets)
    per_cluster = np.stack([counts.matrix()[of == cluster].sum(axis=0) for cluster in range(12)])
    weighted = figures(counts.of_matrix(np.bincount(drawn, minlength=12) @ per_cluster), markets)
    assert nested(weighted)["pairs"]["f1"] == pytest.approx(repeated["pairs"]["f1"])
    assert nested(weighted)["stances"]["macro_f1"] == pytest.approx(repeated["stances"]["macro_f1"])
    assert nested(weighted)["exact_match"] == pytest.approx(repeated["exact_match"])


def test_same_seed_same_intervals_and_order_of_clusters_does_not_matter(markets: LabelSchema) -> None:
    gold, said, of = world(markets, 30, seed=4)
    first = bootstrap(gold, said, markets, of, resamples=200, seed=5)
    assert first == bootstrap(gold, said, markets, of * 7 + 100, resamples=200, seed=5)
    assert first != bootstrap(gold, said, markets, of, resamples=200, seed=6)


def test_cluster_of_equal_segments_is_no_more_evidence_than_one(markets: LabelSchema) -> None:
    gold, said, of = world(markets, 40, seed=7, size=1)
    rows = np.repeat(np.arange(40), 10)  # each segment published ten times
    copies = [Labels(part.presence[rows], part.stance[rows]) for part in (gold, said)]
    once = bootstrap(gold, said, markets, of, resamples=400)["pairs.f1"]
    assert bootstrap(*copies, markets, of[rows], resamples=400)["pairs.f1"] == once
    naive = bootstrap(*copies, markets, np.arange(400), resamples=400)["pairs.f1"]
    assert once is not None and naive is not None
    assert once.error > 2 * naive.error  # √10 in theory


def test_what_the_data_cannot_tell_has_no_interval(markets: LabelSchema) -> None:
    gold, said, of = world(markets, 40, seed=8)
    assert set(bootstrap(gold, said, markets, np.zeros_like(of), resamples=100).values()) == {None}
    assert bootstrap(gold, gold, markets, of, resamples=100)["pairs.f1"] is None  # all right is not certainty
    rare = Labels(gold.presence.copy(), gold.stance.copy())
    rare.presence[:, 0], rare.stance[:, 0] = 0, UNKNOWN
    rare.presence[0, 0], rare.stance[0, 0] = 1, 0
    found = bootstrap(rare, said, markets, of, resamples=200)
    assert found["topics.macro_f1"] is None
    assert found["topics.per_topic.oil.f1"] is None  # its one segment is in two thirds of the resamples
    assert found["topics.per_topic.gold.f1"] is not None


@pytest.mark.parametrize("clusters", [15, 40])
def test_nominal_95_percent_intervals_hold_the_truth_90_to_98_percent_of_the_time(
    markets: LabelSchema, clusters: int
) -> None:
    gold, said, _ = world(markets, 100_000, seed=0)
    truth = figures(count(gold, said, markets).total(), markets)
    paths = ["topics.macro_f1", "stances.macro_f1", "pairs.f1", "exact_match"]
    held, given = np.zeros(len(paths)), np.zeros(len(paths))
    for seed in range(120):
        gold, said, of = world(markets, clusters, seed=seed + 1)
        found = bootstrap(gold, said, markets, of, resamples=200, seed=seed)
        for n, path in enumerate(paths):
            if interval := found[path]:  # None, no answer, is neither right nor wrong
                given[n] += 1
                held[n] += interval.low <= truth[path] <= interval.high
    assert given.min() > 60
    assert 0.90 <= (held / given).mean() <= 0.98, held / given


def test_macro_average_does_not_gain_from_resamples_without_its_hard_class(markets: LabelSchema) -> None:
    # oil is always right but once and in every cluster; gold is always wrong and in three of forty. Macro-F1 is at most ½
    # where gold is drawn; left out of the other 5 % it would be near 1 there, and the interval would end near 1.
    presence = np.zeros((40, 4), dtype=int)
    presence[:, 0], presence[:3, 1] = 1, 1
    gold = Labels(presence, np.where(presence == 1, 0, UNKNOWN))
    said = Labels(presence.copy(), np.zeros((40, 4), dtype=int))
    said.presence[:3, 1], said.presence[4, 0] = 0, 0
    found = bootstrap(gold, said, markets, np.arange(40), resamples=400)["topics.macro_f1"]
    assert found is not None and 0.4 < found.low < found.high <= 0.5


def test_same_answers_do_not_differ(markets: LabelSchema) -> None:
    gold, said, of = world(markets, 20, seed=9)
    found = compare(gold, said, said, markets, of, resamples=100)["pairs.f1"]
    assert (found.value, found.interval, found.p, found.detectable) == (0.0, None, 1.0, None)


def test_better_run_is_seen_and_p_is_never_zero(markets: LabelSchema) -> None:
    gold, said, of = world(markets, 80, seed=10)
    poor = Labels(1 - said.presence, said.stance)
    found = compare(gold, said, poor, markets, of, resamples=199)["pairs.f1"]
    assert found.value > 0 and found.interval is not None and found.interval.low > 0
    assert found.p == 1 / 200
    back = compare(gold, poor, said, markets, of, resamples=199)["pairs.f1"]
    assert (back.value, back.p) == (-found.value, found.p)


def test_randomisation_of_two_clusters_worked_out_by_hand(markets: LabelSchema) -> None:
    # Two clusters of one segment; the first run is right on both, the second on none. Of the four ways to swap, none
    # and both give a difference of ±1 in exact match, one swap gives 0: p → ½.
    gold = Labels(np.array([[1, 0, 0, 0]] * 2), np.array([[0] + [UNKNOWN] * 3] * 2))
    wrong = Labels(1 - gold.presence, np.zeros((2, 4), dtype=int))
    found = compare(gold, gold, wrong, markets, np.arange(2), resamples=2000)["exact_match"]
    assert found.value == 1.0
    assert found.p == pytest.approx(0.5, abs=0.05)


def test_randomisation_rejects_no_difference_as_often_as_it_should(markets: LabelSchema) -> None:
    rejected = 0
    for seed in range(120):
        gold, said, of = world(markets, 30, seed=seed)
        other = answers(gold.presence, gold.stance, of, np.random.default_rng((seed, 1)))
        rejected += compare(gold, said, other, markets, of, resamples=100, seed=seed)["pairs.f1"].p <= 0.05
    assert rejected <= 13  # 6 expected; 14 or more have a chance of 0.3 %


def test_mcnemar_is_the_exact_binomial_on_the_segments_that_differ(schema: LabelSchema) -> None:
    gold = Labels(np.array([[1, 0, 0]] * 12), np.array([[0, UNKNOWN, UNKNOWN]] * 12))
    gold.presence[11, 2] = UNKNOWN  # not fully judged: takes no part
    right, wrong = [1, 0, 0], [0, 0, 0]
    first = Labels(np.array([right] * 10 + [wrong, right]), np.zeros((12, 3), dtype=int))
    second = Labels(np.array([right] * 2 + [wrong] * 8 + [right, wrong]), np.zeros((12, 3), dtype=int))
    found = mcnemar(gold, first, second, schema)
    assert (found.only_first, found.only_second) == (8, 1)
    # 2 · (1 + 9) / 2⁹
    assert found.p == pytest.approx(2 * 10 / 512)
    assert mcnemar(gold, first, first, schema).p == 1.0


def test_holm_worked_out_by_hand() -> None:
    # Sorted: .01·4 = .04, .02·3 = .06, .03·2 = .06, .04·1 = .04 → raised to .06.
    found = holm({"d": 0.04, "a": 0.01, "c": 0.03, "b": 0.02})
    assert found == pytest.approx({"d": 0.06, "a": 0.04, "c": 0.06, "b": 0.06})
    assert list(found) == ["d", "a", "c", "b"]
    assert holm({"x": 0.7, "y": 0.9}) == {"x": 1.0, "y": 1.0}
    assert holm({}) == {}


def test_detectable_difference_is_seen_four_times_in_five() -> None:
    found = detectable_difference(0.01)
    assert found == pytest.approx(0.028016, abs=1e-6)  # (1.959964 + 0.841621) · 0.01
    seen = np.abs(stats.norm.rvs(found, 0.01, size=20_000, random_state=0)) > 1.959964 * 0.01
    assert seen.mean() == pytest.approx(0.8, abs=0.01)
    assert detectable_difference(0.0) is None
    assert alone(0.01) == pytest.approx(0.01414214)


def test_input_that_does_not_fit_is_refused(markets: LabelSchema) -> None:
    gold, said, of = world(markets, 10, seed=11)
    with pytest.raises(DataError, match="one of each for every segment"):
        bootstrap(gold, said, markets, of[:-1])
    with pytest.raises(DataError, match="at least 100"):
        bootstrap(gold, said, markets, of, resamples=10)
    with pytest.raises(DataError, match="level"):
        compare(gold, said, said, markets, of, level=95)
    nothing = Labels(np.zeros((0, 4), dtype=int), np.zeros((0, 4), dtype=int))
    with pytest.raises(DataError, match="no segments"):
        bootstrap(nothing, nothing, markets, np.zeros(0, dtype=int))


@pytest.mark.slow
def test_two_thousand_resamples_of_ten_thousand_segments_take_under_ten_seconds(markets: LabelSchema) -> None:
    gold, said, of = world(markets, 10_000, seed=12, size=1)
    start = time.monotonic()
    bootstrap(gold, said, markets, of, probability=said.presence * 1.0)
    compare(gold, said, gold, markets, of)
    assert time.monotonic() - start < 10


def test_counting_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch, schema: LabelSchema) -> None:
    generator = np.random.default_rng(5)

    def drawn() -> Labels:
        presence = (generator.random((101, 3)) < 0.4).astype(int)
        presence[50:] *= [1, 0, 0]  # the last blocks have one topic only
        return Labels(presence, generator.integers(3, size=(101, 3)))

    gold, first, second = drawn(), drawn(), drawn()
    clusters = generator.integers(30, size=101)
    at_once = (
        compare(gold, first, second, schema, clusters, resamples=200),
        bootstrap(gold, first, schema, clusters, resamples=200),
    )
    monkeypatch.setattr(intervals, "_AT_ONCE", 25)
    assert compare(gold, first, second, schema, clusters, resamples=200) == pytest.approx(at_once[0])
    assert bootstrap(gold, first, schema, clusters, resamples=200) == pytest.approx(at_once[1])
