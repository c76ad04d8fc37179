"""The configuration of `naba train`."""

from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from naba.config.base import Config


class TrainingSource(Config):
    """Labelled segments of one kind. A path alone stands for one with weight 1."""

    model_config = ConfigDict(allow_inf_nan=False)

    path: Path
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
    train: list[TrainingSource]
    validation: list[Path]
    out: Path
    encoder: str = "models/naba-base"
    """A folder or a Hub name."""
    layers: int | None = Field(None, ge=1)
    """Encoder layers kept, evenly spaced; None: all."""
    normalisation: str = "standard-1"
    head: Literal["attention", "plain"] = "attention"
    max_tokens: int = Field(192, ge=16)
    """Longest input in tokens; longer segments are cut in training and windowed in labelling."""
    epochs: float = Field(4, gt=0)
    batch_size: int = Field(16, ge=1)
    """Segments in a batch of average length, on each device; a batch of longer ones holds fewer, of shorter ones more."""
    learning_rate: float = Field(1e-4, gt=0)
    """Of the encoder."""
    head_learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    warmup: float = Field(0.06, ge=0, lt=1)
    """Share of the steps over which the rate rises from zero."""
    dropout: float = Field(0.1, ge=0, lt=1)
    label_smoothing: float = Field(0.0, ge=0, lt=0.5)
    stance_weight: float = Field(1.0, gt=0)
    """Weight of the stance loss beside the topic loss."""
    max_grad_norm: float = Field(1.0, gt=0)
    evaluations: int = Field(0, ge=0)
    """How often validation is scored during training; 0: once an epoch."""
    patience: int = Field(0, ge=0)
    """Stop after this many scorings without a better one; 0: train to the end."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the arithmetic in training; auto: bfloat16 where the processor multiplies it natively. Updates are float32."""
    weights: Literal["float32", "float16"] = "float32"
    """How the weights are stored; float16 halves the file and changes scores in the third digit."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: int = Field(1, ge=0, lt=2**32)
