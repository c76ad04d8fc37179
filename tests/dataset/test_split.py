from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from naba.config import SplitConfig
from naba.dataset.split import NOWHERE, TEST, TRAIN, VALIDATION, by_rule, drawn_shares, label_matrix, stratify
from naba.records import LabelledSegment
from naba.schema import LabelSchema

Make = Callable[..., LabelledSegment]


def test_rare_label_is_spread_by_the_shares() -> None:
    # 1,000 clusters of one segment; ten of them have the rare label in the first column.
    counts = np.ones((1000, 2), dtype=np.int64)
    counts[10:, 0] = 0
    names = [f"c{number}" for number in range(1000)]
    parts = stratify(counts, [0.7, 0.2, 0.1], seed=1, names=names)
    assert [int((parts[:10] == part).sum()) for part in range(3)] == [7, 2, 1]
    assert [int((parts == part).sum()) for part in range(3)] == [700, 200, 100]


def test_large_cluster_counts_with_all_its_segments() -> None:
    counts = np.array([[6], [1], [1], [1], [1]])  # ten segments; half of them are five
    parts = stratify(counts, [0.5, 0.5], 1, list("abcde"))
    assert len(set(parts[1:].tolist())) == 1 and parts[0] != parts[1]


def test_order_of_clusters_makes_no_difference_and_the_seed_does() -> None:
    counts = np.random.default_rng(0).integers(0, 3, (60, 4))
    counts[:, -1] = counts.max(axis=1) + 1
    names = [f"c{number}" for number in range(60)]
    parts = stratify(counts, [0.8, 0.2], 1, names)
    back = stratify(counts[::-1], [0.8, 0.2], 1, names[::-1])
    assert (parts == back[::-1]).all()
    assert (parts != stratify(counts, [0.8, 0.2], 2, names)).any()


def test_what_parts_hold_already_counts() -> None:
    # Ten segments are placed in the second part; of ten more a half-half split owes it none.
    parts = stratify(np.ones((10, 1), np.int64), [0.5, 0.5], 1, list("abcdefghij"), np.array([[0], [10]]))
    assert (parts == 0).all()


def test_part_without_a_share_gets_nothing() -> None:
    parts = stratify(np.ones((50, 1), np.int64), [0.8, 0.2, 0.0], 1, [str(n) for n in range(50)])
    assert set(parts.tolist()) == {0, 1}


def test_label_matrix_counts_pairs_topics_none_and_all(labelled: Make, schema: LabelSchema) -> None:
    items = [labelled("أ", diplomacy="oppose"), labelled("ب"), labelled("ت", military_action=None)]
    counts = label_matrix(items, np.array([0, 0, 1]), 2, schema)
    # diplomacy: support, oppose, neutral come first; then the topics; then none; then all
    assert counts[0].tolist() == [0, 1, 0, *[0] * 6, 1, 0, 0, 1, 2]
    assert counts[1].tolist() == [*[0] * 12, 0, 1]  # not known to have none


def dated(day: str | None, source: str | None, schema: LabelSchema) -> LabelledSegment:
    row = {"text": "نص", "labels": {}, "provenance": {"date": day, "source": source}}
    return LabelledSegment.from_row(row, schema, "test")


def test_split_by_time_keeps_the_undated_out(schema: LabelSchema) -> None:
    config = SplitConfig(method="time", validation_from=date(2024, 3, 1), test_from=date(2024, 6, 1))
    days = ["2024-02-29", "2024-03-01", "2024-05-31T23:00:00+02:00", "2024-06-01", None]
    parts = [by_rule(dated(day, "x", schema), config) for day in days]
    assert parts == [TRAIN, VALIDATION, VALIDATION, TEST, NOWHERE]


def test_split_by_source_holds_out_whole_outlets(schema: LabelSchema) -> None:
    config = SplitConfig(method="source", validation_sources=["ب"], test_sources=["ت"])
    assert [by_rule(dated(None, name, schema), config) for name in ("أ", "ب", "ت", None)] == [0, 1, 2, 0]


def test_shares_that_a_file_or_a_rule_fills_are_not_drawn() -> None:
    config = SplitConfig(validation=0.2, test=0.1)
    assert drawn_shares(config, {}) == pytest.approx([0.7, 0.2, 0.1])
    assert drawn_shares(config, {"validation": ["file"]}) == pytest.approx([0.9, 0.0, 0.1])
    by_time = SplitConfig(method="time", test_from=date(2024, 1, 1), validation=0.2, test=0.1)
    assert drawn_shares(by_time, {}) == pytest.approx([0.8, 0.2, 0.0])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method": "time"}, "needs test_from"),
        ({"method": "source"}, "needs test_sources"),
        ({"method": "time", "validation_from": "2024-06-01", "test_from": "2024-06-01"}, "must be before"),
        ({"method": "source", "test_sources": ["a"], "validation_sources": ["a"]}, "held out twice: a"),
        ({"test_from": "2024-06-01"}, "says nothing in a split by method stratified"),
        ({"method": "source", "test_sources": ["a"], "test_from": "2024-01-01"}, "says nothing"),
    ],
)
def test_split_that_contradicts_itself_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SplitConfig.model_validate(values)
