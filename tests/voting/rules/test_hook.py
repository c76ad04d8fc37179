"""Python rules: what they may do, and every way in which they can be wrong."""

import pytest

from naba.errors import ConfigError
from naba.voting.rules.ruleset import RuleVote
from tests.voting.rules.conftest import Load

RULE = "  - {id: p, python: 'hooks.py:vote', note: n%s}\n"


def test_a_hook_votes_or_abstains(load: Load) -> None:
    source = """
def vote(text):
    return "neutral" if text.has("truce") and any(word.form.isdigit() for word in text.words) else None
"""
    rules = load(RULE % "", hooks_py=source)
    assert rules.vote("هدنة 3 أيام") == [RuleVote("p", "diplomacy", True, "neutral")]
    assert rules.vote("هدنة أيام") == []


def test_a_hook_is_asked_only_where_the_conditions_hold(load: Load) -> None:
    source = "def vote(text):\n    raise RuntimeError('asked')\n"
    rules = load(RULE % ", find: [truce], unless: [talks]", hooks_py=source)
    assert rules.vote("ارتفعت الأسعار") == []
    assert rules.vote("مفاوضات الهدنة") == []
    with pytest.raises(ConfigError, match="asked"):
        rules.vote("الهدنة")


def test_a_hook_sees_spans_negation_supposition_and_quotation(load: Load) -> None:
    source = """
def vote(text):
    (span,) = text.spans("truce")
    told = text.is_negated(span), text.is_hypothetical(span), text.is_quoted(span)
    return {(True, False, False): "oppose", (False, True, False): "neutral", (False, False, True): "support"}.get(told)
"""
    rules = load(RULE % "", hooks_py=source)
    stances = [rules.vote(text)[0].stance for text in ("لا هدنة", "إذا أعلنت هدنة", "قال «الهدنة»")]
    assert stances == ["oppose", "neutral", "support"]
    assert rules.vote("الهدنة") == []


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("'maybe'", "the hook returned 'maybe' on 'هدنة'; expected None or one of absent, neutral, oppose, present"),
        ("True", "the hook returned True"),
        ("1", "the hook returned 1"),
        ("['support']", "the hook returned"),
        ("1 / 0", "the hook raised ZeroDivisionError"),
        ("text.spans('nothing')", "the hook raised LookupError: no lexicon 'nothing'"),
    ],
)
def test_a_hook_that_fails_or_returns_nonsense(load: Load, returned: str, told: str) -> None:
    rules = load(RULE % "", hooks_py=f"def vote(text):\n    return {returned}\n")
    with pytest.raises(ConfigError, match=f"rule 'p': {told}"):
        rules.vote("هدنة")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def vote(text:\n", r"hooks\.py: cannot be loaded \(SyntaxError"),
        ("import no_such_module\n", r"hooks\.py: cannot be loaded \(ModuleNotFoundError"),
        ("def votes(text): ...\n", "has no function 'vote'; it has: votes"),
        ("vote = 3\n", "has no function 'vote'; it has: none"),
        ("", "has no function 'vote'; it has: none"),
    ],
)
def test_a_hook_that_cannot_be_loaded(load: Load, source: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load(RULE % "", hooks_py=source)


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("hooks.py", "expected file.py:function"),
        ("hooks:vote", "expected file.py:function"),
        ("hooks.py:", "expected file.py:function"),
        ("nowhere.py:vote", "no such file"),
        ("../hooks.py:vote", "must lie in .*, beside the rules"),
    ],
)
def test_a_reference_that_names_no_function(load: Load, reference: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load(f"  - {{id: p, python: '{reference}', note: n}}\n", hooks_py="def vote(text): ...\n")


def test_a_changed_hook_is_loaded_anew(load: Load) -> None:
    # No byte code is cached: two versions of the same size within a second are told apart.
    assert load(RULE % "", hooks_py="def vote(text):\n    return 'oppose'\n").vote("x")[0].stance == "oppose"
    assert load(RULE % "", hooks_py="def vote(text):\n    return 'absent'\n").vote("x")[0].present is False
