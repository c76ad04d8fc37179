"""The first stage: pieces of words, scores worked out by hand, and what it is loaded with."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from naba.cascade import stage as module
from naba.cascade.stage import Cascade, LinearStage, cascade_mark, passing, write_stage
from naba.cascade.words import BUCKETS, count_matrix, pieces_of, words_of
from naba.errors import CheckpointError, ConfigError
from naba.modelling.exported import run_fingerprint
from naba.schema import LabelSchema
from naba.text import normaliser

NORMALISE = normaliser("standard-1")
TEXTS = ["قصف المدينة ليلا", "بحث الوزيران الهدنة", "", "...", "قصف قصف قصف المدينة", "عقد الفريق تدريبه"]


def number(piece: str) -> int:
    """The number of a piece by the definition; one that begins with = is a whole word."""
    whole, marked, power = piece.startswith("="), f" {piece[1:]} ", 1
    value = 0
    if whole:
        for letter in marked:
            value, power = value + ord(letter) * power, power * 0x100000001B3
        value *= 0xC2B2AE3D27D4EB4F
    else:
        for letter in piece:
            value = value * 0x100000001B3 + ord(letter)
    return (value * 0x9E3779B97F4A7C15 % 2**64) >> (64 - 17)


def test_words_are_read_once_and_spelled_alike() -> None:
    assert words_of("قصفُ المدينة، قصف المدينه!", NORMALISE) == ["قصف", "المدينه"]
    assert words_of(" … ", NORMALISE) == []
    assert words_of("ا" * 1000, NORMALISE) == ["ا" * 40]  # the same 25 times


def test_pieces_of_a_word_have_three_to_five_letters_its_ends_counting() -> None:
    first = ["=قصف", " قص", "قصف", "صف ", " قصف", "قصف ", " قصف "]
    numbers, lengths = pieces_of(["قصف", "و", "𐌰ب"])
    assert lengths.tolist() == [7, 2, 1 + 2 + 1]
    assert sorted(numbers[:7].tolist()) == sorted(map(number, first))
    assert sorted(numbers[7:9].tolist()) == sorted([number("=و"), number(" و ")])
    assert sorted(numbers[9:].tolist()) == sorted(map(number, ["=𐌰ب", " 𐌰ب", "𐌰ب ", " 𐌰ب "]))
    assert [part.tolist() for part in pieces_of([])] == [[], []]
    assert words_of("\ud800قصف", NORMALISE) is not None  # half a character


def test_score_is_the_sum_of_weights_over_the_root_of_the_pieces_and_the_bias() -> None:
    weights = np.zeros((BUCKETS, 2))
    weights[number("=قصف")] = (3, -1)
    weights[number(" قص")] = (4, 0)
    scores = LinearStage(weights, np.array([0.5, -0.5]), "standard-1").scores(["قصف", "", "قصف قصف"])
    assert scores == pytest.approx(np.array([[7 / 7**0.5 + 0.5, -1 / 7**0.5 - 0.5], [0.5, -0.5], [7 / 7**0.5 + 0.5, -1 / 7**0.5 - 0.5]]))  # fmt: skip


def test_scores_are_those_of_the_matrix_it_was_fitted_on_whatever_was_read_before() -> None:
    stage = LinearStage(np.random.default_rng(0).normal(size=(BUCKETS, 3)), np.zeros(3), "standard-1")
    by_matrix = count_matrix(TEXTS, NORMALISE) @ stage.weights
    assert stage.scores(TEXTS) == pytest.approx(by_matrix)
    assert np.array_equal(stage.scores(TEXTS[::-1])[::-1], stage.scores(TEXTS))
    alone = LinearStage(stage.weights, stage.bias, "standard-1")
    assert np.array_equal(np.concatenate([alone.scores([text]) for text in TEXTS]), stage.scores(TEXTS))
    assert stage.scores([]).shape == (0, 3)


def test_words_are_forgotten_when_they_are_too_many_and_the_scores_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = LinearStage(np.random.default_rng(0).normal(size=(BUCKETS, 3)), np.zeros(3), "standard-1")
    first = stage.scores(TEXTS)
    monkeypatch.setattr(module, "KNOWN_WORDS", 2)
    assert np.array_equal(stage.scores(TEXTS), first)
    stage.scores(["كلمة"])
    assert len(stage._places) == 1


def test_threads_share_a_stage() -> None:
    stage = LinearStage(np.random.default_rng(0).normal(size=(BUCKETS, 3)), np.zeros(3), "standard-1")
    texts = [[f"خبر {n} {m}" for m in range(50)] for n in range(40)]
    alone = [LinearStage(stage.weights, stage.bias, "standard-1").scores(some) for some in texts]
    with ThreadPoolExecutor(8) as threads:
        for one, other in zip(alone, threads.map(stage.scores, texts), strict=True):
            assert np.array_equal(one, other)


def test_segment_passes_at_the_threshold_of_its_highest_topic_and_without_one_always() -> None:
    scores = np.array([[0.1, 0.2], [0.3, -5.0], [0.29, 0.0]])
    assert passing(scores, 0.3).tolist() == [False, True, False]
    assert passing(scores, None).all()
    assert passing(np.zeros((0, 2)), 0.3).shape == (0,)


def made(folder: Path, topics: tuple[str, ...], stances: tuple[str, ...]) -> dict[str, Any]:
    """A first stage in a folder that has but a config.json."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text("{}")
    weights = np.zeros((BUCKETS, len(topics)))
    weights[number("=قصف"), 0] = 7**0.5
    record = {
        "run": run_fingerprint(folder),
        "normalisation": "standard-1",
        "data": {},
        "segments": {"authored": False},
        "topics": {
            topic: {"calibration": [2.0, -1.0], "stances": {one: 1 / len(stances) for one in stances}}
            for topic in topics
        },
        "recalls": {"0.98": {"threshold": 0.5}, "0.99": {"threshold": None}},
    }
    return write_stage(folder, LinearStage(weights, np.zeros(len(topics)), "standard-1"), record)


@pytest.mark.parametrize("name", ["schema", "markets"])
def test_stage_is_read_as_it_was_written_for_any_labels(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    labels: LabelSchema = request.getfixturevalue(name)
    record = made(tmp_path, labels.topic_ids, labels.stance_ids)
    assert record["weights"]["bytes"] < 5_000_000
    cascade = Cascade.load(tmp_path, 0.98, labels)
    assert cascade.passes(["قصف", "تدريب", ""]).tolist() == [True, False, False]
    verdict = cascade.read(["قصف", "تدريب"])
    assert verdict.probability.shape == (2, len(labels.topic_ids))
    assert verdict.probability[0, 0] == pytest.approx(1 / (1 + np.exp(-(2 * 1 - 1))), abs=1e-3)
    assert verdict.probability[1, 0] == pytest.approx(1 / (1 + np.e))
    assert verdict.stance.shape == (len(labels.topic_ids), len(labels.stance_ids))
    assert Cascade.load(tmp_path, 0.99, labels).passes(["تدريب"]).all()  # nothing certified: everything passes


def test_shipped_run_has_a_first_stage_for_its_weights(root: Path, schema: LabelSchema) -> None:
    for recall in (0.98, 0.99):
        passes = Cascade.load(root / "models" / "naba-news", recall, schema).passes(
            ["قصفت الطائرات الحربية مواقع في المدينة وقتل خمسة", "افتتح معرض الزهور أبوابه وفاز الفريق بالكأس"]
        )
        assert passes.tolist() == [True, False]


def test_another_recall_is_refused_with_those_there_are(tmp_path: Path, schema: LabelSchema) -> None:
    made(tmp_path, schema.topic_ids, schema.stance_ids)
    with pytest.raises(ConfigError, match=r"cascade = 0\.95.*recall 0\.98, 0\.99"):
        Cascade.load(tmp_path, 0.95, schema)


def test_stage_of_other_weights_than_the_run_has_is_refused(tmp_path: Path, schema: LabelSchema) -> None:
    made(tmp_path, schema.topic_ids, schema.stance_ids)
    (tmp_path / "config.json").write_text('{"changed": true}')
    with pytest.raises(CheckpointError, match="other weights than the run has now"):
        Cascade.load(tmp_path, 0.98, schema)


def test_missing_damaged_or_foreign_stage_is_refused_in_one_line(
    tmp_path: Path, schema: LabelSchema, markets: LabelSchema
) -> None:
    with pytest.raises(CheckpointError, match=r"has no first stage; make it with: naba cascade"):
        Cascade.load(tmp_path, 0.98, schema)
    with pytest.raises(CheckpointError, match="no usable first stage"):
        cascade_mark(tmp_path, 0.98)
    record = made(tmp_path / "a", schema.topic_ids, schema.stance_ids)
    with pytest.raises(CheckpointError, match="other topics"):
        Cascade.load(tmp_path / "a", 0.98, markets)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / "cascade" / "weights.safetensors").write_bytes(b"half")
    with pytest.raises(CheckpointError, match="missing or damaged"):
        Cascade.load(tmp_path / "b", 0.98, schema)
    for broken in ("{", "[]", json.dumps({**record, "recalls": []}), json.dumps({**record, "normalisation": None})):
        (tmp_path / "a" / "cascade" / "cascade.json").write_text(broken)
        with pytest.raises((CheckpointError, ConfigError)) as told:
            Cascade.load(tmp_path / "a", 0.98, schema)
        assert "\n" not in str(told.value)


def test_mark_names_recall_and_weights(tmp_path: Path, schema: LabelSchema) -> None:
    record = made(tmp_path, schema.topic_ids, schema.stance_ids)
    assert cascade_mark(tmp_path, None) is None
    assert cascade_mark(tmp_path, 0.98) == f"0.98@{record['weights']['fingerprint']}"
