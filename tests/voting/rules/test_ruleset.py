"""The set of rules: names, order, explanation, fingerprint, proof by example, other schemas."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from naba.schema import LabelSchema
from naba.voting.rules import RuleSet
from naba.voting.rules.ruleset import RuleVote
from tests.voting.rules.conftest import Load

TWO = """
  - {id: b, vote: oppose, find: [refusal, truce], note: n}
  - {id: a, vote: present, find: [truce], note: n}
"""


def test_names_and_votes_keep_the_order_of_files_and_rules(load: Load) -> None:
    rules = load(TWO, first="topic: military_action\nrules: [{id: z, vote: absent, without: [strike], note: n}]\n")
    assert rules.names == ("z", "b", "a")
    assert [vote.rule for vote in rules.vote("رفض الهدنة")] == ["z", "b", "a"]


def test_voting_is_pure(load: Load) -> None:
    rules = load(TWO)
    texts = ["رفض الهدنة", "الهدنة", "", "لم يرفض الهدنة"]
    assert [rules.vote(text) for text in texts] == [rules.vote(text) for text in texts]


def test_explain_shows_the_words_of_each_find(load: Load) -> None:
    explained = load(TWO).explain("رفض القائد وقف إطلاق النار")
    assert [(firing.vote.rule, firing.matched) for firing in explained] == [
        ("b", ("رفض", "وقف اطلاق النار")),
        ("a", ("وقف اطلاق النار",)),
    ]


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        ((True, "support"), (True, "oppose"), True),
        ((True, "support"), (True, "support"), False),
        ((True, "support"), (True, None), False),  # presence alone agrees with any stance
        ((True, None), (False, None), True),
        ((True, "support"), (False, None), True),
        ((False, None), (False, None), False),
    ],
)
def test_contradiction(one: tuple[bool, str | None], other: tuple[bool, str | None], contradict: bool) -> None:
    first, second = RuleVote("a", "t", *one), RuleVote("b", "t", *other)
    assert first.contradicts(second) == second.contradicts(first) == contradict


def test_votes_on_other_topics_never_contradict() -> None:
    assert not RuleVote("a", "t", True, None).contradicts(RuleVote("b", "u", False, None))


def test_the_fingerprint_changes_with_any_file(write_rules: Callable[..., Path], schema: LabelSchema) -> None:
    folder = write_rules(TWO, hooks_py="def vote(text): ...\n")
    before = RuleSet.load(folder, schema).fingerprint
    assert RuleSet.load(folder, schema).fingerprint == before
    seen = {before}
    for name, content in (("hooks.py", "def vote(text): ...  # two\n"), ("more.yaml", ""), ("rules.yaml", None)):
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8") + "\n" if content is None else content, encoding="utf-8")
        seen.add(RuleSet.load(folder, schema).fingerprint)
    assert len(seen) == 4
    (folder / "notes.txt").write_text("x")  # no rule reads it
    assert RuleSet.load(folder, schema).fingerprint in seen


def test_a_rule_that_fails_its_example_is_told(load: Load) -> None:
    rules = load(
        "  - {id: a, vote: present, find: [truce], note: n, example: انهارت الهدنة, counterexample: هدنة}\n"
        "  - {id: b, vote: present, find: [talks], note: n, example: صمت}\n"
    )
    first, second = rules.unproven()
    assert first.endswith("rule 'a': fires on its counterexample")
    assert second.endswith("rule 'b': does not fire on its example")


def test_rules_work_for_another_schema(write_rules: Callable[..., Path], markets: LabelSchema) -> None:
    folder = write_rules(
        oil="""
topic: oil
lexicons:
  oil: {words: [نفط]}
  rise: {verbs: [ارتفع, قفز]}
  fall: {verbs: [هبط, تراجع]}
rules:
  - {id: up, vote: optimistic, find: [oil, rise], note: n}
  - {id: down, vote: pessimistic, find: [[oil, gold], fall], note: n}
  - {id: gold, topic: gold, vote: present, find: [gold], note: n}
""",
        words="lexicons: {gold: {words: [ذهب]}}\n",
    )
    rules = RuleSet.load(folder, markets)
    assert rules.vote("أسعار النفط سترتفع") == [RuleVote("up", "oil", True, "optimistic")]
    assert rules.vote("النفط لم يرتفع") == []
    assert rules.vote("الذهب يهبط") == [
        RuleVote("down", "oil", True, "pessimistic"),
        RuleVote("gold", "gold", True, None),
    ]


def test_the_same_votes_come_in_every_process(root: Path) -> None:
    # The order of a set of strings depends on the process: nothing may depend on it.
    code = (
        "from pathlib import Path; from naba.voting.rules import RuleSet; from naba.schema import LabelSchema;"
        f"root = Path({str(root)!r}); schema = LabelSchema.load(root / 'configs/labels.yaml');"
        "rules = RuleSet.load(root / 'configs/rules', schema);"
        "print(rules.explain('رفضت الحركة وقف إطلاق النار وهددت بقصف المدينة ومنعت دخول شاحنات الإغاثة'))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
    assert "RuleVote" in outputs.pop()
