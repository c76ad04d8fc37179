"""The joint loss: topics where presence is known, stances where a topic is present. Unknown is never negative."""

import torch
import torch.nn.functional as F
from torch import Tensor

from naba.modelling.model import JointLogits
from naba.schema import UNKNOWN


def joint_loss(
    logits: JointLogits, presence: Tensor, stance: Tensor, *, stance_weight: float = 1.0, label_smoothing: float = 0.0
) -> Tensor:
    """Binary cross-entropy over known topics plus cross-entropy over known stances, each a mean over what is known.

    Args:
        logits: topic [B, T] and stance [B, T, S].
        presence: [B, T] of 1, 0 or UNKNOWN.
        stance: [B, T] of stance indices or UNKNOWN.
        stance_weight: weight of the second term.
        label_smoothing: share of the target spread over the other classes, in [0, 1).

    Returns:
        A scalar; 0 with a gradient of 0 where a batch holds no known label.
    """
    known = presence != UNKNOWN  # [B, T]
    target = presence.clamp(min=0).to(logits.topic.dtype)
    target = target * (1 - label_smoothing) + label_smoothing / 2
    topic_terms = F.binary_cross_entropy_with_logits(logits.topic, target, reduction="none") * known
    stance_terms = F.cross_entropy(
        logits.stance.flatten(0, 1),  # [B·T, S]
        stance.flatten(),  # [B·T]
        ignore_index=UNKNOWN,
        label_smoothing=label_smoothing,
        reduction="sum",
    )
    # A plain mean over nothing is NaN: a batch in which no topic is present is common.
    topic_loss = topic_terms.sum() / known.sum().clamp(min=1)
    stance_loss = stance_terms / (stance != UNKNOWN).sum().clamp(min=1)
    total: Tensor = topic_loss + stance_weight * stance_loss
    return torch.as_tensor(total)
