"""Markdown tables of cells that may hold anything.

lines += table(["topic", "F1"], [["oil", "0.500"]])
lines += set_table(calibration_table(report["trust"]))
"""

import re
from collections.abc import Sequence

from naba.evaluation.tables import Table


def escaped(text: str) -> str:
    """A text from outside on one line, that is neither HTML nor the end of a cell.

    What was escaped before stays as it is, and so does "< 0.001", which can begin no tag.
    """
    line = " ".join(text.split())
    line = re.sub(r"&(?!(?:amp|lt);)", "&amp;", line)
    line = re.sub(r"<(?! )", "&lt;", line)
    # A backslash before the bar would take the escape away.
    return re.sub(r"(\\*)\|", lambda found: 2 * found[1] + r"\|", line)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table and an empty line."""
    lines = ["| " + " | ".join(map(escaped, row)) + " |" for row in (head, *rows)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:], ""]


def set_table(it: Table, most: int | None = None) -> list[str]:
    """A page's table as Markdown, or its first `most` rows; its caption is for the caller to set."""
    return table([column.name for column in it.columns], [[cell.text for cell in row] for row in it.rows[:most]])
