import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from naba.calibration import Decision, TopicDecision, sigmoid, softmax
from naba.dataset.ledger import text_key
from naba.distillation.pool import Pool, PoolSources, lay_down
from naba.distillation.teachers import Consensus, Teacher, answer_pool, consensus, open_teachers
from naba.errors import CheckpointError, ConfigError, SchemaError
from naba.fingerprint import fingerprint
from naba.modelling import checkpoint as checkpoints
from naba.modelling.infer import score_texts
from naba.schema import LabelSchema

TEXTS = [f"دعا الوزير إلى هدنة في اليوم {number} ودخلت شاحنات المساعدات" for number in range(5)]
Random = Callable[..., Path]


@pytest.fixture
def run_folder(tiny_encoder: Path, tmp_path: Path) -> Random:
    """Save an untrained run: `run_folder("name", schema, seed, decision)`."""

    def save(name: str, schema: LabelSchema, seed: int, decision: TopicDecision | None = None) -> Path:
        torch.manual_seed(seed)
        run = checkpoints.from_encoder(
            str(tiny_encoder), schema, normalisation="standard-1", head="attention", max_tokens=64, dropout=0.0
        )
        run.decision = Decision(dict.fromkeys(schema.topic_ids, decision) if decision else {})
        checkpoints.save(run, tmp_path / name)
        return tmp_path / name

    return save


@pytest.fixture
def pool(tmp_path: Path, schema: LabelSchema, write_rows: Any) -> Pool:
    rows = write_rows("pool.jsonl", [{"text": text} for text in TEXTS])
    return lay_down(PoolSources([rows], [], [], 13), tmp_path / "parts", schema)


def ask(teachers: list[Teacher], pool: Pool, tmp_path: Path) -> Consensus:
    folders = [tmp_path / "answers" / teacher.name for teacher in teachers]
    for teacher, folder in zip(teachers, folders, strict=True):
        answer_pool(teacher, pool, folder, device="cpu", precision="float32", batch_size=2)
    return consensus(teachers, pool, folders)


def test_ensemble_is_the_mean_of_calibrated_probabilities_and_of_thresholds(
    run_folder: Random, pool: Pool, schema: LabelSchema, tmp_path: Path
) -> None:
    decisions = [TopicDecision(0.4, 2.0, 0.5), TopicDecision(0.7, 0.5, 3.0)]
    folders = [run_folder(f"seed-{seed}", schema, seed, decision) for seed, decision in enumerate(decisions)]
    said = ask(open_teachers(folders), pool, tmp_path)
    scores = [score_texts(checkpoints.load(folder), TEXTS) for folder in folders]
    presence = (sigmoid(scores[0].topic / 2.0) + sigmoid(scores[1].topic / 0.5)) / 2
    stance = (softmax(scores[0].stance / 0.5) + softmax(scores[1].stance / 3.0)) / 2
    assert said.presence == pytest.approx(presence, abs=1e-4)
    assert said.stance == pytest.approx(stance, abs=1e-4)
    assert said.threshold == pytest.approx(np.full((5, 3), 0.55))
    assert np.array_equal(said.present, said.presence >= 0.55)
    assert said.voted.all()
    decided = [
        np.where(sigmoid(s.topic / d.temperature) >= d.threshold, s.stance.argmax(-1), -1)
        for s, d in zip(scores, decisions, strict=True)
    ]
    assert np.array_equal(said.differs, decided[0] != decided[1])


def test_one_teacher_agrees_with_itself(run_folder: Random, pool: Pool, schema: LabelSchema, tmp_path: Path) -> None:
    said = ask(open_teachers([run_folder("one", schema, 1)]), pool, tmp_path)
    assert not said.differs.any()


def test_teacher_does_not_vote_on_what_it_was_trained_on(
    run_folder: Random, pool: Pool, schema: LabelSchema, tmp_path: Path, write_rows: Any
) -> None:
    folders = [run_folder("a", schema, 1), run_folder("b", schema, 2)]
    # The first was trained on the first two segments, in another spelling, the second on the second and third.
    for folder, texts in zip(folders, ([TEXTS[0].replace("إ", "ا"), TEXTS[1]], TEXTS[1:3]), strict=True):
        file = write_rows(f"{folder.name}.jsonl", [{"text": text, "labels": {}} for text in texts])
        record = {"config": {"train": [{"path": str(file)}]}, "data": {str(file): fingerprint(file)}}
        (folder / "run.json").write_text(json.dumps(record))
    said = ask(open_teachers(folders), pool, tmp_path)
    assert said.voted.tolist() == [[False, True], [False, False], [True, False], [True, True], [True, True]]
    assert np.isnan(said.presence[1]).all()
    alone = ask(open_teachers(folders[1:], in_fold=True), pool, tmp_path / "alone")
    assert np.array_equal(said.presence[0], alone.presence[0])
    assert alone.voted.all()


def test_teacher_knows_a_text_with_a_contact_that_the_pool_masks(
    run_folder: Random, schema: LabelSchema, tmp_path: Path, write_rows: Any
) -> None:
    rows = [{"text": "للتبرع لضحايا القصف: 0599123456"}, {"text": TEXTS[0]}]
    pool = lay_down(PoolSources([write_rows("contacts.jsonl", rows)], [], [], 13), tmp_path / "contacts", schema)
    folder = run_folder("one", schema, 1)
    (teacher,) = open_teachers([folder], in_fold=True)
    seen = Teacher(folder, teacher.name, schema, teacher.decision, [write_rows("train.jsonl", rows[:1])]).seen()
    assert [text_key(item.segment.text) in seen for item in pool.chunk(0)] == [True, False]


def test_teacher_whose_training_data_are_gone_is_warned_of(
    run_folder: Random, schema: LabelSchema, caplog: pytest.LogCaptureFixture
) -> None:
    folder = run_folder("one", schema, 1)
    with caplog.at_level(logging.WARNING):
        open_teachers([folder], in_fold=True)
        assert not caplog.records
        open_teachers([folder])
    assert "not all it was trained on is here" in caplog.text


def test_chunks_that_are_answered_are_not_asked_again(
    run_folder: Random, pool: Pool, schema: LabelSchema, tmp_path: Path
) -> None:
    teachers = open_teachers([run_folder("one", schema, 1)])
    before = ask(teachers, pool, tmp_path)
    (teachers[0].folder / "model.safetensors").unlink()  # it would be missed
    assert np.array_equal(ask(teachers, pool, tmp_path).presence, before.presence)


def test_teachers_of_other_topics_or_the_same_weights_are_refused(
    run_folder: Random, schema: LabelSchema, markets: LabelSchema, tmp_path: Path
) -> None:
    one, other = run_folder("one", schema, 1), run_folder("other", markets, 2)
    with pytest.raises(ConfigError, match=r"other: labels oil, .*must have the same topics"):
        open_teachers([one, other])
    shutil.copytree(one, tmp_path / "copy")
    with pytest.raises(ConfigError, match=r"copy: the same model as .*one"):
        open_teachers([one, tmp_path / "copy"])
    with pytest.raises(ConfigError, match="the same model"):
        open_teachers([one, one])


@pytest.mark.parametrize("name", ["config.json", "decision.json", "model.safetensors", "tokenizer.json"])
def test_folder_that_is_no_finished_run_is_told(name: str, run_folder: Random, schema: LabelSchema) -> None:
    folder = run_folder("one", schema, 1)
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"one: {name} is missing"):
        open_teachers([folder])


def test_encoder_is_no_teacher(run_folder: Random, schema: LabelSchema, tiny_encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is missing"):
        open_teachers([tiny_encoder])
    with pytest.raises(CheckpointError, match="nowhere: no such run folder"):
        open_teachers([tmp_path / "nowhere"])
    folder = run_folder("one", schema, 1)
    (folder / "config.json").write_text("{}")
    with pytest.raises((CheckpointError, SchemaError), match=r"config\.json"):
        open_teachers([folder])


def test_a_report_written_into_the_folder_later_leaves_the_mark(tiny_run: Path, tmp_path: Path) -> None:
    import shutil

    from naba.fingerprint import run_mark

    run = shutil.copytree(tiny_run, tmp_path / "run")
    before = run_mark(run)
    (run / "report.json").write_text("{}")
    assert run_mark(run) == before
    (run / "decision.json").write_text('{"topics": {}}')
    assert run_mark(run) != before
