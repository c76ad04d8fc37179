import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naba.evaluation.behaviour.perturb import TRANSFORMATIONS
from naba.text import normaliser

SENTENCE = "قال الأمين إن «3 آلاف» أسرة في مدينة 1250 نزحت، وإن 14 منها عادت إلى القرى؛ عام 1998."


def change(name: str, text: str = SENTENCE, seed: int = 1) -> str:
    return TRANSFORMATIONS[name](text, random.Random(seed))


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_every_transformation_changes_a_sentence_the_same_way_each_time_and_keeps_it_arabic(name: str) -> None:
    changed = change(name)
    assert changed != SENTENCE
    assert changed == change(name)
    letters = [letter for letter in changed if unicodedata.category(letter) == "Lo"]
    assert letters and all(unicodedata.name(letter).startswith("ARABIC") for letter in letters)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("hamza_dropped", "أعلن إن آخر مسؤول", "اعلن ان اخر مسؤول"),
        ("final_yaa_undotted", "في وادي النيل: يبني", "فى وادى النيل: يبنى"),
        ("alef_maqsura_dotted", "على مستوى", "علي مستوي"),
        ("taa_marbuta_undotted", "مدينة غزة.", "مدينه غزه."),
        ("arabic_indic_digits", "في 2024", "في ٢٠٢٤"),
        ("persian_digits", "في 2024", "في ۲۰۲۴"),
        ("persian_letters", "كريم", "کریم"),
        ("quotes_exchanged", "قال «نعم».", 'قال "نعم".'),
        ("quotes_exchanged", 'قال "نعم".', "قال «نعم»."),
        ("final_stop_exchanged", "عاد.", "عاد"),
        ("final_stop_exchanged", "عاد", "عاد."),
        ("commas_exchanged", "أولا، ثانيا؛ ثالثا", "أولا؛ ثانيا، ثالثا"),
        ("latin_commas", "أولا، ثانيا؛ ثالثا", "أولا, ثانيا; ثالثا"),
        ("commas_dropped", "أولا، ثانيا؛ ثالثا", "أولا ثانيا ثالثا"),
    ],
)
def test_spelling_and_punctuation(name: str, before: str, after: str) -> None:
    assert change(name, before) == after


@pytest.mark.parametrize("name", ["diacritics", "sparse_diacritics", "tatweel", "direction_marks", "spaces_widened"])
@pytest.mark.parametrize("seed", range(5))
def test_marks_alone_are_added(name: str, seed: int) -> None:
    assert normaliser("standard-1")(change(name, seed=seed)) == SENTENCE


@given(st.integers(0, 10**9), st.integers(0, 50))
def test_a_changed_number_keeps_its_grammatical_class(number: int, seed: int) -> None:
    before, after = str(number), change("numbers_changed", f"نحو {number} طن", seed).split()[1]
    assert len(after) == len(before)
    if len(before) > 2:
        assert after[-2:] == before[-2:]  # the counted noun hangs on them
        assert (after == before) == (len(before) == 4 and before[:2] in ("19", "20"))  # a year stays
    elif number < 3 or number == 10:
        assert after == before or number == 10
    else:
        assert after != before
        assert (3 <= int(after) <= 9) == (number <= 9)


def test_a_number_with_separators_stays() -> None:
    assert change("numbers_changed", "سعره 1,250.75 دولار") == "سعره 1,250.75 دولار"


@given(st.integers(0, 200))
def test_a_slip_of_the_keyboard_exchanges_two_letters_of_a_long_word(seed: int) -> None:
    after = change("letters_exchanged", "لن تقبل المفاوضات", seed)
    assert after.startswith("لن تقبل ")
    assert sorted(after) == sorted("لن تقبل المفاوضات")
    assert sum(a != b for a, b in zip(after, "لن تقبل المفاوضات", strict=True)) in (0, 2)


@pytest.mark.parametrize("name", TRANSFORMATIONS)
@pytest.mark.parametrize("text", ["", " ", "a", "؟", "«", "١٢", "🙂"])
def test_odd_texts_break_nothing(name: str, text: str) -> None:
    assert isinstance(change(name, text), str)
