"""How a figure is written, the same in Markdown, on pages, in model cards and on the terminal.

figure(0.625), figure(None), p_value(0.0002)     # "0.625", "–", "< 0.001"
with_interval(part, "pairs.f1")                  # "0.625 [0.552, 0.695]"
"""

from collections.abc import Mapping, Sequence
from typing import Any

NONE = "–"
"""Where there is no number."""

HEADLINE = {
    "topics.macro_f1": "topic macro-F1",
    "stances.macro_f1": "stance macro-F1 given the topic",
    "pairs.f1": "(topic, stance) pair F1",
    "exact_match": "exact match",
}
"""What systems are compared by: path of the score → its name in a table."""


def figure(value: float | None, digits: int = 3) -> str:
    """A number, or a dash where there is none."""
    return NONE if value is None else f"{value:.{digits}f}"


def p_value(p: float | None) -> str:
    """A p-value, which is never 0: "< 0.001" below that."""
    return "< 0.001" if p is not None and p < 0.001 else figure(p)


def p_said(p: float | None) -> str:
    """A p-value in a sentence: "p = 0.004" or "p < 0.001"."""
    return f"p = {p_value(p)}".replace("= <", "<")


def share(value: float | None) -> str:
    """A share as a percentage."""
    return NONE if value is None else f"{100 * value:.1f}\N{NO-BREAK SPACE}%"


def bracketed(interval: Sequence[float] | None, digits: int = 3) -> str:
    """An interval as " [0.552, 0.695]", or nothing."""
    return f" [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]" if interval else ""


def score_at(scores: Mapping[str, Any] | None, path: str) -> Any:
    """The score with this dotted path; None where there is none."""
    value: Any = scores
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def with_interval(part: Mapping[str, Any], path: str) -> str:
    """A score of a system, as "0.625 [0.552, 0.695]"."""
    value = score_at(part.get("scores"), path)
    return NONE if value is None else figure(value) + bracketed(part["intervals"].get(path))


def met(rates: Mapping[str, Any]) -> bool:
    """Whether a class is in gold or was said: of any other, precision, recall and F1 are dashes, not 0."""
    return bool(rates["support"] or rates["predicted"])
