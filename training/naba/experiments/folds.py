"""Cross-validation folds of labelled segments: what is trained on, chosen on, and scored in each.

    folds = make_folds(items, schema, count=5)                # stratified
    folds = make_folds(items, schema, leave_out="source")     # each outlet held out in turn
    folds.folds[0].train, .validation, .held_out              # numbers into `items`

Clusters (articles and their near-duplicates) stay together. The held-out part takes no part in training, nor in the
choice of checkpoint and thresholds: a validation part for that is drawn from what is left. Only read labels are scored:
weak ones, a teacher's, and authored segments (unless there are no others) are for training alone. Where sources are left
out, nothing else of the held-out ones is trained on either, whoever labelled it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from naba.dataset.clusters import Clusters, find_clusters
from naba.dataset.leakage import Overlaps, stock_text
from naba.dataset.split import label_matrix, stratify
from naba.errors import ConfigError, DataError
from naba.experiments.wording import counted
from naba.fingerprint import fingerprint_of
from naba.records import LabelledSegment
from naba.schema import LabelSchema

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

VALIDATION = 0.15
"""Share of the clusters' segments that is drawn for validation, as in `naba build`."""
SMALL_SOURCE = 50
"""Sources with fewer scored segments are held out together: a score of so few says little."""
OVERLAP_WORDS = 13
"""What shares a run of this many words with a held-out segment is left out of training, as in `naba build`."""


@dataclass(frozen=True)
class Fold:
    """One way of cutting N segments in three, as numbers into them."""

    name: str
    """"fold-1", "fold-2" …"""
    holds_out: str
    """The source or sources that are held out; the name in a stratified draw."""
    train: Ints
    validation: Ints
    held_out: Ints
    left_out: int
    """Segments that are not trained on because they share an article or text with held-out or validation segments, are
    of a held-out source without being scored (weak, a teacher's …), or because only read labels may be validation."""

    @property
    def test_over_train(self) -> float:
        """Size of the held-out part over that of the training part."""
        return len(self.held_out) / len(self.train)

    def describe(self, items: Sequence[LabelledSegment]) -> dict[str, object]:
        """The fold as JSON: sizes and a mark of what is in each part."""
        parts = {"train": self.train, "validation": self.validation, "held_out": self.held_out}
        ids = {name: [items[number].segment.id for number in part.tolist()] for name, part in parts.items()}
        sizes = {name: len(part) for name, part in parts.items()} | {"left_out": self.left_out}
        return {"holds_out": self.holds_out, "segments": sizes, "fingerprint": fingerprint_of(ids)}


@dataclass(frozen=True)
class Folds:
    """The folds of N segments."""

    folds: Sequence[Fold]
    clusters: Clusters
    authored: bool
    """Whether what is scored was authored, not published."""
    without_source: int
    """Segments that are never held out, and trained on whatever is, because they state no source, which leaving out by
    source needs."""
    together: Sequence[str] = ()
    """The sources that are one fold together, for each is small; none where at most one is."""


def make_folds(
    items: Sequence[LabelledSegment],
    schema: LabelSchema,
    *,
    count: int | None = None,
    leave_out: Literal["source"] | None = None,
    seed: int = 1,
    small_source: int = SMALL_SOURCE,
) -> Folds:
    """Cut segments into folds.

    Args:
        items: N labelled segments.
        count: how many stratified folds; or
        leave_out: "source": a fold for each source, small ones together.
        seed: of the draws of folds and validation parts.
        small_source: sources with fewer scored segments are held out together.

    Raises:
        ConfigError: neither or both of `count` and `leave_out`, or fewer than two folds.
        DataError: too few clusters or sources, or nothing that may be scored.
    """
    if (count is None) == (leave_out is None):
        raise ConfigError("folds: give either a number of folds or what to leave out")
    clusters = find_clusters(items)
    scored, authored = _scored(items)
    without_source = 0
    together: list[str] = []
    if count is not None:
        fold_of, labels = _draw(items, clusters, scored, schema, count, seed)
        group_of = fold_of
    else:
        sourceless = np.array([_source(item) is None for item in items])
        without_source, scored = int(sourceless.sum()), scored & ~sourceless
        group_of, groups = _by_source(items, scored, small_source)
        fold_of, labels = np.where(scored, group_of, -1), [", ".join(group) for group in groups]
        together = next((group for group in groups if len(group) > 1), [])
    named = [replace(item, cluster=clusters.names[of]) for item, of in zip(items, clusters.of.tolist(), strict=True)]
    stock = stock_text((item.segment.text for item in items), OVERLAP_WORDS)
    cut = _Cut(items, schema, clusters, scored, Overlaps(named, OVERLAP_WORDS, stock), seed)
    folds = [
        cut.fold(f"fold-{number + 1}", label, fold_of == number, group_of == number)
        for number, label in enumerate(labels)
    ]
    return Folds(folds, clusters, authored, without_source, together)


class _Cut:
    """What every fold is cut from."""

    def __init__(
        self,
        items: Sequence[LabelledSegment],
        schema: LabelSchema,
        clusters: Clusters,
        scored: Mask,
        overlaps: Overlaps,
        seed: int,
    ) -> None:
        self.items, self.schema, self.clusters, self.scored = items, schema, clusters, scored
        self.overlaps, self.seed = overlaps, seed

    def fold(self, name: str, holds_out: str, held_out: Mask, group: Mask) -> Fold:
        """The fold with these segments held out [N], and no other of their group, whether scored or not [N]."""
        rest = ~(held_out | group)
        rest &= ~self.overlaps.touching(rest, held_out)
        candidates = rest & self.scored
        validation = np.zeros(len(rest), dtype=bool)
        validation[self._drawn(candidates, name)] = True
        training = rest & ~validation
        training &= ~self.overlaps.touching(training, validation)
        train, chosen = np.flatnonzero(training), np.flatnonzero(validation)
        if not len(train) or not len(chosen):
            raise DataError(
                f"{name} ({holds_out} held out): nothing is left to {'validate on' if len(train) else 'train on'}; give "
                "more data, or make fewer folds"
            )
        left_out = len(rest) - len(train) - len(chosen) - int(held_out.sum())
        return Fold(name, holds_out, train, chosen, np.flatnonzero(held_out), left_out)

    def _drawn(self, candidates: Mask, name: str) -> Ints:
        """The segments drawn for validation: whole clusters, stratified."""
        numbers = np.flatnonzero(candidates)
        chosen, cluster = np.unique(self.clusters.of[numbers], return_inverse=True)
        if len(chosen) < 2:
            raise DataError(
                f"{name}: {counted(len(chosen), 'cluster')} of articles left to train and validate on, where two are needed; "
                "give more data, or make fewer folds"
            )
        counts = label_matrix([self.items[number] for number in numbers.tolist()], cluster, len(chosen), self.schema)
        names = [self.clusters.names[number] for number in chosen.tolist()]
        part = stratify(counts, [1 - VALIDATION, VALIDATION], self.seed, names)
        return np.asarray(numbers[part[cluster] == 1])


def _scored(items: Sequence[LabelledSegment]) -> tuple[Mask, bool]:
    """Which segments may be scored, each text once [N]; and whether they are authored ones for want of others."""
    read = np.zeros(len(items), dtype=bool)
    seen: set[str] = set()
    for number, item in enumerate(items):
        judged = any(label.present is not None for label in item.labels.values())
        if judged and not item.extra.get("weak") and item.extra.get("teacher") is None and item.segment.id not in seen:
            seen.add(item.segment.id)
            read[number] = True
    if not read.any():
        raise DataError("folds: no segment may be held out, for all labels are weak or a model's; give some read ones")
    authored = np.array([bool(item.provenance.get("authored")) for item in items])
    published = read & ~authored
    return (published, False) if published.any() else (read, True)


def _draw(
    items: Sequence[LabelledSegment], clusters: Clusters, scored: Mask, schema: LabelSchema, count: int, seed: int
) -> tuple[Ints, list[str]]:
    """The fold in which each segment is scored [N], -1 for none; and the folds' names."""
    if count < 2:
        raise ConfigError(f"folds = {count}: cross-validation needs at least 2")
    numbers = np.flatnonzero(scored)
    chosen, cluster = np.unique(clusters.of[numbers], return_inverse=True)
    if len(chosen) < count:
        raise DataError(
            f"folds = {count}: the data have {counted(len(chosen), 'cluster')} of articles that may be held out, and a cluster "
            "is never cut; make fewer folds, or give more data"
        )
    counts = label_matrix([items[number] for number in numbers.tolist()], cluster, len(chosen), schema)
    names = [clusters.names[number] for number in chosen.tolist()]
    part = stratify(counts, [1 / count] * count, seed, names)
    fold_of = np.full(len(items), -1, dtype=np.int64)
    fold_of[numbers] = part[cluster]
    return fold_of, [f"fold-{number + 1}" for number in range(count)]


def _by_source(items: Sequence[LabelledSegment], scored: Mask, small: int) -> tuple[Ints, list[list[str]]]:
    """The fold that holds out the source of each segment, scored or not [N], -1 for none; and the folds' sources.

    A fold a source, in alphabetical order, small ones last and together.
    """
    sizes = Counter(str(_source(items[number])) for number in np.flatnonzero(scored).tolist())
    groups = [[source] for source in sorted(sizes) if sizes[source] >= small]
    if few := sorted(source for source in sizes if sizes[source] < small):
        groups.append(few)
    if len(groups) < 2:
        found = ", ".join(f"{source} ({size:,})" for source, size in sizes.most_common(10)) or "none"
        raise DataError(
            f"leave-one-source-out needs two sources or more, those with fewer than {small} segments to score counting as "
            f"one; provenance.source of what may be held out: {found}. Use --folds instead"
        )
    number_of = {source: number for number, group in enumerate(groups) for source in group}
    group_of = [number_of.get(source, -1) if (source := _source(item)) else -1 for item in items]
    return np.array(group_of, dtype=np.int64), groups


def _source(item: LabelledSegment) -> str | None:
    source = item.provenance.get("source")
    return str(source) if source else None
