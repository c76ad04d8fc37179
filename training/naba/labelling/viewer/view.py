"""What a page shows of labelled articles: their segments in order, in blocks that a browser can pass over, and what the
filters need to know.

    shown = gather(read_labelled(paths), limit=None)
    shown.articles, shown.index()
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from naba.errors import DataError
from naba.evaluation.page.visible import visible
from naba.labelling.labelled_files import LabelledRow
from naba.labelling.labelled_row import RowSegment

MOST_SEGMENTS = 50_000
"""Segments of a page: as many as open in seconds and scroll without a jerk on an ordinary machine."""
MOST_CHARACTERS = 40_000_000
"""Characters of all segments of a page."""
FIRST_PART = 3000
"""Characters of a segment that are shown at once; the rest opens on demand."""
BLOCK = 20
"""Segments that the browser lays out, or passes over, together."""


class Label(NamedTuple):
    """A topic that a segment has, with its stance, both by their places."""

    topic: int
    stance: int


class ShownSegment(NamedTuple):
    """A segment as it is written on the page."""

    text: str
    rest: str
    """What follows the part that is shown at once; empty for nearly all."""
    kind: str
    windows: int
    screened: bool
    """Whether the model never read it: the probabilities are those of a cascade's first stage."""
    labels: tuple[Label, ...]
    combination: str
    """The class that tints it; empty without topics."""


@dataclass(frozen=True, slots=True)
class ShownArticle:
    """An article as it is written on the page."""

    title: str
    date: str | None
    source: str | None
    link: str | None
    """Its address, where that is one of the web."""
    host: str
    parent: str | None
    """Id of the article that it was embedded in."""
    parent_place: int | None
    """That article's place on the page, if it stands before."""
    blocks: list[list[ShownSegment]]
    topics: list[tuple[int, int]]
    """Topics by place, and how many of the segments have each."""
    segments: int


@dataclass
class Shown:
    """All that a page shows."""

    articles: list[ShownArticle] = field(default_factory=list)
    topics: tuple[str, ...] = ()
    stances: tuple[str, ...] = ()
    combinations: dict[tuple[int, ...], str] = field(default_factory=dict)
    """Topics that stand together in some segment → the class that tints it."""
    segments: int = 0
    screened: int = 0
    """How many of the segments the model never read."""
    characters: int = 0
    more: bool = False
    """Whether the files hold articles beyond the limit."""
    answers: list[list[Any]] = field(default_factory=list)
    """A segment each: id, start, end, then per topic 1 + the stance's place (0: absent), probability, stances', in 1/10,000."""
    _places: dict[str, int] = field(default_factory=dict)

    @property
    def sources(self) -> dict[str | None, int]:
        """Sources with the number of their segments, by name; None, for articles that state none, last."""
        counts: Counter[str | None] = Counter()
        for article in self.articles:
            counts[article.source] += article.segments
        return dict(sorted(counts.items(), key=lambda one: (one[0] is None, one[0] or "")))

    def index(self) -> dict[str, Any]:
        """What the page's script filters by, as JSON; everything that it writes on the page is made visible."""
        places = {source: place for place, source in enumerate(self.sources)}
        return {
            "topics": [name(topic) for topic in self.topics],
            "stances": [name(stance) for stance in self.stances],
            "articles": [[places[one.source], one.date or "", one.segments] for one in self.articles],
            "answers": self.answers,
        }

    def add(self, row: LabelledRow) -> None:
        """Show one article more."""
        segments = [self._segment(segment) for segment in row.segments]
        counts = Counter(label.topic for segment in segments for label in segment.labels)
        link, host = web_address(row.url)
        self._places.setdefault(row.id, len(self.articles))
        self.articles.append(
            ShownArticle(
                title=(row.title or "").strip() or row.id,
                date=row.date,
                source=(row.source or "").strip() or None,
                link=link,
                host=host,
                parent=row.parent_id,
                parent_place=self._places.get(row.parent_id) if row.parent_id else None,
                blocks=[segments[start : start + BLOCK] for start in range(0, max(len(segments), 1), BLOCK)],
                topics=sorted(counts.items()),
                segments=len(segments),
            )
        )
        self.segments += len(segments)
        self.screened += sum(segment.screened for segment in segments)
        self.characters += characters(row)

    def _segment(self, segment: RowSegment) -> ShownSegment:
        if not self.topics:
            self.topics = tuple(segment.topics)
            self.stances = tuple(next(iter(segment.topics.values())).stance_probability) if segment.topics else ()
        labels, answer = [], [visible(segment.id), segment.start, segment.end]
        for place, topic in enumerate(self.topics):
            said = segment.topics[topic]
            stance = self.stances.index(said.stance) if said.stance is not None else -1
            if said.present:
                labels.append(Label(place, stance))
            shares = (said.probability, *(said.stance_probability[one] for one in self.stances))
            answer += [stance + 1, *(round(share * 10_000) for share in shares)]
        self.answers.append(answer)
        here = tuple(label.topic for label in labels)
        combination = self.combinations.setdefault(here, f"c{len(self.combinations)}") if here else ""
        text, rest = parted(segment.text)
        return ShownSegment(
            text, rest, segment.kind, segment.windows, segment.screened, tuple(labels), combination
        )  # fmt: skip


def gather(rows: Iterable[LabelledRow], limit: int | None = None) -> Shown:
    """The first `limit` articles, all where it is None.

    Raises DataError where there is none, or where they are more than a browser can show well.
    """
    shown = Shown()
    for row in rows:
        if limit is not None and len(shown.articles) == limit:
            shown.more = True
            break
        segments, size = shown.segments + len(row.segments), shown.characters + characters(row)
        if segments > MOST_SEGMENTS or size > MOST_CHARACTERS:
            held = f"{MOST_SEGMENTS:,} segments" if segments > MOST_SEGMENTS else f"{MOST_CHARACTERS:,} characters"
            fit = len(shown.articles)
            do = f"the first {fit:,} articles fit: pass --limit {fit}" if fit else "this article alone is larger"
            raise DataError(f"{row.where}: a page shows at most {held}; {do}, or name fewer files")
        shown.add(row)
    if not shown.articles:
        raise DataError(
            "nothing to show: the files hold no labelled article; name output of `naba label` that has some"
        )
    return shown


def characters(row: LabelledRow) -> int:
    """Characters of an article's segments."""
    return sum(len(segment.text) for segment in row.segments)


def parted(text: str, first: int = FIRST_PART) -> tuple[str, str]:
    """What of a text is shown at once, and the rest; parted between words where there are any."""
    if len(text) <= first:
        return text, ""
    end = max((space.start() for space in re.finditer(r"\s", text[:first])), default=0)
    end = end if end > first // 2 else first
    return text[:end], text[end:]


def web_address(url: str | None) -> tuple[str | None, str]:
    """An address to link to, with its host; (None, "") for anything that is no plain address of the web."""
    if not url or visible(url) != url:
        return None, ""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
    except ValueError:
        return None, ""
    return (url.strip(), host) if parts.scheme in ("http", "https") and host else (None, "")


def name(label: str) -> str:
    """A topic's or stance's id in words."""
    return visible(label.replace("_", " "))
