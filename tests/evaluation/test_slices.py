import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from naba.errors import DataError
from naba.evaluation import slices as module
from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.slices import SCORES, Slice, slices
from naba.metrics import score
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Labels

Make = Callable[..., tuple[TestSet, Answers]]


def part(labels: Labels, rows: Any) -> Labels:
    return Labels(labels.presence[rows], labels.stance[rows])


def at(scores: dict[str, Any], path: str) -> Any:
    for name in path.split("."):
        scores = scores[name]
    return scores


def by_name(found: list[Slice]) -> dict[str, Slice]:
    return {one.name: one for one in found}


@pytest.fixture
def source_a_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """One slice: the other attributes only take time."""

    def sources(items: Any, *rest: Any, **options: Any) -> dict[str, dict[str, Any]]:
        return {"source": {"a": np.flatnonzero([item.provenance["source"] == "a" for item in items])}}

    monkeypatch.setattr(module, "attributes", sources)


@pytest.fixture
def world(markets: LabelSchema) -> Make:
    """Segments of sources, all of the same words; `wrong` says how often a source's answers are."""

    def make(wrong: dict[str, float], clusters: int, seed: int = 0, size: int = 3) -> tuple[TestSet, Answers]:
        random = np.random.default_rng(seed)
        of = np.repeat(np.arange(clusters), random.integers(1, size + 1, clusters))
        rows = [{"text": "ارتفع النفط", "labels": {}, "provenance": {"source": source}} for source in wrong]
        kinds = [LabelledSegment.from_row(row, markets, "test") for row in rows]
        source = random.integers(len(wrong), size=clusters)[of]
        shape = (len(of), 4)
        presence = (random.random(shape) < 0.3).astype(int)
        stance = np.where(presence == 1, random.integers(0, 2, shape), UNKNOWN)
        share = np.array(list(wrong.values()))[source] + 0.1 * random.normal(size=clusters)[of]
        fails = random.random(shape) < share[:, None]
        guess = random.integers(0, 2, shape)
        said = Labels(np.where(fails, 1 - presence, presence), np.where(fails | (stance < 0), guess, stance))
        return TestSet([kinds[n] for n in source], Labels(presence, stance), of, markets), Answers(said)

    return make


def test_slice_scores_what_its_segments_score_by_themselves(world: Make) -> None:
    test, answers = world({"a": 0.1, "b": 0.3}, 60)
    for one in slices(test, answers, resamples=100):
        if one.by != "source":
            continue
        inside = np.array([item.provenance["source"] == one.value for item in test.items])
        own, rest = (
            score(part(test.gold, side), part(answers.labels, side), test.schema) for side in (inside, ~inside)
        )
        assert one.segments == inside.sum()
        assert one.clusters == len(np.unique(test.clusters[inside]))
        assert one.pairs == own["pairs"]["support"]
        for path in SCORES:  # both sides have all four topics and both stances
            assert one.scores[path].value == pytest.approx(at(own, path))
            difference = one.scores[path].difference
            assert difference is not None
            assert difference.value == pytest.approx(at(own, path) - at(rest, path))
            assert difference.interval is not None
            assert difference.interval.low <= difference.value <= difference.interval.high


def test_worst_slice_comes_first_and_stands_out(world: Make) -> None:
    test, answers = world({"a": 0.05, "bad": 0.4, "c": 0.05, "d": 0.05}, 200)
    found = slices(test, answers, resamples=200)
    ranked = [one for one in found if one.rank]
    assert [one.rank for one in ranked] == list(range(1, len(ranked) + 1))
    values = [one.scores["pairs.f1"].value for one in ranked]
    assert values == sorted(values, key=lambda value: value or 0)
    assert found[0].name == "source: bad"
    worst = found[0].scores["pairs.f1"].difference
    assert worst is not None and worst.p_adjusted is not None and worst.p is not None
    assert worst.p_adjusted < 0.01
    assert worst.p < worst.p_adjusted
    better = by_name(found)["source: c"].scores["pairs.f1"].difference
    assert better is not None and better.p_adjusted == 1.0


def test_small_slice_is_marked_and_neither_ranked_nor_tested(world: Make, markets: LabelSchema) -> None:
    test, answers = world({"a": 0.1, "b": 0.1}, 60)
    rare = LabelledSegment.from_row({"text": "x", "labels": {}, "provenance": {"source": "rare"}}, markets, "test")
    items = [rare if n < 19 else item for n, item in enumerate(test.items)]
    found = by_name(slices(TestSet(items, test.gold, test.clusters, markets), answers, resamples=100))
    one = found["source: rare"]
    assert (one.segments, one.small, one.rank) == (19, True, None)
    assert one.scores["exact_match"].value is not None
    assert one.scores["exact_match"].interval is not None
    difference = one.scores["exact_match"].difference
    assert difference is not None and difference.p is None and difference.p_adjusted is None
    items[19] = rare
    one = by_name(slices(TestSet(items, test.gold, test.clusters, markets), answers, resamples=100))["source: rare"]
    assert not one.small
    assert one.rank is not None


@pytest.mark.usefixtures("source_a_only")
@pytest.mark.parametrize("clusters", [5, 6])
def test_slice_of_fewer_than_six_clusters_has_no_interval_and_no_p(world: Make, clusters: int) -> None:
    test, answers = world({"a": 0.3, "b": 0.1}, 60, seed=1)
    a, b = (next(item for item in test.items if item.provenance["source"] == source) for source in "ab")
    of = np.where(np.arange(len(test.items)) < 30, np.arange(len(test.items)) % clusters, test.clusters + 100)
    items = [a if n < 30 else b for n in range(len(of))]
    found = slices(TestSet(items, test.gold, of, test.schema), answers, resamples=200)[0]
    assert (found.segments, found.clusters, found.rank) == (30, clusters, 1)
    one = found.scores["pairs.f1"]
    assert one.value is not None and one.difference is not None
    given = clusters == 6
    assert [value is not None for value in (one.interval, one.difference.interval, one.difference.p)] == [given] * 3


def test_slice_without_gold_pairs_has_no_f1_but_an_exact_match(world: Make) -> None:
    test, answers = world({"a": 0.1}, 200)
    found = slices(test, answers, resamples=100)
    one = by_name(found)["topics: 0"]
    assert one.segments >= 20
    assert one.rank is None and not one.small
    assert one.scores["pairs.f1"].value is None and one.scores["pairs.f1"].support == 0
    assert one.scores["pairs.f1"].interval is None and one.scores["pairs.f1"].difference is None
    assert one.scores["exact_match"].difference is not None
    assert by_name(slices(test, answers, resamples=100, rank_by="exact_match"))["topics: 0"].rank is not None


def test_macro_averages_are_compared_over_the_topics_both_sides_have(markets: LabelSchema) -> None:
    # Source a has oil (right, 20 of 20); source b has oil (half found: P 1, R ½, F1 ⅔) and gold (never found: F1 0).
    rows = [{"text": "x", "labels": {}, "provenance": {"source": source}} for source in "ab"]
    a, b = (LabelledSegment.from_row(row, markets, "test") for row in rows)
    presence = np.zeros((40, 4), dtype=int)
    presence[:, 0] = 1
    presence[20:, 1] = 1
    said = presence.copy()
    said[20:30, 0] = 0
    said[20:, 1] = 0
    gold = Labels(presence, np.where(presence == 1, 0, UNKNOWN))
    test = TestSet([a] * 20 + [b] * 20, gold, np.arange(40), markets)
    found = by_name(slices(test, Answers(Labels(said, np.zeros_like(said))), resamples=100))["source: b"]
    macro = found.scores["topics.macro_f1"]
    assert macro.value == pytest.approx((2 / 3 + 0) / 2)
    assert macro.difference is not None
    assert macro.difference.value == pytest.approx(2 / 3 - 1)  # over oil alone


@pytest.mark.usefixtures("source_a_only")
def test_copies_of_a_segment_in_its_cluster_are_no_more_evidence(world: Make) -> None:
    test, answers = world({"a": 0.2, "b": 0.2}, 60, size=1)
    rows = np.repeat(np.arange(60), 5)
    copied = TestSet([test.items[n] for n in rows], part(test.gold, rows), test.clusters[rows], test.schema)
    once, often = (
        by_name(slices(t, Answers(labels), resamples=200))["source: a"].scores["exact_match"]
        for t, labels in ((test, answers.labels), (copied, part(answers.labels, rows)))
    )
    assert once.interval == often.interval
    assert once.difference is not None and often.difference is not None
    assert once.difference.interval == often.difference.interval


@pytest.mark.usefixtures("source_a_only")
def test_joining_clusters_at_random_leaves_the_errors_what_they_were(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    test, answers = world({"a": 0.1, "b": 0.3}, 2000)
    full = by_name(slices(test, answers, resamples=1000))["source: a"].scores["pairs.f1"]
    monkeypatch.setattr(module, "GROUPS", 300)
    joined = by_name(slices(test, answers, resamples=1000))["source: a"].scores["pairs.f1"]
    assert full.value == joined.value
    assert full.interval and joined.interval
    assert joined.interval.error == pytest.approx(full.interval.error, rel=0.15)  # 1 / √(2 · 300) is 4 %


@pytest.mark.usefixtures("source_a_only")
def test_same_seed_same_slices(world: Make) -> None:
    test, answers = world({"a": 0.1, "b": 0.3}, 40)
    assert slices(test, answers, resamples=100, seed=3) == slices(test, answers, resamples=100, seed=3)
    assert slices(test, answers, resamples=100, seed=3) != slices(test, answers, resamples=100, seed=4)


@pytest.mark.usefixtures("source_a_only")
def test_intervals_hold_the_truth_and_equal_sources_rarely_look_worse(world: Make) -> None:
    test, answers = world({"a": 0.15, "b": 0.15}, 40_000, seed=999)
    truth = score(test.gold, answers.labels, test.schema)
    held, worse = [], []
    for seed in range(100):
        found = by_name(slices(*world({"a": 0.15, "b": 0.15}, 50 + seed % 3 * 25, seed=seed), resamples=200, seed=seed))
        for path in ("pairs.f1", "exact_match", "topics.macro_f1"):
            one = found["source: a"].scores[path]
            assert one.interval is not None and one.difference is not None and one.difference.interval is not None
            held.append(one.interval.low <= at(truth, path) <= one.interval.high)
            held.append(one.difference.interval.low <= 0 <= one.difference.interval.high)
            assert one.difference.p is not None
            worse.append(one.difference.p < 0.05)
    assert 0.90 <= np.mean(held) <= 0.98
    assert 0.01 <= np.mean(worse) <= 0.09


def test_row_of_a_report_is_plain_and_has_no_text(world: Make) -> None:
    test, answers = world({"a": 0.1, "b": 0.3}, 40)
    row = slices(test, answers, resamples=100)[0].to_dict()
    assert json.loads(json.dumps(row)) == row
    assert {"name", "by", "value", "rank", "small", "segments", "clusters", "pairs", "scores"} == set(row)
    assert set(row["scores"]["pairs.f1"]) == {"value", "support", "interval", "difference"}
    assert set(row["scores"]["pairs.f1"]["difference"]) == {"value", "interval", "p", "p_adjusted"}
    assert "ارتفع" not in json.dumps(row, ensure_ascii=False)


def test_unusable_arguments_are_told_in_one_line(world: Make) -> None:
    test, answers = world({"a": 0.1, "b": 0.3}, 40)
    short = Answers(part(answers.labels, slice(1, None)))
    empty = TestSet([], part(test.gold, slice(0)), test.clusters[:0], test.schema)
    for arguments, options in (
        ((test, short), {}),
        ((empty, Answers(part(answers.labels, slice(0)))), {}),
        ((test, answers), {"rank_by": "f1"}),
        ((test, answers), {"resamples": 5}),
        ((test, answers), {"level": 1.0}),
    ):
        with pytest.raises(DataError) as error:
            slices(*arguments, **options)  # type: ignore[arg-type]
        assert "\n" not in str(error.value)
