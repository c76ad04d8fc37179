"""Negation and supposition, word by word: the word in question is the first of هدنة, رفض, رافض."""

import pytest

from naba.voting.rules.scope import negated, supposed
from naba.voting.rules.words import Word, words_of


def target(text: str) -> tuple[tuple[Word, ...], int]:
    words = words_of(text)
    return words, next(
        place for place, word in enumerate(words) if any(part in word.form for part in ("هدن", "رفض", "رافض"))
    )


@pytest.mark.parametrize(
    "text",
    [
        "لم ترفض الحركة العرض",
        "لن يرفض الوفد العرض",
        "لا نرفض العرض",
        "وليس رفضا للعرض",
        "عاد الوفد دون هدنة",
        "من دون التوصل إلى هدنة",  # three words ahead
        "أعلن عدم رفض العرض",
        "موقف غير رافض للعرض",
        "فلا هدنة اليوم",
        "ليست هناك هدنة",
    ],
)
def test_negated(text: str) -> None:
    assert negated(*target(text))


@pytest.mark.parametrize(
    "text",
    [
        "رفضت الحركة العرض",
        "لا يزال يرفض العرض",  # "still"
        "ولا تزال ترفض العرض",
        "لا نريد إلا هدنة",  # taken back by an exception
        "لم يعد الوفد. هدنة قريبة",  # another sentence
        "إن لم يعد، رفضت الحركة",  # another clause
        "لم يعد الوفد بعد إلى قبول الهدنة",  # too far ahead
        "غير معلنة تلك الهدنة",  # غير reaches one word
    ],
)
def test_not_negated(text: str) -> None:
    assert not negated(*target(text))


@pytest.mark.parametrize(
    "text",
    [
        "إذا رفضت الحركة العرض",
        "ولو رفض الوفد",
        "ربما ترفض الحركة",
        "في حال رفض الحركة",
        "وفي حالة رفض الحركة",
        "ما لم ترفض الحركة",
        "قد يرفض الوفد",
        "من الممكن أن ترفض الحركة",
        "هل ترفض الحركة العرض؟",
        "إذا أعلن الوسطاء في المدينة هدنة",  # six words ahead
    ],
)
def test_supposed(text: str) -> None:
    assert supposed(*target(text))


@pytest.mark.parametrize(
    "text",
    [
        "قد رفضت الحركة العرض",  # قد + perfect affirms
        "لقد رفض الوفد العرض",
        "إذا عاد الوفد، رفضت الحركة",  # the comma ends the clause
        "إذا عاد الوفد فسترفض الحركة",  # the main clause answers the condition
        "لو عاد. رفضت الحركة",
        "إذا قام وفد المدينة الكبير كله اليوم في بيته عند رفض",  # too far ahead
    ],
)
def test_not_supposed(text: str) -> None:
    assert not supposed(*target(text))
