from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naba.finetuning.batches import BatchPlan, PlannedBatches


@given(
    st.lists(st.integers(1, 200), min_size=1, max_size=300), st.integers(1, 40), st.floats(0.1, 3), st.integers(0, 9)
)
def test_every_epoch_holds_every_segment_once(lengths: list[int], batch_size: int, epochs: float, seed: int) -> None:
    plan = BatchPlan(lengths, batch_size, epochs, seed)
    ends = [0, *plan.epoch_ends]
    for number, (start, end) in enumerate(pairwise(ends)):
        rows = [row for index in range(start, end) for row in plan[index]]
        assert len(rows) == len(set(rows))
        if number + 1 <= epochs:
            assert set(rows) == set(range(len(lengths)))
    assert len(plan) == ends[-1]


def test_batches_hold_equal_work_not_equal_counts() -> None:
    # 60 segments of 16 tokens and 20 of 80: 32 tokens on average, so a batch of 4 may take 128 padded tokens.
    plan = BatchPlan([16] * 60 + [80] * 20, batch_size=4, epochs=1, seed=1)
    sizes = {tuple(sorted({16 if row < 60 else 80 for row in batch})): len(batch) for batch in plan.batches}
    assert max(len(batch) for batch in plan.batches) == 8  # 8 · 16
    assert sizes[(80,)] == 1  # 2 · 80 would be more than 128


def test_no_batch_exceeds_the_budget_but_a_lone_long_segment() -> None:
    lengths = [8] * 100 + [200]
    plan = BatchPlan(lengths, batch_size=4, epochs=2, seed=3)
    for batch in plan.batches:
        longest = max(lengths[row] for row in batch)
        assert longest * len(batch) <= 200


def test_seed_and_epoch_shuffle_the_batches() -> None:
    lengths = [10 + number % 7 for number in range(200)]
    assert BatchPlan(lengths, 8, 1, 1).batches == BatchPlan(lengths, 8, 1, 1).batches
    assert BatchPlan(lengths, 8, 1, 1).batches != BatchPlan(lengths, 8, 1, 2).batches
    two = BatchPlan(lengths, 8, 2, 1)
    assert two.batches[: two.epoch_ends[0]] != two.batches[two.epoch_ends[0] :]


@pytest.mark.parametrize("epochs", [0.25, 0.5, 1.5])
def test_part_of_an_epoch_is_a_part_of_its_batches(epochs: float) -> None:
    whole = len(BatchPlan([16] * 160, 16, 1, 1))
    assert len(BatchPlan([16] * 160, 16, epochs, 1)) == round(epochs * whole)


@given(st.lists(st.integers(1, 200), min_size=1, max_size=100), st.integers(1, 9), st.integers(1, 4))
def test_processes_share_every_batch(lengths: list[int], batch_size: int, processes: int) -> None:
    rows: Any = [
        {"input_ids": [number], "topic_known": [1.0], "stance_known": [1.0], "weight": 1.0}
        for number in range(len(lengths))
    ]
    plan = BatchPlan(lengths, batch_size, 1, 1)
    parts = PlannedBatches(rows, plan, processes)
    assert len(parts) == processes * len(plan)
    for step, batch in enumerate(plan.batches):
        read = [parts[step * processes + process] for process in range(processes)]
        assert all(read)  # an empty one cannot be collated
        heard = [row for part in read for row in part if row["weight"] > 0]
        assert sorted(row["input_ids"][0] for row in heard) == sorted(batch)
        silent = [row for part in read for row in part if row["weight"] == 0]
        assert len(silent) == max(0, processes - len(batch))
        assert not any(sum(row["topic_known"] + row["stance_known"]) for row in silent)
