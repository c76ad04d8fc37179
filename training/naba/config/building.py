"""The configuration of `naba build`."""

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from naba.config.base import Config
from naba.config.reading import ArticleSource


class ResolveConfig(Config):
    """How votes become labels."""

    method: Literal["majority", "dawid-skene", "mace"] = "majority"
    """How votes become a label: the majority, or a model of the voters' reliability."""
    min_confidence: float = Field(0.6, gt=0, le=1)
    """A label less sure than this stays unknown."""
    without_topic: float = Field(0.5, ge=0, lt=1)
    """Largest share of segments without a topic among those that only rules or models labelled: most news has none of
    the topics. The others stay unlabelled, as does what is not judged on every topic and found to have none."""


class SplitConfig(Config):
    """How the data that is not given as a part is placed in parts."""

    method: Literal["stratified", "time", "source"] = "stratified"
    """Held out are shares of all classes, the latest articles, or whole outlets."""
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
    """The label schema: topics and stances."""
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
    """Folder of the built dataset."""
    ledger: Path | None = None
    """Where every segment was placed; `ledger.jsonl` in `out` where not given."""
    overlap_words: int = Field(13, ge=5)
    """A training segment sharing a run of this many words with a held-out one is dropped."""
    inflation: bool = True
    """Measure what a naive random split would have scored."""
    seed: int = Field(1, ge=0, lt=2**32)
    """Of the split and all draws."""
