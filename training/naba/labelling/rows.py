"""A labelled article as one JSON object, and as flat rows of a table, one a segment and topic."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from naba.labelling.labeller import LabelledArticle
from naba.schema import LabelSchema


def article_row(labelled: LabelledArticle) -> dict[str, Any]:
    """A labelled article as one JSON object."""
    article = labelled.article
    row: dict[str, Any] = {
        "id": article.id,
        "title": article.title,
        "date": article.date,
        "source": article.source,
        "url": article.url,
    }
    if article.parent_id:
        row["parent_id"] = article.parent_id
    if article.keywords:
        row["keywords"] = list(article.keywords)
    row["segments"] = []
    for segment, prediction in labelled.segments:
        answer = prediction.to_dict()
        row["segments"].append(
            {"id": segment.id, "start": segment.start, "end": segment.end, "kind": segment.kind, "text": segment.text}
            | {key: value for key, value in answer.items() if key != "text"}
        )
    row["summary"] = summary(labelled)
    return row


def summary(labelled: LabelledArticle) -> dict[str, Any]:
    """Per topic that any segment has: how many segments, their share, and how many of each stance. Stances are not netted."""
    counts: dict[str, Counter[str]] = {}
    for _, prediction in labelled.segments:
        for topic, stance in prediction.present.items():
            counts.setdefault(topic, Counter())[stance] += 1
    total = len(labelled.segments)
    return {
        topic: {"segments": stances.total(), "share": round(stances.total() / total, 4), "stances": dict(stances)}
        for topic, stances in counts.items()
    }


def table_columns(schema: LabelSchema) -> list[str]:
    """Columns of the flat form."""
    fixed = [
        "article_id",
        "parent_id",
        "title",
        "date",
        "source",
        "url",
        "segment_id",
        "start",
        "end",
        "kind",
        "text",
        "windows",
        "screened",
    ]
    return [*fixed, "topic", "present", "probability", "stance", *(f"p_{stance}" for stance in schema.stance_ids)]


def table_rows(labelled: LabelledArticle) -> Iterator[dict[str, Any]]:
    """One row a segment and topic."""
    article = labelled.article
    about = {
        "article_id": article.id,
        "parent_id": article.parent_id,
        "title": article.title,
        "date": article.date,
        "source": article.source,
        "url": article.url,
    }
    for segment, prediction in labelled.segments:
        for topic, answer in prediction.topics.items():
            yield (
                about
                | {
                    "segment_id": segment.id,
                    "start": segment.start,
                    "end": segment.end,
                    "kind": segment.kind,
                    "text": segment.text,
                    "windows": prediction.windows,
                    "screened": int(prediction.screened),
                    "topic": topic,
                    "present": int(answer.present),
                    "probability": round(answer.probability, 4),
                    "stance": answer.stance,
                }
                | {f"p_{stance}": round(value, 4) for stance, value in answer.stance_probability.items()}
            )
