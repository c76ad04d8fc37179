"""Whether an exported model answers as its run does: the gate that an export has to pass.

parity = compare(run_scores, exported_scores, items, decision, schema)
parity.passed
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from naba.calibration import Decision
from naba.modelling.infer import Scores
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.scores import Labels, count, figures

MOST_LOST = 0.005
"""Macro pair-F1 that an export may lose on validation; it may gain any."""
MOST_FLIPPED = 0.01
"""Share of decisions, one a segment and topic, that may come out otherwise."""


@dataclass(frozen=True)
class Parity:
    """How far an exported model's answers on N labelled segments are from the run's own."""

    segments: int
    pair_f1: float
    """Macro (topic, stance) pair F1 of the run."""
    exported_pair_f1: float
    presence_flipped: float
    """Share of the N · T decisions on presence that differ."""
    stance_flipped: float
    """Share of the topics that the run finds present whose stance differs."""
    flipped: float
    """Share of the N · T answers, absent or present with a stance, that differ."""

    @property
    def passed(self) -> bool:
        """Whether both bounds hold."""
        return self.pair_f1 - self.exported_pair_f1 <= MOST_LOST and self.flipped < MOST_FLIPPED

    def __str__(self) -> str:
        return (
            f"macro pair-F1 {self.exported_pair_f1:.4f} beside {self.pair_f1:.4f} "
            f"(may lose {MOST_LOST:.3f}), {self.flipped:.2%} of the answers changed (must be under {MOST_FLIPPED:.0%}; "
            f"presence {self.presence_flipped:.2%}, stance {self.stance_flipped:.2%}), on {self.segments:,} segments"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: round(value, 6) for name, value in asdict(self).items()} | {"passed": self.passed}


def compare(
    run: Scores, exported: Scores, items: Sequence[LabelledSegment], decision: Decision, schema: LabelSchema
) -> Parity:
    """Compare two passes over the same N labelled segments, decided by the same temperatures and thresholds."""
    targets = [item.targets(schema) for item in items]
    gold = Labels(*(np.array(part) for part in zip(*targets, strict=True)))
    own, other = (_decided(scores, decision, schema) for scores in (run, exported))
    present = own.presence == 1
    presence = own.presence != other.presence  # [N, T]
    stance = present & (own.stance != other.stance)
    own_f1, other_f1 = (
        float(np.nan_to_num(figures(count(gold, labels, schema).total(), schema)["pairs.macro_f1"]))
        for labels in (own, other)
    )
    return Parity(
        segments=len(items),
        pair_f1=own_f1,
        exported_pair_f1=other_f1,
        presence_flipped=float(presence.mean()),
        stance_flipped=float(stance.sum() / max(1, present.sum())),
        flipped=float((presence | (stance & (other.presence == 1))).mean()),
    )


def _decided(scores: Scores, decision: Decision, schema: LabelSchema) -> Labels:
    return decision.labels(*decision.probabilities(scores.topic, scores.stance, schema), schema)
