"""Tokens, folding, clitics, sentences and quotation, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naba.voting.rules.words import VERB, stems, words_of


@pytest.mark.parametrize(
    ("form", "stem"),
    [
        ("والغارات", "غارات"),  # و + ال
        ("وبالغارات", "غارات"),  # و + ب + ال
        ("فالقصف", "قصف"),
        ("للهدنة", "هدنه"),  # ل + ال; ة is folded at the end
        ("للاجئين", "لاجئين"),  # ل + اللاجئين loses one lam: only ل is stripped
        ("كالقذائف", "قذائف"),
        ("بقصف", "قصف"),
        ("لقصفهم", "قصف"),  # ل … هم
        ("غاراتها", "غارات"),
        ("غارتهم", "غاره"),  # ت before a pronoun is the ة of غارة
        ("لقائه", "لقاء"),  # ئ before a pronoun is the ء of لقاء
        ("مفاوضاتنا", "مفاوضات"),
        ("ولا", "لا"),  # of two letters only a particle is left
        ("فلن", "لن"),
    ],
)
def test_clitics_of_nouns_come_off(form: str, stem: str) -> None:
    assert stem in stems(form)


@pytest.mark.parametrize(
    ("form", "stem"),
    [
        ("سيرفض", "يرفض"),  # future س
        ("وستقصف", "تقصف"),
        ("ليبحث", "يبحث"),  # ل of purpose
        ("رفضته", "رفضت"),
        ("يقصفونها", "يقصفون"),
    ],
)
def test_clitics_of_verbs_come_off(form: str, stem: str) -> None:
    assert VERB + stem in stems(form)


@pytest.mark.parametrize(
    ("form", "nonsense"),
    [
        ("وفد", "فد"),  # two letters are no word
        ("سلامة", "سلام"),  # ة is no pronoun
        ("بحثا", VERB + "حثا"),  # a verb has no preposition
        ("سلاح", VERB + "لاح"),  # س stands before an imperfect only
        ("الهدنه", "هدن"),  # a word with the article has no pronoun
    ],
)
def test_over_stripping_is_avoided(form: str, nonsense: str) -> None:
    assert nonsense not in stems(form)


def test_spelling_is_folded_for_matching() -> None:
    # Diacritics and tatweel fall, hamza on alef and alef maqsura are folded, ة stays until the stems are made.
    assert [word.form for word in words_of("أُصيبَ الجـــرحى إلى آخرِ الهدنة")] == [
        "اصيب",
        "الجرحي",
        "الي",
        "اخر",
        "الهدنة",
    ]


def test_words_are_letters_and_numbers_without_punctuation() -> None:
    assert [word.form for word in words_of("قُتل 1.250 شخصاً (بينهم ٣ أطفال) #غزة_الآن")] == [
        "قتل",
        "1.250",
        "شخصا",
        "بينهم",
        "3",
        "اطفال",
        "غزة",
        "الان",
    ]


def test_a_conjunction_written_apart_is_left_out() -> None:
    assert [word.form for word in words_of("و قال و أضاف")] == ["قال", "اضاف"]


def test_sentences_and_clauses_are_counted() -> None:
    words = words_of("قال الوزير: نعم، سنذهب. ثم عاد")
    assert [word.sentence for word in words] == [0, 0, 0, 0, 1, 1]
    assert [word.clause for word in words] == [0, 0, 1, 2, 3, 3]


@pytest.mark.parametrize(
    "text",
    ["قال «لا هدنة» ومضى", 'قال "لا هدنة" ومضى', "قال “لا هدنة” ومضى", "قال ”لا هدنة“ ومضى", "قال »لا هدنة« ومضى"],
)
def test_quoted_words_are_marked_whichever_way_the_marks_point(text: str) -> None:
    assert [word.quoted for word in words_of(text)] == [False, True, True, False]


def test_a_mark_that_is_never_closed_quotes_nothing() -> None:
    assert not any(word.quoted for word in words_of('قال "لا هدنة ومضى'))
    assert [word.quoted for word in words_of('"نعم" قال "لا')] == [True, False, False]


def test_marks_within_marks_keep_the_outer_quotation() -> None:
    assert [word.quoted for word in words_of('قال «إن "الهدنة" بعيدة» ومضى')] == [False, True, True, True, False]


@given(st.text(max_size=200))
def test_any_text_can_be_split_and_stemmed(text: str) -> None:
    for word in words_of(text):
        assert any(not stem.startswith(VERB) for stem in stems(word.form))
