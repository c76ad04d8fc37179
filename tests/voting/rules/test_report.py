"""The figures of the report, worked out by hand on a few segments."""

import json
from collections.abc import Callable

import pytest

from naba.records import LabelledSegment, TopicLabel
from naba.schema import LabelSchema
from naba.voting.rules.report import judge, measure
from naba.voting.rules.ruleset import RuleVote
from naba.voting.rules.tables import conflicts_table, firings_table, rules_table, topics_table
from tests.voting.rules.conftest import Load

RULES = """
  - {id: refuses, vote: oppose, find: [refusal, truce], note: n}
  - {id: calls, vote: support, find: [demand, truce], note: n}
  - {id: truce, vote: present, find: [truce], note: n}
  - {id: silent, vote: absent, without: [truce], note: n}
  - {id: never, vote: present, find: [talks], note: n}
"""


@pytest.mark.parametrize(
    ("vote", "gold", "expected"),
    [
        ((True, "oppose"), (True, "oppose"), (True, True)),
        ((True, "oppose"), (True, "support"), (True, False)),
        ((True, "oppose"), (False, None), (False, False)),
        ((True, "oppose"), (True, None), (True, None)),  # nobody judged the stance
        ((True, "oppose"), (None, None), (None, None)),  # nobody judged the topic
        ((True, None), (True, "oppose"), (True, None)),
        ((False, None), (True, "oppose"), (False, None)),
        ((False, None), (False, None), (True, None)),
    ],
)
def test_a_vote_is_judged_only_by_what_gold_says(
    vote: tuple[bool, str | None], gold: tuple[bool | None, str | None], expected: tuple[bool | None, bool | None]
) -> None:
    assert judge(RuleVote("r", "t", *vote), TopicLabel(*gold)) == expected


def test_figures_by_hand(load: Load, schema: LabelSchema, labelled: Callable[..., LabelledSegment]) -> None:
    items = [
        labelled("رفض الهدنة", diplomacy="oppose"),  # refuses right, truce right
        labelled("رفض الهدنة ودعا إلى هدنة", diplomacy="neutral"),  # refuses and calls wrong, against each other; truce
        labelled("هدنة في السوق"),  # truce wrong: the topic is absent
        labelled("غارة على البلدة"),  # silent right
        labelled("رفض هدنة أخرى", diplomacy=None),  # nobody judged it: counts for coverage alone
    ]
    report = measure(load(RULES), items, schema, examples=1)
    rules = {rule.rule: rule for rule in report.rules}
    assert [rules[name].votes for name in ("refuses", "calls", "truce", "silent", "never")] == [3, 1, 4, 1, 0]
    assert (rules["refuses"].presence.correct, rules["refuses"].presence.judged) == (2, 2)
    assert (rules["refuses"].stance.correct, rules["refuses"].stance.judged) == (1, 2)
    assert (rules["truce"].presence.correct, rules["truce"].presence.judged) == (2, 3)
    assert rules["truce"].stance.judged == 0
    assert (rules["refuses"].overlapping, rules["refuses"].conflicting) == (3, 1)
    assert (rules["truce"].overlapping, rules["truce"].conflicting) == (3, 0)
    assert rules["refuses"].wrong == ["رفض الهدنة ودعا إلى هدنة"]
    assert rules["truce"].wrong == ["هدنة في السوق"]
    assert report.conflicts == [("refuses", "calls", 1)]
    diplomacy, aid, _ = report.topics
    assert (diplomacy.judged, diplomacy.present, diplomacy.covered, diplomacy.found) == (4, 2, 4, 2)
    assert diplomacy.contradicted == 1
    assert (diplomacy.presence.correct, diplomacy.presence.judged) == (6, 7)  # votes: 2 + 3 + 1 + 1
    assert (diplomacy.stance.correct, diplomacy.stance.judged) == (1, 3)
    assert (aid.judged, aid.covered) == (5, 0)


def test_shares_in_json_are_null_where_there_is_nothing(
    load: Load, schema: LabelSchema, labelled: Callable[..., LabelledSegment]
) -> None:
    written = measure(load(RULES), [labelled("رفض الهدنة", diplomacy="oppose")], schema).to_json()
    rules = {rule["rule"]: rule for rule in written["rules"]}
    assert rules["refuses"]["coverage"] == 1.0
    assert rules["refuses"]["overlap"] == 1.0
    assert rules["refuses"]["stance"] == {"judged": 1, "correct": 1, "share": 1.0}
    assert rules["never"]["coverage"] == 0.0
    assert rules["never"]["overlap"] is None
    assert rules["never"]["presence"] == {"judged": 0, "correct": 0, "share": None}
    assert rules["refuses"]["said"] == {"oppose": 1}
    json.dumps(written)


def test_examples_are_limited(load: Load, schema: LabelSchema, labelled: Callable[..., LabelledSegment]) -> None:
    items = [labelled(f"هدنة رقم {number}") for number in range(5)]
    for wanted, kept in ((0, 0), (2, 2), (9, 5)):
        report = measure(load(RULES), items, schema, examples=wanted)
        assert len(report.rules[2].wrong) == kept


def test_tables_have_a_row_a_rule(load: Load, schema: LabelSchema, labelled: Callable[..., LabelledSegment]) -> None:
    rules = load(RULES)
    report = measure(rules, [labelled("رفض الهدنة ودعا إلى هدنة", diplomacy="oppose")], schema)
    assert rules_table(report).row_count == 5
    assert topics_table(report).row_count == 3
    assert conflicts_table(report).row_count == 1
    assert firings_table(rules.explain("رفض الهدنة")).row_count == 2
