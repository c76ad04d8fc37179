"""Whether a test set is one: segments that a run was trained or chosen on say nothing about new text.

leaks = find_leaks(test, material)
refuse({"this run": leaks}, test, "test.jsonl", drop_seen=False, allow_leak=False)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from naba.dataset.leakage import stock_text, without_overlap
from naba.errors import DataError
from naba.evaluation.material import Material
from naba.evaluation.system import System
from naba.fingerprint import fingerprint_of
from naba.records import LabelledSegment

OVERLAP_WORDS = 13
"""A test segment that shares a run of this many words, and no stock text, with training counts as seen."""


@dataclass(frozen=True)
class Leaks:
    """What of a test set a run has met before: an article, cluster, run of OVERLAP_WORDS words or near-duplicate text is shared.
    Stock text, which stands in many texts, counts for nothing."""

    unseen: list[LabelledSegment]
    """The segments that share nothing with training."""
    in_training: int | None
    """Segments that do; None where no training data is at hand."""
    in_validation: int | None
    """Segments that share as much with the run's validation set: its checkpoint and thresholds were chosen on them."""
    not_checked: Sequence[str] = ()
    """Files that the run was trained or chosen on and that are gone or changed: what they hold could not be compared."""

    def to_dict(self, *, dropped: bool, allowed: bool) -> dict[str, Any]:
        """The form in a report."""
        found: dict[str, Any] = {"in_training": self.in_training, "in_validation": self.in_validation}
        return found | {"not_checked": list(self.not_checked), "dropped": dropped, "allowed": allowed}


def find_leaks(test: Sequence[LabelledSegment], met: Material) -> Leaks:
    """Compare a test set with all that a run is known to have met."""
    everything = (*test, *met.training, *met.validation)
    stock = stock_text((item.segment.text for item in everything), OVERLAP_WORDS)
    unseen = without_overlap(test, met.training, OVERLAP_WORDS, stock) if met.training else list(test)
    apart = without_overlap(test, met.validation, OVERLAP_WORDS, stock) if met.validation else list(test)
    return Leaks(
        unseen,
        len(test) - len(unseen) if met.training else None,
        len(test) - len(apart) if met.validation else None,
        met.missing,
    )


class LeakSearch:
    """Leaks of any number of runs in one test set; runs that were made from the same files are compared with it once."""

    def __init__(self, test: Sequence[LabelledSegment]) -> None:
        self._test = test
        self._found: dict[str, Leaks] = {}

    def of(self, system: System) -> Leaks:
        """What this run has met, by its own record."""
        config = system.record.get("config") or {}
        files = fingerprint_of([config.get("train"), config.get("validation"), system.record.get("data")])
        if files not in self._found:
            self._found[files] = find_leaks(self._test, Material.of(system))
        return self._found[files]


def unseen_by_all(leaks: Mapping[str, Leaks], test: Sequence[LabelledSegment]) -> list[LabelledSegment]:
    """The segments that share nothing with any run's training data."""
    kept = [{id(item) for item in one.unseen} for one in leaks.values()]
    return [item for item in test if all(id(item) in unseen for unseen in kept)]


def refuse(
    leaks: Mapping[str, Leaks], test: Sequence[LabelledSegment], where: str, *, drop_seen: bool, allow_leak: bool
) -> None:
    """Raise DataError where the test set is none for one of the runs, and nobody allowed that."""
    several = len(leaks) > 1
    whose = "a run's" if several else "the run's"
    if drop_seen and not unseen_by_all(leaks, test):
        raise DataError(f"{where}: every segment shares an article or text with {whose} training data")
    chosen_on = {name: one.in_validation for name, one in leaks.items() if one.in_validation}
    if chosen_on and not allow_leak:
        raise DataError(
            f"{where}: {_counts(chosen_on, test, several)} in {whose} validation set, on which its checkpoint and "
            "thresholds were chosen, or share an article or text with it; give other data, or --allow-leak for a report "
            "that says so"
        )
    trained_on = {name: one.in_training for name, one in leaks.items() if one.in_training}
    if trained_on and not (drop_seen or allow_leak):
        raise DataError(
            f"{where}: {_counts(trained_on, test, several, 'share')} an article or text with {whose} training data; leave "
            "them out with --set drop_seen=true, or give --allow-leak for a report that says so"
        )


def _counts(numbers: Mapping[str, int], test: Sequence[LabelledSegment], several: bool, verb: str = "are") -> str:
    if not several:
        return f"{next(iter(numbers.values()))} of {len(test)} segments {verb}"
    return f"of {len(test)} segments {', '.join(f'{number} ({name})' for name, number in numbers.items())} {verb}"
