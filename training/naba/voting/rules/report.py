"""How good each rule is: coverage, overlap, conflicts, and accuracy against gold labels.

A rule is judged only where it votes and somebody judged the topic: an unknown topic or stance counts for nothing.

    report = measure(rules, items, schema)
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from naba.progress import SILENT, Progress
from naba.records import LabelledSegment, TopicLabel
from naba.schema import LabelSchema
from naba.voting.rules.ruleset import RuleSet, RuleVote


@dataclass
class Accuracy:
    """Votes that gold could judge, and how many of them were right."""

    judged: int = 0
    correct: int = 0

    @property
    def share(self) -> float | None:
        """correct / judged; None where nothing was judged."""
        return self.correct / self.judged if self.judged else None

    def add(self, right: bool | None) -> None:
        """Count one vote; None: gold does not say."""
        if right is not None:
            self.judged += 1
            self.correct += right

    def to_json(self) -> dict[str, Any]:
        """judged, correct and share."""
        return {"judged": self.judged, "correct": self.correct, "share": self.share}


@dataclass
class RuleReport:
    """One rule over all segments."""

    rule: str
    topic: str
    votes: int = 0
    overlapping: int = 0
    """Votes on segments where another rule votes on the same topic."""
    conflicting: int = 0
    """Votes that another rule contradicts."""
    said: Counter[str] = field(default_factory=Counter)
    """What it voted: stance ids, "present", "absent"; more than one kind only from a Python rule."""
    presence: Accuracy = field(default_factory=Accuracy)
    stance: Accuracy = field(default_factory=Accuracy)
    """Votes for a stance, right only where gold has topic and stance."""
    wrong: list[str] = field(default_factory=list)
    """Texts it voted wrongly on, in order, as many as were asked for."""


@dataclass
class TopicReport:
    """All rules of one topic together."""

    topic: str
    judged: int = 0
    """Segments whose topic gold judged."""
    present: int = 0
    """Of those, segments where gold has the topic."""
    covered: int = 0
    """Of the judged, segments with at least one vote."""
    found: int = 0
    """Of the present, segments where a rule votes that it is there."""
    contradicted: int = 0
    """Segments where two rules contradict each other."""
    presence: Accuracy = field(default_factory=Accuracy)
    """Votes on presence, every rule's counted."""
    stance: Accuracy = field(default_factory=Accuracy)
    """Votes for a stance, every rule's counted."""


@dataclass
class RulesReport:
    """What `naba rules` prints and writes."""

    segments: int
    fingerprint: str
    rules: list[RuleReport]
    topics: list[TopicReport]
    conflicts: list[tuple[str, str, int]]
    """Pairs of rules that contradict each other and on how many segments, most first."""

    def to_json(self) -> dict[str, Any]:
        """The JSON form; shares of overlap and conflict are of the rule's own votes."""
        return {
            "segments": self.segments,
            "rules_fingerprint": self.fingerprint,
            "rules": [_rule_json(rule, self.segments) for rule in self.rules],
            "topics": {topic.topic: _topic_json(topic) for topic in self.topics},
            "conflicts": [{"rules": [a, b], "segments": count} for a, b, count in self.conflicts],
        }


def measure(
    rules: RuleSet,
    items: Sequence[LabelledSegment],
    schema: LabelSchema,
    examples: int = 0,
    progress: Progress = SILENT,
) -> RulesReport:
    """Let every rule vote on every segment and compare with the labels.

    Args:
        examples: how many wrongly voted texts to keep for each rule.

    Raises ConfigError where a Python rule fails.
    """
    per_rule = {rule.id: RuleReport(rule.id, topic) for rule, topic in rules.rules}
    per_topic = {topic: TopicReport(topic) for topic in schema.topic_ids}
    conflicts: Counter[tuple[str, str]] = Counter()
    with progress.task("rules", len(items), "segments") as advance:
        for item in items:
            by_topic: dict[str, list[RuleVote]] = defaultdict(list)
            for vote in rules.vote(item.segment.text):
                by_topic[vote.topic].append(vote)
            for topic, total in per_topic.items():
                votes, gold = by_topic.get(topic, []), item.labels[topic]
                clashes = [pair for pair in combinations(votes, 2) if pair[0].contradicts(pair[1])]
                conflicts.update((a.rule, b.rule) for a, b in clashes)
                clashing = {vote.rule for pair in clashes for vote in pair}
                _count_topic(total, votes, gold, bool(clashes))
                for vote in votes:
                    own = per_rule[vote.rule]
                    _count_rule(own, vote, gold, overlaps=len(votes) > 1, conflicts=vote.rule in clashing)
                    if examples > len(own.wrong) and False in judge(vote, gold):
                        own.wrong.append(item.segment.text)
            advance(1, "")
    pairs = [(a, b, count) for (a, b), count in sorted(conflicts.items(), key=lambda pair: (-pair[1], pair[0]))]
    return RulesReport(len(items), rules.fingerprint, list(per_rule.values()), list(per_topic.values()), pairs)


def judge(vote: RuleVote, gold: TopicLabel) -> tuple[bool | None, bool | None]:
    """Whether the vote is right on presence, and on topic and stance; None where gold or vote does not say."""
    if gold.present is None:
        return None, None
    presence = vote.present == gold.present
    if vote.stance is None or (gold.present and gold.stance is None):
        return presence, None
    return presence, presence and vote.stance == gold.stance


def _count_rule(report: RuleReport, vote: RuleVote, gold: TopicLabel, *, overlaps: bool, conflicts: bool) -> None:
    presence, stance = judge(vote, gold)
    report.votes += 1
    report.overlapping += overlaps
    report.conflicting += conflicts
    report.said[vote.stance or ("present" if vote.present else "absent")] += 1
    report.presence.add(presence)
    report.stance.add(stance)


def _count_topic(report: TopicReport, votes: Sequence[RuleVote], gold: TopicLabel, contradicted: bool) -> None:
    report.contradicted += contradicted
    if gold.present is None:
        return
    report.judged += 1
    report.present += gold.present
    report.covered += bool(votes)
    report.found += gold.present and any(vote.present for vote in votes)
    for vote in votes:
        presence, stance = judge(vote, gold)
        report.presence.add(presence)
        report.stance.add(stance)


def _rule_json(report: RuleReport, segments: int) -> dict[str, Any]:
    return {
        "rule": report.rule,
        "topic": report.topic,
        "votes": report.votes,
        "said": dict(report.said),
        "coverage": _share(report.votes, segments),
        "overlap": _share(report.overlapping, report.votes),
        "conflict": _share(report.conflicting, report.votes),
        "presence": report.presence.to_json(),
        "stance": report.stance.to_json(),
        "wrong": report.wrong,
    }


def _topic_json(report: TopicReport) -> Mapping[str, Any]:
    return {
        "judged": report.judged,
        "present": report.present,
        "covered": report.covered,
        "found": report.found,
        "contradicted": report.contradicted,
        "presence": report.presence.to_json(),
        "stance": report.stance.to_json(),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
