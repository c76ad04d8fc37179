"""What the template of a summary's page is given: words and tables; the pictures are added to them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from naba import __version__
from naba.evaluation.figures import NONE, figure
from naba.evaluation.figures import share as percent
from naba.evaluation.page.visible import cut, visible
from naba.evaluation.tables import Cell, Column, Table, columns, whole, words
from naba.labelling.labelled_row import LabelledRow
from naba.labelling.summarise.article_topics import ArticleTopic
from naba.labelling.summarise.pictures import FEW
from naba.labelling.summarise.shares import Share
from naba.labelling.summarise.span import Span
from naba.labelling.summarise.tables import TIE
from naba.labelling.summarise.trends import Group, Key, Trends, period_name, source_name

SHOWN_ARTICLES, SHOWN_TRENDS, SHOWN_OUTLETS = 20, 30, 50
"""Rows that the page has of each table."""
MOST_TOPICS = 8
"""Topics that have a section of their own, those with most segments."""
_MOST_CELLS = 6000
"""Values in all pictures together; one takes about 370 bytes of the page."""
_TITLE = 90
_PERIODS = {"day": "days", "week": "weeks", "month": "months"}
_PERIOD = {"day": "day", "week": "week of (Monday)", "month": "month"}


@dataclass
class Summary:
    """What a summary was made of, and its counts."""

    files: list[str]
    """Names of the files that were read."""
    unfinished: list[str]
    """Folders of jobs that are not finished."""
    trends: Trends
    outlets: int
    """So many outlets are drawn one by one."""
    embedded: int = 0
    """Articles that stand on another's page."""
    without_topic: int = 0
    """Articles of which no segment has a topic."""
    screened: int = 0
    """Segments that a cascade's first stage kept from the model."""
    article_rows: int = 0
    """Rows of articles.csv."""
    first: list[tuple[LabelledRow, ArticleTopic]] = field(default_factory=list)
    """The first SHOWN_ARTICLES rows of articles.csv that have a topic."""

    @property
    def trend_rows(self) -> int:
        """Rows of trends.csv."""
        return len(self.trends.groups) * len(self.trends.topics)

    def add(self, row: LabelledRow, topics: Sequence[ArticleTopic]) -> None:
        """Count an article."""
        self.trends.add(row, topics)
        self.embedded += row.parent_id is not None
        self.without_topic += not topics
        self.screened += sum(segment.screened for segment in row.segments)
        self.article_rows += len(topics) or 1
        room = SHOWN_ARTICLES - len(self.first)
        self.first += [(row, found) for found in topics[:room]]


def summary_view(summary: Summary, span: Span | None) -> dict[str, Any]:
    """The variables of summary.html.j2, but for the pictures."""
    trends = summary.trends
    whole_group = trends.total()
    undated = trends.total(key for key in trends.groups if key[0] is None)
    nameless = trends.total(key for key in trends.groups if key[1] is None)
    sources = trends.by_source()
    periods = trends.periods()
    shown = shown_topics(trends)
    return {
        "summary": summary,
        "whole": whole_group,
        "undated": undated,
        "nameless": nameless,
        "sources": sum(source is not None for source, _ in sources),
        "first_period": period_name(periods[0], trends.by) if periods else None,
        "last_period": period_name(periods[-1], trends.by) if periods else None,
        "periods": f"{len(periods):,} {_PERIODS[trends.by] if len(periods) != 1 else trends.by}",
        "by": trends.by,
        "topics_table": _topics_table(trends, whole_group),
        "outlet_tables": [_outlets_table(trends, topic, sources) for topic in shown],
        "left_out_topics": len(trends.topics) - len(shown),
        "latest": _latest_table(trends),
        "articles": _articles_table(summary),
        "topic_names": shown,
        "entries": _contents(shown, dated=bool(periods)),
        "period_word": _PERIODS[trends.by],
        "picture_caption": _caption(trends, span) if span else "",
        "poles": trends.stances[:2],
        "TIE": TIE,
        "version": __version__,
    }


def _contents(shown: Sequence[str], *, dated: bool) -> list[tuple[str, str]]:
    entries = [("read", "How to read this"), ("topics", "Topics")]
    entries += [(f"topic-{number}-part", topic) for number, topic in enumerate(shown, start=1)]
    return [*entries, *([("latest", "Newest periods")] if dated else []), ("articles", "Articles")]


def _caption(trends: Trends, span: Span) -> str:
    """What a picture shows, and what it does not."""
    said = ["Left: the share of all segments, with its interval. Right: the stances within the topic"]
    if len(trends.stances) > 1:
        said[0] += f", {trends.stances[0]} from below and {trends.stances[1]} from above"
    said[0] += f"; pale where a {trends.by} has fewer than {FEW} such segments, empty where it has none."
    if span.merged:
        said.append(f"The {span.merged:,} outlets with fewest segments are drawn as one, “other”.")
    if span.segments_outside:
        first, last = (period_name(span.starts[place], trends.by) for place in (0, -1))
        said.append(
            f"Drawn are {first} to {last}; {span.segments_outside:,} segments of other {_PERIODS[trends.by]} are in the tables"
            + ("." if trends.by == "month" else ", and --by month draws more.")
        )
    return " ".join(said)


def shown_topics(trends: Trends, most: int = MOST_TOPICS) -> list[str]:
    """The topics with most segments, in the schema's order."""
    total = trends.total()
    ranked = sorted(trends.topics, key=lambda topic: -total.topic(topic).segments)[:most]
    return [topic for topic in trends.topics if topic in ranked]


def drawn_topics(trends: Trends, span: Span | None) -> list[str]:
    """Those that get a picture: as many as keep the page small enough to be opened at once, but always one."""
    return shown_topics(trends, min(MOST_TOPICS, max(1, _MOST_CELLS // span.cells))) if span else []


def _topics_table(trends: Trends, group: Group) -> Table:
    rows = [[words(topic), *_topic_cells(trends.stances, group, topic)] for topic in trends.topics]
    return Table("Topics in all articles", (*columns("topic"), *_topic_columns(trends.stances)), rows)


def _outlets_table(trends: Trends, topic: str, sources: Sequence[tuple[str | None, Group]]) -> Table:
    shown = sources[:SHOWN_OUTLETS]
    rows = [
        [words(source_name(source)), whole(group.segments), *_topic_cells(trends.stances, group, topic)]
        for source, group in shown
    ]
    head = (*columns("outlet", "all segments"), *_topic_columns(trends.stances))
    of = f" (the {len(shown)} largest of {len(sources):,} outlets)" if len(shown) < len(sources) else ""
    return Table(f"{visible(topic)}: outlets, all periods together{of}", head, rows)


def _latest_table(trends: Trends) -> Table:
    """The end of trends.csv, the newest period first."""
    by_period: dict[date, list[Key]] = {}
    for key in trends.in_order():
        if key[0]:
            by_period.setdefault(key[0], []).append(key)
    rows: list[list[Cell]] = []
    for period in sorted(by_period, reverse=True):
        for key in by_period[period]:
            group = trends.groups[key]
            for topic in trends.topics:
                names = [words(period_name(period, trends.by)), words(source_name(key[1])), words(topic)]
                rows.append([*names, whole(group.segments), *_topic_cells(trends.stances, group, topic)])
        if len(rows) >= SHOWN_TRENDS:
            break
    head = (*columns(_PERIOD[trends.by], "outlet", "topic", "all segments", words=3), *_topic_columns(trends.stances))
    return Table("The newest rows of trends.csv", head, rows[:SHOWN_TRENDS], heads=3)


def _topic_columns(stances: Iterable[str]) -> tuple[Column, ...]:
    named = ("articles with it", "segments with it", "share", *(f"of these: {stance}" for stance in stances))
    return columns(*named, words=0)


def _topic_cells(stances: Sequence[str], group: Group, topic: str) -> list[Cell]:
    counts = group.topic(topic)
    shares = [group.share_of(topic), *(counts.share_of(stance) for stance in stances)]
    return [whole(counts.articles), whole(counts.segments), *map(_share_cell, shares)]


def _share_cell(share: Share) -> Cell:
    if share.interval is None:
        return Cell(NONE)
    low, high = (100 * end for end in share.interval)
    return Cell(f"{percent(share.value)} [{low:.1f}, {high:.1f}]", share.value)


def _articles_table(summary: Summary) -> Table:
    rows = []
    for row, found in summary.first:
        counts = ", ".join(
            f"{stance} {found.stances[stance]:,}" for stance in summary.trends.stances if stance in found.stances
        )
        rows.append(
            [
                words(cut(row.title or row.id, _TITLE)),
                words(row.source or NONE),
                words(found.topic),
                Cell(row.date or NONE, date.fromisoformat(row.date).toordinal() if row.date else None),
                Cell(f"{found.segments:,} of {len(row.segments):,}", found.share),
                Cell(percent(found.share), found.share),
                words(TIE.join(found.dominant)),
                Cell(figure(found.confidence, 2), found.confidence),
                words(counts),
            ]
        )
    head = (
        *columns("article", "outlet", "topic", "date", "segments with it", "share", words=3),
        *columns("stance", "confidence"),
        *columns("segments by stance"),
    )
    return Table("The first rows of articles.csv that have a topic", head, rows)
