"""Whether a test set is one: segments that the run was trained or chosen on say nothing about new text.

leaks = find_leaks(test, training, validation, named)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from naba.dataset.leakage import stock_text, without_overlap
from naba.records import LabelledSegment

OVERLAP_WORDS = 13
"""A test segment that shares a run of this many words, and no stock text, with training counts as seen."""


@dataclass(frozen=True)
class Leaks:
    """What of a test set the run has met before."""

    unseen: list[LabelledSegment]
    """The segments that share no article, cluster, run of OVERLAP_WORDS words or near-duplicate text with training."""
    in_training: int | None
    """Segments that do; None where the training data is not at hand."""
    in_validation: int | None
    """Segments whose text the run's validation set holds: its checkpoint and thresholds were chosen on them."""


def find_leaks(
    test: Sequence[LabelledSegment],
    training: Sequence[LabelledSegment],
    validation: Sequence[LabelledSegment],
) -> Leaks:
    """Compare a test set with a run's training and validation segments; either may be empty where it is not at hand."""
    stock = stock_text((item.segment.text for item in (*test, *training)), OVERLAP_WORDS)
    unseen = without_overlap(test, training, OVERLAP_WORDS, stock) if training else list(test)
    chosen_on = {item.segment.id for item in validation}
    return Leaks(
        unseen,
        len(test) - len(unseen) if training else None,
        sum(item.segment.id in chosen_on for item in test) if validation else None,
    )
