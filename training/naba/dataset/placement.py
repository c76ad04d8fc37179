"""Where every segment of a build goes, and why some go nowhere.

Order of precedence: files given as a part; the ledger; then date, source or the stratified draw. Whatever a held-out
part could leak through is taken from training, never from the held-out part.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from naba.config import BuildConfig, SplitConfig
from naba.dataset.clusters import Clusters, find_clusters
from naba.dataset.leakage import Overlaps, StockText
from naba.dataset.ledger import Ledger, text_key
from naba.dataset.material import KINDS, READ, WEAK, Material
from naba.dataset.split import NOWHERE, PARTS, TEST, TRAIN, VALIDATION, by_rule, drawn_shares, label_matrix, stratify
from naba.errors import DataError
from naba.records import LabelledSegment
from naba.schema import LabelSchema

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

REPEATED = "repeats a text"
CONTRADICTS = "repeats a text with other labels"
NEAR_GIVEN = "nearly duplicates data given as {part}"
BRIDGES = "bridges two parts of the ledger"
UNDATED = "has no date"
REACHES = "its article or a near-duplicate is in {part}"
ELSEWHERE = "belongs to another part than its near-duplicates"
UNREAD = "is {kind}, and its article or a near-duplicate is in {part}"
OVERLAPS = "shares text with {part}"


class Placement:
    """The part of each of N segments, or why it has none."""

    def __init__(self, material: Material) -> None:
        """Start with what files were given as a part, and set repeats aside."""
        self.items = material.items
        self.part: Ints = material.given.copy()
        """[N] index into PARTS; NOWHERE where a segment is not placed, or was set aside."""
        self.reasons = [""] * len(material.items)
        """[N] why a segment was set aside; empty where it was not."""
        self.clusters: Clusters = find_clusters(material.items)
        """Of all segments, also of those set aside."""
        self._open = material.to_place()
        self.set_aside(material.repeats & material.contradicts, CONTRADICTS)
        self.set_aside(material.repeats, REPEATED)
        self.drawn: Ints = self.part.copy()
        """[N] the part before what overlaps held-out data was set aside: what the ledger is to remember."""
        self.known = 0
        """Segments that the ledger placed."""

    def set_aside(self, which: Mask, reason: str) -> None:
        """Take segments out that are not out already."""
        for number in np.flatnonzero(which).tolist():
            if not self.reasons[number]:
                self.reasons[number], self.part[number], self._open[number] = reason, NOWHERE, False

    def put(self, which: Mask, part: int | Ints) -> None:
        """Place those of the segments that are still to be placed."""
        which = which & self._open
        self.part[which] = part if isinstance(part, int) else part[which]
        self._open[which] = False

    def open(self) -> Mask:
        """The segments still to be placed. [N]"""
        return self._open.copy()

    def named(self, number: int) -> LabelledSegment:
        """A segment with the name of its cluster."""
        return replace(self.items[number], cluster=self.clusters.names[self.clusters.of[number]])

    def highest(self, part: Ints) -> Ints:
        """The most held-out part that any segment of a cluster has; NOWHERE where none has one. [C]"""
        found = np.full(self.clusters.count, NOWHERE)
        np.maximum.at(found, self.clusters.of, part)
        return found


def place(material: Material, ledger: Ledger, config: BuildConfig, schema: LabelSchema, stock: StockText) -> Placement:
    """Place every segment; what the ledger knows stays where it was, or is set aside."""
    placement = Placement(material)
    given = placement.highest(material.given)
    for part in (VALIDATION, TEST):
        near = (given == part)[placement.clusters.of] & placement.open()
        placement.set_aside(near, NEAR_GIVEN.format(part=PARTS[part]))
    _follow_ledger(placement, ledger, config.split)
    _place_new(placement, material, config, schema)
    placement.drawn = placement.part.copy()
    if not config.split.weak_held_out:
        _set_unread_aside(placement, material)
    _set_overlaps_aside(placement, config.overlap_words, stock)
    return placement


def _follow_ledger(placement: Placement, ledger: Ledger, split: SplitConfig) -> None:
    if not ledger.rows:
        return
    keys = [text_key(item.segment.text) for item in placement.items]
    pairs = list(zip(placement.items, keys, strict=True))
    before = np.array([ledger.part_of(item, key) for item, key in pairs], dtype=np.int64)
    before[~placement.open()] = NOWHERE
    recorded = np.array([ledger.knows_article(item, key) for item, key in pairs])
    clusters = placement.clusters
    lowest = np.full(clusters.count, len(PARTS))
    np.minimum.at(lowest, clusters.of[before != NOWHERE], before[before != NOWHERE])
    several = placement.highest(before) > lowest
    known = np.zeros(clusters.articles, dtype=bool)
    known[clusters.article[recorded]] = True
    bridges = several[clusters.of] & ~known[clusters.article]
    placement.set_aside(bridges, BRIDGES)
    if bridges.any():
        # Without the bridge the parts may be apart again, as they were before it came.
        rest = np.flatnonzero(~bridges)
        apart = find_clusters([placement.items[number] for number in rest.tolist()])
        placement.clusters = clusters.replaced(rest, apart)
    placement.known = int((before != NOWHERE).sum())
    own = placement.highest(before)[placement.clusters.of]
    if split.method != "stratified":  # a copy of what is in one part may by its date or source belong in another
        rule = np.array([by_rule(item, split) for item in placement.items])
        new = placement.open() & (own != NOWHERE) & (before == NOWHERE)
        placement.set_aside(new & (rule == NOWHERE), UNDATED)
        placement.set_aside(new & (rule != own), ELSEWHERE)
    placement.put((own != NOWHERE) & ((before == NOWHERE) | (before == own)), own)
    for part in (VALIDATION, TEST):
        placement.set_aside((before != NOWHERE) & (own == part) & (before < part), REACHES.format(part=PARTS[part]))


def _place_new(placement: Placement, material: Material, config: BuildConfig, schema: LabelSchema) -> None:
    split = config.split
    _check_sources(placement, config)
    of = placement.clusters.of
    if split.method != "stratified":
        rule = np.array([by_rule(item, split) for item in placement.items])
        placement.set_aside((rule == NOWHERE) & placement.open(), UNDATED)
        own = placement.highest(np.where(placement.open(), rule, NOWHERE))[of]
        for part in (VALIDATION, TEST):
            here = placement.open() & (own == part)
            placement.put(here & (rule == part), part)
            placement.set_aside(here & (rule < part), REACHES.format(part=PARTS[part]))
    counted = np.full(len(of), True) if split.weak_held_out else material.kind == READ
    counted &= material.kind <= WEAK
    open_ = placement.open() & counted
    wanted = drawn_shares(split, {name: getattr(config, name) for name in PARTS})
    if open_.any() and any(wanted[1:]):
        chosen, numbers = np.unique(of[open_], return_inverse=True)
        counts = label_matrix(_pick(placement, open_), numbers, len(chosen), schema)
        placed = (placement.part != NOWHERE) & (material.given == NOWHERE) & counted
        taken = label_matrix(_pick(placement, placed), placement.part[placed], len(PARTS), schema)
        names = [placement.clusters.names[number] for number in chosen.tolist()]
        drawn = np.full(placement.clusters.count, TRAIN)
        drawn[chosen] = stratify(counts, wanted, config.seed, names, taken)
        placement.put(placement.open(), drawn[of])
    placement.put(placement.open(), TRAIN)


def _check_sources(placement: Placement, config: BuildConfig) -> None:
    wanted = {*config.split.validation_sources, *config.split.test_sources}
    found = {str(item.provenance.get("source")) for item in placement.items if item.provenance.get("source")}
    if strange := sorted(wanted - found):
        shown = ", ".join(sorted(found)[:20]) + (" …" if len(found) > 20 else "")
        raise DataError(f"split: no segment comes from {', '.join(strange)}; the sources are {shown or 'not stated'}")


def _set_unread_aside(placement: Placement, material: Material) -> None:
    """Weak labels are no test, and unlabelled text of a held-out cluster is no training text."""
    for kind in range(WEAK, len(KINDS)):
        for part in (VALIDATION, TEST):
            here = (material.kind == kind) & (placement.part == part) & (material.given == NOWHERE)
            placement.set_aside(here, UNREAD.format(kind=KINDS[kind], part=PARTS[part]))


def _set_overlaps_aside(placement: Placement, run_words: int, stock: StockText) -> None:
    numbers = np.flatnonzero(placement.part != NOWHERE)
    overlaps = Overlaps([placement.named(number) for number in numbers.tolist()], run_words, stock)
    for part in (VALIDATION, TRAIN):
        for held in range(TEST, part, -1):
            here = placement.part[numbers]
            touching = numbers[overlaps.touching(here == part, here == held)]
            which = np.zeros(len(placement.part), dtype=bool)
            which[touching] = True
            placement.set_aside(which, OVERLAPS.format(part=PARTS[held]))


def _pick(placement: Placement, which: Mask) -> list[LabelledSegment]:
    return [placement.items[number] for number in np.flatnonzero(which).tolist()]
