"""Every fault in a folder of rules is one ConfigError that names file, rule and remedy."""

from collections.abc import Callable
from pathlib import Path

import pytest

from naba.errors import ConfigError
from naba.schema import LabelSchema
from naba.voting.rules import RuleSet
from tests.voting.rules.conftest import LEXICONS, Load

GOOD = "{id: a, vote: present, find: [truce], note: n}"


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("{id: a, vote: present, find: [truse], note: n}", r"rules\.yaml: rule 'a': lexicon 'truse' is not defined"),
        ("{id: a, vote: present, find: [truse], note: n}", r"did you mean 'truce'\?"),
        ("{id: a, vote: present, find: [truce], also: [nothing], note: n}", "lexicon 'nothing' is not defined"),
        ("{id: a, vote: present, find: [truce], unless: [nothing], note: n}", "lexicon 'nothing' is not defined"),
        ("{id: a, vote: against, find: [truce], note: n}", "vote = 'against'; expected one of absent, neutral, oppose"),
        ("{id: a, vote: no, find: [truce], note: n}", "vote = False: .*YAML reads no, yes, on, off as true or false"),
        ("{id: a, topic: weather, vote: present, find: [truce], note: n}", "topic = 'weather' is not in the label"),
        ("{id: a, votes: present, find: [truce], note: n}", "unknown key 'votes'.*did you mean 'vote'"),
        ("{id: A b, vote: present, find: [truce], note: n}", "id = 'A b'"),
        ("{id: 7, vote: present, find: [truce], note: n}", "rule 1: id = 7: .*YAML reads it as a number"),
        ("{vote: present, find: [truce], note: n}", "rule 1: id is missing"),
        ("{id: a, vote: present, find: [truce]}", "rule 'a': note is missing"),
        ("{id: a, vote: present, find: [truce], note: ''}", "rule 'a': note = ''"),
        ("{id: a, find: [truce], note: n}", "a rule has either 'vote' or 'python'"),
        ("{id: a, vote: present, note: n}", "a rule has either 'find' or 'without'"),
        ("{id: a, vote: absent, find: [truce], without: [talks], note: n}", "either 'find' or 'without'"),
        ("{id: a, vote: present, without: [truce], note: n}", "'without' is for rules that vote 'absent'"),
        ("{id: a, vote: present, find: [[]], note: n}", "an inner list or name .* is empty"),
        ("{id: a, vote: present, find: [truce, 5], note: n}", "find.1"),
        ("{id: a, vote: present, find: truce, note: n}", "find = 'truce'"),
        ("{id: a, vote: present, find: [truce], within: 0, note: n}", "within = 0"),
        ("{id: a, vote: present, find: [truce], within: near, note: n}", "within = 'near'"),
        ("{id: a, vote: present, find: [truce], negated: maybe, note: n}", "negated = 'maybe'"),
        ("{id: a, vote: present, find: [truce], quoted: no, note: n}", "quoted = False: .*quote it"),
        ("{id: a, vote: present, find: [truce], min_words: 9, max_words: 3, note: n}", "max_words = 3 is below"),
        ("just text", "rule 1: a str; expected keys and values"),
    ],
)
def test_a_faulty_rule(load: Load, rule: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load(f"  - {rule}\n")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("rules: [\n", r"file\.yaml: not YAML"),
        ("- a\n- b\n", "a list; expected the keys topic, lexicons, rules"),
        ("rulez: []\n", "unknown key 'rulez'"),
        ("rules: {a: 1}\n", "rules is a dict; expected a list of rules"),
        ("lexicons: [a]\n", "lexicons is a list; expected name"),
        ("lexicons: {a: {word: [هدنة]}}\n", "lexicon 'a': unknown key 'word'.*did you mean 'words'"),
        ("lexicons: {a: [هدنة]}\n", "lexicon 'a': a list; expected keys and values"),
        ("lexicons: {a: {words: هدنة}}\n", "lexicon 'a': words = 'هدنة'"),
        ("lexicons: {a: {words: [هدنة, no]}}\n", "lexicon 'a': words.1 = False: .*quote it"),
        ("lexicons: {a: {words: [1701]}}\n", "words.0 = 1701: .*YAML reads it as a number"),
        ("lexicons: {no: {words: [هدنة]}}\n", "lexicon False: a name is text; quote it"),
        ("lexicons:\n  a: {words: [هدنة]}\n  a: {words: [صلح]}\n", "not YAML .*the key 'a' is given twice"),
        ("? [a, b]\n: c\n", "not YAML"),
        ("", "no rules; write some"),
        ("topic: diplomacy\n", "no rules; write some"),
    ],
)
def test_a_faulty_file(load: Load, content: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load(file=content)


def test_a_faulty_entry_names_the_file_of_its_lexicon(load: Load) -> None:
    good = LEXICONS + f"topic: diplomacy\nrules:\n  - {GOOD}\n"
    with pytest.raises(ConfigError, match=r"words\.yaml: lexicon 'going', verbs: 'مضى' is a weak verb"):
        load(good=good, words="lexicons: {going: {verbs: [مضى]}}\n")


def test_an_id_given_twice_names_both_places(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"b\.yaml: rule 'a': the id is given twice \(also .*rules\.yaml: rule 'a'\)"):
        load(f"  - {GOOD}\n", xb=f"topic: diplomacy\nrules: [{GOOD}]\n")


def test_a_lexicon_defined_in_two_files_names_both(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"zz\.yaml: lexicon 'truce' is defined in .*rules\.yaml too"):
        load(f"  - {GOOD}\n", zz="lexicons: {truce: {words: [صلح]}}\n")


def test_a_rule_without_a_topic_in_a_file_without_one(load: Load) -> None:
    with pytest.raises(ConfigError, match="no topic is given; it has diplomacy, humanitarian_aid, military_action"):
        load(file=LEXICONS + f"rules: [{GOOD}]\n")


def test_a_folder_that_is_none(schema: LabelSchema, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        RuleSet.load(tmp_path / "nowhere", schema)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="no such folder"):
        RuleSet.load(tmp_path / "file", schema)


def test_an_empty_folder(schema: LabelSchema, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no rules"):
        RuleSet.load(tmp_path, schema)


def test_a_file_that_is_not_utf8(write_rules: Callable[..., Path], schema: LabelSchema) -> None:
    folder = write_rules(f"  - {GOOD}\n")
    (folder / "latin.yaml").write_bytes("topic: هدنة".encode("cp1256"))
    with pytest.raises(ConfigError, match=r"latin\.yaml: cannot be read"):
        RuleSet.load(folder, schema)


def test_a_byte_order_mark_is_harmless(write_rules: Callable[..., Path], schema: LabelSchema) -> None:
    folder = write_rules(f"  - {GOOD}\n")
    path = folder / "rules.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert RuleSet.load(folder, schema).names == ("a",)


def test_lexicons_are_shared_by_the_files_of_a_folder(load: Load) -> None:
    rules = load(words=LEXICONS, votes=f"topic: diplomacy\nrules: [{GOOD}]\n")
    assert [vote.rule for vote in rules.vote("انهارت الهدنة")] == ["a"]


def test_a_rule_may_name_another_topic_than_its_file(load: Load) -> None:
    rules = load("  - {id: a, topic: military_action, vote: present, find: [strike], note: n}\n")
    assert rules.vote("غارة")[0].topic == "military_action"


def test_a_stance_called_like_a_rules_own_word_is_refused(write_rules: Callable[..., Path]) -> None:
    stances = [{"id": "present", "name_ar": "a", "name_en": "a"}, {"id": "other", "name_ar": "b", "name_en": "b"}]
    topic = {
        "id": "diplomacy",
        "name_ar": "a",
        "name_en": "a",
        "definition": "d",
        "target": "t",
        "stances": {"present": "x", "other": "y"},
    }
    odd = LabelSchema.parse({"name": "odd", "stances": stances, "topics": [topic]}, "test")
    with pytest.raises(ConfigError, match="stance 'present'"):
        RuleSet.load(write_rules(f"  - {GOOD}\n"), odd)
