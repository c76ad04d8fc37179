"""The configuration of every command: one pydantic model each, read from YAML, changed by `--set key.sub=value`.

Paths in a configuration are relative to the folder the command is started in. Unknown keys are errors.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

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


class ArticleSource(Config):
    """Article files of one origin, to be cut into segments. A path alone stands for one with all defaults."""

    path: Path
    """A file, a folder or a pattern."""
    source: str | None = None
    """The outlet of all these articles; where not given, what each article states, else the file's name."""
    licence: str | None = None
    read: ReadConfig = ReadConfig()

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str | Path) else value


class ResolveConfig(Config):
    """How votes become labels."""

    method: Literal["majority", "dawid-skene", "mace"] = "majority"
    min_confidence: float = Field(0.6, gt=0, le=1)
    """A label less sure than this stays unknown."""
    without_topic: float = Field(0.5, ge=0, lt=1)
    """Largest share of segments without a topic among those that only rules or models labelled: most news has none of
    the topics. The others stay unlabelled, as does what is not judged on every topic and found to have none."""


class SplitConfig(Config):
    """How the data that is not given as a part is placed in parts."""

    method: Literal["stratified", "time", "source"] = "stratified"
    validation: float = Field(0.15, ge=0, lt=0.5)
    """Share of the segments placed in validation, where neither a date nor sources say which."""
    test: float = Field(0.0, ge=0, lt=0.5)
    """Share of the segments placed in test, where neither a date nor sources say which."""
    validation_from: date | None = None
    """By time: validation holds what was published on this day or later, and before `test_from`."""
    test_from: date | None = None
    """By time: test holds what was published on this day or later."""
    validation_sources: list[str] = []
    """By source: outlets held out as validation."""
    test_sources: list[str] = []
    """By source: outlets held out as test."""
    weak_held_out: bool = False
    """Let labels that only rules or models gave be validation and test too; such figures measure the voters."""

    @model_validator(mode="after")
    def _check(self) -> "SplitConfig":
        if self.method == "time" and not (self.validation_from or self.test_from):
            raise ValueError("a split by time needs test_from or validation_from, a day such as 2024-06-01")
        if self.validation_from and self.test_from and self.validation_from >= self.test_from:
            raise ValueError("validation_from must be before test_from: train, then validation, then test")
        if self.method == "source" and not (self.validation_sources or self.test_sources):
            raise ValueError("a split by source needs test_sources or validation_sources, names of outlets")
        if both := set(self.validation_sources) & set(self.test_sources):
            raise ValueError(f"held out twice: {', '.join(sorted(both))}")
        unused = {"time": ("validation_sources", "test_sources"), "source": ("validation_from", "test_from")}
        for key in unused.get(self.method, ("validation_sources", "test_sources", "validation_from", "test_from")):
            if getattr(self, key):
                raise ValueError(f"{key} says nothing in a split by method {self.method}")
        return self


class BuildConfig(Config):
    """`naba build`: articles, votes and labelled sets in, a split dataset out."""

    name: str | None = None
    """What the data card calls the dataset; the name of `out` where not given."""
    labels: Path = Path("configs/labels.yaml")
    articles: list[ArticleSource] = []
    """Raw articles, to be segmented and labelled by `rules`, `model` and `votes`."""
    rules: Path | None = None
    """Folder of labelling rules that vote on the articles' segments."""
    model: str | None = None
    """Run folder of a model that votes on the articles' segments."""
    votes: list[Path] = []
    """Votes in JSONL: people's, or other models'. Where a person judged a segment, rules and models have no say in it."""
    adjudicated: list[Path] = []
    """Lists of disagreements that an adjudicator filled in; they win over all votes."""
    resolve: ResolveConfig = ResolveConfig()
    train: list[Path] = []
    """Labelled JSONL to split."""
    validation: list[Path] = []
    """Labelled JSONL used wholly for validation; where given, nothing else is placed there."""
    test: list[Path] = []
    """Labelled JSONL used only as test; whatever overlaps it is dropped from the rest."""
    split: SplitConfig = SplitConfig()
    out: Path
    ledger: Path | None = None
    """Where every segment was placed; `ledger.jsonl` in `out` where not given."""
    overlap_words: int = Field(13, ge=5)
    """A training segment sharing a run of this many words with a held-out one is dropped."""
    inflation: bool = True
    """Measure what a naive random split would have scored."""
    seed: int = Field(1, ge=0, lt=2**32)


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
        except (yaml.YAMLError, ValueError) as error:  # ValueError: a day that no calendar has
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
    except (yaml.YAMLError, ValueError):
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
        for part in first["loc"][:-1]:  # an item of a list has the list's one type
            group = get_args(group)[0] if isinstance(part, int) else group.model_fields[part].annotation
        return f"{where}: unknown key {key!r}; known: {', '.join(group.model_fields)}"
    if first["type"] == "missing":
        return f"{where}: {key!r} is missing; give it in the file or with --set {key}=…"
    message = first["msg"].removeprefix("Value error, ")
    given = "" if isinstance(first["input"], dict) else f" = {first['input']!r}"
    return f"{where}: {key}{given}: {message}"
