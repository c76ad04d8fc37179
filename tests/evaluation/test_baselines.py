from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from naba.errors import CheckpointError, ConfigError
from naba.evaluation.baselines import ALL, FAST, by_rules, prior, run_baselines, targets, tfidf_answers
from naba.evaluation.embeddings import Embedder, EncoderSource
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.scores import Labels
from naba.voting.rules import RuleSet

Make = Callable[..., LabelledSegment]

RULES = """
topic: diplomacy
lexicons:
  truce: {words: [هدنة]}
  refusal: {words: [رفض]}
  welcome: {words: [رحب]}
  sport: {words: [رياضة]}
rules:
  - {id: truce, vote: present, find: [truce], note: n}
  - {id: refused, vote: oppose, find: [refusal], note: n}
  - {id: welcomed, vote: support, find: [welcome], note: n}
  - {id: sport, vote: absent, find: [sport], note: n}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "diplomacy.yaml").write_text(RULES, encoding="utf-8")
    return folder


@pytest.fixture
def train(labelled: Make) -> list[LabelledSegment]:
    found = [labelled(f"هدنة مفاوضات رقم {i}", diplomacy="support" if i % 2 else "neutral") for i in range(10)]
    return found + [labelled(f"غارة قصف رقم {i}", military_action="neutral") for i in range(15)]


def test_majority_gives_the_shares_of_training_as_probabilities(labelled: Make, schema: LabelSchema) -> None:
    train = [
        labelled("أ", diplomacy="oppose", military_action=None),
        labelled("ب", diplomacy="oppose", military_action=None),
        labelled("ت", diplomacy="neutral", military_action=None),
        labelled("ث", humanitarian_aid="support", military_action=None),
    ]
    said = prior(targets(train, schema), 2, schema)
    assert said.topic is not None
    assert said.stance is not None
    assert said.topic.tolist() == [[0.75, 0.25, 0.0]] * 2
    assert said.labels.presence.tolist() == [[1, 0, 0]] * 2
    assert said.stance[1].tolist() == pytest.approx(np.array([[0, 2 / 3, 1 / 3], [1, 0, 0], [1 / 3] * 3]))
    assert said.labels.stance[0].tolist() == [1, 0, 0]


def test_tfidf_answers_follow_from_its_probabilities(train: list[LabelledSegment], schema: LabelSchema) -> None:
    said = tfidf_answers(train, ["هدنة جديدة", "قصف جديد"], schema)
    assert said.topic is not None
    assert said.stance is not None
    assert said.labels.presence.tolist() == (said.topic > 0.5).astype(int).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert np.allclose(said.stance.sum(axis=-1), 1)


@pytest.mark.parametrize(
    ("text", "present", "stance"),
    [
        ("كلام آخر", 0, "neutral"),  # no rule speaks
        ("هدنة", 1, "neutral"),  # found, no stance: the one that takes no side
        ("رفض الهدنة", 1, "oppose"),
        ("رحب بالهدنة ثم رفض", 1, "neutral"),  # one against one
        ("رياضة وهدنة", 0, "neutral"),  # one finds it, one denies it: left out
        ("رفض هدنة رياضة", 1, "oppose"),  # two of three
    ],
)
def test_votes_of_rules_come_to_labels(rules: Path, schema: LabelSchema, text: str, present: int, stance: str) -> None:
    said = by_rules(RuleSet.load(rules, schema), [text], schema)
    assert said.labels.presence[0].tolist() == [present, 0, 0]
    assert schema.stance_ids[said.labels.stance[0, 0]] == stance
    assert said.topic is None


def test_schema_without_a_neutral_stance_takes_the_rules_commonest(tmp_path: Path, markets: LabelSchema) -> None:
    (tmp_path / "oil.yaml").write_text(
        "topic: oil\n"
        "lexicons: {oil: {words: [نفط]}, fall: {words: [هبوط]}}\n"
        "rules:\n"
        "  - {id: oil, vote: present, find: [oil], note: n}\n"
        "  - {id: fall, vote: pessimistic, find: [fall], note: n}\n",
        encoding="utf-8",
    )
    said = by_rules(RuleSet.load(tmp_path, markets), ["نفط", "هبوط", "نفط"], markets)
    assert said.labels.presence[:, 0].tolist() == [1, 1, 1]
    assert said.labels.stance[:, 0].tolist() == [1, 1, 1]


def test_rules_of_another_schema_are_skipped_with_the_reason(markets: LabelSchema) -> None:
    [baseline] = run_baselines(["rules"], ["نفط"], markets)
    assert baseline.answers is None
    assert "diplomacy" in str(baseline.reason)


def test_fast_ones_need_no_encoder(train: list[LabelledSegment], schema: LabelSchema, rules: Path) -> None:
    found = run_baselines(FAST, ["هدنة", "قصف"], schema, train=train, rules=rules)
    assert [(baseline.name, baseline.reason) for baseline in found] == [(name, None) for name in FAST]
    assert all(baseline.answers and baseline.answers.labels.presence.shape == (2, 3) for baseline in found)


def test_without_training_data_only_what_is_fitted_on_it_is_missing(schema: LabelSchema, rules: Path) -> None:
    found = {baseline.name: baseline for baseline in run_baselines(FAST, ["هدنة"], schema, rules=rules)}
    assert found["rules"].answers is not None
    for name in ("majority", "tfidf"):
        assert found[name].answers is None
        assert "no training data" in str(found[name].reason)


def test_encoder_that_is_not_there_is_asked_once_and_costs_no_other_baseline(
    train: list[LabelledSegment], schema: LabelSchema, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def load(source: EncoderSource) -> Embedder:
        asked.append(source.name)
        raise CheckpointError(f"{source.name}: the Hub does not answer")

    monkeypatch.setattr(Embedder, "load", load)
    source = EncoderSource("somebody/encoder")
    found = run_baselines(ALL, ["هدنة"], schema, train=train, rules=rules, encoder=source)
    assert [baseline.name for baseline in found if baseline.answers] == list(FAST)
    assert [baseline.reason for baseline in found[3:]] == ["somebody/encoder: the Hub does not answer"] * 2
    assert asked == ["somebody/encoder"]


def test_unknown_encoder_is_a_reason_too(train: list[LabelledSegment], schema: LabelSchema) -> None:
    found = run_baselines(["frozen", "zero_shot"], ["هدنة"], schema, train=train)
    assert all("not known" in str(baseline.reason) for baseline in found)


def test_encoder_baselines_answer_for_every_text(
    train: list[LabelledSegment], schema: LabelSchema, tiny_encoder: Path
) -> None:
    source = EncoderSource(str(tiny_encoder), max_tokens=64, device="cpu")
    texts = ["هدنة", "قصف", "هدنة"]
    frozen, zero_shot = run_baselines(["frozen", "zero_shot"], texts, schema, train=train, encoder=source)
    for baseline in (frozen, zero_shot):
        assert baseline.answers is not None, baseline.reason
        assert _same(baseline.answers.labels, 0, 2)
    assert frozen.answers.topic.shape == (3, 3)  # type: ignore[union-attr]
    assert "25 training segments without their labels" in zero_shot.basis


def test_zero_shot_takes_the_texts_themselves_where_there_is_no_training_data(
    schema: LabelSchema, tiny_encoder: Path
) -> None:
    source = EncoderSource(str(tiny_encoder), max_tokens=64, device="cpu")
    [few] = run_baselines(["zero_shot"], ["هدنة"], schema, encoder=source)
    assert "too few" in str(few.reason)
    [enough] = run_baselines(["zero_shot"], [f"هدنة {i}" for i in range(20)], schema, encoder=source)
    assert enough.answers is not None
    assert "20 of the same segments" in enough.basis


def test_training_data_may_have_more_topics_than_are_asked_about(
    train: list[LabelledSegment], schema: LabelSchema
) -> None:
    content = schema.model_dump(mode="json")
    narrow = LabelSchema.parse(content | {"topics": content["topics"][2:], "examples": []}, "test")
    for baseline in run_baselines(["majority", "tfidf"], ["قصف", "هدنة"], narrow, train=train):
        assert baseline.answers is not None
        assert baseline.answers.labels.presence.shape == (2, 1)
    assert baseline.answers.labels.presence.tolist() == [[1], [0]]


def test_training_without_words_is_a_reason(schema: LabelSchema, labelled: Make) -> None:
    [baseline] = run_baselines(["tfidf"], ["هدنة"], schema, train=[labelled("…")])
    assert "cannot be fitted" in str(baseline.reason)


def test_mistyped_baseline_is_told(schema: LabelSchema) -> None:
    with pytest.raises(ConfigError, match=r"'tfdif'; known: majority, rules"):
        run_baselines(["tfdif"], [], schema)


def _same(labels: Labels, one: int, other: int) -> Any:
    return (labels.presence[one] == labels.presence[other]).all() and (labels.stance[one] == labels.stance[other]).all()
