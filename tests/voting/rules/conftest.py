"""Write small folders of rules and load them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from naba.schema import LabelSchema
from naba.voting.rules import RuleSet

Load = Callable[..., RuleSet]

LEXICONS = """
lexicons:
  strike: {words: [غارة, قصف], verbs: [قصف]}
  truce: {words: [هدنة, وقف إطلاق نار]}
  talks: {words: [مفاوضات]}
  refusal: {verbs: [رفض]}
  demand: {verbs: [دعا/يدعو]}
"""


@pytest.fixture
def write_rules(tmp_path: Path) -> Callable[..., Path]:
    """Write files of a folder of rules: `write_rules(a="…", hooks_py="…")`; rules alone get the LEXICONS above."""

    def write(rules: str = "", **files: str) -> Path:
        folder = tmp_path / "rules"
        folder.mkdir(exist_ok=True)
        if rules:
            files["rules"] = LEXICONS + "topic: diplomacy\nrules:\n" + rules
        for name, content in files.items():
            name = name.removesuffix("_py") + (".py" if name.endswith("_py") else ".yaml")
            (folder / name).write_text(content, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def load(write_rules: Callable[..., Path], schema: LabelSchema) -> Load:
    """Load rules given as YAML list items, with the LEXICONS above."""

    def make(rules: str = "", **files: str) -> RuleSet:
        return RuleSet.load(write_rules(rules, **files), schema)

    return make
