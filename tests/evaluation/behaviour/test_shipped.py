"""The behaviour tests that ship: enough of them, of every kind, in Arabic, the same each time."""

import re
from collections import Counter
from pathlib import Path

import pytest

from naba.evaluation.behaviour.perturb import TRANSFORMATIONS
from naba.evaluation.behaviour.suite import BehaviourSuite, load_suite
from naba.schema import LabelSchema


@pytest.fixture(scope="module")
def shipped(root: Path, schema: LabelSchema) -> BehaviourSuite:
    return load_suite(root / "configs" / "behaviour", schema)


def test_there_are_enough_tests_of_every_kind(shipped: BehaviourSuite) -> None:
    kinds = Counter(test.kind for test in shipped.tests)
    assert sum(kinds.values()) >= 40
    assert min(kinds["invariance"], kinds["direction"], kinds["minimum"]) >= 10
    assert {test.test.name: len(test.cases) for test in shipped.tests if len(test.cases) < 10} == {}
    assert sum(len(test.cases) for test in shipped.tests) >= 1500
    assert len(shipped.texts) <= 4000


def test_every_transformation_is_used(shipped: BehaviourSuite) -> None:
    assert {test.test.transform for test in shipped.tests} - {None} == set(TRANSFORMATIONS)


def test_base_sentences_cover_every_topic_with_every_stance_and_none(
    shipped: BehaviourSuite, schema: LabelSchema
) -> None:
    alone = Counter(next(iter(base.labels.items()), None) for base in shipped.bases if len(base.labels) < 2)
    wanted = [(topic, stance) for topic in schema.topic_ids for stance in schema.stance_ids]
    assert min(alone[pair] for pair in [*wanted, None]) >= 3


def test_direction_pairs_ask_for_different_answers(shipped: BehaviourSuite) -> None:
    for test in shipped.tests:
        if test.kind == "direction":
            assert all(not case.expected or case.expected[0] != case.expected[1] for case in test.cases), test.test.name


def test_texts_are_arabic_and_fully_written_out(shipped: BehaviourSuite) -> None:
    assert [text for text in shipped.texts if re.search("[a-zA-Z{}]", text) or len(re.findall("[ء-ي]", text)) < 8] == []


def test_the_same_cases_come_each_time(shipped: BehaviourSuite, root: Path, schema: LabelSchema) -> None:
    assert load_suite(root / "configs" / "behaviour", schema).texts == shipped.texts


def test_no_text_is_expected_to_have_two_answers(shipped: BehaviourSuite) -> None:
    expected: dict[str, dict[str, str]] = {}
    for test in shipped.tests:
        for case in test.cases:
            if case.topics != frozenset(("diplomacy", "humanitarian_aid", "military_action")):
                continue
            for text, labels in zip(case.texts, case.expected, strict=False):
                assert expected.setdefault(text, labels) == labels, text
