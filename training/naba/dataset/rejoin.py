"""Labels that are known by the hash of their text, put back to the texts: for data whose texts may not be passed on.

    found = rejoin(Path("data/read-labels.jsonl"), [Path("my-articles")], ReadConfig(), schema)

The articles are read, cut and masked as `naba build` does; a segment whose id is among the labels gets them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from naba.config import ReadConfig
from naba.corpus.mask import mask
from naba.corpus.readers import Rejected, read_articles
from naba.corpus.segments import segment_article
from naba.errors import DataError
from naba.jsonl import read_numbered
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment, segment_id
from naba.schema import LabelSchema


@dataclass(frozen=True)
class Rejoined:
    """Labels with their texts, in the order of the labels."""

    segments: list[LabelledSegment]
    missing: list[str]
    """Ids of labels whose text is in none of the articles."""


def rejoin(
    labels: Path, articles: Sequence[Path], config: ReadConfig, schema: LabelSchema, *, progress: Progress = SILENT
) -> Rejoined:
    """Find the texts of labels among the segments of articles.

    Args:
        labels: JSONL of rows with `id` and `labels`, and `source`, `annotator`, `readings` where known; no text.
        articles: files, folders and patterns.
        config: how they are read and cut: as when the labels were given, else the texts have other hashes.
        schema: of the labels.

    Raises DataError for rows without id or labels, and where not one text is found.
    """
    rows = _rows(labels)
    found: dict[str, dict[str, Any]] = {}
    with progress.task("articles", None, "articles") as advance:
        for article in read_articles(articles, config):
            advance(1, f"{len(found):,} of {len(rows):,} found")
            if isinstance(article, Rejected):
                continue
            for segment in segment_article(article, config.max_words):
                text = mask(segment.text)
                if (key := segment_id(text)) in rows and key not in found:
                    row = rows[key]
                    provenance = {
                        "source": row.get("source") or article.source,
                        "annotator": row.get("annotator"),
                        "licence": None,
                        "date": article.date,
                    }
                    place = {"article_id": article.id, "start": segment.start, "end": segment.end, "kind": segment.kind}
                    readings = {"readings": row["readings"]} if "readings" in row else {}
                    found[key] = {"id": key, **place, "text": text, "labels": row["labels"], "provenance": provenance}
                    found[key] |= readings
    if not found:
        raise DataError(
            f"{labels}: none of the {len(rows):,} texts is in these articles; are they the ones that were labelled, and cut "
            f"into segments of the same read.max_words ({config.max_words})?"
        )
    segments = [LabelledSegment.from_row(found[key], schema, f"{labels}: {key}") for key in rows if key in found]
    return Rejoined(segments, [key for key in rows if key not in found])


def _rows(path: Path) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for line, row in read_numbered(path):
        key = row.get("id")
        if not isinstance(key, str) or not isinstance(row.get("labels"), dict):
            raise DataError(f"{path}:{line}: no 'id' and 'labels'; expected labels by the hash of their text")
        rows[key] = row
    if not rows:
        raise DataError(f"{path}: no labels")
    return rows
