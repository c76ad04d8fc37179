"""Which periods and outlets a picture shows: as many as can be told apart, and what is left out is said.

Pictures show outlets one below the other over the same periods without a gap. A misread date (the year 2099) must not
press all others into one corner, so that of a longer time the part with most segments is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from naba.labelling.summarise.trends import Group, Trends, following, source_name

MOST_PERIODS = 156
"""Three years of weeks: more are too narrow to be seen."""


@dataclass(frozen=True)
class Outlet:
    """One line of a picture: an outlet, or all the smaller ones together."""

    name: str
    groups: tuple[Group | None, ...]
    """A group for each of the span's periods; None where it has no article."""
    total: Group
    """All its periods in the span together."""


@dataclass(frozen=True)
class Span:
    """Periods that follow each other, and the outlets in them."""

    starts: tuple[date, ...]
    end: date
    """First day after the last period."""
    outlets: tuple[Outlet, ...]
    """Those with most segments first, then the smaller ones as one."""
    merged: int
    """How many outlets that last one is made of; 0 where there is none."""
    segments_outside: int
    """Dated segments that are not in these periods."""

    @property
    def cells(self) -> int:
        """Values of one topic's picture."""
        return len(self.starts) * len(self.outlets)


def span_of(trends: Trends, outlets: int) -> Span | None:
    """What to draw of these counts; None where no article has a date.

    Args:
        outlets: so many outlets are shown one by one.
    """
    starts = _busiest(trends)
    if not starts:
        return None
    shown = frozenset(starts)
    ranked: dict[str | None, dict[date, Group]] = {source: {} for source, _ in trends.by_source()}
    outside = 0
    for (period, source), group in trends.groups.items():
        if period in shown:
            ranked[source][period] = group
        elif period:
            outside += group.segments
    named = [(source_name(source), groups) for source, groups in ranked.items() if groups]
    smaller = named[outlets:] if len(named) > outlets + 1 else []  # a single one is as well drawn as "other"
    lines = [_outlet(name, [groups], starts) for name, groups in named[: len(named) - len(smaller)]]
    if smaller:
        lines.append(_outlet(f"other ({len(smaller):,} together)", [groups for _, groups in smaller], starts))
    return Span(starts, following(starts[-1], trends.by), tuple(lines), len(smaller), outside)


def _outlet(name: str, parts: Sequence[dict[date, Group]], starts: Sequence[date]) -> Outlet:
    groups: list[Group | None] = []
    total = Group()
    for start in starts:
        found = [part[start] for part in parts if start in part]
        whole = Group() if found else None
        for group in found:
            whole.add(group)  # type: ignore[union-attr]
            total.add(group)
        groups.append(whole)
    return Outlet(name, tuple(groups), total)


def _busiest(trends: Trends) -> tuple[date, ...]:
    """The MOST_PERIODS periods in a row with most segments, the latest such; cut to those that begin and end with any."""
    segments: dict[date, int] = {}
    for (period, _), group in trends.groups.items():
        if period:
            segments[period] = segments.get(period, 0) + group.segments
    periods = sorted(segments)
    best: tuple[int, int, int] | None = None
    first = within = 0
    for last, period in enumerate(periods):
        within += segments[period]
        while _periods_between(periods[first], period, trends) >= MOST_PERIODS:
            within -= segments[periods[first]]
            first += 1
        if best is None or within >= best[0]:
            best = within, first, last
    if best is None:
        return ()
    starts = [periods[best[1]]]
    while starts[-1] < periods[best[2]]:
        starts.append(following(starts[-1], trends.by))
    return tuple(starts)


def _periods_between(first: date, last: date, trends: Trends) -> int:
    if trends.by == "month":
        return (last.year - first.year) * 12 + last.month - first.month
    return (last - first).days // (7 if trends.by == "week" else 1)
