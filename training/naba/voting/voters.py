"""Who votes on the segments of raw articles: the labelling rules, and a trained model.

Votes are kept as small numbers, since a corpus has millions; `Voters.names` says who number n is.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from naba.fingerprint import fingerprint_of
from naba.records import Prediction
from naba.schema import UNKNOWN, LabelSchema
from naba.voting.rules import RuleSet

Model = Callable[[Sequence[str]], Sequence[Prediction]]
"""Answers for texts, one each, as `Labeller.label` does."""


class SegmentVote(NamedTuple):
    """One voter's answer on one topic of a segment."""

    voter: int
    """Index into `Voters.names`."""
    topic: int
    """Index into the schema's topics."""
    present: bool
    stance: int
    """Index into the schema's stances; UNKNOWN where the topic is absent or no stance was given."""


class Voters:
    """Rules and a model as one panel; either may be missing."""

    def __init__(
        self, schema: LabelSchema, rules: RuleSet | None = None, model: Model | None = None, model_name: str = ""
    ) -> None:
        """`model_name` stands in the votes and, with the rules' content, in the fingerprint: let it tell the weights."""
        self._rules, self._model = rules, model
        self._topics = {topic: number for number, topic in enumerate(schema.topic_ids)}
        self._stances: dict[str | None, int] = {stance: number for number, stance in enumerate(schema.stance_ids)}
        self._stances[None] = UNKNOWN
        rule_names = rules.names if rules else ()
        self._numbers = {name: number for number, name in enumerate(rule_names)}
        self.names = tuple(f"rule:{name}" for name in rule_names) + ((f"model:{model_name}",) if model else ())
        mark: list[Any] = [schema.fingerprint, rules.fingerprint if rules else None, model_name if model else None]
        self.fingerprint = fingerprint_of(mark)
        """Changes when the same text might get other votes."""

    def vote(self, texts: Sequence[str]) -> list[list[SegmentVote]]:
        """For each text the votes of all who did not abstain."""
        votes: list[list[SegmentVote]] = [self._by_rules(text) for text in texts]
        if self._model and texts:
            for row, answer in zip(votes, self._model(texts), strict=True):
                row += [
                    SegmentVote(len(self._numbers), self._topics[topic], said.present, self._stances[said.stance])
                    for topic, said in answer.topics.items()
                ]
        return votes

    def _by_rules(self, text: str) -> list[SegmentVote]:
        if not self._rules:
            return []
        return [
            SegmentVote(self._numbers[vote.rule], self._topics[vote.topic], vote.present, self._stances[vote.stance])
            for vote in self._rules.vote(text)
        ]
