import re

import pytest

from naba.evaluation.markdown_table import escaped, set_table, table
from naba.evaluation.tables import Table, columns, number, words


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("two\nlines\t and  gaps ", "two lines and gaps"),
        ("a|b", r"a\|b"),
        (r"a\|b", r"a\\\|b"),
        ("<img src=x onerror=y>", "&lt;img src=x onerror=y>"),
        ("<!-- naba:end data -->", "&lt;!-- naba:end data -->"),
        ("R&D &amp; &lt;b> &copy;", "R&amp;D &amp; &lt;b> &amp;copy;"),
        ("< 0.001", "< 0.001"),
        ("\u2028|\x85", r"\|"),
    ],
)
def test_text_from_outside_stays_in_its_cell(text: str, safe: str) -> None:
    assert escaped(text) == safe
    assert table(["head"], [[text]]) == ["| head |", "|---|", f"| {safe} |", ""]


def test_heads_are_escaped_too() -> None:
    assert table(["a|b<c"], []) == [r"| a\|b&lt;c |", "|---|", ""]


def test_table_of_a_page_is_set_with_its_first_rows() -> None:
    it = Table("Topics", columns("topic", "F1"), [[words("oil"), number(0.5)], [words("<b>"), number(None)]])
    assert set_table(it) == ["| topic | F1 |", "|---|---|", "| oil | 0.500 |", "| &lt;b> | – |", ""]
    assert not re.search("<b", "".join(set_table(it, 1)))
