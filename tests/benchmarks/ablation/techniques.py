"""The techniques that were tried, each as an arm of the ablation. Those that pay are options of `naba train`; the others
live here only, so that their rows of the table can be computed again."""

import gzip
import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import torch

from naba.dataset.labelled import load_labelled
from naba.finetuning.optimizer import MasterWeights, make_optimizer, parameter_groups
from naba.finetuning.trainer import JointTrainer
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.loss import loss_terms, weighted_mean
from naba.modelling.model import JointLogits
from naba.records import LabelledSegment
from naba.schema import LabelSchema

Inputs = dict[str, torch.Tensor]


class PlainTrainer(JointTrainer):
    """The trainer of the product, with a place to end at."""

    def finish(self) -> None:
        """What is done with the weights after the last step."""


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
            layers = self.model.encoder.encoder.layer
            depth = {id(p): number for number, layer in enumerate(layers, start=1) for p in layer.parameters()}
            depth |= {id(p): 0 for p in self.model.encoder.embeddings.parameters()}
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


class ClassWeights(PlainTrainer):
    """Rare classes weigh more: each by the root of how much rarer it is than the commonest of its kind."""

    def batch_loss(self, model: Any, inputs: Inputs) -> tuple[torch.Tensor, JointLogits]:
        if not hasattr(self, "weights"):
            rows = self.train_dataset.segments.rows
            present = torch.tensor([row["topic_target"] for row in rows]).sum(0)  # [T]
            stances = torch.tensor([row["stance_target"] for row in rows]).sum(0)  # [T, S]
            positive = ((len(rows) - present) / present).sqrt()
            self.weights = (positive, (stances.amax(-1, keepdim=True) / stances.clamp(min=1)).sqrt())
        positive, stance = self.weights
        logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        topic_terms, stance_terms = loss_terms(logits, inputs)
        topic_known = inputs["topic_known"] * (1 + inputs["topic_target"] * (positive - 1))
        stance_known = inputs["stance_known"] * (inputs["stance_target"] * stance).sum(-1)
        return weighted_mean(topic_terms, topic_known) + weighted_mean(stance_terms, stance_known), logits


class Focal(PlainTrainer):
    """Focal loss with gamma 2 for topics and stances (Lin et al. 2017, equation 4)."""

    def batch_loss(self, model: Any, inputs: Inputs) -> tuple[torch.Tensor, JointLogits]:
        logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        terms = loss_terms(logits, inputs)
        topic, stance = (term * (1 - torch.exp(-term)) ** 2 for term in terms)
        return weighted_mean(topic, inputs["topic_known"]) + weighted_mean(stance, inputs["stance_known"]), logits


class Asymmetric(PlainTrainer):
    """Asymmetric loss for topics: gamma 4 and a margin of 0.05 for absent ones (Ridnik et al. 2021, equation 6)."""

    def batch_loss(self, model: Any, inputs: Inputs) -> tuple[torch.Tensor, JointLogits]:
        logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        _, stance = loss_terms(logits, inputs)
        probability, target = logits.topic.float().sigmoid(), inputs["topic_target"]
        shifted = (probability - 0.05).clamp(min=0)
        topic = -target * torch.log(probability.clamp(min=1e-8)) - (1 - target) * shifted**4 * torch.log(
            (1 - shifted).clamp(min=1e-8)
        )
        return weighted_mean(topic, inputs["topic_known"]) + weighted_mean(stance, inputs["stance_known"]), logits


class RDrop(PlainTrainer):
    """Two passes under different dropout, pulled together (Liang et al. 2021, equation 4; alpha 1)."""

    def batch_loss(self, model: Any, inputs: Inputs) -> tuple[torch.Tensor, JointLogits]:
        if not model.training:
            return super().batch_loss(model, inputs)
        (first, one), (second, other) = super().batch_loss(model, inputs), super().batch_loss(model, inputs)
        topics = [torch.stack([logits.topic, -logits.topic], -1).float() for logits in (one, other)]  # [B, T, 2]
        stances = [logits.stance.float() for logits in (one, other)]
        apart = weighted_mean(_symmetric_divergence(*topics), inputs["topic_known"])
        apart = apart + weighted_mean(_symmetric_divergence(*stances), inputs["stance_known"])
        return (first + second) / 2 + apart, one


class FastGradient(PlainTrainer):
    """A second pass on word embeddings moved against the model by 1 in gradient direction (Miyato et al. 2017)."""

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        loss = super().training_step(model, inputs, num_items_in_batch)
        table = self.model.encoder.embeddings.word_embeddings.weight
        moved = table.grad / table.grad.norm().clamp(min=1e-12)
        before = table.detach().clone()
        with torch.no_grad():
            table.add_(moved)
        super().training_step(model, inputs, num_items_in_batch)
        with torch.no_grad():
            table.copy_(before)
        return loss


class Averaged(PlainTrainer):
    """Weights at the end are a moving average over the steps (Polyak and Juditsky 1992), decay 0.99."""

    decay = 0.99

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        loss = super().training_step(model, inputs, num_items_in_batch)
        masters = _masters(self.optimizer)  # as the step before left them
        if not hasattr(self, "average"):
            self.average = [master.detach().clone() for master in masters]
        torch._foreach_lerp_(self.average, [master.detach() for master in masters], 1 - self.decay)
        return loss

    def finish(self) -> None:
        with torch.no_grad():
            for parameter, mean in zip(_parameters(self.optimizer), self.average, strict=True):
                parameter.copy_(mean)


class LastThird(Averaged):
    """Weights at the end are the plain mean over the last third of the steps (Izmailov et al. 2018)."""

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        loss = PlainTrainer.training_step(self, model, inputs, num_items_in_batch)
        if self.state.global_step >= self.args.max_steps * 2 / 3:
            masters = [master.detach() for master in _masters(self.optimizer)]
            self.taken = getattr(self, "taken", 0) + 1
            if self.taken == 1:
                self.average = [master.clone() for master in masters]
            torch._foreach_lerp_(self.average, masters, 1 / self.taken)
        return loss


@dataclass(frozen=True)
class Arm:
    """One technique."""

    what: str
    settings: dict[str, Any] = field(default_factory=dict)
    """Keys of TrainConfig that differ."""
    trainer: type[PlainTrainer] = PlainTrainer
    more: Callable[[str, LabelSchema], tuple[list[LabelledSegment], list[float]]] | None = None
    """Held-out source → more training segments, and the weight of each."""
    encoder: Callable[[str], str] | None = None
    """Held-out source → the encoder to start from."""
    prepare: Callable[[Checkpoint], None] | None = None
    """Changes the fresh model."""
    rewrite: Callable[[LabelledSegment], LabelledSegment] | None = None
    """Changes what the model reads of a segment, in training and test."""


def reinitialise(count: int) -> Callable[[Checkpoint], None]:
    """Fresh weights in the top `count` layers (Zhang et al. 2021, "Revisiting few-sample BERT fine-tuning")."""

    def prepare(run: Checkpoint) -> None:
        for layer in run.model.encoder.encoder.layer[-count:]:
            for module in layer.modules():
                run.model.encoder._init_weights(module)

    return prepare


def authored(weight: float) -> Callable[[str, LabelSchema], tuple[list[LabelledSegment], list[float]]]:
    """A thousand of the authored segments that ship."""

    def more(held_out: str, schema: LabelSchema) -> tuple[list[LabelledSegment], list[float]]:
        return _some(load_labelled([Path("data/authored.jsonl")], schema), 1000), [weight] * 1000

    return more


def weak(weight: float) -> Callable[[str, LabelSchema], tuple[list[LabelledSegment], list[float]]]:
    """Two thousand segments that the rules labelled, of all sources but the held-out one.

    `naba build` made them (articles: [data/real-articles], rules: configs/rules, train, validation and test: data/real's)
    into data/built/weak.
    """

    def more(held_out: str, schema: LabelSchema) -> tuple[list[LabelledSegment], list[float]]:
        items = load_labelled([Path("data/built/weak/train.jsonl")], schema)
        sources = {"almayadeen", "antcorpus", "arwiki"} - {held_out}
        usable = [
            item
            for item in items
            if item.provenance["annotator"] == "resolved:majority" and item.provenance["source"] in sources
        ]
        return _some(usable, 2000), [weight] * 2000

    return more


@cache
def _articles() -> tuple[str, list[int], list[str]]:
    """All articles without spaces in one string, where each starts, and their headlines."""
    texts, headlines = [], []
    for file in sorted(Path("data/real-articles").glob("a[nl]*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for article in map(json.loads, lines):
                texts.append("".join(article["text"].split()))
                headlines.append(article["title"] or "")
    starts = [0, *accumulate(len(text) + 1 for text in texts)]
    return "\0".join(texts), starts, headlines


def with_headline(item: LabelledSegment) -> LabelledSegment:
    """The segment, and its article's headline as second sequence where the article is at hand (two of three sources)."""
    everything, starts, headlines = _articles()
    found = everything.find("".join(item.segment.text.split())[:80])
    if found < 0:
        return item
    headline = headlines[bisect_right(starts, found) - 1]
    return replace(item, segment=replace(item.segment, text=f"{item.segment.text} </s> {headline}"))


def _some(items: Sequence[LabelledSegment], count: int) -> list[LabelledSegment]:
    chosen = np.random.default_rng(1).permutation(len(items))[:count]
    return [items[n] for n in sorted(chosen)]


ARMS: dict[str, Arm] = {
    "base": Arm("AdamW, linear decay, attention head, batch 16, 1e-4 / 1e-3"),
    "half-rate": Arm("learning rate 5e-5 / 5e-4", {"learning_rate": 5e-5, "head_learning_rate": 5e-4}),
    "plain-head": Arm("one pooled vector, 12 logits", {"head": "plain"}),
    "cosine": Arm("cosine decay", trainer=Cosine),
    "layer-decay": Arm("layer-wise learning-rate decay 0.9", trainer=LayerDecay),
    "reinitialise-2": Arm("top two layers initialised anew", prepare=reinitialise(2)),
    "smoothing": Arm("label smoothing 0.1", {"label_smoothing": 0.1}),
    "dropout": Arm("head dropout 0.3", {"dropout": 0.3}),
    "class-weights": Arm("rare classes weigh more", trainer=ClassWeights),
    "focal": Arm("focal loss, gamma 2", trainer=Focal),
    "asymmetric": Arm("asymmetric topic loss", trainer=Asymmetric),
    "r-drop": Arm("R-Drop, alpha 1", trainer=RDrop),
    "fgm": Arm("adversarial embeddings (FGM)", trainer=FastGradient),
    "ema": Arm("moving average of the weights, 0.99", trainer=Averaged),
    "swa": Arm("mean of the weights over the last third", trainer=LastThird),
    "authored": Arm("+ 1,000 authored segments", more=authored(1.0)),
    "weak": Arm("+ 2,000 segments labelled by rules, at weight 0.3", more=weak(0.3)),
    "headline": Arm("the article's headline as second sequence", rewrite=with_headline),
    "authored-half": Arm("+ 1,000 authored segments at weight 0.5", more=authored(0.5)),
}


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
