"""The typed form of the part of report.json that is about a run behind its first stage."""

from typing_extensions import TypedDict  # pydantic cannot read typing's on Python 3.11

from naba.evaluation.stored.scores import Count, Gap, Interval, Share, strict


@strict
class PassingPositives(TypedDict):
    """Segments with a topic, and how many of them pass a first stage."""

    segments: Count
    recall: Share | None
    clusters: Count
    bound: Share | None
    """One-sided 95 % lower bound of the share of clusters that pass whole."""


@strict
class BehindDifference(TypedDict):
    """Pair-F1 behind the first stage minus that of the run alone."""

    value: Gap
    interval: Interval | None
    p: Share
    """Two-sided, of the randomisation test."""
    p_holm: Share
    """Adjusted for the number of recalls."""


@strict
class FirstStage(TypedDict):
    """The run behind its first stage, made for one recall."""

    passes: Share
    """Of all segments."""
    needed: Count
    """The fewest clusters by which the recall that it was made for could be shown."""
    any_topic: PassingPositives
    topics: dict[str, PassingPositives]
    pair_f1: Share | None
    difference: BehindDifference | None
