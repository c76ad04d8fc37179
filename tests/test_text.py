import pytest
from hypothesis import given
from hypothesis import strategies as st

from naba.errors import ConfigError
from naba.text import PRESETS, normaliser, plain_digits


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("قُتِلَ", "قتل"),
        ("الخارجیة الأمیرکی", "الخارجية الأميركي"),
        ("عـــاجل", "عاجل"),
        ("١٢ و۳۴", "12 و34"),
        ("من\u00a0هنا \u200fإلى\u200b هناك\n", "من هنا إلى هناك"),
    ],
)
def test_standard_preset_removes_what_does_not_change_the_words(text: str, normal: str) -> None:
    assert normaliser("standard-1")(text) == normal


def test_arabert_preset_follows_its_family() -> None:
    # v02: "/" becomes "-", digits plain, spaces round digits and punctuation.
    assert normaliser("arabert-v02-1")("أكتوبر/تشرين الأول٢٠٢٣،قال") == "أكتوبر - تشرين الأول 2023 ، قال"


@pytest.mark.parametrize("preset", PRESETS)
@given(text=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=0x6FF)))
def test_presets_are_idempotent_and_leave_no_outer_space(preset: str, text: str) -> None:
    once = normaliser(preset)(text)
    assert normaliser(preset)(once) == once
    assert once == once.strip()


@given(text=st.text())
def test_plain_digits_keeps_the_length(text: str) -> None:
    assert len(plain_digits(text)) == len(text)


def test_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="standard-1"):
        normaliser("camel")
