"""What the runs of an experiment are trained and scored on: a fold's data as files, or the configuration's own.

parts = fold_parts(config, sources, folds)
parts[0].run(seed=2)        # the configuration of the run `fold-1-seed-2`
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from naba.config import TrainConfig
from naba.dataset.clusters import find_clusters
from naba.dataset.labelled import write_labelled
from naba.experiments.folds import Folds
from naba.experiments.wording import counted
from naba.records import LabelledSegment

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """What a run with any seed is trained and scored on."""

    fold: str | None
    config: TrainConfig
    scored: Sequence[LabelledSegment]
    clusters: NDArray[np.int64]
    """Of the scored segments; numbers are the same in all parts."""

    def run(self, seed: int) -> TrainConfig:
        """The run with this seed."""
        name = f"{self.fold}-seed-{seed}" if self.fold else f"seed-{seed}"
        return self.config.model_copy(update={"out": self.config.out / name, "seed": seed})


def fold_parts(config: TrainConfig, sources: Sequence[Sequence[LabelledSegment]], folds: Folds) -> list[Part]:
    """A part for each fold, its data written below `<out>/folds`.

    Args:
        sources: the segments of each file of `config.train`. Each is a file of its own in a fold, and keeps its weight.
        folds: of the segments of all sources, in order.
    """
    items = [item for source in sources for item in source]
    source_of = np.repeat(np.arange(len(sources)), [len(source) for source in sources])  # [N]
    parts = []
    for fold in folds.folds:
        folder = config.out / "folds" / fold.name
        training = []
        for number in np.unique(source_of[fold.train]).tolist():
            path = folder / f"train-{number + 1}.jsonl"
            write_labelled(path, _pick(items, fold.train[source_of[fold.train] == number]))
            training.append(config.train[number].model_copy(update={"path": path}))
        validation = folder / "validation.jsonl"
        write_labelled(validation, _pick(items, fold.validation))
        own = {"train": training, "validation": [validation]}
        held_out = _pick(items, fold.held_out)
        parts.append(Part(fold.name, config.model_copy(update=own), held_out, folds.clusters.of[fold.held_out]))
    return parts


def seed_part(config: TrainConfig, scored: Sequence[LabelledSegment]) -> Part:
    """The one part without folds: the configuration's own data, and what is scored, each text once."""
    distinct = list({item.segment.id: item for item in reversed(scored)}.values())[::-1]
    if repeats := len(scored) - len(distinct):
        logger.info("left out of scoring, for their text stands there already: %s", counted(repeats, "segment"))
    return Part(None, config, distinct, find_clusters(distinct).of)


def _pick(items: Sequence[LabelledSegment], numbers: NDArray[np.int64]) -> list[LabelledSegment]:
    return [items[number] for number in numbers.tolist()]
