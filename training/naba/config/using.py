"""The configurations of the commands that use a run: `naba evaluate`, `naba label`, and the quickstart."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from naba.config.base import Config
from naba.config.building import BuildConfig
from naba.config.reading import ReadConfig
from naba.config.training import TrainConfig


class EvaluateConfig(Config):
    """`naba evaluate`: a run against labelled segments."""

    data: list[Path]
    train: list[Path] = []
    """What the baselines are fitted on; usually the run's own training file."""
    out: Path | None = None
    """Folder for report.json and report.md; the run folder where not given."""
    drop_seen: bool = False
    """Leave out the segments that share an article or text with the training data, instead of only counting them."""
    batch_size: int = Field(32, ge=1)
    device: Literal["auto", "cpu", "cuda"] = "auto"


class LabelConfig(Config):
    """`naba label`: articles in, labelled articles out."""

    model: str | None = None
    """A run folder; the shipped model where not given."""
    read: ReadConfig = ReadConfig()
    batch_size: int = Field(32, ge=1)
    device: Literal["auto", "cpu", "cuda"] = "auto"


class QuickstartConfig(Config):
    """`naba quickstart`: the whole path on the shipped data."""

    articles: list[Path]
    build: BuildConfig
    train: TrainConfig
    out: Path
