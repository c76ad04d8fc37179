"""Conjugation by hand: what each dictionary form gives, and what it must not."""

import pytest

from naba.voting.rules.verbs import verb_forms
from naba.voting.rules.words import VERB


@pytest.mark.parametrize(
    ("entry", "forms"),
    [
        ("رفض", "رفض رفضت رفضوا رفضا رفضنا يرفض ترفض نرفض ارفض يرفضون يرفضوا يرفضان"),  # فعل
        ("أعلن", "اعلن اعلنت يعلن تعلن يعلنون"),  # أفعل: the alef falls
        ("اعتقل", "اعتقلت يعتقل يعتقلون"),  # افتعل
        ("انسحب", "انسحبوا ينسحب تنسحب"),  # انفعل
        ("استهدف", "استهدفت يستهدف تستهدف"),  # استفعل
        ("تعهد", "تعهدت يتعهد"),  # تفعّل keeps its ت
        ("طالب", "طالبت يطالب نطالب"),  # فاعل
        ("أمر", "امر امرت يامر"),  # three letters keep their hamza
        ("بدأ", "بدا بدات يبدا يبداون"),  # a written hamza is a sound letter
        ("دعا/يدعو", "دعا دعت دعوا يدعو تدعو يدعون يدعوا"),  # the last weak letter falls before ت and وا
        ("نفى/ينفي", "نفي نفت نفوا نفا ينفي ينفون"),  # نفا as in نفاه
        ("قال/يقول", "قال قالت قالوا يقول تقول يقولون"),
        ("أكد/يؤكد", "اكد اكدت يؤكد تؤكد"),
    ],
)
def test_forms(entry: str, forms: str) -> None:
    assert {VERB + form for form in forms.split()} <= verb_forms(entry)


def test_the_plural_before_a_pronoun_has_no_alef() -> None:
    assert VERB + "رفضو" in verb_forms("رفض")  # رفضوه


def test_every_form_is_marked_as_a_verb() -> None:
    # So that برفض, a noun with a preposition, is not taken for the verb.
    assert all(form.startswith(VERB) for form in verb_forms("رفض"))


@pytest.mark.parametrize("entry", ["دعا", "نفى", "قال", "رحب/رحب", "", "رفض 2", "/يدعو", "رفض/"])
def test_entries_that_cannot_be_conjugated_are_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r"verb|imperfect"):
        verb_forms(entry)
