"""The forms of an Arabic verb that news uses, from its dictionary form: third, first and plural persons, both aspects.

Sound verbs are derived from the perfect alone: فعل يفعل, أفعل يفعل, افتعل يفتعل, انفعل ينفعل, استفعل يستفعل, تفعّل يتفعّل.
Where that fails (weak roots, a written hamza) the entry gives both: "دعا/يدعو", "أكد/يؤكد". Clitics are not made here:
`naba.voting.rules.words.stems` takes them off.

    verb_forms("رفض")       # رفض رفضت رفضوا رفضا … يرفض ترفض نرفض ارفض يرفضون …
    verb_forms("دعا/يدعو")  # دعا دعت دعوا … يدعو تدعو يدعون …
"""

from naba.voting.rules.words import VERB, fold

_PERSONS = "يتنا"
_WEAK = frozenset("اىيو")
"""Letters that change with the ending; a written hamza (بدأ, سأل) is none of them."""


def verb_forms(entry: str) -> frozenset[str]:
    """Folded forms of "perfect" or "perfect/imperfect", marked as a verb's. Raises ValueError where it is neither."""
    perfect, slash, imperfect = (part.strip() for part in entry.partition("/"))
    if not perfect.isalpha() or len(perfect) < 2:
        raise ValueError(f"{entry!r} is no verb; write the third person, رفض, or both aspects, دعا/يدعو")
    if not slash:
        if perfect[-1] in _WEAK or (len(perfect) == 3 and perfect[1] == "ا"):
            raise ValueError(f"{entry!r} is a weak verb; write both aspects, as in دعا/يدعو")
        imperfect = "ي" + (perfect[1:] if fold(perfect).startswith("ا") and len(perfect) > 3 else perfect)
    if not imperfect.startswith("ي") or len(imperfect) < 3 or not imperfect.isalpha():
        raise ValueError(f"{entry!r}: the imperfect begins with ي, as in دعا/يدعو")
    return frozenset(VERB + form for form in _perfect(perfect) | _imperfect(imperfect))


def _perfect(perfect: str) -> set[str]:
    # A last weak letter falls before ت and the plural: دعا, دعت, دعوا; it shows as alef before a pronoun: نفى, نفاه.
    weak, form = perfect[-1] in _WEAK, fold(perfect)
    base = form[:-1] if weak else form
    forms = {form, *(base + end for end in ("ت", "تا", "وا", "و"))}
    return forms | ({base + "ا"} if weak else {form + end for end in ("ا", "نا")})


def _imperfect(imperfect: str) -> set[str]:
    stem = fold(imperfect)[1:]
    base = stem[:-1] if imperfect[-1] in _WEAK else stem
    ends = {stem, stem + "ان", stem + "ا", base + "ون", base + "وا", base + "و"}
    return {person + end for person in _PERSONS for end in ends}
