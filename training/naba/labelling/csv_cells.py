"""Cells of a CSV that a spreadsheet takes for text: one that begins like a formula gets an apostrophe before it.

    table.writerows(map(text_cells, rows))         # {"title": "=1+1"} → {"title": "'=1+1"}

News is foreign text, and a spreadsheet runs a cell that begins so (OWASP, "CSV Injection"). Cells that begin with an
apostrophe before such a sign get one more, so that taking one away again always gives the text as it was. JSONL and
Parquet are never changed, and offsets are those of the text without the apostrophe.
"""

import re
from collections.abc import Mapping
from typing import Any

_LIKE_A_FORMULA = re.compile("'*[=+\\-@\t\r]")


def text_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its texts made safe; numbers stay numbers."""
    return {
        name: f"'{value}" if isinstance(value, str) and _LIKE_A_FORMULA.match(value) else value
        for name, value in row.items()
    }
