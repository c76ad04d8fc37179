"""The rules that ship: each proves itself, every topic and stance has some, and together they do what they claim."""

from collections import Counter
from pathlib import Path

import pytest

from naba.dataset.labelled import load_labelled
from naba.schema import LabelSchema
from naba.voting.rules import RuleSet
from naba.voting.rules.report import RulesReport, measure


@pytest.fixture(scope="module")
def rules(root: Path, schema: LabelSchema) -> RuleSet:
    return RuleSet.load(root / "configs" / "rules", schema)


@pytest.fixture(scope="module")
def report(root: Path, schema: LabelSchema, rules: RuleSet) -> RulesReport:
    return measure(
        rules, load_labelled([root / "data" / "authored.jsonl", root / "data" / "seed-gold.jsonl"], schema), schema
    )


def test_there_are_at_least_sixty(rules: RuleSet) -> None:
    assert len(rules.names) >= 60


def test_every_rule_fires_on_its_example_and_not_on_its_counterexample(rules: RuleSet) -> None:
    assert [rule.id for rule, _ in rules.rules if rule.example is None] == []
    assert rules.unproven() == []


def test_every_topic_has_rules_for_every_stance_and_for_presence_and_absence(
    rules: RuleSet, schema: LabelSchema
) -> None:
    votes = Counter((topic, rule.vote) for rule, topic in rules.rules)
    for topic in schema.topic_ids:
        for vote in (*schema.stance_ids, "present", "absent"):
            assert votes[topic, vote] > 0, (topic, vote)


def test_python_rules_ship(rules: RuleSet) -> None:
    assert sum(rule.python is not None for rule, _ in rules.rules) >= 2


def test_rules_are_mostly_right_on_authored_and_seed_segments(report: RulesReport) -> None:
    # A floor, not the figure: `naba rules` prints that. A rule with few votes may miss it by chance.
    for rule in report.rules:
        share = rule.stance.share if rule.stance.judged else rule.presence.share
        assert rule.presence.judged < 15 or (share or 0) >= 0.65, rule
    for topic in report.topics:
        assert (topic.presence.share or 0) > 0.9
        assert (topic.stance.share or 0) > 0.8


@pytest.mark.parametrize(
    ("text", "topic", "stance"),
    [
        ("ترفض الحكومة أي مفاوضات مع المتمردين", "diplomacy", "oppose"),
        ("لم ترفض الحكومة المفاوضات مع المتمردين", "diplomacy", None),
        ("دعا الاتحاد الأفريقي إلى محادثات مباشرة بين الجانبين", "diplomacy", "support"),
        ("أرسلت كندا مساعدات إنسانية إلى الإقليم", "humanitarian_aid", "support"),
        ("منعت الميليشيا دخول شاحنات الإغاثة إلى البلدة", "humanitarian_aid", "oppose"),
        ("هدد القائد بقصف الميناء", "military_action", "support"),
        ("ندد الاتحاد بالهجوم على القافلة", "military_action", "oppose"),
        ("سقطت قذائف على أطراف البلدة", "military_action", "neutral"),
    ],
)
@pytest.mark.parametrize("party", ["", "روسيا", "إسرائيل", "حماس", "الدعم السريع"])
def test_a_partys_name_decides_no_stance(rules: RuleSet, text: str, topic: str, stance: str | None, party: str) -> None:
    stances = {vote.stance for vote in rules.vote(f"{text} {party}") if vote.topic == topic and vote.stance}
    assert stances == ({stance} if stance else set())


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("أعلنت الحكومة الحرب على الفساد", "military_action"),
        ("هدنة سعرية بين شركات الطيران", "diplomacy"),
        ("تعرض المصرف لهجوم إلكتروني عطل خدماته", "military_action"),
        ("قصف مهاجمو المنتخب مرمى الضيوف في المباراة", "military_action"),
        ("أضرب السجناء إضراب الجوع", "humanitarian_aid"),
    ],
)
def test_words_in_another_sense_do_not_make_a_topic_present(rules: RuleSet, text: str, topic: str) -> None:
    assert not any(vote.present for vote in rules.vote(text) if vote.topic == topic)
