"""The techniques of the ablation, and the runs that tell them apart.

    RUNS["design-03"].techniques

Eleven techniques are screened together by a Plackett and Burman (1946) design: in twelve runs each is on in six and off in
six, and each pair of them is on, off and mixed equally often. A technique's effect is the mean of the runs with it less the
mean of those without it, so every run speaks for every technique, and the luck of a seed averages out over twelve. It is
taken for granted that techniques do not need each other. Averages of the weights come free with every run. What costs twice
the time, another encoder or a trained teacher is compared with the run where all is off.
"""

import gzip
import json
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from techniques import (
    Asymmetric,
    Cosine,
    EvenLoss,
    FastGradient,
    LayerDecay,
    PlainTrainer,
    RDrop,
    pretrained,
)

from naba.config import ArticleSource
from naba.dataset.labelled import load_labelled
from naba.distillation.pseudo_labels import PseudoLabelConfig, pseudo_label
from naba.jsonl import read_jsonl, write_jsonl
from naba.modelling.checkpoint import Checkpoint
from naba.pretraining.config import PretrainConfig
from naba.pretraining.pretrain import pretrain
from naba.records import LabelledSegment
from naba.schema import LabelSchema

OUT = Path("data/built/ablation")
BASE = {"batch_size": 8, "learning_rate": 5e-5, "head_learning_rate": 1e-3}
AUTHORED, WEAK_SEGMENTS = 400, 600
WEAK = Path("data/built/weak")
"""`naba build` made it of data/real-articles by configs/rules, with data/real's files as train, validation and test."""
ARTICLES = Path("data/real-articles")
POOL, ADAPTING_STEPS = 2500, 300

More = Callable[[str, LabelSchema], tuple[list[LabelledSegment], list[float]]]


@dataclass(frozen=True)
class Technique:
    """What may be on or off."""

    what: str
    settings: dict[str, Any] = field(default_factory=dict)
    """Keys of TrainConfig that differ from the base's."""
    trainer: type[PlainTrainer] | None = None
    """Part of the trainer's class."""
    more: More | None = None
    """Held-out source → more training segments, and the weight of each."""
    encoder: Callable[[str], str] | None = None
    """Held-out source → the encoder to start from."""
    prepare: Callable[[Checkpoint], None] | None = None
    """Changes the fresh model."""
    rewrite: Callable[[LabelledSegment], LabelledSegment] | None = None
    """Changes what the model reads of a segment, in training and test."""


@dataclass(frozen=True)
class Run:
    """A training, once for each fold."""

    techniques: tuple[str, ...]

    @property
    def parts(self) -> list[Technique]:
        """The techniques themselves."""
        return [TECHNIQUES[name] for name in self.techniques]

    @property
    def settings(self) -> dict[str, Any]:
        """Of the training, beside TrainConfig's defaults."""
        found = dict(BASE)
        for part in self.parts:
            found |= part.settings
        return found

    @property
    def trainer(self) -> type[PlainTrainer]:
        """A class made of the techniques' parts."""
        kinds = tuple(part.trainer for part in self.parts if part.trainer)
        return type("RunTrainer", (*kinds, PlainTrainer), {}) if kinds else PlainTrainer

    def more(self, held_out: str, schema: LabelSchema) -> tuple[list[LabelledSegment], list[float]]:
        """All segments that the techniques add, and their weights."""
        segments: list[LabelledSegment] = []
        weights: list[float] = []
        for part in self.parts:
            if part.more:
                added = part.more(held_out, schema)
                segments, weights = segments + added[0], weights + added[1]
        return segments, weights

    def encoder(self, held_out: str) -> str | None:
        """The encoder to start from; None: the default."""
        return next((part.encoder(held_out) for part in self.parts if part.encoder), None)


def teacher_of(held_out: str) -> Path:
    """Where the plain model of a fold is kept, for arms that learn from it."""
    return OUT / "teachers" / held_out


def reinitialise(count: int) -> Callable[[Checkpoint], None]:
    """Fresh weights in the top `count` layers (Zhang et al. 2021, "Revisiting few-sample BERT fine-tuning")."""

    def prepare(run: Checkpoint) -> None:
        encoder = pretrained(run.model)
        for layer in encoder.encoder.layer[-count:]:
            for module in layer.modules():
                encoder._init_weights(module)

    return prepare


def authored(held_out: str, schema: LabelSchema) -> tuple[list[LabelledSegment], list[float]]:
    """Some of the authored segments that ship."""
    return some(load_labelled([Path("data/authored.jsonl")], schema), AUTHORED), [1.0] * AUTHORED


def weak(weight: float) -> More:
    """WEAK_SEGMENTS that the rules labelled, of all sources but the held-out one."""

    def more(held_out: str, schema: LabelSchema) -> tuple[list[LabelledSegment], list[float]]:
        usable = [
            item
            for item in load_labelled([WEAK / "train.jsonl"], schema)
            if item.provenance["annotator"] == "resolved:majority"
            and item.provenance["source"] in {"almayadeen", "antcorpus", "arwiki"} - {held_out}
        ]
        return some(usable, WEAK_SEGMENTS), [weight] * WEAK_SEGMENTS

    return more


def self_training(weight: float, **selection: Any) -> More:
    """What the plain model of the same fold is sure of, in POOL unlabelled segments of all sources but the held-out one."""

    def more(held_out: str, schema: LabelSchema) -> tuple[list[LabelledSegment], list[float]]:
        pool, kept = OUT / "pools" / f"{held_out}.jsonl", OUT / "pools" / f"{held_out}-labelled.jsonl"
        if not pool.is_file():
            rows = [row for row in read_jsonl(WEAK / "unlabelled.jsonl") if row.get("source") != held_out]
            write_jsonl(pool, (rows[n] for n in np.random.default_rng(1).permutation(len(rows))[:POOL]))
        teacher = teacher_of(held_out)
        pseudo_label(
            PseudoLabelConfig(teachers=[teacher], pool=[pool], out=kept, in_fold=True, **selection), overwrite=True
        )
        items = load_labelled([kept], schema)
        return items, [weight] * len(items)

    return more


def adapted(held_out: str) -> str:
    """The encoder after ADAPTING_STEPS steps on the articles of all sources but the held-out one."""
    out = OUT / "adapted" / held_out
    if not (out / "run.json").is_file():
        files = sorted(file for file in ARTICLES.glob("*.jsonl.gz") if not file.name.startswith(held_out))
        held = [Path("data/real/validation.jsonl"), Path("data/real/test.jsonl")]
        articles = [ArticleSource(path=file) for file in files]
        pretrain(PretrainConfig(articles=articles, held_out=held, out=out, steps=ADAPTING_STEPS, head_steps=150))
    return str(out)


@cache
def _articles() -> tuple[str, list[int], list[str]]:
    """All articles without spaces in one string, where each starts, and their headlines."""
    texts, headlines = [], []
    for file in sorted(ARTICLES.glob("a[nl]*.jsonl.gz")):
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


def some(items: list[LabelledSegment], count: int) -> list[LabelledSegment]:
    """So many of them at random, always the same, in their order."""
    chosen = np.random.default_rng(1).permutation(len(items))[:count]
    return [items[n] for n in sorted(chosen)]


TECHNIQUES: dict[str, Technique] = {
    # screened by the design
    "authored": Technique("+ 400 authored segments", more=authored),
    "half-rate": Technique("half the learning rates", {"learning_rate": 2.5e-5, "head_learning_rate": 5e-4}),
    "plain-head": Technique("one pooled vector and 12 logits in place of attention", {"head": "plain"}),
    "cosine": Technique("cosine decay in place of linear", trainer=Cosine),
    "layer-decay": Technique("layer-wise learning-rate decay 0.9", trainer=LayerDecay),
    "reinitialise-2": Technique("top two layers initialised anew", prepare=reinitialise(2)),
    "smoothing": Technique("label smoothing 0.1", {"label_smoothing": 0.1}),
    "class-weights": Technique("rare classes weigh more", {"class_weights": True}),
    "focal": Technique("focal loss, gamma 2", {"focal_gamma": 2.0}),
    "weak": Technique("+ 600 segments labelled by rules, at weight 0.3", more=weak(0.3)),
    "even-loss": Technique("every known label weighs the same, however many its batch has", trainer=EvenLoss),
    # compared with the run where all is off
    "self-training": Technique(
        "+ what the plain model is sure of in 2,500 unlabelled segments", more=self_training(0.5, min_confidence=0.7)
    ),
    "adapted": Technique("encoder adapted to the other sources' articles, 300 steps", encoder=adapted),
    "r-drop": Technique("R-Drop, alpha 1", trainer=RDrop),
    "fgm": Technique("adversarial embeddings (FGM)", trainer=FastGradient),
    "headline": Technique("the article's headline as second sequence", rewrite=with_headline),
    "asymmetric": Technique("asymmetric topic loss", trainer=Asymmetric),
    "dropout": Technique("head dropout 0.3", {"dropout": 0.3}),
}
SCREENED = tuple(TECHNIQUES)[:11]
AVERAGES = {"ema": "moving average of the weights, 0.99", "swa": "mean of the weights over the last third"}
_FIRST_ROW = "++-+++---+-"  # Plackett and Burman 1946, N = 12; the others are its rotations, the last is all off


def design() -> dict[str, Run]:
    """The twelve runs; the plain one, all off, first."""
    rows = [_FIRST_ROW[-shift:] + _FIRST_ROW[:-shift] if shift else _FIRST_ROW for shift in range(11)]
    on = [tuple(name for name, sign in zip(SCREENED, row, strict=True) if sign == "+") for row in rows]
    return {"plain": Run(())} | {f"design-{number:02}": Run(names) for number, names in enumerate(on, start=1)}


RUNS: dict[str, Run] = design() | {name: Run((name,)) for name in TECHNIQUES if name not in SCREENED}
RUNS["best"] = Run(("class-weights", "authored", "focal", "weak"))
"""The finalist: what the design found to help most. It is compared with the plain run over several seeds."""
