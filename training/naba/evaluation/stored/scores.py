"""The typed form of figures in report.json and comparison.json: scores, differences, calibration.

Scores, shares and probabilities are of 1, never per cent; null is a figure that cannot be had. Dotted paths of scores
("pairs.f1") are paths in `Scores`. Whatever lies under a topic, stance or system is keyed by its id. The whole, and how it
is read: `naba.evaluation.stored.report`.
"""

from typing import Annotated, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # pydantic cannot read typing's on Python 3.11

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Gap = Annotated[float, Field(ge=-1, le=1)]
Interval = tuple[float, float]
"""Low and high end, at 95 %."""

strict = with_config(ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True))
"""Of every part: no other keys, no text for numbers, no NaN."""


@strict
class Rates(TypedDict):
    """Precision, recall and F1 of a class; all 0 for one that is neither true nor predicted anywhere."""

    precision: Share
    recall: Share
    f1: Share
    support: Count
    """How often it is true."""
    predicted: Count
    average_precision: NotRequired[Share | None]
    """Of topics, for a system with probabilities; null without a positive."""


@strict
class TopicScores(TypedDict):
    """Presence of topics; macro averages leave out topics without support."""

    per_topic: dict[str, Rates]
    macro_f1: Share | None
    micro_f1: Share | None
    macro_precision: Share | None
    micro_precision: Share | None
    macro_recall: Share | None
    micro_recall: Share | None
    example_f1: Share | None
    macro_average_precision: NotRequired[Share | None]


@strict
class StancesOfTopic(TypedDict):
    """Stances of one topic, over the segments that have it."""

    stances: dict[str, Rates]
    macro_f1: Share | None
    accuracy: Share | None
    support: Count
    favg: Share | None
    """Mean F1 of the stances that take a side."""


@strict
class StanceScores(TypedDict):
    """Stances given the gold topic."""

    per_topic: dict[str, StancesOfTopic]
    macro_f1: Share | None
    accuracy: Share | None
    support: Count
    favg: Share | None
    favg_micro: Share | None


@strict
class PairScores(TypedDict):
    """(topic, stance) pairs end to end; precision, recall and f1 are micro averages."""

    precision: Share
    recall: Share
    f1: Share
    support: Count
    predicted: Count
    per_pair: dict[str, dict[str, Rates]]
    """Topic → stance → its rates."""
    macro_f1: Share | None
    example_f1: Share | None


@strict
class Scores(TypedDict):
    """What `naba.metrics.score` gives."""

    segments: Count
    topics: TopicScores
    stances: StanceScores
    pairs: PairScores
    exact_match: Share | None
    """Share of the fully judged segments with every label right."""


@strict
class LeakCounts(TypedDict):
    """Segments that a run has met before, and what was done with them."""

    in_training: Count | None
    """Sharing an article or text with its training data; null where that is not at hand."""
    in_validation: Count | None
    """In its validation set; null where that is not at hand."""
    not_checked: NotRequired[list[str]]
    """Files that it was trained or chosen on and that were gone or changed."""
    dropped: bool
    """Those in training were left out."""
    allowed: bool


@strict
class System(TypedDict):
    """The run ("model"), another run, or a baseline: with scores, or the reason why there are none."""

    basis: str
    """What it is, or was fitted on."""
    notes: NotRequired[list[str]]
    """Of runs: what a reader of the scores has to know."""
    leaks: NotRequired[LeakCounts]
    """Of other runs: what they have met of the test set."""
    seconds: NotRequired[Annotated[float, Field(ge=0)]]
    """Of baselines: how long they took."""
    reason: NotRequired[str | None]
    scores: NotRequired[Scores]
    intervals: NotRequired[dict[str, Interval | None]]
    """By dotted path, over resampled clusters."""
    detectable: NotRequired[dict[str, float | None]]
    """By dotted path: the smallest difference to another system that this test set would most likely show."""


@strict
class Difference(TypedDict):
    """One score of the first system minus the second's."""

    value: Gap
    interval: Interval | None
    p: Share
    """Two-sided, of the randomisation test."""
    p_holm: Share
    """Adjusted for the number of comparisons."""
    detectable: float | None


@strict
class McNemar(TypedDict):
    """Segments that only one of two systems has wholly right."""

    only_first: Count
    only_second: Count
    p: Share


@strict
class Compared(TypedDict):
    """Two systems on the same segments."""

    differences: dict[str, Difference]
    """By dotted path."""
    mcnemar: McNemar


@strict
class Kappa(TypedDict):
    """How far two readings agree on one topic."""

    presence: float | None
    stance: float | None
    segments: Count
    both: Count
    """Segments in which both found the topic."""


@strict
class Bin(TypedDict):
    """A bar of a reliability diagram."""

    count: Count
    confidence: Share
    """Mean probability."""
    accuracy: Share
    low: Share
    """Wilson's interval of the accuracy, low to high."""
    high: Share


@strict
class Calibration(TypedDict):
    """How well one probability is calibrated."""

    support: Count
    ece: Share | None
    ece_equal_mass: Share | None
    brier: Annotated[float, Field(ge=0, le=2)] | None
    bins: list[Bin]


@strict
class Reliability(TypedDict):
    """Calibration of presence, of the likeliest stance, and of each stance."""

    topics: dict[str, Calibration]
    stances: dict[str, Calibration]
    per_stance: dict[str, dict[str, Calibration]]


@strict
class CoveragePoint(TypedDict):
    """Risk among the segments at or above a confidence."""

    threshold: Share
    coverage: Share
    risk: Share


@strict
class OperatingPoint(TypedDict):
    """One threshold of one topic, chosen on validation and measured on the test set."""

    threshold: float
    precision: Share
    precision_low: Share
    precision_high: Share
    recall: Share
    recall_low: Share
    recall_high: Share
    f1: Share
    predicted: Count
    support: Count


@strict
class OnValidation(TypedDict):
    """What a recommendation promised on validation."""

    coverage: Share
    error: Share
    bound: Share
    """Upper bound of the error."""


@strict
class Recommendation(TypedDict):
    """Label by machine at or above `threshold`, send the rest to people."""

    target: Share
    """Share of wrong ones allowed."""
    threshold: Share
    validation: OnValidation
    coverage: Share | None
    automatic: Count
    error: Share | None
    error_interval: Interval | None


@strict
class Chosen(TypedDict):
    """What was chosen on validation, and how it fares here."""

    thresholds: dict[str, dict[str, OperatingPoint | None]]
    """Topic → "shrunk", "unshrunk", "default", "precision" or "recall"."""
    macro_f1: dict[str, Share | None]
    recommendation: Recommendation | None


@strict
class Trust(TypedDict):
    """How far probabilities and thresholds can be trusted."""

    before: Reliability
    """Without the temperatures that were fitted on validation."""
    after: Reliability
    risk_coverage: list[CoveragePoint]
    aurc: Share | None
    chosen: Chosen | None
    """Null where the validation data is not at hand."""


@strict
class SchemaIds(TypedDict):
    """The label schema by its ids."""

    name: str
    fingerprint: str
    topics: list[str]
    stances: list[str]
