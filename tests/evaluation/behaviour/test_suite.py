from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from naba.errors import ConfigError
from naba.evaluation.behaviour.suite import load_suite, run_behaviour
from naba.schema import LabelSchema

Folder = Callable[..., Path]
Predictor = Callable[..., Any]

INVARIANCE = """
kind: invariance
at_least: 0.5
bases:
  - {text: "هدنة في غزة 5", labels: {diplomacy: support}}
  - {text: "قصف على اليمن", labels: {military_action: neutral}}
tests:
  - {name: haa, description: d, transform: taa_marbuta_undotted}
  - {name: digits, description: d, transform: persian_digits}
  - {name: tail, description: d, append: ["المصدر: وكالات"]}
  - {name: head, description: d, prepend: ["وكالات:"], at_least: 1}
  - {name: places, description: d, swap: [[غزة, اليمن]]}
"""
DIRECTION = """
kind: direction
slots:
  who: [الوفد, الوزير]
tests:
  - name: refused
    description: d
    before_labels: {diplomacy: support}
    after_labels: {diplomacy: oppose}
    cases:
      - {before: "قبل {who} هدنة", after: "رفض {who} هدنة"}
      - {before: "هدنة", after: "لا هدنة", before_labels: {diplomacy: support}, after_labels: {}}
  - name: turned
    description: d
    cases:
      - {before: "قبل هدنة", after: "رفض هدنة"}
      - {before: "قبل هدنة", after: "لم يقبل هدنة"}
"""
MINIMUM = """
kind: minimum
tests:
  - {name: plain, description: d, bases: true}
  - name: other_sense
    description: d
    labels: {}
    cases: ["هدنة رياضية", "مهرجان"]
  - name: aid_alone
    description: d
    labels: {}
    topics: [humanitarian_aid]
    cases: ["هدنة رياضية"]
"""
WORDS = {"هدنة": ("diplomacy", "support"), "رفض": ("diplomacy", "oppose"), "قصف": ("military_action", "neutral")}


def test_pass_rates_are_those_worked_out_by_hand(folder: Folder, schema: LabelSchema, predictor: Predictor) -> None:
    suite = load_suite(folder(invariance=INVARIANCE, direction=DIRECTION, minimum=MINIMUM), schema)
    predict = predictor(WORDS)
    report = run_behaviour(predict, suite, schema)
    found = {test.name: (test.passed, test.cases) for test in report.tests}
    assert found == {
        "refused": (2, 3),  # the two of the template; «لا هدنة» is called support though nothing is expected
        "turned": (1, 2),  # لم يقبل هدنة is support still
        "haa": (0, 1),  # هدنه is not known; the other base sentence has no taa marbuta
        "digits": (1, 1),
        "tail": (2, 2),
        "head": (2, 2),
        "places": (2, 2),
        "plain": (2, 2),
        "other_sense": (1, 2),
        "aid_alone": (1, 1),  # diplomacy is not judged
    }
    assert report.by_kind() == {
        "invariance": {"tests": 5, "gates_missed": 1, "cases": 8, "passed": 7, "pass_rate": 0.875, "mean_test_pass_rate": 0.8, "at_least": None},
        "direction": {"tests": 2, "gates_missed": 0, "cases": 5, "passed": 3, "pass_rate": 0.6, "mean_test_pass_rate": 0.5833, "at_least": None},
        "minimum": {"tests": 3, "gates_missed": 0, "cases": 5, "passed": 4, "pass_rate": 0.8, "mean_test_pass_rate": 0.8333, "at_least": None},
    }  # fmt: skip
    assert list(report.gates_missed()) == ["haa"]
    assert {test.name: test.sources for test in report.tests if test.kind == "direction"} == {"refused": 2, "turned": 2}
    [asked] = predict.calls
    assert len(asked) == len(set(asked)) == report.texts  # each distinct text once


def test_segments_of_the_callers_are_changed_too(folder: Folder, schema: LabelSchema, predictor: Predictor) -> None:
    suite = load_suite(folder(invariance=INVARIANCE, minimum=MINIMUM), schema)
    report = run_behaviour(predictor(WORDS), suite, schema, ["هدنة جديدة", "هدنة جديدة", "مهرجان"])
    tests = {test.name: test for test in report.tests}
    assert report.segments == 2
    assert tests["haa"].cases == 2  # one base, one segment; «مهرجان» has no taa marbuta
    assert tests["tail"].cases == 4
    assert tests["plain"].cases == 2  # minimum tests are the suite's own alone
    row = tests["haa"].to_dict(texts=False)
    assert row["given_segments"] == {"cases": 1, "passed": 0}
    own, given = row["failures"]
    assert own["before"]["text"] == "هدنة في غزة 5"
    assert "text" not in given["before"] and len(given["before"]["id"]) == 12
    assert given["before"]["decision"] == {"diplomacy": "support"} and given["after"]["decision"] == {}


def test_another_schema_brings_its_own_tests(folder: Folder, markets: LabelSchema, predictor: Predictor) -> None:
    content = """
kind: minimum
tests:
  - name: rising
    description: d
    labels: {oil: optimistic}
    cases: ["النفط يرتفع", "النفط يهبط"]
"""
    suite = load_suite(folder(tests=content), markets)
    report = run_behaviour(predictor({"يرتفع": ("oil", "optimistic"), "يهبط": ("oil", "pessimistic")}), suite, markets)  # fmt: skip
    assert [(test.passed, test.cases) for test in report.tests] == [(1, 2)]


def test_a_suite_of_another_schema_is_refused(
    folder: Folder, schema: LabelSchema, markets: LabelSchema, predictor: Predictor
) -> None:
    suite = load_suite(folder(invariance=INVARIANCE), schema)
    with pytest.raises(ConfigError, match="other topics or stances than schema 'markets'"):
        run_behaviour(predictor(WORDS), suite, markets)


def test_wrong_use_in_code_is_told(folder: Folder, schema: LabelSchema, predictor: Predictor) -> None:
    suite = load_suite(folder(invariance=INVARIANCE), schema)
    with pytest.raises(ValueError, match="gave 0 answers for"):
        run_behaviour(lambda texts: [], suite, schema)
    with pytest.raises(TypeError, match="a list of segments"):
        run_behaviour(predictor(WORDS), suite, schema, "هدنة")


def one(**keys: str) -> str:
    """A file of one minimum test, its keys changed or added."""
    test = {"name": "one", "description": "d", "labels": "{}", "cases": '["نص"]'} | keys
    return "kind: minimum\ntests:\n  - {" + ", ".join(f"{key}: {value}" for key, value in test.items() if value) + "}\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the files hold no 'tests'"),
        ("[1]", "expected keys and values"),
        ("kind: [", "not YAML"),
        ("kind: maximum\n", "kind = 'maximum'"),
        ("kinds: minimum\n", "unknown key 'kinds'"),
        (one(lables="{}"), r"unknown key 'tests.0.lables'"),
        (one(cases='[{txt: "نص"}]'), r"unknown key 'tests.0.cases.0.txt'"),
        (one(cases="[7]"), "tests.0.cases.0"),
        (one(name="One"), "tests.0.name = 'One'"),
        (one(at_least="1.5"), "tests.0.at_least = 1.5"),
        (one(labels="{sport: support}"), "test 'one', case 1: topic 'sport' is not in the label schema"),
        (one(labels="{diplomacy: glad}"), "test 'one', case 1: stance 'glad' is not in the label schema"),
        (one(labels="{diplomacy: null}"), "tests.0.labels.diplomacy"),
        (one(labels=""), "a minimum case needs 'labels'"),
        (one(topics="[sport]"), "topic 'sport' is not in the label schema"),
        (one(cases='["{who}"]'), r"slot \{who\} has no words"),
        (one(cases='[{before: "ا", after: "ب"}]'), "a minimum case is one 'text'"),
        (one(cases='[{before: "ا"}]'), "a case has either 'text', or 'before' and 'after'"),
        (one(cases=""), "takes its cases from one of"),
        (one(bases="true"), "it has bases and cases"),
        (one(cases="", bases="true"), "so 'labels' says nothing"),
        (one(cases="", labels="", transform="tatweel"), "a minimum test is written as 'cases'"),
        (one(cases="", labels="", bases="true"), "no cases"),
        (one(repeats="2"), "so 'repeats' says nothing"),
        (one(kind="direction"), "needs 'before' and 'after'"),
        (one(kind="invariance", cases="", labels="", transform="shout"), "transform 'shout' is unknown; known: diacritics"),
        (one(kind="invariance", cases="", labels="", transform="tatweel"), "no base sentence is changed by it"),
        (one(kind="invariance", cases="", labels="", swap="[[غزة]]"), "needs two names or more"),
        (one(kind="invariance", cases='[{before: "ا", after: "ا"}]', labels=""), "before and after are the same text"),
        (one(kind="direction", cases='[{before: "ا", after: "ب"}]'), "takes no such labels"),
        (one(kind="direction", labels="", before_labels="{}", cases='[{before: "ا", after: "ب"}]'), "give both"),
        (one().replace("kind: minimum\n", ""), "no 'kind'"),
        (one() + one().split("tests:\n")[1], "the name is given twice"),
        ("bases: [{text: نص, labels: {sport: support}}]\n", "base sentence 1: topic 'sport'"),
    ],
)  # fmt: skip
def test_faults_are_told_in_one_line(folder: Folder, schema: LabelSchema, content: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        load_suite(folder(tests=content), schema)
    assert "\n" not in str(error.value)


def test_a_folder_without_tests_is_told(tmp_path: Path, schema: LabelSchema) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ConfigError, match="no behaviour tests here"):
            load_suite(folder, schema)


def test_a_slot_given_in_two_files_is_told(folder: Folder, schema: LabelSchema) -> None:
    with pytest.raises(ConfigError, match="slot 'who' is given twice"):
        load_suite(folder(a="slots: {who: [ا]}", b="slots: {who: [ب]}"), schema)
