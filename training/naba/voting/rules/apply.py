"""One rule against one text: find the lexicons in order, heed negation, supposition and quotation.

`RuleText` is also what a Python rule gets.

    text = RuleText("لن تقبل الحركة هدنة", index)
    first_match(Pattern.of(rule, index), text)   # the words found, or None: the rule abstains
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from naba.voting.rules.lexicon import LexiconIndex, Span
from naba.voting.rules.rule import Rule, Scope
from naba.voting.rules.scope import negated, supposed
from naba.voting.rules.words import Word, words_of


class RuleText:
    """A segment as rules see it: its words and where each lexicon is found in them."""

    __slots__ = ("_index", "hits", "text", "words")

    def __init__(self, text: str, index: LexiconIndex) -> None:
        self.text = text
        self.words: tuple[Word, ...] = words_of(text)
        self.hits = index.spans(self.words)
        """Lexicon → the spans of its own entries in order; lexicons not found are left out."""
        self._index = index

    def spans(self, lexicon: str) -> Sequence[Span]:
        """Where a lexicon is found, in order. Raises LookupError for a name that no file of the folder defines."""
        try:
            return _merged(self._index.parts(lexicon), self.hits)
        except KeyError:
            raise LookupError(f"no lexicon {lexicon!r} in this folder") from None

    def has(self, *lexicons: str) -> bool:
        """Whether one of the lexicons occurs anywhere."""
        return any(self.spans(lexicon) for lexicon in lexicons)

    def is_negated(self, span: Span) -> bool:
        """Whether a negation reaches the span's first word."""
        return negated(self.words, span[0])

    def is_hypothetical(self, span: Span) -> bool:
        """Whether a supposition reaches the span's first word."""
        return supposed(self.words, span[0])

    def is_quoted(self, span: Span) -> bool:
        """Whether every word of the span stands between quotation marks."""
        return all(word.quoted for word in self.words[span[0] : span[1]])


@dataclass(frozen=True, slots=True)
class Pattern:
    """A rule with its lexicons resolved into those that are searched for, ready to match."""

    rule: Rule
    find: tuple[tuple[str, ...], ...]
    also: tuple[frozenset[str], ...]
    blocked: frozenset[str]
    """Lexicons of which none may occur: `unless` and `without`."""
    negated: Scope
    hypothetical: Scope

    @classmethod
    def of(cls, rule: Rule, index: LexiconIndex) -> "Pattern":
        """Resolve a rule whose lexicons are all defined."""
        return cls(
            rule,
            tuple(_parts(group, index) for group in rule.find),
            tuple(frozenset(_parts(group, index)) for group in rule.also),
            frozenset(_parts([*rule.unless, *rule.without], index)),
            rule.scope(rule.negated),
            rule.scope(rule.hypothetical),
        )


def first_match(pattern: Pattern, text: RuleText) -> tuple[Span, ...] | None:
    """The first find that meets all conditions of the rule; () where it has nothing to find; None where it abstains."""
    rule, hits = pattern.rule, text.hits
    if not pattern.blocked.isdisjoint(hits):
        return None
    if len(text.words) < rule.min_words or (rule.max_words is not None and len(text.words) > rule.max_words):
        return None
    if any(group.isdisjoint(hits) for group in pattern.also):
        return None
    groups = [_merged(names, hits) for names in pattern.find]
    if not all(groups):
        return None
    if not groups:
        return ()
    return next((chain for chain in _chains(rule, text, groups) if _holds(pattern, text, chain)), None)


def _parts(group: str | Sequence[str], index: LexiconIndex) -> tuple[str, ...]:
    names = (group,) if isinstance(group, str) else group
    return tuple(dict.fromkeys(part for name in names for part in index.parts(name)))


def _merged(names: Sequence[str], hits: dict[str, list[Span]]) -> Sequence[Span]:
    found = [hits[name] for name in names if name in hits]
    return found[0] if len(found) == 1 else sorted(set().union(*found))


def _chains(
    rule: Rule, text: RuleText, groups: Sequence[Sequence[Span]], last: Span | None = None
) -> Iterator[tuple[Span, ...]]:
    """Every way to find the groups in order, each near the one before and in its sentence."""
    for span in groups[0]:
        if last is None:
            if rule.first_words is not None and span[0] >= rule.first_words:
                return
        elif span[0] < last[1]:
            continue
        elif span[0] - last[1] >= rule.within or text.words[span[0]].sentence != text.words[last[0]].sentence:
            return
        if len(groups) == 1:
            yield (span,)
        else:
            yield from ((span, *rest) for rest in _chains(rule, text, groups[1:], span))


def _holds(pattern: Pattern, text: RuleText, chain: Sequence[Span]) -> bool:
    quoted = pattern.rule.quoted
    if quoted == "inside" and not all(text.is_quoted(span) for span in chain):
        return False
    if quoted == "outside" and any(text.is_quoted(span) for span in chain):
        return False
    return _in_scope(pattern.negated, chain, text.is_negated) and _in_scope(
        pattern.hypothetical, chain, text.is_hypothetical
    )


def _in_scope(wanted: Scope, chain: Sequence[Span], reached: Callable[[Span], bool]) -> bool:
    return wanted == "ignore" or any(reached(span) for span in chain) == (wanted == "only")
