"""From the material of a behaviour test to its cases: the texts to predict, and what is expected of the answers."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from naba.errors import ConfigError, SchemaError
from naba.evaluation.behaviour.exchange import exchange_names
from naba.evaluation.behaviour.material import Base, BehaviourTest, CaseTemplate, Kind, Labels
from naba.evaluation.behaviour.perturb import TRANSFORMATIONS
from naba.evaluation.behaviour.template import fill_templates
from naba.schema import LabelSchema

Decision = Mapping[str, str | None]
"""Topic id → stance id of every topic that is present."""


@dataclass(frozen=True, slots=True)
class Case:
    """One text, or two that are compared."""

    kind: Kind
    texts: tuple[str, ...]
    """(text,) of a minimum test, else (before, after)."""
    expected: tuple[Labels, ...]
    """What is expected of each text; empty where only their difference or sameness is."""
    topics: frozenset[str]
    """The topics that are judged."""
    source: str
    """The template or sentence that the case was made of; cases of one source stand or fall together."""
    given: bool = False
    """Made of a segment that the caller gave, not of the suite's own sentences."""

    def passes(self, decisions: Sequence[Decision]) -> bool:
        """Whether the decisions on `texts` are as expected, on the topics that are judged."""
        seen = [self.judged(decision) for decision in decisions]
        if self.kind == "invariance":
            return seen[0] == seen[1]
        if not self.expected:
            return seen[0] != seen[1]
        return seen == [self.judged(labels) for labels in self.expected]

    def judged(self, decision: Decision) -> dict[str, str | None]:
        """The part of a decision on the topics that are judged."""
        return {topic: stance for topic, stance in decision.items() if topic in self.topics}


def changed_cases(test: BehaviourTest, texts: Sequence[str], schema: LabelSchema, *, given: bool = False) -> list[Case]:
    """Invariance cases of texts changed as the test says; texts that the change leaves as they are give none."""
    topics = frozenset(test.topics or schema.topic_ids)
    pairs = ((text, after) for text in texts for after in _variants(test, text))
    return [Case("invariance", pair, (), topics, pair[0], given) for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]


def written_cases(
    test: BehaviourTest,
    kind: Kind,
    slots: Mapping[str, Sequence[str]],
    bases: Sequence[Base],
    schema: LabelSchema,
    where: str,
) -> list[Case]:
    """Cases of the test's own texts and templates, or of the base sentences as they stand.

    Raises ConfigError naming `where` for labels outside the schema, a missing expectation, or fields of another kind.
    """
    topics = frozenset(test.topics or schema.topic_ids)
    if kind == "minimum" and test.bases:
        return [Case(kind, (base.text,), (base.labels,), topics, base.text) for base in bases]
    if test.changes_bases or test.bases:
        raise ConfigError(
            f"{where}: a {kind} test is written as 'cases'; transform, swap, append, prepend, bases do not fit"
        )
    cases: dict[tuple[str, ...], Case] = {}
    for number, template in enumerate(test.cases, start=1):
        here = f"{where}, case {number}"
        texts = _texts(template, kind, here)
        expected = _expected(test, template, kind, here)
        _check_labels(expected, schema, here)
        for filled in fill_templates(texts, {**slots, **test.slots}, test.fill, here):
            if len(set(filled)) != len(filled):
                raise ConfigError(f"{here}: before and after are the same text")
            cases.setdefault(filled, Case(kind, filled, expected, topics, "\n".join(texts)))
    return list(cases.values())


def _variants(test: BehaviourTest, text: str) -> Iterator[str]:
    for draw in range(test.repeats):
        generator = random.Random(f"{test.name}\n{draw}\n{text}")
        if test.transform:
            yield TRANSFORMATIONS[test.transform](text, generator)
        elif test.swap:
            yield exchange_names(text, test.swap, draw + 1)
        elif test.append:
            yield f"{text} {generator.choice(test.append)}"
        else:
            yield f"{generator.choice(test.prepend)} {text}"


def _texts(template: CaseTemplate, kind: Kind, where: str) -> tuple[str, ...]:
    if kind == "minimum":
        if template.text is None:
            raise ConfigError(f"{where}: a minimum case is one 'text', not 'before' and 'after'")
        return (template.text,)
    if template.before is None or template.after is None:
        raise ConfigError(f"{where}: a case of a {kind} test needs 'before' and 'after'")
    return template.before, template.after


def _expected(test: BehaviourTest, template: CaseTemplate, kind: Kind, where: str) -> tuple[Labels, ...]:
    labels = template.labels if template.labels is not None else test.labels
    before = template.before_labels if template.before_labels is not None else test.before_labels
    after = template.after_labels if template.after_labels is not None else test.after_labels
    if kind == "minimum":
        if labels is None or before is not None or after is not None:
            raise ConfigError(f"{where}: a minimum case needs 'labels' (an empty {{}}: no topic), and no others")
        return (labels,)
    if labels is not None or (kind == "invariance" and (before is not None or after is not None)):
        raise ConfigError(f"{where}: a case of a {kind} test takes no such labels")
    if (before is None) != (after is None):
        raise ConfigError(
            f"{where}: give both 'before_labels' and 'after_labels', or neither (the answer has to change)"
        )
    return () if before is None or after is None else (before, after)


def _check_labels(expected: Sequence[Labels], schema: LabelSchema, where: str) -> None:
    try:
        for labels in expected:
            schema.check(labels)
    except SchemaError as error:
        raise ConfigError(f"{where}: {error}") from None
