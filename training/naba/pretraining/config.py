"""The configuration of `naba pretrain`."""

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field

from naba.config import ArticleSource, Config


class PretrainConfig(Config):
    """`naba pretrain`: masked language modelling on article files. For task-adaptive pretraining name the pool of
    unlabelled segments, whose JSONL is read like articles."""

    model_config = ConfigDict(allow_inf_nan=False)

    articles: list[ArticleSource] = Field(min_length=1)
    """What is read: files, folders or patterns of articles."""
    held_out: list[Path] = Field(default_factory=list)
    """JSONL with segments that must not be read: an article that holds one of them is dropped."""
    overlap_words: int = Field(13, ge=5)
    """Length in words of the runs by which a changed copy of a held-out segment is found."""
    overlap_share: float = Field(0.5, gt=0, le=1)
    """An article with this share of a held-out segment's runs is dropped too."""
    out: Path
    """An encoder folder, for `encoder` of `naba train`."""
    encoder: str = "models/naba-base"
    """A folder or a Hub name."""
    normalisation: str = "standard-1"
    """Must be that of the training that uses the encoder."""
    block_tokens: int = Field(128, ge=16)
    """Tokens of a block, the encoder's own marks at its ends included."""
    steps: int = Field(1000, ge=1)
    """The budget: updates of the whole model."""
    batch_size: int = Field(32, ge=1)
    """Blocks an update, over all processes."""
    learning_rate: float = Field(1e-4, gt=0)
    """Of the encoder, at its highest."""
    head_steps: int = Field(200, ge=0)
    """Updates of the masked-language head alone, before `steps`, where the encoder brings none."""
    head_learning_rate: float = Field(1e-3, gt=0)
    """In these updates."""
    weight_decay: float = Field(0.01, ge=0)
    """Of matrices; biases and norms do not decay."""
    warmup: float = Field(0.06, ge=0, lt=1)
    """Share of the steps over which the rate rises from zero."""
    max_grad_norm: float = Field(1.0, gt=0)
    """Gradients with a larger norm are scaled down to it."""
    mask: float = Field(0.15, gt=0, lt=1)
    """Share of the words to be predicted."""
    validation: float = Field(0.02, gt=0, lt=0.5)
    """Share of the articles that are only measured on; which, their text decides, so that adding articles moves none."""
    validation_blocks: int = Field(256, ge=1)
    """Most blocks of them that one measurement reads."""
    save_every: int = Field(200, ge=1)
    """Steps between checkpoints, and between measurements."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the arithmetic in training; auto: bfloat16 where the processor multiplies it natively. Updates are float32."""
    weights: Literal["float32", "float16"] = "float32"
    """How the weights are stored; float16 halves the file."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto: CUDA where there is one."""
    seed: int = Field(1, ge=0, lt=2**32)
    """Of the order of the blocks, the masks and fresh weights."""
