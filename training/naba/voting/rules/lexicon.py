"""Lexicons: named lists of words, phrases and verbs, found in a text whatever their clitics.

`words` holds nouns, particles and phrases: each word of an entry matches its stem, with the endings of case, dual and
regular plural (broken plurals are entries of their own); "=word" matches that spelling alone. `verbs` holds dictionary
forms (see `naba.voting.rules.verbs`); in an entry of several words the first is the verb. A find that touches one of
the phrases under `except` does not count: "الحرب على الفساد" is no war.

    index = LexiconIndex({"strike": Lexicon(words=["غارة", "قصف"])})
    index.spans(words_of("وبالغارات وقصفها"))   # {"strike": [(0, 1), (1, 2)]}
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from pydantic import Field

from naba.config import Config
from naba.voting.rules.verbs import verb_forms
from naba.voting.rules.words import SHORTEST_STEM, Word, fold, stems, words_of

Span = tuple[int, int]
"""Half-open range of words of a text."""
_Forms = frozenset[str]
_Tail = tuple[int, tuple[_Forms, ...]]
"""Number of a lexicon, and the forms of each word of a phrase after the second."""
_Found = tuple[tuple[int, ...], dict[str, list[_Tail]]]
"""What begins at a word: lexicons it is an entry of, and phrases by the stem of the word that must follow."""

_EXACT = "="
_REGULAR_ENDS = ("ان", "ين", "ون", "ات")
_FEMININE_ENDS = ("ات", "تان", "تين", "تا", "تي")
_SHORTEST_WITH_ENDS = 4
"""Shorter nouns take no regular ending: عدو + ان is عدوان, بحر + ين is بحرين."""


class Lexicon(Config):
    """A named list of what to look for."""

    words: list[str] = Field([])
    """Nouns, particles and phrases in their base form; "=…" for one spelling only."""
    verbs: list[str] = Field([])
    """Third person masculine perfect; weak verbs with their imperfect, "دعا/يدعو"."""
    includes: list[str] = Field([])
    """Names of other lexicons whose entries belong here too."""
    exceptions: list[str] = Field([], alias="except")
    """Phrases, written as under `words`, in which nothing of this lexicon counts."""


class LexiconError(ValueError):
    """An entry cannot be used, or an included lexicon is not defined; `lexicon` names where."""

    def __init__(self, lexicon: str, told: str) -> None:
        super().__init__(f"lexicon {lexicon!r}{told}")
        self.lexicon = lexicon


class LexiconIndex:
    """Every form of every lexicon's entries, so that one look-up a word finds all lexicons."""

    def __init__(self, lexicons: Mapping[str, Lexicon]) -> None:
        """Raises LexiconError where an entry cannot be used or an included name is unknown."""
        self.names = tuple(lexicons)
        self._singles: dict[str, set[int]] = defaultdict(set)
        self._phrases: dict[str, dict[str, list[_Tail]]] = defaultdict(lambda: defaultdict(list))
        self._guarded: set[int] = set()
        self._parts: dict[str, tuple[str, ...]] = {}
        for number, name in enumerate(self.names):
            members = _members(name, lexicons, ())
            # Exceptions hold for all that is included, so such a lexicon is searched for on its own.
            whole = bool(lexicons[name].exceptions) and len(members) > 1
            self._parts[name] = (name,) if whole else tuple(members)
            for member in members if whole else (name,):
                self._add_all(number, name, lexicons[member])
        self._lookup = lru_cache(maxsize=2**17)(self._of_form)

    def parts(self, name: str) -> tuple[str, ...]:
        """The lexicons whose spans together are those of `name`. Raises KeyError for a name that is not defined."""
        return self._parts[name]

    def spans(self, words: Sequence[Word]) -> dict[str, list[Span]]:
        """Where each lexicon's own entries are found, in order; see `parts` for those it includes."""
        found: dict[int, list[Span]] = {}
        for place, word in enumerate(words):
            entries = self._lookup(word.form)
            if entries is None:
                continue
            singles, phrases = entries
            for number in singles:
                found.setdefault(number, []).append((place, place + 1))
            if phrases and place + 1 < len(words):
                for number, length in _phrases_at(words, place, phrases):
                    found.setdefault(number, []).append((place, place + length))
        for number in self._guarded & found.keys():
            _drop(found, number, found.get(_exception(number), []))
        return {self.names[number]: spans for number, spans in found.items() if number >= 0}

    def _of_form(self, form: str) -> _Found | None:
        """What begins at a word of this form; None for most words."""
        # Sorted, because the order of a set of strings changes from run to run.
        keys = sorted(key for key in _keys(form) if key in self._singles or key in self._phrases)
        if not keys:
            return None
        singles: set[int] = set()
        phrases: dict[str, list[_Tail]] = {}
        for key in keys:
            singles |= self._singles.get(key, set())
            for follower, tails in self._phrases.get(key, {}).items():
                phrases.setdefault(follower, []).extend(tails)
        return tuple(sorted(singles)), phrases

    def _add_all(self, number: int, name: str, lexicon: Lexicon) -> None:
        for kind, entries in (("words", lexicon.words), ("verbs", lexicon.verbs), ("except", lexicon.exceptions)):
            for entry in entries:
                try:
                    chain = _chain(entry, kind == "verbs")
                except ValueError as error:
                    raise LexiconError(name, f", {kind}: {error}") from None
                self._add(_exception(number) if kind == "except" else number, chain)
        if lexicon.exceptions:
            self._guarded.add(number)

    def _add(self, number: int, chain: Sequence[_Forms]) -> None:
        for form in chain[0]:
            if len(chain) == 1:
                self._singles[form].add(number)
                continue
            for follower in chain[1]:
                self._phrases[form][follower].append((number, tuple(chain[2:])))


def _exception(number: int) -> int:
    """Number under which the exceptions of a lexicon are kept."""
    return -1 - number


def _members(name: str, lexicons: Mapping[str, Lexicon], path: tuple[str, ...]) -> list[str]:
    """The lexicon and all it includes, each once."""
    if name in path:
        raise LexiconError(name, f" includes itself ({' → '.join((*path, name))}); take one out")
    if name not in lexicons:
        raise LexiconError(path[-1], f" includes {name!r}, which no file of the folder defines")
    members = [name]
    for included in lexicons[name].includes:
        members += [member for member in _members(included, lexicons, (*path, name)) if member not in members]
    return members


def _chain(entry: str, verb: bool) -> list[_Forms]:
    """The forms of each word of an entry."""
    parts = entry.split()
    if not parts:
        raise ValueError("an entry is empty; take it out")
    return [verb_forms(part) if verb and not place else _noun_forms(part) for place, part in enumerate(parts)]


def _noun_forms(word: str) -> _Forms:
    exact = word.startswith(_EXACT)
    spelling = word.removeprefix(_EXACT)
    found = words_of(spelling)
    if len(found) != 1 or len(spelling) < 2:
        raise ValueError(f"{word!r} is no word; write letters or digits, words parted by spaces")
    if exact:
        return frozenset({_EXACT + found[0].form})
    base = fold(spelling)
    ends: tuple[str, ...] = ()
    if base.endswith("ه"):
        base, ends = base[:-1], ("ه", *_FEMININE_ENDS)
    elif base.isalpha() and not base.endswith(("ا", "ء")):
        ends = (
            "",
            *("ا" if len(base) >= SHORTEST_STEM else ""),
            *(_REGULAR_ENDS if len(base) >= _SHORTEST_WITH_ENDS else ()),
        )
    return frozenset(base + end for end in ends or ("",))


@lru_cache(maxsize=2**17)
def _keys(form: str) -> frozenset[str]:
    """Everything a word may be found under."""
    return stems(form) | {_EXACT + form}


def _phrases_at(words: Sequence[Word], place: int, phrases: Mapping[str, list[_Tail]]) -> Iterator[tuple[int, int]]:
    """Lexicon and length of each phrase that begins at `place` and stays in its sentence."""
    sentence = words[place].sentence
    if words[place + 1].sentence != sentence:
        return
    for key in sorted(phrases.keys() & _keys(words[place + 1].form)):
        for number, tail in phrases[key]:
            rest = words[place + 2 : place + 2 + len(tail)]
            if len(rest) == len(tail) and all(
                word.sentence == sentence and not forms.isdisjoint(_keys(word.form))
                for forms, word in zip(tail, rest, strict=True)
            ):
                yield number, 2 + len(tail)


def _drop(found: dict[int, list[Span]], number: int, exceptions: Sequence[Span]) -> None:
    """Take out the finds of a lexicon that touch one of its exceptions."""
    kept = [span for span in found[number] if not any(span[0] < end and start < span[1] for start, end in exceptions)]
    if kept:
        found[number] = kept
    else:
        del found[number]
