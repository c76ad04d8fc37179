"""The joint loss: topics where presence is known, stances where a topic is present. Unknown is never negative."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from naba.modelling.model import JointLogits


def joint_loss(
    logits: JointLogits,
    targets: Mapping[str, Tensor],
    *,
    stance_weight: float = 1.0,
    label_smoothing: float = 0.0,
    focal_gamma: float = 0.0,
    known: Tensor | None = None,
) -> Tensor:
    """Binary cross-entropy over known topics plus cross-entropy over known stances, each a mean over what is known.

    Args:
        logits: topic [B, T] and stance [B, T, S]; counted in float32 whatever they come as.
        targets: `topic_target` [B, T] in [0, 1], `stance_target` [B, T, S] of distributions, `topic_known` and
            `stance_known` [B, T] how much each label counts, 0 for what nobody judged, `weight` [B] of each segment (see `naba.modelling.targets`).
        stance_weight: weight of the second term.
        label_smoothing: share of the target spread over all classes, in [0, 1).
        focal_gamma: how much less an answer counts, the surer it is right (see `loss_terms`).
        known: [2] how many topics and how many stances the means are over; None: those of this batch. Where a batch is
            shared by processes, each of them needs the numbers of the whole.

    Returns:
        A scalar; 0 with a gradient of 0 where a batch holds no known label.
    """
    topic_terms, stance_terms = loss_terms(
        logits, targets, label_smoothing=label_smoothing, focal_gamma=focal_gamma
    )  # [B, T] each
    weight = targets["weight"]
    topics, stances = known_labels(targets) if known is None else known
    return weighted_mean(topic_terms, targets["topic_known"], weight, topics) + stance_weight * weighted_mean(
        stance_terms, targets["stance_known"], weight, stances
    )


def known_labels(targets: Mapping[str, Tensor]) -> Tensor:
    """[2]: how many topics and how many stances of a batch are known."""
    return torch.stack([targets["topic_known"].sum(), targets["stance_known"].sum()])


def loss_terms(
    logits: JointLogits, targets: Mapping[str, Tensor], *, label_smoothing: float = 0.0, focal_gamma: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of every topic and of every topic's stance, both [B, T], known or not.

    With `focal_gamma` a term is multiplied by (1 - exp(-term))^gamma. For a target without doubt exp(-term) is the probability
    of the wanted answer, and this is focal loss (Lin et al. 2017, "Focal Loss for Dense Object Detection", equation 4); targets
    that are smoothed or a teacher's have an entropy of their own, which keeps the factor above zero.
    """
    topic_target = targets["topic_target"] * (1 - label_smoothing) + label_smoothing / 2
    stance_target = targets["stance_target"]
    stance_target = stance_target * (1 - label_smoothing) + label_smoothing / stance_target.shape[-1]
    topic = F.binary_cross_entropy_with_logits(logits.topic.float(), topic_target, reduction="none")
    stance = -(stance_target * logits.stance.float().log_softmax(-1)).sum(-1)
    if focal_gamma:  # below the clamp a root would have a gradient without end
        topic, stance = (term * (-torch.expm1(-term)).clamp(min=1e-8) ** focal_gamma for term in (topic, stance))
    return topic, stance


def weighted_mean(terms: Tensor, known: Tensor, weight: Tensor, total: Tensor | None = None) -> Tensor:
    """Σ weight · known · term / Σ known over [B, T]; 0 where nothing is known. `total` stands in for the Σ known.

    The segments' `weight` [B] is no part of the denominator: it would cancel in a batch of one source, and batches of
    segments of like length often are. A mean over nothing would be NaN, and a batch in which no topic is present is common.
    """
    total = known.sum() if total is None else total
    return (terms * known * weight[:, None]).sum() / torch.where(total > 0, total, 1.0)
