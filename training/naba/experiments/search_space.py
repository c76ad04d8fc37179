"""What `naba search` looks for: which keys of a training take which values, checked before anything is trained.

trial = config.trial({"learning_rate": 1e-4, "batch_size": 32}, out)     # a TrainConfig
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, ValidationError, field_validator, model_validator

from naba.config import Config, TrainConfig, load_config
from naba.errors import ConfigError
from naba.paths import find

OBJECTIVES = {"pair_f1": "pairs.f1", "topic_macro_f1": "topics.macro_f1", "stance_macro_f1": "stances.macro_f1"}
"""Name → path in `naba.metrics.score`."""
Value = bool | int | float | str
_SET_BY_SEARCH = ("out", "seed")


class Range(Config):
    """Numbers between two ends, both included. A key that takes whole numbers gets whole ones."""

    low: int | float = Field(allow_inf_nan=False)
    high: int | float = Field(allow_inf_nan=False)
    log: bool = False
    """Spread evenly over orders of magnitude, as rates are."""
    step: int | float | None = Field(None, gt=0)
    """Only low, low + step, low + 2 · step …"""

    @model_validator(mode="after")
    def _check(self) -> "Range":
        if not self.low < self.high:
            raise ValueError(f"low = {self.low} is not below high = {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low = {self.low}: with log it must be above 0")
        if self.log and self.step is not None:
            raise ValueError("log and step exclude each other")
        steps = (self.high - self.low) / self.step if self.step else 0.0
        if abs(steps - round(steps)) > 1e-9:
            raise ValueError(f"high = {self.high} is not low = {self.low} and a whole number of steps of {self.step}")
        return self


class Choices(Config):
    """One of several values."""

    choices: list[Value] = Field(min_length=1)

    @field_validator("choices")
    @classmethod
    def _distinct(cls, values: list[Value]) -> list[Value]:
        if len({(type(value), value) for value in values}) < len(values):
            raise ValueError("a choice is given twice")
        return values


class SearchConfig(Config):
    """`naba search`: values to try, and what they are tried on."""

    base: Path | None = None
    """A configuration of `naba train` that the trials start from."""
    train: dict[str, Any] = Field(default_factory=dict)
    """Keys of `naba train`, in place of those of `base`."""
    space: dict[str, Range | Choices] = Field(min_length=1)
    """Key of `naba train` → the values to try."""
    trials: int = Field(20, ge=1)
    """How many are to be finished in all; may be raised later, and the search goes on."""
    objective: Literal["pair_f1", "topic_macro_f1", "stance_macro_f1"] = "pair_f1"
    """What is to be high on validation: the mean over `seeds`."""
    seeds: list[int] = Field([1], min_length=1)
    """Every trial is trained with each."""
    prune: bool = True
    """Stop a trial whose best validation pair F1 so far is below the median of the others' at the same evaluation.

    The first of `seeds` alone is watched: what passes it is trained to the end with the next ones too."""
    seed: int = Field(1, ge=0)
    """Of the values drawn."""
    keep_weights: bool = False
    """Keep the weights of every trial, not only what it says about itself."""
    out: Path
    """Folder of the study and its runs."""

    @field_validator("space", mode="before")
    @classmethod
    def _kinds(cls, space: Any) -> Any:
        """Tell the two kinds by their keys, so that an error names what is wrong in the one that was meant."""
        return {key: _kind(str(key), values) for key, values in space.items()} if isinstance(space, dict) else space

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed is given twice; the same seed trains the same run")
        return seeds

    def trial(self, values: Mapping[str, Any], out: Path, seed: int | None = None) -> TrainConfig:
        """The training with these values.

        Raises ConfigError naming the key that `naba train` refuses.
        """
        base = find(self.base) if self.base else None
        given = {**self.train, **values, "out": out, "seed": self.seeds[0] if seed is None else seed}
        return load_config(TrainConfig, base, None, given)

    def whole(self, key: str) -> bool:
        """Whether the key takes whole numbers. Raises ConfigError where it takes no numbers."""
        kinds = _kinds_of(key)
        if float not in kinds and int not in kinds:
            raise ConfigError(f"space: {key} takes no number between two ends; give it {{choices: […]}}")
        return float not in kinds

    def check(self) -> TrainConfig:
        """Refuse what `naba train` would refuse, before anything is trained; returns the training without a trial.

        Raises ConfigError naming the key.
        """
        if strange := [key for key in _SET_BY_SEARCH if key in self.space]:
            raise ConfigError(f"space: {strange[0]} is set by the search; take it out (for seeds, see 'seeds')")
        for key, values in self.space.items():
            _kinds_of(key)
            if isinstance(values, Range) and self.whole(key) and not _is_whole(values):
                raise ConfigError(f"space: {key} takes whole numbers; give whole low, high and step")
        base = self.trial({}, self.out)
        first = {key: _ends(values)[0] for key, values in self.space.items()}
        for key, values in self.space.items():
            for value in _ends(values):
                try:
                    self.trial({**first, key: value}, self.out)
                except ConfigError as error:
                    raise ConfigError(f"space: {error}") from None
        return base


def _kind(key: str, values: Any) -> Range | Choices:
    if isinstance(values, Range | Choices):
        return values
    if not isinstance(values, dict) or not values.keys() & {"low", "high", "choices"}:
        raise ValueError(f"{key} has {values!r}; expected {{low, high, log}} or {{choices: […]}}")
    try:
        return (Choices if "choices" in values else Range).model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in (key, *first["loc"][:1]))
        raise ValueError(f"{place}: {first['msg'].removeprefix('Value error, ')}") from None


def _ends(values: Range | Choices) -> list[Any]:
    return list(values.choices) if isinstance(values, Choices) else [values.low, values.high]


def _is_whole(values: Range) -> bool:
    return all(isinstance(number, int) for number in (values.low, values.high, values.step) if number is not None)


def _kinds_of(key: str) -> tuple[Any, ...]:
    """The types that a key of TrainConfig takes. Raises ConfigError for an unknown key."""
    if key not in TrainConfig.model_fields:
        raise ConfigError(f"space: unknown key {key!r}; known: {', '.join(TrainConfig.model_fields)}")
    kind: Any = TrainConfig.model_fields[key].annotation
    return get_args(kind) or (kind,)
