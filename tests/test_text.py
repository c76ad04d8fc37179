import time

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


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        # Worked out with the family's own preprocess.py (bert-base-arabertv02).
        ("أكتوبر/تشرين الأول٢٠٢٣،قال", "أكتوبر - تشرين الأول 2023 ، قال"),
        ("المصدر: https://example.com/a?b=1 و www.example.org", "المصدر : [رابط] و [رابط]"),
        ("تابع example.com/x الآن", "تابع [رابط] الآن"),
        ("كتب @wazir اليوم", "كتب [مستخدم] اليوم"),
        ("للتواصل info@وزارة", "للتواصل [بريد]"),
        ("عاااااجل!!!!", "عااجل ! !"),
        ("نسبة 50٪&nbsp;من <b>المساعدات</b>", "نسبة 50 ٪ من المساعدات"),
        ("القناة i24NEWS وصلت 🚨 الساعة٩م", "القناة i24NEWS وصلت الساعة 9 م"),
    ],
)
def test_arabert_preset_2_does_all_that_its_family_does(text: str, normal: str) -> None:
    assert normaliser("arabert-v02-2")(text) == normal


def test_arbert_preset_names_links_mentions_and_hashtags() -> None:
    text = "قال @wazir: شاهدوا https://example.com/a #غزة_الآن"
    assert normaliser("arbert-1")(text) == "قال USER : شاهدوا URL HASHTAG"
    assert normaliser("arbert-1")("في ٧ تشرين، قُتل 3 أشخاص.") == "في 7 تشرين، قتل 3 أشخاص."


def test_preset_that_runs_are_stored_with_does_not_change() -> None:
    # Version 1 stays as it was: it knows neither links nor elongation, and parts digits from Latin letters too.
    text = "TV9: عاااجل https://example.com"
    assert normaliser("arabert-v02-1")(text) == "TV 9 : عاااجل https : - - example . com"


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_take_no_longer_for_strange_text(preset: str) -> None:
    started = time.process_time()
    for text in ("a" * 50_000, "a." * 25_000, "<" * 50_000, "@" * 50_000, "a@" * 25_000, "#" * 50_000, "&" * 50_000):
        normaliser(preset)(text)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    "text",
    ["<<a>b>", "<>", "a@@b", "@@", "https:/", "wwww.x", "htttp://x", "&amp;lt;b&amp;gt;", "/-/-/", "[رابط]", "##"],
)
def test_presets_are_idempotent_on_what_they_replace(preset: str, text: str) -> None:
    once = normaliser(preset)(text)
    assert normaliser(preset)(once) == once


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
