from pathlib import Path
from typing import Any

import numpy as np
import pytest

from naba.config import load_config
from naba.errors import ConfigError
from naba.evaluation.label_mapping import LabelMap, MappingConfig
from naba.schema import UNKNOWN, LabelSchema

LABELS = ["talks", "strike", "strike condemned", "sport", "trade"]
MEANINGS: dict[str, Any] = {
    "talks": "diplomacy",
    "strike": {"topic": "military_action", "stance": "neutral"},
    "strike condemned": {"topic": "military_action", "stance": "oppose"},
    "sport": "none",
    "trade": "none",
}


def mapping(**changes: Any) -> MappingConfig:
    return MappingConfig.model_validate({"problem": "single", "meanings": MEANINGS} | changes)


def logits(*shares: float) -> np.ndarray:
    """Scores whose softmax is these shares."""
    return np.log(np.array([shares]))


def test_labels_of_one_topic_are_taken_together(schema: LabelSchema) -> None:
    label_map = LabelMap.of(mapping(), LABELS, schema, "m")
    assert label_map.schema.topic_ids == ("diplomacy", "military_action")
    # Two labels of 0.25 and 0.2 are likelier together than the likeliest single one.
    said = label_map.answers(logits(0.1, 0.25, 0.2, 0.3, 0.15))
    assert said.topic is not None
    assert said.stance is not None
    assert said.topic[0].tolist() == pytest.approx([0.1, 0.45])
    assert said.labels.presence.tolist() == [[0, 1]]
    assert said.labels.stance.tolist() == [[UNKNOWN, 2]]
    assert said.stance[0, 1].tolist() == pytest.approx([0, 0.2 / 0.45, 0.25 / 0.45])
    # Labels of no topic are not: each is an answer of its own.
    assert label_map.answers(logits(0.35, 0.1, 0.1, 0.25, 0.2)).labels.presence.tolist() == [[1, 0]]
    assert label_map.answers(logits(0.3, 0.1, 0.1, 0.35, 0.15)).labels.presence.tolist() == [[0, 0]]


def test_threshold_takes_the_place_of_the_likeliest(schema: LabelSchema) -> None:
    label_map = LabelMap.of(mapping(threshold=0.3, thresholds={"diplomacy": 0.5}), LABELS, schema, "m")
    assert label_map.answers(logits(0.4, 0.2, 0.15, 0.15, 0.1)).labels.presence.tolist() == [[0, 1]]
    # Only diplomacy has one: the other topic is still the likeliest answer or nothing.
    label_map = LabelMap.of(mapping(thresholds={"diplomacy": 0.2}), LABELS, schema, "m")
    assert label_map.answers(logits(0.3, 0.2, 0.15, 0.25, 0.1)).labels.presence.tolist() == [[1, 1]]


def test_labels_that_do_not_exclude_each_other_are_judged_apart(schema: LabelSchema) -> None:
    label_map = LabelMap.of(mapping(problem="multi"), LABELS, schema, "m")
    said = label_map.answers(np.array([[0.1, -3.0, 2.0, 9.0, 0.0], [-0.1, -1.0, -2.0, 0.0, 0.0]]))
    assert said.topic is not None
    assert said.labels.presence.tolist() == [[1, 1], [0, 0]]
    assert said.topic[0, 1] == pytest.approx(1 / (1 + np.exp(-2.0)))  # the surest of its labels
    assert said.labels.stance[:, 1].tolist() == [1, 2]


def test_topic_that_is_named_alone_is_decided_by_that_label(schema: LabelSchema) -> None:
    meanings = {"war": "military_action", "for": {"topic": "military_action", "stance": "support"}}
    label_map = LabelMap.of(mapping(problem="multi", meanings=meanings), ["war", "for"], schema, "m")
    assert label_map.answers(np.array([[-1.0, 5.0], [1.0, -5.0]])).labels.presence.tolist() == [[0], [1]]


def test_classifier_without_stances_has_no_stance_probabilities(schema: LabelSchema) -> None:
    label_map = LabelMap.of(mapping(meanings={"a": "diplomacy", "b": "none"}), ["b", "a"], schema, "m")
    said = label_map.answers(np.zeros((3, 2)))
    assert said.stance is None
    assert said.labels.stance.tolist() == [[UNKNOWN]] * 3
    assert said.labels.presence.tolist() == [[0]] * 3  # as likely is not likelier
    assert not label_map.stances.any()


def test_whole_schema_stays_itself(markets: LabelSchema) -> None:
    meanings = {topic: topic for topic in markets.topic_ids}
    label_map = LabelMap.of(mapping(problem="multi", meanings=meanings), list(meanings), markets, "m")
    assert label_map.schema is markets


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"meanings": MEANINGS | {"Talks": "none"}}, r"meanings\.Talks: m has no such label; it has talks, strike"),
        ({"meanings": {"talks": "diplomacy"}}, r"the label 'strike' of m is missing.*unlisted: none"),
        (
            {"meanings": MEANINGS | {"talks": "diplomcy"}},
            r"meanings\.talks: topic 'diplomcy' is not in the label schema",
        ),
        (
            {"meanings": MEANINGS | {"talks": {"topic": "diplomacy", "stance": "against"}}},
            r"meanings\.talks: stance 'against' is not .* it has support, oppose, neutral",
        ),
        ({"meanings": dict.fromkeys(LABELS, "none")}, "gives no label a topic"),
        ({"thresholds": {"humanitarian_aid": 0.4}}, r"thresholds\.humanitarian_aid: no label means this topic"),
    ],
)
def test_mapping_that_does_not_fit_is_told(schema: LabelSchema, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LabelMap.of(mapping(**changes), LABELS, schema, "m")


def test_unlisted_labels_are_no_topic_where_the_mapping_says_so(schema: LabelSchema) -> None:
    label_map = LabelMap.of(mapping(meanings={"talks": "diplomacy"}, unlisted="none"), LABELS, schema, "m")
    assert label_map.answers(logits(0.3, 0.4, 0.1, 0.1, 0.1)).labels.presence.tolist() == [[0]]


def test_one_label_excludes_none_and_twin_names_cannot_be_told_apart(schema: LabelSchema) -> None:
    with pytest.raises(ConfigError, match="has one label, war; set problem: multi"):
        LabelMap.of(mapping(meanings={"war": "military_action"}), ["war"], schema, "m")
    with pytest.raises(ConfigError, match="one name"):
        LabelMap.of(mapping(meanings={"war": "military_action"}), ["war", "war"], schema, "m")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("problem: single\n", "'meanings' is missing"),
        ("meanings: {a: diplomacy}\n", "'problem' is missing"),
        ("problem: both\nmeanings: {a: diplomacy}\n", "problem = 'both'"),
        ("problem: single\nmeanings: [a]\n", "meanings"),
        ("problem: single\nmeanings: {a: [diplomacy, none]}\n", r"meanings\.a.*expected a topic"),
        ("problem: single\nmeanings: {a: {topic: diplomacy, position: support}}\n", r"meanings\.a.*expected a topic"),
        ("problem: single\nmeanings: {a: {stance: support}}\n", r"meanings\.a.*expected a topic"),
        ("problem: single\nmeanings: {a: {topic: 3}}\n", r"meanings\.a"),
        ("problem: single\nmeanings: {no: none}\n", "quote it"),
        ("problem: single\nmeanings: {a: diplomacy}\nthreshold: 1.5\n", "threshold"),
        ("problem: single\nmeaning: {a: diplomacy}\n", "unknown key 'meaning'"),
    ],
)
def test_broken_mapping_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(MappingConfig, path)
    assert "\n" not in str(caught.value)


def test_numbers_may_name_labels(schema: LabelSchema, tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text("problem: single\nmeanings: {0: none, 1: diplomacy}\n", encoding="utf-8")
    assert LabelMap.of(load_config(MappingConfig, path), ["0", "1"], schema, "m").topic.tolist() == [-1, 0]


def test_example_fits_the_shipped_schema(root: Path, schema: LabelSchema) -> None:
    example = load_config(MappingConfig, root / "configs" / "mappings" / "example.yaml")
    label_map = LabelMap.of(example, list(example.meanings), schema, "example")
    assert label_map.schema.topic_ids == schema.topic_ids
    assert label_map.stances.sum() == 3
