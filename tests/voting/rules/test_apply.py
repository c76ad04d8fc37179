"""What a rule does with order, nearness, company, negation, supposition and quotation. Each text is worked out by hand."""

import pytest

from naba.voting.rules.ruleset import RuleVote
from tests.voting.rules.conftest import Load

REFUSES = "  - {id: r, vote: oppose, find: [refusal, truce], within: 3, note: n%s}\n"


def fires(load: Load, text: str, more: str = "") -> bool:
    return bool(load(REFUSES % (f", {more}" if more else "")).vote(text))


def test_lexicons_are_found_in_order_and_a_stance_implies_presence(load: Load) -> None:
    rules = load(REFUSES % "")
    assert rules.vote("رفض القائد الهدنة") == [RuleVote("r", "diplomacy", True, "oppose")]
    assert rules.vote("الهدنة رفضها القائد") == []


def test_the_distance_is_counted_from_the_last_word_of_the_find_before(load: Load) -> None:
    # رفض, then two words, then الهدنة: it begins three words after رفض.
    assert fires(load, "رفض قائد الفصيل الهدنة")
    assert not fires(load, "رفض قائد الفصيل المسلح الهدنة")
    # وقف إطلاق النار takes three words, of which the first counts.
    assert fires(load, "رفض قائد الفصيل وقف إطلاق النار")


def test_within_one_means_neighbours(load: Load) -> None:
    rules = load("  - {id: r, vote: oppose, find: [refusal, truce], within: 1, note: n}\n")
    assert rules.vote("رفض الهدنة")
    assert not rules.vote("رفض القائد الهدنة")


def test_a_later_find_is_tried_where_the_first_has_no_partner(load: Load) -> None:
    assert fires(load, "رفض الحضور ثم عاد إلى بيته ثم رفض الهدنة")


def test_a_match_stays_in_one_sentence(load: Load) -> None:
    assert not fires(load, "رفض. الهدنة بعيدة")
    assert fires(load, "رفض، قال، الهدنة")


def test_an_inner_list_takes_any_of_its_lexicons(load: Load) -> None:
    rules = load("  - {id: r, vote: oppose, find: [refusal, [truce, talks]], note: n}\n")
    assert rules.vote("رفض المفاوضات")
    assert rules.vote("رفض الهدنة")


def test_the_same_lexicon_twice_needs_two_words(load: Load) -> None:
    rules = load("  - {id: r, vote: present, find: [strike, strike], note: n}\n")
    assert not rules.vote("غارة على البلدة")
    assert rules.vote("غارة وقصف على البلدة")


def test_company_is_looked_for_anywhere(load: Load) -> None:
    also = "also: [talks]"
    assert fires(load, "بعد المفاوضات. رفض الهدنة", also)
    assert not fires(load, "رفض الهدنة", also)


def test_unless_makes_it_abstain(load: Load) -> None:
    assert not fires(load, "دعا إلى لقاء. رفض الهدنة", "unless: [demand]")


def test_without_votes_absent_where_nothing_is_found(load: Load) -> None:
    rules = load("  - {id: r, vote: absent, without: [truce, talks], note: n}\n")
    assert rules.vote("ارتفعت الأسعار") == [RuleVote("r", "diplomacy", False, None)]
    assert rules.vote("انهارت الهدنة") == []


def test_first_words_keeps_to_the_start(load: Load) -> None:
    assert fires(load, "اليوم رفض الهدنة", "first_words: 2")
    assert not fires(load, "اليوم مساء رفض الهدنة", "first_words: 2")


def test_length_limits(load: Load) -> None:
    assert fires(load, "رفض القائد الهدنة", "min_words: 3, max_words: 3")
    assert not fires(load, "رفض الهدنة", "min_words: 3")
    assert not fires(load, "رفض القائد الهدنة أمس", "max_words: 3")


@pytest.mark.parametrize(
    ("scope", "plain", "denied"), [("abstain", True, False), ("ignore", True, True), ("only", False, True)]
)
def test_negation(load: Load, scope: str, plain: bool, denied: bool) -> None:
    rules = load(REFUSES % f", negated: {scope}")
    assert bool(rules.vote("رفض الوفد الهدنة")) == plain
    for text in ("لم يرفض الوفد الهدنة", "لن نرفض الهدنة", "لا ترفضوا الهدنة", "أعلن عدم رفض الهدنة", "دون رفض الهدنة"):
        assert bool(rules.vote(text)) == denied


@pytest.mark.parametrize(
    ("scope", "plain", "supposed"), [("abstain", True, False), ("ignore", True, True), ("only", False, True)]
)
def test_supposition(load: Load, scope: str, plain: bool, supposed: bool) -> None:
    rules = load(REFUSES % f", hypothetical: {scope}")
    assert bool(rules.vote("رفض الوفد الهدنة")) == plain
    for text in ("إذا رفض الوفد الهدنة", "لو رفضت الهدنة", "قد يرفض الهدنة", "في حال رفضت الهدنة"):
        assert bool(rules.vote(text)) == supposed


def test_presence_rules_take_negation_and_supposition_as_they_come(load: Load) -> None:
    rules = load("  - {id: r, vote: present, find: [truce], note: n}\n")
    assert rules.vote("لا هدنة") == rules.vote("إذا أعلنت هدنة") == [RuleVote("r", "diplomacy", True, None)]


@pytest.mark.parametrize(
    ("where", "outside", "inside", "across"),
    [("any", True, True, True), ("outside", True, False, False), ("inside", False, True, False)],
)
def test_quotation(load: Load, where: str, outside: bool, inside: bool, across: bool) -> None:
    rules = load(REFUSES % f", quoted: {where}")
    assert bool(rules.vote("رفض القائد الهدنة وقال «نعم»")) == outside
    assert bool(rules.vote("قال «رفض القائد الهدنة»")) == inside
    assert bool(rules.vote("رفض القائد «الهدنة»")) == across


def test_a_second_match_counts_where_the_first_is_denied(load: Load) -> None:
    assert fires(load, "لم يرفض الهدنة أمس، بل رفض الهدنة اليوم")


@pytest.mark.parametrize("text", ["", " ", "…", "،،،", "123", "English only", "رفض"])
def test_texts_with_nothing_to_find(load: Load, text: str) -> None:
    assert load(REFUSES % "").vote(text) == []
