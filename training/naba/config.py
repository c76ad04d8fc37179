"""The configuration of every command: one pydantic model each, read from YAML, changed by `--set key.sub=value`.

Paths in a configuration are relative to the folder the command is started in. Unknown keys are errors.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from naba.errors import ConfigError


class Config(BaseModel):
    """Base: unknown keys are refused, values are checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(Config):
    """Which field of a JSONL, CSV or Parquet record holds what. A missing optional field is no error."""

    text: str = "text"
    id: str = "id"
    title: str = "title"
    date: str = "date"
    source: str = "source"
    url: str = "url"
    keywords: str = "keywords"


class ReadConfig(Config):
    """How articles are read and cut into segments."""

    columns: Columns = Columns()
    encoding: str = "utf-8"
    max_words: int = Field(90, ge=5, le=1000)
    """Longest segment, in words."""
    min_arabic: float = Field(0.5, ge=0, le=1)
    """Least share of Arabic letters among an article's letters; below it the article is set aside."""
    max_characters: int = Field(5_000_000, ge=1000)
    """Longest article, in characters; a longer one is set aside."""


class BuildConfig(Config):
    """`naba build`: labelled sets in, a split dataset out."""

    labels: Path = Path("configs/labels.yaml")
    train: list[Path]
    """Labelled JSONL to split into training and validation."""
    validation: list[Path] = []
    """Labelled JSONL used wholly for validation; where given, `train` is not split."""
    test: list[Path] = []
    """Labelled JSONL used only as test; whatever in `train` or `validation` overlaps it is dropped."""
    out: Path
    validation_share: float = Field(0.15, gt=0, lt=0.5)
    overlap_words: int = Field(13, ge=5)
    """A training segment sharing a run of this many words with a test segment is dropped."""
    seed: int = 1


class TrainConfig(Config):
    """`naba train`: one run."""

    labels: Path = Path("configs/labels.yaml")
    train: list[Path]
    validation: list[Path]
    out: Path
    encoder: str = "models/naba-base"
    """A folder or a Hub name."""
    normalisation: str = "standard-1"
    head: Literal["attention", "plain"] = "attention"
    max_tokens: int = Field(192, ge=16)
    """Longest input in tokens; longer segments are cut in training and windowed in labelling."""
    epochs: float = Field(4, gt=0)
    batch_size: int = Field(16, ge=1)
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
    weights: Literal["float32", "float16"] = "float32"
    """How the weights are stored; float16 halves the file and changes scores in the third digit."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: int = 1


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


C = TypeVar("C", bound=Config)


def load_config(
    kind: type[C], path: Path | None, overrides: list[str] | None = None, given: Mapping[str, Any] | None = None
) -> C:
    """Read a configuration file and apply what the command line says.

    Args:
        kind: the model to fill.
        path: the YAML file; None leaves all defaults.
        overrides: `key.sub=value`, the value read as YAML.
        given: "key.sub" → value from options of their own, taken as it is; None means that the option was not used.

    Raises ConfigError naming file, key, value and what is allowed.
    """
    content: Any = {}
    if path is not None:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except FileNotFoundError:
            raise ConfigError(f"{path}: no such configuration file") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read ({error})") from None
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
        if not isinstance(content, dict):
            raise ConfigError(f"{path}: expected keys and values, found a {type(content).__name__}")
    for override in overrides or []:
        _apply(content, override)
    for key, value in (given or {}).items():
        if value is not None:
            _set(content, key, value, f"{key}={value}")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise ConfigError(_explain(kind, error, str(path or "configuration"))) from None


def _apply(content: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override}: expected key=value, for example --set epochs=2")
    try:
        _set(content, key, yaml.safe_load(value), override)
    except yaml.YAMLError:
        raise ConfigError(f"--set {override}: the value is not YAML; quote it") from None


def _set(content: dict[str, Any], key: str, value: Any, shown: str) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            raise ConfigError(f"--set {shown}: {parent} holds a value, not a group of keys")
    content[last] = value


def _explain(kind: type[Config], error: ValidationError, where: str) -> str:
    # A mistyped key is told before the missing one it was meant to be.
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        group: Any = kind
        for part in first["loc"][:-1]:
            group = group.model_fields[str(part)].annotation
        return f"{where}: unknown key {key!r}; known: {', '.join(group.model_fields)}"
    if first["type"] == "missing":
        return f"{where}: {key!r} is missing; give it in the file or with --set {key}=…"
    return f"{where}: {key} = {first['input']!r}: {first['msg']}"
