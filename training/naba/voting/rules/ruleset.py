"""A checked set of labelling rules that votes on texts; silence is no vote.

rules = RuleSet.load(Path("configs/rules"), schema)
rules.vote("ترفض الحركة أي هدنة")   # [RuleVote(rule="diplomacy-…", topic="diplomacy", present=True, stance="oppose")]
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from naba.errors import ConfigError
from naba.schema import LabelSchema
from naba.voting.rules.apply import Pattern, RuleText, first_match
from naba.voting.rules.hook import call_hook
from naba.voting.rules.lexicon import Lexicon, LexiconError, LexiconIndex, Span
from naba.voting.rules.rule import ABSENT, PRESENT, Rule, votes_of
from naba.voting.rules.rulefile import LoadedRule, load_folder, rule_files

_ENGINE = "1"
"""Enters the fingerprint; raise it when matching changes what shipped rules vote."""


@dataclass(frozen=True, slots=True)
class RuleVote:
    """What one rule says of one segment."""

    rule: str
    topic: str
    present: bool
    stance: str | None
    """None where the rule judges presence alone."""

    def contradicts(self, other: "RuleVote") -> bool:
        """Whether two votes on one topic cannot both be right."""
        if self.topic != other.topic:
            return False
        if self.present != other.present:
            return True
        return None not in (self.stance, other.stance) and self.stance != other.stance


@dataclass(frozen=True, slots=True)
class Firing:
    """A vote, and the words that led to it."""

    vote: RuleVote
    matched: tuple[str, ...]
    """The folded words of each find; empty where a rule fires on what a text lacks, or by Python alone."""


class RuleSet:
    """Rules of one folder, ready to vote. Voting is pure: the same text, the same votes in the same order."""

    def __init__(
        self, lexicons: Mapping[str, Lexicon], rules: Sequence[LoadedRule], schema: LabelSchema, fingerprint: str
    ) -> None:
        self.fingerprint = fingerprint
        """Twelve hex digits that change with any YAML or Python file of the folder."""
        self._index = LexiconIndex(lexicons)
        self._rules = tuple(rules)
        self._votes = votes_of(schema)
        # A rule can fire only where its first find occurs; the others are tried on every text.
        self._by_lexicon: dict[str, list[int]] = defaultdict(list)
        self._always = [number for number, loaded in enumerate(rules) if not loaded.rule.find]
        self._patterns = tuple(Pattern.of(loaded.rule, self._index) for loaded in rules)
        for number, pattern in enumerate(self._patterns):
            for name in pattern.find[0] if pattern.find else ():
                self._by_lexicon[name].append(number)

    @classmethod
    def load(cls, folder: Path, schema: LabelSchema) -> "RuleSet":
        """Read and check every rule of a folder. Raises ConfigError naming file, rule or lexicon, and what to do."""
        content = load_folder(folder, schema)
        try:
            return cls(content.lexicons, content.rules, schema, _fingerprint(folder))
        except LexiconError as error:
            raise ConfigError(f"{content.lexicon_files[error.lexicon]}: {error}") from None

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of the rules, in order of file and place."""
        return tuple(loaded.rule.id for loaded in self._rules)

    @property
    def rules(self) -> tuple[tuple[Rule, str], ...]:
        """Each rule with its topic, in the order of `names`."""
        return tuple((loaded.rule, loaded.topic) for loaded in self._rules)

    def vote(self, text: str) -> list[RuleVote]:
        """The votes on a text, in the order of the rules. Raises ConfigError where a Python rule fails."""
        return [vote for vote, _, _ in self._fire(RuleText(text, self._index))]

    def explain(self, text: str) -> list[Firing]:
        """The votes on a text with the words that led to them."""
        seen = RuleText(text, self._index)
        return [
            Firing(vote, tuple(" ".join(word.form for word in seen.words[slice(*span)]) for span in spans))
            for vote, spans, _ in self._fire(seen)
        ]

    def unproven(self) -> list[str]:
        """A line for each rule that does not fire on its example, or fires on its counterexample."""
        faults = []
        for number, loaded in enumerate(self._rules):
            for text, expected in ((loaded.rule.example, True), (loaded.rule.counterexample, False)):
                if text is not None:
                    fires = any(n == number for _, _, n in self._fire(RuleText(text, self._index)))
                    if fires != expected:
                        faults.append(
                            f"{loaded.where}: {'does not fire on its example' if expected else 'fires on its counterexample'}"
                        )
        return faults

    def _fire(self, text: RuleText) -> Iterator[tuple[RuleVote, tuple[Span, ...], int]]:
        numbers = set(self._always)
        for name in text.hits:
            numbers.update(self._by_lexicon.get(name, ()))
        for number in sorted(numbers):
            loaded = self._rules[number]
            spans = first_match(self._patterns[number], text)
            if spans is None:
                continue
            said = loaded.rule.vote
            if loaded.hook is not None:
                said = call_hook(loaded.hook, text, self._votes, loaded.where)
            if said is not None:
                stance = None if said in (PRESENT, ABSENT) else said
                yield RuleVote(loaded.rule.id, loaded.topic, said != ABSENT, stance), spans, number


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256(_ENGINE.encode())
    for path in rule_files(folder):
        content = path.read_bytes()
        digest.update(f"\0{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]
