"""Where lexicons are found: endings, phrases, exceptions, lexicons in lexicons."""

from typing import Any

import pytest

from naba.voting.rules.lexicon import Lexicon, LexiconError, LexiconIndex, Span
from naba.voting.rules.words import words_of


def index(**lexicons: dict[str, Any]) -> LexiconIndex:
    return LexiconIndex({name: Lexicon.model_validate(value) for name, value in lexicons.items()})


def spans(text: str, **lexicon: Any) -> list[Span]:
    return index(x=lexicon).spans(words_of(text)).get("x", [])


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("غارة", "غارات"),
        ("غارة", "غارتين"),
        ("غارة", "وغارتهم"),
        ("هجوم", "هجوماً"),  # tanween
        ("هجوم", "الهجومين"),
        ("نازح", "للنازحين"),
        ("مساعدات", "بالمساعدات"),
        ("قصف", "وقصفها"),
    ],
)
def test_endings_and_clitics_are_matched(entry: str, text: str) -> None:
    assert spans(text, words=[entry]) == [(0, 1)]


@pytest.mark.parametrize(("entry", "text"), [("عدو", "عدوان"), ("سلام", "سلامة"), ("رد", "ردود"), ("حث", "بحثا")])
def test_other_words_are_not(entry: str, text: str) -> None:
    assert spans(text, words=[entry]) == []


def test_an_exact_entry_matches_that_spelling_alone() -> None:
    assert spans("مطالبين بالهدنة", words=["=مطالبين"]) == [(0, 1)]
    assert spans("والمطالبين بالهدنة", words=["=مطالبين"]) == []


def test_verbs_match_in_every_person_and_aspect() -> None:
    assert spans("رفضت وسيرفضون ولم ترفضه", verbs=["رفض"]) == [(0, 1), (1, 2), (3, 4)]
    assert spans("برفضهم", verbs=["رفض"]) == []  # the noun is an entry of its own


def test_a_phrase_matches_word_by_word_with_clitics() -> None:
    assert spans("دعا إلى وقف لإطلاق النار", words=["وقف إطلاق نار"]) == [(2, 5)]
    assert spans("دعا إلى وقف فوري لإطلاق النار", words=["وقف إطلاق نار"]) == []


def test_a_phrase_stays_in_its_sentence() -> None:
    assert spans("انتهى الوقف. إطلاق النار مستمر", words=["وقف إطلاق نار"]) == []


def test_a_phrase_may_begin_with_a_verb() -> None:
    assert spans("وانسحبوا من المحادثات", verbs=["انسحب من المحادثات"]) == [(0, 3)]


def test_a_phrase_at_the_end_of_a_text_is_found_whole_or_not_at_all() -> None:
    assert spans("وقف إطلاق", words=["وقف إطلاق نار"]) == []
    assert spans("وقف", words=["وقف إطلاق"]) == []


def test_a_find_that_touches_an_exception_does_not_count() -> None:
    war = {"words": ["حرب"], "except": ["الحرب على الفساد"]}
    assert spans("الحرب على الفساد", **war) == []
    assert spans("الحرب على الفساد والحرب على الحدود", **war) == [(3, 4)]


def test_included_lexicons_are_parts() -> None:
    lexicons = index(force={"includes": ["strike", "clash"]}, strike={"words": ["غارة"]}, clash={"words": ["اشتباك"]})
    assert lexicons.parts("force") == ("force", "strike", "clash")
    assert lexicons.spans(words_of("غارات واشتباكات")) == {"strike": [(0, 1)], "clash": [(1, 2)]}


def test_exceptions_hold_for_what_is_included_but_not_the_other_way_round() -> None:
    lexicons = index(
        all={"includes": ["strike"], "except": ["قصف إعلامي"]}, strike={"words": ["قصف"], "verbs": ["قصف"]}
    )
    assert lexicons.parts("all") == ("all",)
    assert lexicons.spans(words_of("قصف إعلامي")) == {"strike": [(0, 1)]}
    assert lexicons.spans(words_of("قصف مدفعي")) == {"strike": [(0, 1)], "all": [(0, 1)]}


@pytest.mark.parametrize(
    ("lexicons", "told"),
    [
        ({"a": {"words": [""]}}, "lexicon 'a', words: an entry is empty"),
        ({"a": {"words": ["وقف، إطلاق"]}}, None),  # punctuation at a word's end is harmless
        ({"a": {"words": ["،"]}}, "lexicon 'a', words: '،' is no word"),
        ({"a": {"words": ["و"]}}, "is no word"),
        ({"a": {"words": ["وقف/إطلاق"]}}, "is no word"),
        ({"a": {"verbs": ["دعا"]}}, "lexicon 'a', verbs: 'دعا' is a weak verb"),
        ({"a": {"except": [" "]}}, "lexicon 'a', except: an entry is empty"),
        ({"a": {"includes": ["b"]}}, "lexicon 'a' includes 'b', which no file of the folder defines"),
        ({"a": {"includes": ["b"]}, "b": {"includes": ["a"]}}, "includes itself"),
    ],
)
def test_entries_that_cannot_be_used_are_told(lexicons: dict[str, Any], told: str | None) -> None:
    if told is None:
        index(**lexicons)
        return
    with pytest.raises(LexiconError, match=told) as raised:
        index(**lexicons)
    assert raised.value.lexicon == "a"
