"""The configuration of `naba train`."""

from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from naba.config.base import Config


class TrainingSource(Config):
    """Labelled segments of one kind. A path alone stands for one with weight 1."""

    model_config = ConfigDict(allow_inf_nan=False)

    path: Path
    """A JSONL file."""
    weight: float = Field(1.0, gt=0)
    """How much a segment of this file counts in the loss beside one of weight 1."""

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str | Path) else value


class TrainConfig(Config):
    """`naba train`: one run."""

    model_config = ConfigDict(allow_inf_nan=False)

    labels: Path = Path("configs/labels.yaml")
    """The label schema: topics and stances."""
    train: list[TrainingSource]
    """JSONL files of labelled segments; with a weight each as {path: …, weight: …}."""
    validation: list[Path]
    """JSONL files of labelled segments on which the checkpoint is chosen and the decision fitted."""
    allow_leak: bool = False
    """Train although segments of validation are in train too; refused otherwise, for its scores then say nothing."""
    out: Path
    """The run folder."""
    encoder: str = "models/naba-base"
    """A folder or a Hub name; of a run of naba its encoder is taken, and the heads are new."""
    layers: int | None = Field(None, ge=1)
    """Encoder layers kept, evenly spaced; none: all."""
    normalisation: str = "standard-1"
    """How text is normalised before the tokenizer reads it: a preset of `naba.text`, the one that the encoder was
    trained with."""
    head: Literal["attention", "plain"] = "attention"
    """attention: each topic weighs the tokens by itself; plain: one pooled vector for all, as in
    `…ForSequenceClassification`."""
    max_tokens: int = Field(192, ge=16)
    """Longest input in tokens; longer segments are cut in training and windowed in labelling."""
    epochs: float = Field(4, gt=0)
    """Passes over the training segments; a fraction stops early in the last."""
    batch_size: int = Field(16, ge=1)
    """Segments in a step of average length, over all processes together; a step of longer ones reads fewer, of shorter
    ones more."""
    learning_rate: float = Field(1e-4, gt=0)
    """Highest rate of the encoder; it rises over `warmup` and falls in a line to zero."""
    head_learning_rate: float = Field(1e-3, gt=0)
    """The same of the heads, which start from nothing."""
    weight_decay: float = Field(0.01, ge=0)
    """AdamW's, of matrices alone; 0: none."""
    warmup: float = Field(0.06, ge=0, lt=1)
    """Share of the steps over which the rates rise from zero; 0: none."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Share of the pooled vector that the heads do not see in training; 0: none. The encoder keeps its own."""
    label_smoothing: float = Field(0.0, ge=0, lt=0.5)
    """Share of every label that is spread over all answers; 0: none."""
    focal_gamma: float = Field(0.0, ge=0, le=5)
    """Focal loss: labels count less, the surer the model is of them, by the factor (1 - probability)^gamma; 0: all alike.
    Smoothed labels are never wholly sure: use one or the other."""
    class_weights: bool = False
    """Rare classes count more, each by the root of how much rarer it is than the commonest of its kind."""
    stance_weight: float = Field(1.0, gt=0)
    """Weight of the stance loss beside the topic loss."""
    max_grad_norm: float = Field(1.0, gt=0)
    """Longer gradients are cut to this length."""
    evaluations: int = Field(0, ge=0)
    """How often validation is scored and a checkpoint saved, over the whole training; 0: once an epoch."""
    patience: int = Field(0, ge=0)
    """Stop after this many scorings in a row without a better pair F1, counted from the first above 0; 0: train to the
    end."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the arithmetic in training; auto: bfloat16 where the processor multiplies it natively. Updates are float32."""
    weights: Literal["float32", "float16"] = "float32"
    """How the weights are stored; float16 halves the file and changes scores in the third digit."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto: a GPU where there is one."""
    seed: int = Field(1, ge=0, lt=2**32)
    """Of the new heads, the order of the segments, and dropout."""
