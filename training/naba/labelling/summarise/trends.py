"""Counts of segments by period, source and topic, kept while articles stream by: memory grows with the groups alone.

trends = Trends("week")
trends.add(row, article_topics(row))
trends.groups[date(2024, 5, 27), "…"].topics["diplomacy"].stances["support"]
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

from naba.labelling.labelled_row import LabelledRow
from naba.labelling.summarise.article_topics import ArticleTopic
from naba.labelling.summarise.shares import Share

By = Literal["day", "week", "month"]

UNDATED, UNKNOWN_SOURCE = "undated", "unknown source"
"""What groups are called that have no day, or no source."""

Key = tuple[date | None, str | None]
"""First day of the period, and source."""


@dataclass(slots=True)
class TopicCounts:
    """What segments with a topic add up to."""

    articles: int = 0
    """Articles with at least one such segment."""
    segments: int = 0
    stances: Counter[str] = field(default_factory=Counter)
    """Stance → segments."""

    def share_of(self, stance: str) -> Share:
        """Of the topic's segments, those with this stance."""
        return Share(self.stances[stance], self.segments)


@dataclass(slots=True)
class Group:
    """The articles of one period and source, or of several."""

    articles: int = 0
    segments: int = 0
    topics: dict[str, TopicCounts] = field(default_factory=dict)

    def topic(self, name: str) -> TopicCounts:
        """Counts of a topic; zeros where no segment has it."""
        return self.topics.get(name) or TopicCounts()

    def share_of(self, topic: str) -> Share:
        """Of all segments, those with the topic."""
        return Share(self.topic(topic).segments, self.segments)

    def add(self, other: "Group") -> None:
        """Count another group's articles in this one too."""
        self.articles += other.articles
        self.segments += other.segments
        for name, counts in other.topics.items():
            mine = self.topics.setdefault(name, TopicCounts())
            mine.articles += counts.articles
            mine.segments += counts.segments
            mine.stances.update(counts.stances)


class Trends:
    """Groups by period and source."""

    def __init__(self, by: By) -> None:
        self.by: By = by
        self.topics: tuple[str, ...] = ()
        """Topics in the schema's order; empty until the first segment."""
        self.stances: tuple[str, ...] = ()
        self.groups: dict[Key, Group] = {}

    def add(self, row: LabelledRow, topics: Sequence[ArticleTopic]) -> None:
        """Count an article."""
        if not self.topics and row.segments:
            first = row.segments[0].topics
            self.topics = tuple(first)
            self.stances = tuple(next(iter(first.values())).stance_probability)
        day = date.fromisoformat(row.date) if row.date else None
        key = (period_of(day, self.by) if day else None, one_line(row.source))
        group = self.groups.setdefault(key, Group())
        group.articles += 1
        group.segments += len(row.segments)
        for found in topics:
            counts = group.topics.setdefault(found.topic, TopicCounts())
            counts.articles += 1
            counts.segments += found.segments
            counts.stances.update(found.stances)

    def in_order(self) -> list[Key]:
        """By period, then by source; those without come last."""
        return sorted(self.groups, key=lambda key: (_last(key[0]), _last(key[1])))

    def total(self, keys: Iterable[Key] | None = None) -> Group:
        """Several groups as one; all where none are named."""
        whole = Group()
        for key in self.groups if keys is None else keys:
            whole.add(self.groups[key])
        return whole

    def by_source(self) -> list[tuple[str | None, Group]]:
        """All periods together: the sources, the one with most segments first."""
        found: dict[str | None, Group] = {}
        for key in self.in_order():
            found.setdefault(key[1], Group()).add(self.groups[key])
        return sorted(found.items(), key=lambda item: (-item[1].segments, _last(item[0])))

    def periods(self) -> list[date]:
        """The periods of which there is any article, in order."""
        return sorted({period for period, _ in self.groups if period})


def period_of(day: date, by: By) -> date:
    """First day of the day's period; of a week its Monday, as ISO 8601 has it."""
    if by == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if by == "month" else day


def following(period: date, by: By) -> date:
    """First day of the next period; the last day there is, at the end of time."""
    try:
        if by == "month":
            return (period.replace(day=28) + timedelta(days=4)).replace(day=1)
        return period + timedelta(days=7 if by == "week" else 1)
    except OverflowError:
        return date.max


def period_name(period: date | None, by: By) -> str:
    """As tables have it: a month as 2024-05, a day, or the Monday of a week, as 2024-05-27."""
    if period is None:
        return UNDATED
    return period.isoformat()[:7] if by == "month" else period.isoformat()


def source_name(source: str | None) -> str:
    """A source, or what stands for none."""
    return UNKNOWN_SOURCE if source is None else source


def one_line(text: str | None) -> str | None:
    """A text with single spaces for all white space; None for nothing."""
    return " ".join((text or "").split()) or None


def _last(value: date | str | None) -> tuple[bool, Any]:
    """Sorts None after all others."""
    return value is None, "" if value is None else value
