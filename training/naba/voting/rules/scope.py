"""Negation and supposition: which words stand in their reach.

A negating particle (لم، لن، ليس، عدم، دون …) reaches a few words ahead in its clause, unless an exception (إلا) takes it
back, and unless it belongs to "لا يزال" and its like, which affirm. A supposition (إذا، لو، ربما، في حال، قد + imperfect)
reaches to the end of its clause, or to the main clause that answers it (فـ).
"""

import re
from collections.abc import Sequence

from naba.voting.rules.words import Word

_NEGATIONS = {
    **dict.fromkeys(("لم", "لن", "لا", "ليس", "ليست", "ليسوا", "لسنا", "لست"), 3),
    **dict.fromkeys(("عدم", "بعدم", "لعدم", "دون", "بدون", "انعدام", "غياب", "بغياب"), 3),
    **dict.fromkeys(("غير", "بلا"), 1),
}
"""Particle → how many words ahead it negates."""
_STILL = frozenset(("يزال", "تزال", "يزالون", "نزال", "ازال", "يزالوا", "تزل", "يزل"))
_EXCEPTIONS = frozenset(("الا", "سوي"))
_SUPPOSITIONS = frozenset(("اذا", "لو", "ربما", "لعل", "احتمال", "احتمالات", "هل"))
_PAIRS = frozenset((("في", "حال"), ("في", "حاله"), ("من", "المحتمل"), ("من", "الممكن"), ("ما", "لم")))
_MAY = "قد"
_ANSWER = re.compile("فس(وف|[يتنا].*)|فان(ه|ها|هم|نا)?|فلن|فلا|فليس")
_REACH = 8
"""How many words ahead a supposition reaches within its clause."""


def negated(words: Sequence[Word], start: int) -> bool:
    """Whether a negation reaches the word at `start`."""
    for distance in range(1, 4):
        place = start - distance
        if place < 0 or words[place].clause != words[start].clause:
            return False
        if _NEGATIONS.get(_bare(words[place].form), 0) >= distance and not _affirms(words, place, start):
            return True
    return False


def supposed(words: Sequence[Word], start: int) -> bool:
    """Whether a supposition reaches the word at `start`."""
    for place in range(start - 1, max(start - _REACH, 0) - 1, -1):
        if words[place].clause != words[start].clause:
            return False
        if _ANSWER.fullmatch(words[place + 1].form):
            return False
        form = _bare(words[place].form)
        if form in _SUPPOSITIONS or (form, _plain(words[place + 1].form)) in _PAIRS:
            return True
        if form == _MAY and start - place <= 2 and words[place + 1].form.startswith("ي"):
            return True
    return False


def _bare(form: str) -> str:
    """The form without a conjunction."""
    return form[1:] if form[:1] in ("و", "ف") and len(form) > 2 else form


def _plain(form: str) -> str:
    return form[:-1] + "ه" if form.endswith("ة") else form


def _affirms(words: Sequence[Word], place: int, start: int) -> bool:
    """Whether the negation at `place` says "still", or is taken back by an exception before or after `start`."""
    if words[place + 1].form in _STILL:
        return True
    ahead = words[place + 1 : start + 4]
    return any(word.form in _EXCEPTIONS and word.clause == words[start].clause for word in ahead)
