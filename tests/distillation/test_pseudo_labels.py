import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from naba.calibration import Decision, TopicDecision
from naba.cli.pseudo import pseudo_label as command
from naba.config import TrainConfig, TrainingSource, load_config
from naba.dataset.labelled import load_labelled
from naba.distillation import pool as pool_module
from naba.distillation import teachers as teachers_module
from naba.distillation.pseudo_labels import PseudoLabelConfig, pseudo_label, summary_path
from naba.errors import CheckpointError, ConfigError, DataError
from naba.finetuning.train import train
from naba.jsonl import read_jsonl, write_json, write_jsonl
from naba.labelling.labeller import Labeller
from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.infer import Scores, score_texts
from naba.modelling.layers import keep_layers
from naba.modelling.targets import loss_targets
from naba.schema import LabelSchema

Sharp = Callable[..., Path]


@pytest.fixture(scope="module")
def sharp_run(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Sharp:
    """Save an untrained run that finds every other topic, sure of everything, or of topics alone: `sharp_run(schema, 1)`."""

    def save(schema: LabelSchema, seed: int, stance_temperature: float = 0.005) -> Path:
        torch.manual_seed(seed)
        run = checkpoints.from_encoder(
            str(tiny_encoder), schema, normalisation="standard-1", head="attention", max_tokens=64, dropout=0.0
        )
        run.model.head.topic_bias.data = torch.tensor([0.1, -0.1] * 2)[: len(schema.topic_ids)]
        decision = TopicDecision(temperature=0.005, stance_temperature=stance_temperature)
        run.decision = Decision(dict.fromkeys(schema.topic_ids, decision))
        folder = tmp_path_factory.mktemp("runs") / f"seed-{seed}"
        checkpoints.save(run, folder)
        return folder

    return save


@pytest.fixture(scope="module")
def teacher(sharp_run: Sharp, schema: LabelSchema) -> Path:
    return sharp_run(schema, 1)


@pytest.fixture(scope="module")
def authored(root: Path) -> list[dict[str, Any]]:
    """Segments cut to what the tiny encoder reads at once."""
    rows = read_jsonl(root / "data" / "authored.jsonl")
    return [row | {"text": " ".join(row["text"].split()[:8])} for row in rows]


@pytest.fixture
def config(teacher: Path, authored: list[dict[str, Any]], tmp_path: Path) -> PseudoLabelConfig:
    write_jsonl(tmp_path / "pool.jsonl", authored[300:340])
    write_jsonl(tmp_path / "test.jsonl", authored[300:303])
    return PseudoLabelConfig(
        teachers=[teacher],
        pool=[tmp_path / "pool.jsonl"],
        held_out=[tmp_path / "test.jsonl"],
        out=tmp_path / "pseudo.jsonl",
        negatives=1,
        device="cpu",
        precision="float32",
    )


def changed(config: PseudoLabelConfig, **changes: Any) -> PseudoLabelConfig:
    return PseudoLabelConfig.model_validate(config.model_dump() | changes)


def test_rows_are_labelled_segments_with_the_teachers_probabilities(
    config: PseudoLabelConfig, schema: LabelSchema, authored: list[dict[str, Any]]
) -> None:
    summary = pseudo_label(config)
    items = load_labelled([config.out], schema)
    assert len(items) == summary["kept"] > 0
    name = Path(config.teachers[0]).name
    answers = Labeller.load(config.teachers[0], device="cpu").label([item.segment.text for item in items])
    for item, answer in zip(items, answers, strict=True):
        assert item.extra["weak"] is True  # a build never holds it out
        assert item.provenance["annotator"].startswith(f"model:{name}@")
        assert item.provenance["licence"] == "Apache-2.0"
        targets = loss_targets(item, schema)
        for t, topic in enumerate(schema.topic_ids):
            assert item.labels[topic].present == answer[topic].present
            assert item.labels[topic].stance == answer[topic].stance
            assert targets["topic_target"][t] == pytest.approx(answer[topic].probability, abs=1e-4)
            assert targets["stance_target"][t] == pytest.approx([*answer[topic].stance_probability.values()], abs=1e-3)
            assert max(targets["topic_target"][t], 1 - targets["topic_target"][t]) >= 0.9
    held_out = {row["text"] for row in authored[300:303]}
    assert not held_out & {item.segment.text for item in items}


def test_summary_says_what_was_read_kept_and_by_whom(config: PseudoLabelConfig, schema: LabelSchema) -> None:
    summary = pseudo_label(config)
    assert json.loads(summary_path(config.out).read_text(encoding="utf-8")) == summary
    pool = summary["pool"]
    assert pool["segments"] + pool["held_out"] + pool["article_held_out"] + pool["repeats"] == 40
    assert pool["held_out"] >= 3
    assert summary["kept"] + sum(summary["not_kept"].values()) == pool["segments"]
    for topic in schema.topic_ids:
        found = summary["classes"][topic]
        assert set(found) == {*schema.stance_ids, "absent"}
        assert sum(of["pool"] for of in found.values()) == pool["segments"]
        assert sum(of["kept"] for of in found.values()) == summary["kept"]
    assert summary["teachers"][0]["voted"] == pool["segments"]
    assert len(summary["inputs"]) == 2
    assert summary["disagreement"] is None
    assert summary["versions"]["torch"]
    assert not config.out.with_name("pseudo.jsonl.parts").exists()


def test_several_teachers_say_how_far_they_differ(
    config: PseudoLabelConfig, sharp_run: Sharp, schema: LabelSchema
) -> None:
    others = [sharp_run(schema, 2), sharp_run(schema, 3)]
    summary = pseudo_label(changed(config, teachers=[*config.teachers, *others], min_confidence=0))
    apart = summary["disagreement"]
    assert apart["compared"] == summary["pool"]["segments"]
    assert max(apart["topics"].values()) <= apart["segments"] <= min(1, sum(apart["topics"].values()))
    assert apart["segments"] > 0  # three untrained models
    row = next(read_jsonl(config.out))
    assert [name.partition("@")[0] for name in row["provenance"]["annotator"].split(", ")] == [
        "model:seed-1",
        "model:seed-2",
        "model:seed-3",
    ]


def test_confidence_of_zero_keeps_everything(config: PseudoLabelConfig) -> None:
    summary = pseudo_label(changed(config, min_confidence=0, negatives=None))
    assert summary["kept"] == summary["pool"]["segments"]
    assert summary["not_kept"] == {}


def test_limits_that_are_given_hold_at_a_confidence_of_zero_too(config: PseudoLabelConfig) -> None:
    assert changed(config, min_confidence=0, negatives=0.2).rules.negatives == 0.2
    assert changed(config, min_confidence=0, min_stance_confidence=0.9).rules.min_stance_confidence == 0.9
    assert changed(config, negatives=None).rules.negatives == 0.5
    assert config.rules.min_stance_confidence == 0.7


def test_works_for_other_topics_and_stances(
    config: PseudoLabelConfig, sharp_run: Sharp, markets: LabelSchema, market_rows: list[dict[str, Any]]
) -> None:
    write_jsonl(config.pool[0], market_rows[:30])
    pseudo_label(changed(config, teachers=[sharp_run(markets, 1)], held_out=[], min_confidence=0))
    items = load_labelled([config.out], markets)
    assert set(items[0].extra["teacher"]) == {"oil", "gold", "housing", "labour"}
    assert set(items[0].extra["teacher"]["oil"]["stance_probability"]) == {"optimistic", "pessimistic"}


def test_stopped_labelling_goes_on_to_the_same_bytes(
    config: PseudoLabelConfig, sharp_run: Sharp, schema: LabelSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "CHUNK", 8)
    config = changed(config, teachers=[*config.teachers, sharp_run(schema, 2)], min_confidence=0)
    whole = changed(config, out=config.out.with_name("whole.jsonl"))
    asked: list[int] = []

    def count(checkpoint: Any, texts: Any, **options: Any) -> Scores:
        if len(asked) == stop:
            raise KeyboardInterrupt
        asked.append(len(texts))
        return score_texts(checkpoint, texts, **options)

    monkeypatch.setattr(teachers_module, "score_texts", count)
    stop = -1
    pseudo_label(whole)
    chunks = len(asked)
    asked.clear()
    stop = chunks // 2 + 1  # amid the second teacher
    with pytest.raises(KeyboardInterrupt):
        pseudo_label(config)
    assert not config.out.exists()
    stop = -1
    pseudo_label(config)
    assert len(asked) == chunks
    assert config.out.read_bytes() == whole.out.read_bytes()


def test_another_selection_of_kept_answers_asks_nobody(
    config: PseudoLabelConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = changed(config, answers=tmp_path / "answers")
    all_ = pseudo_label(config)
    monkeypatch.setattr(teachers_module, "score_texts", None)
    few = pseudo_label(changed(config, count=2, out=tmp_path / "few.jsonl"))
    assert few["kept"] < all_["kept"]


def test_output_that_is_there_or_is_input_is_not_replaced(config: PseudoLabelConfig) -> None:
    pseudo_label(config)
    before = config.out.read_bytes()
    with pytest.raises(DataError, match=r"pseudo\.jsonl: is there already; .*--overwrite"):
        pseudo_label(changed(config, count=2))
    assert config.out.read_bytes() == before
    pseudo_label(changed(config, count=2), overwrite=True)
    assert config.out.read_bytes() != before
    with pytest.raises(DataError, match="is input and would be written over"):
        pseudo_label(changed(config, out=config.pool[0]), overwrite=True)
    with pytest.raises(DataError, match=r"name a file that ends in \.jsonl"):
        pseudo_label(changed(config, out=config.out.parent))


def test_nothing_sure_enough_says_how_sure_the_surest_is(
    config: PseudoLabelConfig, tiny_run: Path, sharp_run: Sharp, schema: LabelSchema
) -> None:
    with pytest.raises(DataError, match=r"none of \d+ segments .* sure of its topics by 0\.\d\d: lower min_confidence"):
        pseudo_label(changed(config, teachers=[tiny_run], min_confidence=1))
    unsure_of_stances = changed(config, teachers=[sharp_run(schema, 1, stance_temperature=1.0)])
    with pytest.raises(DataError, match=r"sure of its stances by 0\.\d\d: lower min_stance_confidence"):
        pseudo_label(unsure_of_stances)
    assert not config.out.exists()
    assert pseudo_label(changed(unsure_of_stances, min_stance_confidence=0.1))["kept"]


def test_teacher_is_not_asked_about_its_own_training_data_unless_told(
    config: PseudoLabelConfig, tiny_run: Path
) -> None:
    own = changed(config, teachers=[tiny_run], pool=[tiny_run.parent / "train.jsonl"], held_out=[], min_confidence=0)
    with pytest.raises(DataError, match=r"in the training of every teacher.*in_fold=true"):
        pseudo_label(own)
    assert pseudo_label(changed(own, in_fold=True))["kept"]


def test_no_teacher_no_pool_and_numbers_out_of_range_are_told(tmp_path: Path, teacher: Path) -> None:
    def load(**given: Any) -> PseudoLabelConfig:
        return load_config(PseudoLabelConfig, None, None, {"out": tmp_path / "o.jsonl"} | given)

    with pytest.raises(ConfigError, match="'teachers' is missing"):
        load(pool=[tmp_path])
    with pytest.raises(ConfigError, match="teachers"):
        load(teachers=[], pool=[tmp_path])
    with pytest.raises(ConfigError, match="no pool: name JSONL of segments"):
        pseudo_label(load(teachers=[teacher]))
    with pytest.raises(ConfigError, match=r"min_confidence = 90"):
        load(teachers=[teacher], pool=[tmp_path], min_confidence=90)
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        pseudo_label(load(teachers=[tmp_path], pool=[tmp_path / "pool.jsonl"]))


def test_command_tells_what_was_kept(config: PseudoLabelConfig, capsys: pytest.CaptureFixture[str]) -> None:
    command(
        teachers=config.teachers,
        pool=config.pool,
        held_out=config.held_out,
        out=config.out,
        negatives=1.0,
        count=1,
        set_=["precision=float32"],
    )
    said = capsys.readouterr().out
    assert "segments kept" in said
    assert "overlap a held-out segment" in said
    assert "more than count of each of its classes" in said
    assert str(summary_path(config.out)) in said


def test_student_of_fewer_layers_comes_closer_to_its_teacher_by_probabilities_than_by_hard_labels(
    tiny_encoder: Path, markets: LabelSchema, market_rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    write_json(tmp_path / "labels.yaml", markets.model_dump(mode="json"))
    files = {name: tmp_path / f"{name}.jsonl" for name in ("train", "validation", "pool", "soft", "hard")}
    write_jsonl(files["train"], market_rows[:64])
    write_jsonl(files["validation"], market_rows[64:])
    write_jsonl(files["pool"], ({"text": market_text(number)} for number in range(160)))

    def run(source: str, epochs: int, layers: int | None) -> Path:
        config = TrainConfig(
            labels=tmp_path / "labels.yaml",
            train=[TrainingSource(path=files[source], weight=0.3)],
            validation=[files["validation"]],
            allow_leak=True,  # some of the made-up rows are alike
            out=tmp_path / f"by-{source}",
            encoder=str(tiny_encoder),
            layers=layers,
            max_tokens=64,
            epochs=epochs,
            evaluations=1,
            learning_rate=3e-3,
            head_learning_rate=1e-2,
            dropout=0,
            precision="float32",
            device="cpu",
        )
        assert train(config)["config"]["layers"] == layers
        return config.out

    teacher = run("train", 30, None)
    pseudo_label(
        PseudoLabelConfig(
            teachers=[teacher],
            pool=[files["pool"]],
            out=files["soft"],
            min_confidence=0,
            precision="float32",
            device="cpu",
        )
    )
    rows = read_jsonl(files["soft"])
    write_jsonl(files["hard"], ({key: value for key, value in row.items() if key != "teacher"} for row in rows))
    fresh = checkpoints.from_encoder(
        str(tiny_encoder), markets, normalisation="standard-1", head="attention", max_tokens=64, dropout=0
    )
    keep_layers(fresh.model, 1)
    students = [checkpoints.load(run(source, 16, 1)) for source in ("soft", "hard")]
    soft, hard, untrained = (divergence(checkpoints.load(teacher), student) for student in (*students, fresh))
    assert soft < 0.75 * hard
    assert hard < 0.25 * untrained
    small = Labeller.load(tmp_path / "by-soft", device="cpu")
    assert small.checkpoint.model.config.num_hidden_layers == 1
    assert small.label(["أسعار نفط ترتفع في السوق رقم 7"])[0].present == {"oil": "optimistic"}


def market_text(number: int) -> str:
    """Every fifth text names two topics, which the teacher has not seen: it is not sure there."""
    names = ["نفط", "ذهب", "عقار", "عمل"]
    second = names[(number + 1 + number // 8) % 4] + " " if number % 5 == 0 else ""
    verb = "ترتفع" if number // 4 % 2 == 0 else "تهبط"
    return f"أسعار {names[number % 4]} {second}{verb} في السوق رقم {number}" + " اليوم" * (number % 4)


def divergence(teacher: Checkpoint, student: Checkpoint) -> float:
    """KL divergence of a student from the teacher on unseen texts: of presence, and of the stance as far as it is there."""
    texts = [market_text(number) for number in range(200, 260)]
    (p, of_p), (q, of_q) = (
        decision.probabilities(scores.topic, scores.stance, teacher.schema)
        for decision, scores in (
            (teacher.decision, score_texts(teacher, texts)),
            (Decision({}), score_texts(student, texts)),
        )
    )
    presence = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))  # [N, T]
    return float((presence + p * (of_p * np.log(of_p / of_q)).sum(-1)).mean())
