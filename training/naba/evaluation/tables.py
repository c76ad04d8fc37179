"""Tables of a report: cells with what they show and what they sort as; pages and Markdown are set from the same.

Table("Topics", (Column("topic", numeric=False), Column("F1")), [[words("oil"), number(0.5)]])
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from naba.evaluation.figures import HEADLINE, NONE, bracketed, figure, p_value, score_at, with_interval


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a table."""

    text: str
    order: float | None = None
    """What a number sorts as; None for words, and for a number that is missing."""
    tint: str = ""
    """"better", "worse" or none."""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading."""

    name: str
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """A table with its caption."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    heads: int = 1
    """So many cells at the start of a row say what the row is about."""
    left_out: int = 0
    """Rows that are in report.json alone."""


def pairs_first() -> list[str]:
    """The headline scores, the one that systems are ranked by before the others."""
    return sorted(HEADLINE, key=lambda path: path != "pairs.f1")


def columns(*names: str, words: int = 1) -> tuple[Column, ...]:
    """Headings, the first of words, the others of numbers."""
    return tuple(Column(name, numeric=place >= words) for place, name in enumerate(names))


def words(text: str, tint: str = "") -> Cell:
    """A cell of words."""
    return Cell(text, tint=tint)


def number(value: float | None, digits: int = 3) -> Cell:
    """A cell with a number, or a dash."""
    return Cell(figure(value, digits), value)


def chance(p: float | None) -> Cell:
    """A cell with a p-value."""
    return Cell(p_value(p), p)


def whole(value: int | None) -> Cell:
    """A cell with a count."""
    return Cell(NONE if value is None else f"{value:,}", value)


def signed(value: float | None, interval: Sequence[float] | None = None, tint: str = "") -> Cell:
    """A cell with a difference, and its interval if there is one."""
    if value is None:
        return Cell(NONE)
    return Cell(f"{value:+.3f}" + bracketed(interval), value, tint)


def estimate(part: Mapping[str, Any], path: str) -> Cell:
    """A cell with a score of a system and its interval; a dash for a system that has no such score."""
    value = score_at(part.get("scores"), path)
    return Cell(NONE) if value is None else Cell(with_interval(part, path), value)


def interval_at(part: Mapping[str, Any], path: str) -> Sequence[float] | None:
    """The interval of a system's score."""
    found: Sequence[float] | None = part.get("intervals", {}).get(path)
    return found
