"""The two tables of a summary as CSV: articles.csv as the articles stream by, trends.csv when all are counted.

articles.csv has a row an article and topic (an article without any has one row, its topic empty); trends.csv a row a
period, source and topic, also where no segment has the topic. Shares have four digits and are empty where there is nothing
to have a share of. Texts that begin like a formula get an apostrophe (`naba.labelling.csv_cells`).
"""

import csv
from collections.abc import Iterator, Sequence
from typing import IO, Any

from naba.labelling.csv_cells import text_cells
from naba.labelling.labelled_row import LabelledRow
from naba.labelling.summarise.article_topics import ArticleTopic
from naba.labelling.summarise.shares import Share
from naba.labelling.summarise.trends import Trends, one_line, period_name, source_name

TIE = "|"
"""Joins stances that tie; no id has it."""
NO_START = "-"
"""Start of a segment that is not in the article's text: a headline that came in a field of its own."""

_ARTICLE = ("article_id", "parent_id", "title", "date", "source", "url", "segments")
_TOPIC = ("topic", "topic_segments", "topic_share", "stance", "confidence")
_EVIDENCE = ("evidence_ids", "evidence_starts")


def article_columns(stances: Sequence[str]) -> list[str]:
    """Columns of articles.csv; `n_…` counts a stance's segments."""
    return [*_ARTICLE, *_TOPIC, *(f"n_{stance}" for stance in stances), *_EVIDENCE]


def article_rows(row: LabelledRow, topics: Sequence[ArticleTopic], stances: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of an article; columns that are left out are empty."""
    article = {
        "article_id": row.id,
        "parent_id": row.parent_id,
        "title": one_line(row.title),
        "date": row.date,
        "source": one_line(row.source),
        "url": one_line(row.url),
        "segments": len(row.segments),
    }
    article = text_cells(article)
    if not topics:
        yield article | {"topic_segments": 0}
    for found in topics:
        yield (
            article
            | text_cells(
                {
                    "topic": found.topic,
                    "stance": TIE.join(found.dominant),
                    "evidence_ids": " ".join(segment.id for segment in found.evidence),
                }
            )
            | {
                "topic_segments": found.segments,
                "topic_share": round(found.share, 4),
                "confidence": None if found.confidence is None else round(found.confidence, 4),
                "evidence_starts": " ".join(
                    NO_START if segment.start is None else str(segment.start) for segment in found.evidence
                ),
            }
            | {f"n_{stance}": found.stances.get(stance, 0) for stance in stances}
        )


def trend_columns(stances: Sequence[str]) -> list[str]:
    """Columns of trends.csv; `low_…` and `high_…` are the ends of the 95 % interval of `share_…`."""
    topic = ["topic_segments", "topic_articles", "topic_share", "topic_low", "topic_high"]
    of_stances = [f"{part}_{stance}" for stance in stances for part in ("n", "share", "low", "high")]
    return ["period", "source", "topic", "segments", "articles", *topic, *of_stances]


def trend_rows(trends: Trends) -> Iterator[dict[str, Any]]:
    """The rows by period, source and topic."""
    for key in trends.in_order():
        group = trends.groups[key]
        for topic in trends.topics:
            counts = group.topic(topic)
            row: dict[str, Any] = {
                "period": period_name(key[0], trends.by),
                "source": source_name(key[1]),
                "topic": topic,
                "segments": group.segments,
                "articles": group.articles,
                "topic_segments": counts.segments,
                "topic_articles": counts.articles,
            }
            row |= {f"topic_{part}": value for part, value in _share(group.share_of(topic)).items()}
            for stance in trends.stances:
                of_stance = {"n": counts.stances[stance], **_share(counts.share_of(stance))}
                row |= {f"{part}_{stance}": value for part, value in of_stance.items()}
            yield text_cells(row)


def table_writer(file: IO[str], columns: Sequence[str]) -> "csv.DictWriter[str]":
    """A CSV with its head written; a byte order mark tells spreadsheets that it is UTF-8."""
    file.write("\ufeff")
    table = csv.DictWriter(file, columns, lineterminator="\n")
    table.writeheader()
    return table


def _share(share: Share) -> dict[str, float | None]:
    low, high = share.interval or (None, None)
    values = {"share": share.value, "low": low, "high": high}
    return {part: None if value is None else round(value, 4) for part, value in values.items()}
