"""The report on labelling rules for a terminal: a line a rule, totals a topic, the pairs that contradict each other.

console.print(rules_table(measure(rules, items, schema)))
"""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from naba.voting.rules.report import Accuracy, RuleReport, RulesReport
from naba.voting.rules.ruleset import Firing

PAIRS_SHOWN = 12
"""Most contradicting pairs that the terminal shows; the JSON report has all."""


def rules_table(report: RulesReport) -> Table:
    """Every rule: what it votes, on how much, how far others agree, and how often gold says it is right."""
    table = _compact(
        f"{len(report.rules)} rules on {report.segments:,} segments",
        "covers: of all segments; overlaps, conflicts: of the rule's votes, where another rule of the topic votes too, "
        "votes otherwise; right: of the votes that gold can judge, with their number",
    )
    table.add_column("rule", overflow="fold", min_width=8)
    table.add_column("votes", overflow="fold")
    for name in ("covers", "over-\nlaps", "con-\nflicts", "topic\nright", "stance\nright"):
        table.add_column(name, justify="right")
    for topic in report.topics:
        for rule in report.rules:
            if rule.topic == topic.topic:
                table.add_row(*_row(rule, report.segments))
        table.add_section()
    return table


def topics_table(report: RulesReport) -> Table:
    """All rules of a topic together."""
    table = _compact(
        "all rules of a topic together",
        "covered: segments with a vote; found: of the segments that have the topic, those where a rule says so; "
        "against: segments where two rules contradict each other; right: of all votes, with their number",
    )
    table.add_column("topic", overflow="fold", min_width=8)
    for name in ("covered", "found", "against", "topic\nright", "stance\nright"):
        table.add_column(name, justify="right")
    for topic in report.topics:
        shares = (_share(topic.covered, topic.judged), _share(topic.found, topic.present))
        table.add_row(topic.topic, *shares, f"{topic.contradicted:,}", _right(topic.presence), _right(topic.stance))
    return table


def conflicts_table(report: RulesReport) -> Table:
    """The pairs of rules that contradict each other most."""
    shown = report.conflicts[:PAIRS_SHOWN]
    more = len(report.conflicts) - len(shown)
    table = _compact("rules that contradict each other", f"{more} more pairs in --out" if more else "")
    for name in ("rule", "rule"):
        table.add_column(name, overflow="fold")
    table.add_column("segments", justify="right")
    for first, second, count in shown:
        table.add_row(first, second, f"{count:,}")
    return table


def firings_table(firings: Sequence[Firing]) -> Table:
    """Which rules fire on one text, and on which of its words (folded as they are matched)."""
    table = _compact(f"{len(firings)} rules fire", "words as they are matched: folded, without diacritics")
    for name in ("rule", "topic", "vote", "on"):
        table.add_column(name, overflow="fold")
    for firing in firings:
        vote = firing.vote
        table.add_row(
            vote.rule, vote.topic, vote.stance or ("present" if vote.present else "absent"), " … ".join(firing.matched)
        )
    return table


def _compact(title: str, caption: str) -> Table:
    """A table without frame and with little padding, so that it fits 80 columns."""
    return Table(title=title, caption=caption or None, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))


def _row(rule: RuleReport, segments: int) -> list[str]:
    said = " ".join(name for name, _ in rule.said.most_common()) or "–"
    shares = (_share(rule.votes, segments), _share(rule.overlapping, rule.votes), _share(rule.conflicting, rule.votes))
    return [rule.rule, said, *shares, _right(rule.presence), _right(rule.stance)]


def _right(accuracy: Accuracy) -> str:
    return f"{accuracy.share:.0%} {accuracy.judged:,}" if accuracy.share is not None else "–"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"
