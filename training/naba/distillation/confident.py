"""Which segments that teachers labelled are sure enough to be trained on, without the commonest class swamping the rest.

    selection = select_confident(said, rules, seed=1)
    selection.kept, selection.reasons

A topic is sure where the probability of what was decided, present or absent, reaches the least confidence; a stance where
its own does. Filtering by confidence, then balancing classes: Xie et al. 2020, "Self-training with Noisy Student improves
ImageNet classification", experiment details.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.distillation.teachers import Bools, Consensus, Floats

TOO_LONG = "longer than a teacher reads at once"
SEEN = "in the training of every teacher"
UNSURE_TOPIC = "a topic is not sure"
UNSURE_STANCE = "a stance is not sure"
BEYOND_COUNT = "more than count of each of its classes"
BEYOND_NEGATIVES = "without a topic, beyond their share"
REASONS = (TOO_LONG, SEEN, UNSURE_TOPIC, UNSURE_STANCE, BEYOND_COUNT, BEYOND_NEGATIVES)
"""Why a segment is not kept; the first that holds counts."""


@dataclass(frozen=True)
class SelectionRules:
    """What is kept."""

    min_confidence: float
    min_stance_confidence: float
    negatives: float
    """Largest share of segments without a topic among those kept, in [0, 1]; 1: any."""
    count: int | None
    """Most segments of a class (topic, stance), the surest; a segment of two classes may come in by either. None: any."""


@dataclass(frozen=True)
class Selection:
    """What became of N segments."""

    kept: Bools  # [N]
    reasons: dict[str, int]
    """Why how many were not kept."""


def select_confident(said: Consensus, rules: SelectionRules, seed: int) -> Selection:
    """Choose what to keep; `seed` draws which segments without a topic stay."""
    topic, stance = confidence(said)  # [N] each
    count = len(topic)
    reason = np.full(count, len(REASONS))
    bare = ~said.present.any(axis=1)
    found = (said.windows > 1, ~said.voted.any(axis=1), topic < rules.min_confidence)
    for number, holds in enumerate((*found, stance < rules.min_stance_confidence)):
        reason[holds & (reason == len(REASONS))] = number
    if rules.count is not None:
        left = (reason == len(REASONS)) & ~bare
        reason[left & ~_surest(said, left, rules.count)] = REASONS.index(BEYOND_COUNT)
    if rules.negatives < 1:
        left = np.flatnonzero((reason == len(REASONS)) & bare)
        most = int(((reason == len(REASONS)) & ~bare).sum() * rules.negatives / (1 - rules.negatives))
        draw = np.random.default_rng(seed).random(count)[left]  # a longer pool leaves the draw of its head as it was
        reason[left[np.argsort(draw, kind="stable")[most:]]] = REASONS.index(BEYOND_NEGATIVES)
    numbers = np.bincount(reason, minlength=len(REASONS))
    return Selection(
        reason == len(REASONS),
        {name: int(number) for name, number in zip(REASONS, numbers, strict=False) if number},
    )


def confidence(said: Consensus) -> tuple[Floats, Floats]:
    """How sure the least sure topic of each segment is [N], and the least sure stance of those present [N]; 1 without any."""
    topic = np.where(said.present, said.presence, 1 - said.presence).min(axis=1)
    stance = np.where(said.present, said.stance.max(axis=-1), 1.0).min(axis=1)
    return topic, stance


def _surest(said: Consensus, among: Bools, count: int) -> Bools:
    """Which segments are among the `count` surest of some topic and stance. [N]"""
    chosen = np.zeros(len(among), dtype=bool)
    likeliest = said.stance.argmax(axis=-1)  # [N, T]
    sure: NDArray[Any] = said.presence * said.stance.max(axis=-1)  # [N, T]
    for topic in range(likeliest.shape[1]):
        for stance in range(said.stance.shape[-1]):
            of = np.flatnonzero(among & said.present[:, topic] & (likeliest[:, topic] == stance))
            chosen[of[np.argsort(-sure[of, topic], kind="stable")[:count]]] = True
    return chosen
