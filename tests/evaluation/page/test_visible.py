from hypothesis import given
from hypothesis import strategies as st

from naba.evaluation.page.visible import cut, visible


def test_characters_that_steer_others_are_shown_by_number() -> None:
    assert visible("a\u202eb\u2066c\u2069\x00\ud800\ufeff") == "a⟦U+202E⟧b⟦U+2066⟧c⟦U+2069⟧⟦U+0000⟧⟦U+D800⟧⟦U+FEFF⟧"


def test_arabic_with_its_marks_joiners_and_lines_stays_as_it_is() -> None:
    text = "قالَ\u200f: \u200eNATO\u061c\nمی\u200cخواهم\tهـ"
    assert visible(text) == text


def test_carriage_returns_are_left_out() -> None:
    assert visible("a\r\nb") == "a\nb"


@given(st.text(st.characters(exclude_categories=())))
def test_anything_can_be_written_to_a_file_afterwards(text: str) -> None:
    shown = visible(text)
    shown.encode()
    assert visible(shown) == shown


def test_cut_says_that_there_was_more() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
