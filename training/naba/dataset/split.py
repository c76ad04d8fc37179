"""Placing clusters in parts: by a multi-label stratified draw, by time, or by source.

All functions decide on clusters that nobody has placed yet; what the ledger knows stays where it is. Pure and
deterministic: the same clusters and seed give the same parts.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from naba.config import SplitConfig
from naba.records import LabelledSegment
from naba.schema import LabelSchema

PARTS = ("train", "validation", "test")
"""In the order of being held out: where a cluster reaches into two, the later one has it."""
TRAIN, VALIDATION, TEST = range(3)
NOWHERE = -1
"""Not placed."""

Ints = NDArray[np.int64]


def stratify(counts: Ints, shares: Sequence[float], seed: int, names: Sequence[str], taken: Ints | None = None) -> Ints:
    """Parts of clusters, so that every label is spread by the shares, rare labels first.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, "On the Stratification of Multi-Label Data"), with
    whole clusters in place of single examples.

    Args:
        counts: segments of each cluster with each label [C, L]; the last column counts all segments.
        shares: of each part [P], summing to 1.
        seed: orders clusters that are alike.
        names: of the clusters [C]; the order of the clusters makes no difference.
        taken: what the parts hold already [P, L].

    Returns:
        The part of each cluster [C].
    """
    before = np.zeros((len(shares), counts.shape[1]), dtype=np.int64) if taken is None else taken
    usable = np.flatnonzero(np.asarray(shares) > 0)
    total = counts.sum(axis=0) + before[usable].sum(axis=0)  # what other parts hold is not shared out
    wanted = np.outer(shares, total) - before  # [P, L]
    drawn = np.array([_draw(seed, name) for name in names], dtype=np.uint64)
    parts = np.full(len(counts), NOWHERE, dtype=np.int64)
    while (open_ := np.flatnonzero(parts == NOWHERE)).size:
        left = counts[open_].sum(axis=0)
        label = int(np.where(left > 0, left, np.iinfo(np.int64).max).argmin())
        of_label = open_[counts[open_, label] > 0]
        for cluster in of_label[np.lexsort((drawn[of_label], -counts[of_label, label]))].tolist():
            wants = wanted[usable]
            best = usable[np.lexsort((-wants[:, -1], -wants[:, label]))[0]]
            parts[cluster] = best
            wanted[best] -= counts[cluster]
    return parts


def label_matrix(items: Sequence[LabelledSegment], cluster: Ints, clusters: int, schema: LabelSchema) -> Ints:
    """Segments with each label in each cluster [C, T·S + T + 2].

    The columns: each topic with each stance, each topic that is present (its stance may be unknown), no topic at all,
    and all segments.
    """
    topics, stances = len(schema.topic_ids), len(schema.stance_ids)
    counts = np.zeros((clusters, topics * stances + topics + 2), dtype=np.int64)
    for number, item in zip(cluster.tolist(), items, strict=True):
        presence, stance = item.targets(schema)
        for topic in range(topics):
            counts[number, topics * stances + topic] += presence[topic] == 1
            if stance[topic] >= 0:
                counts[number, topic * stances + stance[topic]] += 1
        counts[number, -2] += all(value == 0 for value in presence)
        counts[number, -1] += 1
    return counts


def by_rule(item: LabelledSegment, config: SplitConfig) -> int:
    """The part that date or source say; NOWHERE where a split by time finds no date."""
    if config.method == "time":
        date = item.provenance.get("date")
        if not date:
            return NOWHERE
        day = str(date)[:10]
        if config.test_from and day >= config.test_from.isoformat():
            return TEST
        return VALIDATION if config.validation_from and day >= config.validation_from.isoformat() else TRAIN
    source = item.provenance.get("source")
    return TEST if source in config.test_sources else VALIDATION if source in config.validation_sources else TRAIN


def drawn_shares(config: SplitConfig, given: Mapping[str, object]) -> list[float]:
    """The shares of train, validation and test to be drawn; what a rule or a given file fills is not drawn as well."""
    ruled = {
        "validation": config.validation_from or config.validation_sources,
        "test": config.test_from or config.test_sources,
    }
    wanted = [0.0 if given.get(part) or ruled[part] else getattr(config, part) for part in PARTS[1:]]
    return [1 - sum(wanted), *wanted]


def _draw(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8])
