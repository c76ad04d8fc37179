"""The typed form of the parts of report.json that are about the run alone: curves, slices, errors, behaviour tests.

The whole, and how it is read: `naba.evaluation.stored.report`.
"""

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # pydantic cannot read typing's on Python 3.11

from naba.evaluation.stored.scores import Count, Kappa, Scores, Share, strict


@strict
class CurvePoint(TypedDict):
    """One threshold on a curve."""

    threshold: float | None
    """Null for a system that goes by the likeliest answer."""
    precision: Share | None
    recall: Share


@strict
class Curve(TypedDict):
    """Precision over recall of one topic, one point a threshold."""

    recall: list[Share]
    precision: list[Share]
    thresholds: list[float]
    average_precision: Share | None
    prevalence: Share | None
    """Share of the judged segments that have the topic: the precision of guessing."""
    at: CurvePoint | None
    """What the answers were decided at."""


@strict
class SpreadInterval(TypedDict):
    """A bootstrap interval at 95 % with its standard error."""

    low: float
    high: float
    error: float


@strict
class SliceDifference(TypedDict):
    """A slice's score minus that of the rest of the test set."""

    value: float
    interval: SpreadInterval | None
    p: Share | None
    """One-sided, that the slice is no worse; null where it is not tested."""
    p_adjusted: Share | None


@strict
class SliceScore(TypedDict):
    """One score of a slice."""

    value: Share | None
    support: Count
    interval: SpreadInterval | None
    difference: SliceDifference | None


@strict
class Slice(TypedDict):
    """One part of the test set."""

    by: str
    """The attribute, as "month"."""
    value: str
    segments: Count
    clusters: Count
    pairs: Count
    scores: dict[str, SliceScore]
    """By dotted path."""
    rank: int | None
    """From 1, the worst; null for a slice that is too small or cannot be scored."""
    name: str
    """Attribute and value, as "month: 2024-03"."""
    small: bool


@strict
class Kind(TypedDict):
    """How many mistakes are of one kind."""

    kind: str
    count: Count
    share: Share | None
    """Of all mistakes."""
    possible: Count
    rate: Share | None
    """Of the possible ones."""
    by_topic: dict[str, Count]


@strict
class Confusion(TypedDict):
    """Answers of one topic against gold."""

    topic: str
    answers: list[str]
    counts: list[list[Count]]
    """[gold answer][answer said] → segments."""
    segments: Count


@strict
class TopicConfusion(TypedDict):
    """[missed][invented] → segments; the last row and column are "none"."""

    topics: list[str]
    counts: list[list[Count]]


@strict
class Place(TypedDict):
    """Where a segment stands: ids, never words."""

    id: str
    article: str | None
    number: int | None
    of: int | None
    previous: str | None
    next: str | None


@strict
class Mistake(TypedDict):
    """One wrong answer."""

    place: Place
    topic: str
    kind: str
    gold: str
    said: str
    probability: Share | None
    readings: list[str]


@strict
class SuspectedLabel(TypedDict):
    """A gold label that the run's probabilities speak against."""

    place: Place
    topic: str
    question: Literal["presence", "stance"]
    given: str
    suggested: str
    score: float
    """0 (surely wrong) to 1 (surely right)."""
    readings: list[str]


@strict
class Answered(TypedDict):
    """Answers, and how many of them are mistakes."""

    answers: Count
    mistakes: Count
    rate: Share | None


@strict
class WhereReadersDiffer(TypedDict):
    """Mistakes where the readings of a segment differ, agree, or where there is one only."""

    differ: Answered
    agree: Answered
    once: Answered
    as_read: Count
    by_topic: dict[str, dict[str, Answered]]


@strict
class Words(TypedDict):
    """The words of a segment that is shown."""

    id: str
    text: str


@strict
class Errors(TypedDict):
    """What the run gets wrong. `texts` is the only place with words of the data; null in a report without."""

    segments: Count
    answers: Count
    mistakes: Count
    kinds: list[Kind]
    confusions: list[Confusion]
    topic_confusion: TopicConfusion
    most_confident: list[Mistake] | None
    where_readers_differ: WhereReadersDiffer | None
    on_differing: list[Mistake]
    suspects: list[SuspectedLabel] | None
    suspected: int | None
    why_no_suspects: str | None
    texts: list[Words] | None


@strict
class CaseSide(TypedDict):
    """One text of a failing case, what was expected of it and what was said: topic → stance of what is present."""

    text: NotRequired[str]
    """A text of the suite's own; a segment of the caller's has `id` in its place where texts are left out."""
    id: NotRequired[str]
    expected: NotRequired[dict[str, str | None]]
    decision: dict[str, str | None]


@strict
class GivenCases(TypedDict):
    """Cases made of the caller's own segments."""

    cases: Count
    passed: Count


@strict
class BehaviourTest(TypedDict):
    """One behaviour test."""

    name: str
    kind: Literal["invariance", "direction", "minimum"]
    description: str
    cases: Count
    sources: Count
    """Templates or sentences that the cases were made of."""
    passed: Count
    pass_rate: Share
    at_least: Share
    """What a release needs."""
    gate_met: bool
    given_segments: NotRequired[GivenCases]
    failures: list[dict[str, CaseSide]]
    """"text", or "before" and "after"."""


@strict
class BehaviourKind(TypedDict):
    """All tests of one kind."""

    tests: Count
    gates_missed: Count
    cases: Count
    passed: Count
    pass_rate: Share
    mean_test_pass_rate: Share
    at_least: Share | None
    """What a release needs of all cases of the kind together; null without such a gate."""


@strict
class Behaviour(TypedDict):
    """The behaviour tests."""

    distinct_texts: Count
    given_segments: Count
    kinds: dict[str, BehaviourKind]
    gates_missed: dict[str, tuple[Share, Share]]
    """Kind or test → share of cases passed, share needed; empty: fit for release."""
    tests: list[BehaviourTest]


@strict
class Readings(TypedDict):
    """The second reading of the test set against the first."""

    name: str
    segments: Count
    kappa: dict[str, Kappa]
    scores: Scores
