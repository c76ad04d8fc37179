"""The ledger of a dataset: where every segment was placed, so that adding articles moves none.

A JSONL file: a first line that says how the split was made, then a line a segment, sorted. A segment is known by its
words, whatever their spelling and the file they come from; an article whose text was edited or cut otherwise, by its id.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from naba.config import SplitConfig
from naba.dataset.split import NOWHERE, PARTS
from naba.errors import DataError
from naba.jsonl import read_numbered, write_jsonl
from naba.records import LabelledSegment, segment_id
from naba.text import fold_spelling, normaliser

_FORMAT = 2
_NORMALISE = normaliser("standard-1")


@dataclass(frozen=True)
class Ledger:
    """What an earlier build placed."""

    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Text key → row: id, article, part."""
    articles: Mapping[str, int] = field(default_factory=dict)
    """Article id → part."""

    def part_of(self, item: LabelledSegment, key: str) -> int:
        """Where a segment, or else its article, was placed; NOWHERE if neither was."""
        row = self.rows.get(key)
        if row is not None:
            return PARTS.index(row["part"])
        return self.articles.get(item.segment.article_id or "", NOWHERE)

    def knows_article(self, item: LabelledSegment, key: str) -> bool:
        """Whether the segment's article is on record; of a segment that came alone, whether its text is."""
        return item.segment.article_id in self.articles if item.segment.article_id else key in self.rows


def text_key(text: str) -> str:
    """The same for texts of the same words, whatever their spelling and spacing."""
    return segment_id(fold_spelling(_NORMALISE(text)))


def read_ledger(path: Path, config: SplitConfig) -> Ledger:
    """The ledger; empty where there is none yet.

    Raises DataError for a file that is no ledger, or one of a split by other rules.
    """
    if not path.exists():
        return Ledger()
    lines = read_numbered(path)
    number, head = next(lines, (1, {}))
    if head.get("ledger") != _FORMAT:
        raise DataError(
            f"{path}:{number}: not a ledger that this version of naba reads; name another file under 'ledger'"
        )
    if head.get("split") != _rules(config):
        raise DataError(
            f"{path}: written for another split ({head.get('split')}); name another file under 'ledger', or remove this "
            "one to place everything anew"
        )
    rows: dict[str, Mapping[str, Any]] = {}
    articles: dict[str, int] = {}
    for number, row in lines:
        if not isinstance(row.get("id"), str) or row.get("part") not in PARTS:
            raise DataError(f"{path}:{number}: expected id and part ({', '.join(PARTS)}), got {row}")
        rows[row["id"]] = row
        if article := row.get("article"):
            articles[article] = max(articles.get(article, NOWHERE), PARTS.index(row["part"]))
    return Ledger(rows, articles)


def write_ledger(
    path: Path, earlier: Ledger, placed: Iterable[tuple[LabelledSegment, int]], config: SplitConfig
) -> None:
    """Write the earlier ledger with what was placed since, atomically."""
    rows = dict(earlier.rows)
    for item, part in placed:
        key = text_key(item.segment.text)
        rows.setdefault(key, {"id": key, "article": item.segment.article_id, "part": PARTS[part]})
    head: dict[str, Any] = {"ledger": _FORMAT, "split": _rules(config)}
    write_jsonl(path, [head, *(rows[key] for key in sorted(rows))])


def _rules(config: SplitConfig) -> dict[str, Any]:
    """What must stay the same for old placements to make sense; shares may change, they concern new segments only."""
    return config.model_dump(mode="json", exclude={"validation", "test", "weak_held_out"})
