"""Losses, learning rates and averages of weights that were tried. Those that pay are options of `naba train`; the others
live here only, so that their rows of the table can be computed again."""

from collections.abc import Sequence
from typing import Any

import torch

from naba.finetuning.optimizer import MasterWeights, make_optimizer, parameter_groups
from naba.finetuning.trainer import JointTrainer
from naba.modelling.loss import loss_terms, weighted_mean
from naba.modelling.model import JointLogits

Inputs = dict[str, torch.Tensor]


class PlainTrainer(JointTrainer):
    """The trainer of the product, its loss in parts that a technique may change.

    It keeps two averages of the weights on its way, so that one training serves three arms: `ema`, a moving average over
    the steps, decay 0.99 (Polyak and Juditsky 1992), and `swa`, the plain mean over the last third of them (Izmailov et al.
    2018).
    """

    decay = 0.99

    def batch_loss(self, model: Any, inputs: Inputs) -> tuple[torch.Tensor, JointLogits]:
        logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        parts = zip(self.terms(logits, inputs), self.known(inputs), strict=True)
        topic, stance = (weighted_mean(terms, known, inputs["weight"]) for terms, known in parts)
        return topic + self.settings.stance_weight * stance, logits

    def terms(self, logits: JointLogits, inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss of every topic and of every topic's stance, both [B, T]."""
        shape = {"label_smoothing": self.settings.label_smoothing, "focal_gamma": self.settings.focal_gamma}
        return loss_terms(logits, inputs, **shape)

    def known(self, inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """How much each of them counts, both [B, T]."""
        return inputs["topic_known"], inputs["stance_known"]

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        loss = super().training_step(model, inputs, num_items_in_batch)
        masters = [master.detach() for master in _masters(self.optimizer)]  # as the step before left them
        if not hasattr(self, "moving"):
            self.moving, self.taken = [master.clone() for master in masters], 0
        torch._foreach_lerp_(self.moving, masters, 1 - self.decay)
        if self.state.global_step >= self.args.max_steps * 2 / 3:
            self.taken += 1
            if self.taken == 1:
                self.mean = [master.clone() for master in masters]
            torch._foreach_lerp_(self.mean, masters, 1 / self.taken)
        return loss

    def averages(self) -> dict[str, list[torch.Tensor]]:
        """Technique → the weights that it has at the end of this same training, in the optimiser's order."""
        return {"ema": self.moving, "swa": self.mean}

    def swap(self, weights: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Put these weights into the model; returns those that were there."""
        before = [parameter.detach().clone() for parameter in _parameters(self.optimizer)]
        with torch.no_grad():
            for parameter, value in zip(_parameters(self.optimizer), weights, strict=True):
                parameter.copy_(value)
        return before


class Cosine(PlainTrainer):
    """Cosine decay of the learning rate in place of linear (Loshchilov and Hutter 2017)."""

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        self.args.lr_scheduler_type = "cosine"
        return super().create_scheduler(num_training_steps, optimizer)


class LayerDecay(PlainTrainer):
    """A learning rate that falls by RATE from layer to layer downwards (Howard and Ruder 2018; Sun et al. 2019)."""

    rate = 0.9

    def create_optimizer(self, model: Any = None) -> Any:
        if self.optimizer is None:
            encoder = pretrained(self.model)
            layers = encoder.encoder.layer
            depth = {id(p): number for number, layer in enumerate(layers, start=1) for p in layer.parameters()}
            depth |= {id(p): 0 for p in encoder.embeddings.parameters()}
            groups: list[dict[str, Any]] = []
            for group in parameter_groups(
                self.model,
                learning_rate=self.settings.learning_rate,
                head_learning_rate=self.settings.head_learning_rate,
                weight_decay=self.settings.weight_decay,
            ):
                for level in sorted({depth.get(id(p), len(layers) + 1) for p in group["params"]}):
                    chosen = [p for p in group["params"] if depth.get(id(p), len(layers) + 1) == level]
                    scale = 1.0 if level > len(layers) else self.rate ** (len(layers) - level)
                    groups.append(group | {"params": chosen, "lr": group["lr"] * scale})
            self.optimizer = make_optimizer(groups)
        return self.optimizer


class Asymmetric(PlainTrainer):
    """Asymmetric loss for topics: gamma 4 and a margin of 0.05 for absent ones (Ridnik et al. 2021, equation 6)."""

    def terms(self, logits: JointLogits, inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        probability, target = logits.topic.float().sigmoid(), inputs["topic_target"]
        shifted = (probability - 0.05).clamp(min=0)
        present = -target * torch.log(probability.clamp(min=1e-8))
        absent = -(1 - target) * shifted**4 * torch.log((1 - shifted).clamp(min=1e-8))
        return present + absent, super().terms(logits, inputs)[1]


class EvenLoss(PlainTrainer):
    """The batch's sum over the number of labels that so many segments have on average, in place of its own number.

    A mean over the labels of the batch lets a label weigh the more, the fewer others are known beside it.
    """

    def batch_loss(self, model: Any, inputs: Inputs) -> tuple[torch.Tensor, JointLogits]:
        if not hasattr(self, "usual"):
            rows = self.train_dataset.segments.rows
            self.usual = [sum(sum(row[name]) for row in rows) / len(rows) for name in ("topic_known", "stance_known")]
        logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        parts = zip(self.terms(logits, inputs), self.known(inputs), self.usual, strict=True)
        size = len(inputs["input_ids"])
        topic, stance = (
            (terms * known * inputs["weight"][:, None]).sum() / (size * usual) for terms, known, usual in parts
        )
        return topic + self.settings.stance_weight * stance, logits


class RDrop(PlainTrainer):
    """Two passes under different dropout, pulled together (Liang et al. 2021, equation 4; alpha 1)."""

    def batch_loss(self, model: Any, inputs: Inputs) -> tuple[torch.Tensor, JointLogits]:
        if not model.training:
            return super().batch_loss(model, inputs)
        (first, one), (second, other) = super().batch_loss(model, inputs), super().batch_loss(model, inputs)
        topics = [torch.stack([logits.topic, -logits.topic], -1).float() for logits in (one, other)]  # [B, T, 2]
        stances = [logits.stance.float() for logits in (one, other)]
        apart = weighted_mean(_symmetric_divergence(*topics), inputs["topic_known"], inputs["weight"])
        apart = apart + weighted_mean(_symmetric_divergence(*stances), inputs["stance_known"], inputs["weight"])
        return (first + second) / 2 + apart, one


class FastGradient(PlainTrainer):
    """A second pass on word embeddings moved against the model by 1 in gradient direction (Miyato et al. 2017)."""

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        loss = super().training_step(model, inputs, num_items_in_batch)
        table = pretrained(self.model).embeddings.word_embeddings.weight
        moved = table.grad / table.grad.norm().clamp(min=1e-12)
        before = table.detach().clone()
        with torch.no_grad():
            table.add_(moved)
        super().training_step(model, inputs, num_items_in_batch)
        with torch.no_grad():
            table.copy_(before)
        return loss


def pretrained(model: Any) -> Any:
    """The encoder inside the model, whatever its head."""
    return model.classifier.base_model if model.head_kind == "plain" else model.encoder


def _symmetric_divergence(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Mean of both Kullback-Leibler divergences between distributions given as logits over the last axis."""
    first, second = one.log_softmax(-1), other.log_softmax(-1)
    return ((first - second) * (first.exp() - second.exp())).sum(-1) / 2


def _masters(optimizer: Any) -> Sequence[torch.Tensor]:
    inner = getattr(optimizer, "optimizer", optimizer)
    return [parameter for group in inner.param_groups for parameter in group["params"]]


def _parameters(optimizer: Any) -> Sequence[torch.Tensor]:
    inner = getattr(optimizer, "optimizer", optimizer)
    return inner._rounded if isinstance(inner, MasterWeights) else _masters(inner)
