"""The batches of a whole training, planned ahead: segments of like length together, about the same work in each.

    plan = BatchPlan(encoded.lengths, batch_size=16, epochs=4, seed=1)
    first = [encoded[index] for index in plan[0]]

A plan is a pure function of lengths, sizes and seed: a run that goes on at step n sees what it would have seen.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from naba.modelling.encode import EncodedSegments, padded

POOL = 50
"""Batches' worth of segments among which like lengths are sought: few enough that batches differ from epoch to epoch."""


class BatchPlan:
    """The segments of every batch, in order, over all epochs."""

    def __init__(self, lengths: Sequence[int], batch_size: int, epochs: float, seed: int) -> None:
        """Plan the batches.

        Args:
            lengths: tokens of each of N segments.
            batch_size: segments in a batch of average length. The budget of every batch is as many padded tokens as that
                makes, so a batch of short segments holds more and one of long segments fewer.
            epochs: passes over the segments; a fraction stops early in the last.
            seed: of the shuffling.
        """
        sizes = np.array([padded(length) for length in lengths])
        budget = max(int(batch_size * sizes.mean()), int(sizes.max()))
        self.epoch_ends: list[int] = []
        """Batches planned when each epoch ends."""
        self.batches: list[list[int]] = []
        for epoch in range(int(np.ceil(epochs))):
            batches = _one_epoch(sizes, batch_size, budget, np.random.default_rng([seed, epoch]))
            share = min(1.0, epochs - epoch)
            self.batches += batches[: max(1, round(share * len(batches)))]
            self.epoch_ends.append(len(self.batches))

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> list[int]:
        return self.batches[index]


class PlannedBatches(Dataset[list[dict[str, Any]]]):
    """A dataset whose items are the rows of a whole batch, or one process's part of it: a loader's batch of size 1.

    Item n is read by process n modulo their number, as accelerate deals them out.
    """

    def __init__(self, segments: EncodedSegments, plan: BatchPlan, processes: int = 1) -> None:
        self.segments, self.plan, self.processes = segments, plan, processes

    def __len__(self) -> int:
        return len(self.plan) * self.processes

    def __getitem__(self, index: int) -> list[dict[str, Any]]:
        number, process = divmod(index, self.processes)
        batch = self.plan[number]
        # A batch's rows are in the order of their lengths: taken in turn, every process has like work.
        return [self.segments[row] for row in batch[process :: self.processes]] or [_silent(self.segments[batch[0]])]


def _silent(row: dict[str, Any]) -> dict[str, Any]:
    """A row that teaches nothing, for a process that a small batch leaves without any."""
    return row | {name: [0.0] * len(row[name]) for name in ("topic_known", "stance_known")} | {"weight": 0.0}


def _one_epoch(sizes: Any, batch_size: int, budget: int, random: np.random.Generator) -> list[list[int]]:
    order = random.permutation(len(sizes))
    batches: list[list[int]] = []
    for start in range(0, len(order), POOL * batch_size):
        pool = order[start : start + POOL * batch_size]
        pool = pool[np.argsort(-sizes[pool], kind="stable")]
        batch: list[int] = []
        for row in pool:
            if batch and sizes[batch[0]] * (len(batch) + 1) > budget:
                batches.append(batch)
                batch = []
            batch.append(int(row))
        batches.append(batch)
    return [batches[index] for index in random.permutation(len(batches))]
