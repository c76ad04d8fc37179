"""The configuration of `naba cascade`."""

from pathlib import Path

from pydantic import Field, field_validator

from naba.config import Config, ReadConfig


class CascadeConfig(Config):
    """`naba cascade`: a cheap first stage for a run, its thresholds certified."""

    data: list[Path] = Field(default_factory=list)
    """JSONL of labelled segments that it is fitted and certified on; the run's own training files where not given."""
    recalls: list[float] = Field(default_factory=lambda: [0.98, 0.99], min_length=1)
    """Shares of the segments with a topic that have to pass; a threshold is certified for each."""
    unlabelled: list[Path] = Field(default_factory=list)
    """Files of articles of the kind that will be labelled. The run labels some of their segments, and the first stage learns
    from what it is sure of. Most of what it will see is easy, and labelled data have little of that. Name only outlets that the
    labelled data have too: of one whose topics it never sees labelled it learns that its style has none."""
    unlabelled_segments: int = Field(2000, ge=1)
    """Segments of each of these files that the run labels."""
    corpus: list[Path] = Field(default_factory=list)
    """Files of articles for which the share that passes is reported."""
    corpus_articles: int = Field(3000, ge=1)
    """Articles of each file that are looked at, drawn by their ids."""
    validation: list[Path] = Field(default_factory=list)
    """JSONL of labelled segments that the run is scored on with and without the first stage; the run's own validation files
    where not given."""
    read: ReadConfig = ReadConfig()
    folds: int = Field(5, ge=2)
    """The positives that thresholds are certified on are scored by models fitted on the other folds."""

    @field_validator("recalls")
    @classmethod
    def _shares(cls, recalls: list[float]) -> list[float]:
        for recall in recalls:
            if not 0 < recall < 1:
                raise ValueError(f"{recall} is no share between 0 and 1; write 0.99 for 99 %")
        return sorted(set(recalls))
