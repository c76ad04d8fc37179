from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naba.cli.experiments import repeat
from naba.errors import ConfigError, DataError
from naba.experiments.folds import SMALL_SOURCE, Folds, make_folds
from naba.records import LabelledSegment
from naba.schema import LabelSchema

TOPICS = ("diplomacy", "humanitarian_aid", "military_action")
STANCES = ("support", "oppose", "neutral")

Make = Callable[..., LabelledSegment]


@pytest.fixture(scope="module")
def segment(request: pytest.FixtureRequest) -> Make:
    """A segment of its own words, with a topic and stance by its number."""
    schema: LabelSchema = request.getfixturevalue("schema")

    def make(number: int, *, source: str | None = "a", article: str | None = None, **extra: Any) -> LabelledSegment:
        topic, stance = TOPICS[number % 3], STANCES[number // 3 % 3]
        row = {
            "text": " ".join(f"كلمة{place}رقم{number}" for place in range(12)),
            "article_id": article,
            "labels": {
                name: {"present": name == topic, "stance": stance if name == topic else None} for name in TOPICS
            },
            "provenance": {"source": source} | extra.pop("provenance", {}),
        }
        return LabelledSegment.from_row(row | extra, schema, "test")

    return make


def ids(items: Sequence[LabelledSegment], numbers: Any) -> set[str]:
    return {items[number].segment.id for number in numbers.tolist()}


def check(items: Sequence[LabelledSegment], folds: Folds) -> None:
    """What holds of every cut."""
    for fold in folds.folds:
        parts = [fold.train, fold.validation, fold.held_out]
        assert sum(len(part) for part in parts) + fold.left_out == len(items)
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert not ids(items, parts[one]) & ids(items, parts[other])
            assert not set(folds.clusters.of[parts[one]].tolist()) & set(folds.clusters.of[parts[other]].tolist())
        assert all(len(part) for part in parts)


def test_every_segment_is_held_out_once_and_articles_stay_whole(schema: LabelSchema, segment: Make) -> None:
    items = [segment(number, article=f"article-{number // 2}") for number in range(60)]
    folds = make_folds(items, schema, count=3)
    check(items, folds)
    held_out = np.concatenate([fold.held_out for fold in folds.folds])
    assert sorted(held_out.tolist()) == list(range(60))
    assert [len(fold.held_out) for fold in folds.folds] == [20, 20, 20]
    assert [fold.left_out for fold in folds.folds] == [0, 0, 0]
    # 15 % of the 40 segments that are not held out are 6; whole articles of two and rare labels may take one more.
    assert all(6 <= len(fold.validation) <= 8 for fold in folds.folds)


def test_folds_are_stratified(schema: LabelSchema, segment: Make) -> None:
    items = [segment(number) for number in range(90)]
    for fold in make_folds(items, schema, count=5).folds:
        # 90 segments hold 10 of each topic and stance, so a fifth holds 2.
        held = [items[number] for number in fold.held_out.tolist()]
        for topic in TOPICS:
            for stance in STANCES:
                assert sum(item.labels[topic].stance == stance for item in held) == 2


@settings(max_examples=15)
@given(st.integers(0, 1000), st.integers(2, 4))
def test_same_seed_gives_the_same_folds_whatever_the_seed(
    schema: LabelSchema, segment: Make, seed: int, count: int
) -> None:
    items = [segment(number, article=f"article-{number // 3}") for number in range(72)]
    first, again = (make_folds(items, schema, count=count, seed=seed) for _ in range(2))
    check(items, first)
    assert [fold.describe(items) for fold in first.folds] == [fold.describe(items) for fold in again.folds]


def test_another_seed_gives_other_folds(schema: LabelSchema, segment: Make) -> None:
    items = [segment(number) for number in range(60)]
    one, other = (make_folds(items, schema, count=3, seed=seed).folds[0] for seed in (1, 2))
    assert set(one.held_out.tolist()) != set(other.held_out.tolist())


def test_near_duplicate_articles_are_never_on_two_sides(schema: LabelSchema, segment: Make) -> None:
    items = [segment(number) for number in range(40)]
    copies = []
    for number in range(0, 40, 2):  # the same words but for the last two
        row = items[number].to_row()
        row["text"] = " ".join(row["text"].split()[:-2]) + " ثم عاد"
        copies.append(LabelledSegment.from_row({**row, "id": None}, schema, "test"))
    both = items + copies
    folds = make_folds(both, schema, count=4)
    check(both, folds)
    for fold in folds.folds:
        held = set(fold.held_out.tolist())
        assert all((number in held) == (40 + number // 2 in held) for number in range(0, 40, 2))


def test_what_shares_a_passage_with_the_held_out_part_is_left_out_of_training(
    schema: LabelSchema, segment: Make
) -> None:
    # Two articles of otherwise different words share one sentence: no near-duplicates, and yet a leak.
    passage = " ".join(f"جملة{number}" for number in range(13))
    items = [segment(number) for number in range(60)]
    long = " ".join(f"كلمة{number}" for number in range(200))
    other = " ".join(f"لفظ{number}" for number in range(200))
    for text in (f"{long} {passage}", f"{passage} {other}"):
        items.append(LabelledSegment.from_row({**items[0].to_row(), "id": None, "text": text}, schema, "test"))
    folds = make_folds(items, schema, count=6)
    assert folds.clusters.of[60] != folds.clusters.of[61]
    for fold in folds.folds:
        parts = [set(part.tolist()) & {60, 61} for part in (fold.train, fold.validation, fold.held_out)]
        assert sum(bool(part) for part in parts) == 1
        if parts[2] and len(parts[2]) == 1:
            assert fold.left_out == 1


def test_each_source_is_held_out_in_turn_and_small_ones_together(schema: LabelSchema, segment: Make) -> None:
    sources = ["b"] * 30 + ["a"] * 30 + ["d"] * 4 + ["c"] * 5
    items = [segment(number, source=source) for number, source in enumerate(sources)]
    folds = make_folds(items, schema, leave_out="source", small_source=10)
    check(items, folds)
    assert [fold.holds_out for fold in folds.folds] == ["a", "b", "c, d"]
    assert folds.together == ["c", "d"]
    assert not make_folds(items, schema, leave_out="source", small_source=4).together
    assert not make_folds(items, schema, leave_out="source", small_source=5).together  # d alone is small
    assert [len(fold.held_out) for fold in folds.folds] == [30, 30, 9]
    for fold in folds.folds:
        held = {items[number].provenance["source"] for number in fold.held_out.tolist()}
        rest = {items[number].provenance["source"] for part in (fold.train, fold.validation) for number in part}
        assert not held & rest


def test_copy_in_another_source_is_left_out_when_its_original_is_held_out(schema: LabelSchema, segment: Make) -> None:
    items = [segment(number, source="a" if number < 30 else "b") for number in range(60)]
    row = items[0].to_row() | {"text": items[0].segment.text + " أيضا", "id": None, "provenance": {"source": "b"}}
    items.append(LabelledSegment.from_row(row, schema, "test"))
    first, second = make_folds(items, schema, leave_out="source", small_source=1).folds
    assert first.left_out == second.left_out == 1
    assert 60 not in first.train.tolist() + first.validation.tolist()
    assert 0 not in second.train.tolist() + second.validation.tolist()


def test_segments_without_source_are_trained_on_and_never_held_out(schema: LabelSchema, segment: Make) -> None:
    items = [segment(number, source=["a", "b", None][number % 3]) for number in range(90)]
    folds = make_folds(items, schema, leave_out="source", small_source=1)
    assert folds.without_source == 30
    for fold in folds.folds:
        assert {items[number].provenance["source"] for number in fold.held_out.tolist()} < {"a", "b"}
        assert sum(items[number].provenance["source"] is None for number in fold.train.tolist()) == 30


def test_only_read_and_published_labels_are_scored_or_validated_on(schema: LabelSchema, segment: Make) -> None:
    items = [segment(number) for number in range(45)]
    items += [segment(number, weak=True) for number in range(45, 60)]
    items += [segment(number, provenance={"authored": True}) for number in range(60, 75)]
    items += [segment(number, teacher={}) for number in range(75, 80)]
    folds = make_folds(items, schema, count=3)
    check(items, folds)
    assert not folds.authored
    for fold in folds.folds:
        assert max(fold.held_out.max(), fold.validation.max()) < 45
        assert set(range(45, 80)) <= set(fold.train.tolist())


@pytest.mark.parametrize("unread", [{"weak": True}, {"teacher": {}}, {"provenance": {"authored": True}}])
def test_nothing_of_a_held_out_source_is_trained_on_whoever_labelled_it(
    schema: LabelSchema, segment: Make, unread: dict[str, Any]
) -> None:
    items = [segment(number, source="ab"[number % 2]) for number in range(60)]
    items += [
        segment(
            number,
            source="a",
            provenance={"source": "a"} | unread.get("provenance", {}),
            **{key: value for key, value in unread.items() if key != "provenance"},
        )
        for number in range(60, 75)
    ]
    items += [segment(number, source=source, weak=True) for number, source in ((75, "b"), (76, "c"), (77, None))]
    folds = make_folds(items, schema, leave_out="source", small_source=1)
    check(items, folds)
    for fold, of_it, left_out in zip(folds.folds, ("a", "b"), (15, 1), strict=True):
        assert fold.holds_out == of_it
        assert len(fold.held_out) == 30
        rest = [*fold.train.tolist(), *fold.validation.tolist()]
        assert not any(items[number].provenance["source"] == of_it for number in rest)
        assert fold.left_out == left_out
        assert {76, 77} <= set(rest)  # of an outlet that is never held out, and of none
    assert folds.without_source == 1


def test_authored_segments_are_scored_where_there_are_no_others(schema: LabelSchema, segment: Make) -> None:
    items = [segment(number, provenance={"authored": True}) for number in range(45)]
    assert make_folds(items, schema, count=3).authored


def test_weak_labels_alone_are_refused(schema: LabelSchema, segment: Make) -> None:
    with pytest.raises(DataError, match="weak"):
        make_folds([segment(number, weak=True) for number in range(45)], schema, count=3)


def test_text_that_stands_twice_is_scored_once(schema: LabelSchema, segment: Make) -> None:
    items = [segment(number) for number in range(45)] + [segment(number, article="again") for number in range(9)]
    folds = make_folds(items, schema, count=3)
    held_out = [items[number].segment.id for fold in folds.folds for number in fold.held_out.tolist()]
    assert len(held_out) == len(set(held_out)) == 45
    for fold in folds.folds:
        assert not ids(items, fold.train) & ids(items, fold.held_out)


def test_help_names_the_size_below_which_sources_are_held_out_together() -> None:
    option = get_type_hints(repeat, include_extras=True)["leave_out"].__metadata__[0]
    assert f"fewer than {SMALL_SOURCE} segments together" in option.help


@pytest.mark.parametrize(
    ("segments", "arguments", "says"),
    [
        (15, {"count": 20}, "15 clusters"),
        (2, {"count": 2}, "1 cluster of articles left to train and validate on, where two"),
        (4, {"count": 2}, "nothing is left to validate on"),
        (15, {"leave_out": "source"}, r"two sources or more.*a \(15\)"),
    ],
)
def test_too_little_data_is_told(
    schema: LabelSchema, segment: Make, segments: int, arguments: dict[str, Any], says: str
) -> None:
    items = [segment(number, article=f"article-{number}") for number in range(segments)]
    with pytest.raises(DataError, match=says):
        make_folds(items, schema, **arguments)


def test_no_source_at_all_is_told(schema: LabelSchema, segment: Make) -> None:
    with pytest.raises(DataError, match="two sources"):
        make_folds([segment(number, source=None) for number in range(60)], schema, leave_out="source")


@pytest.mark.parametrize("arguments", [{}, {"count": 3, "leave_out": "source"}, {"count": 1}])
def test_unclear_wish_is_refused(schema: LabelSchema, segment: Make, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        make_folds([segment(number) for number in range(30)], schema, **arguments)
