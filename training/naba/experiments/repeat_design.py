"""What `naba repeat` is asked for: with which seeds, over which folds; checked without a heavy import.

design = load_config(RepeatConfig, None, None, {"seeds": seeds_of("1,2,3"), "folds": 5})
check_inputs(config, design, compare=Path("models/other"))
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from naba.config import Config, TrainConfig
from naba.errors import ConfigError
from naba.experiments.data_marks import check_files, training_paths
from naba.experiments.repeat_files import read_summary
from naba.paths import find
from naba.schema import LabelSchema


class RepeatConfig(Config):
    """`naba repeat`: with which seeds, and over what."""

    seeds: list[int] = Field([1], min_length=1)
    """A run for each, of each fold."""
    folds: int | None = Field(None, ge=2)
    """Cross-validation over this many stratified folds of the training segments."""
    leave_out: Literal["source"] | None = None
    """Cross-validation that holds out each source (outlet) of the training segments in turn, small ones together."""
    data: list[Path] = Field(default_factory=list)
    """Without folds: the labelled JSONL that the runs are scored on; their validation files where not given."""
    split_seed: int = Field(1, ge=0)
    """Of the draw of folds and of their validation parts; the same for all seeds, so that they can be compared."""
    keep_weights: bool | None = None
    """Keep the weights of every run; where not given, without folds only."""

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed is given twice; the same seed trains the same run")
        if min(seeds) < 0 or max(seeds) >= 2**32:
            raise ValueError("seeds are whole numbers from 0 to 4294967295")
        return seeds

    @model_validator(mode="after")
    def _check(self) -> "RepeatConfig":
        if self.folds and self.leave_out:
            raise ValueError("folds and leave_out are two ways of cutting the same data; give one")
        if self.over_folds and self.data:
            raise ValueError("data cannot be given with folds, which are scored on what they hold out")
        return self

    @property
    def over_folds(self) -> bool:
        """Whether there are folds."""
        return bool(self.folds or self.leave_out)

    @property
    def keeps_weights(self) -> bool:
        """Whether the runs' weights stay."""
        return not self.over_folds if self.keep_weights is None else self.keep_weights


def seeds_of(text: str) -> list[int]:
    """The seeds in "1,2,3". Raises ConfigError."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"--seeds {text}: expected whole numbers with commas between them, as 1,2,3") from None


def check_inputs(config: TrainConfig, design: RepeatConfig, compare: Path | None = None) -> None:
    """Refuse what is wrong at first sight, before anything slow is loaded.

    Args:
        compare: the folder of another experiment to compare with.

    Raises:
        ConfigError: the labels cannot be read, nothing is named to train or score on, or `compare` is this experiment, or no
            finished one of these labels.
        DataError: a file of data is not there.
    """
    schema = LabelSchema.load(find(config.labels))
    if not config.train:
        raise ConfigError("train: names no file; `naba build` makes one")
    check_files([*training_paths(config), *([] if design.over_folds else [*config.validation, *design.data])])
    if compare:
        if config.out.resolve() == compare.resolve():
            raise ConfigError(f"{compare}: is this experiment itself; name the folder of another to compare with")
        read_summary(compare, schema)
