import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from naba.config import TrainConfig
from naba.errors import CheckpointError, ConfigError, DataError, NabaError
from naba.evaluation.answers import TestSet
from naba.evaluation.baselines import run_baselines
from naba.evaluation.system import System, narrow
from naba.evaluation.systems import load_system
from naba.finetuning.train import train
from naba.labelling.labeller import Labeller
from naba.metrics import score
from naba.modelling import checkpoint as checkpoints
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema

Make = Callable[..., LabelledSegment]

TEXTS = ["غارة على المدينة", "هدنة", "قال الوزير إن المحادثات مستمرة في القاهرة", "معبر رفح"]


@pytest.fixture(scope="session")
def unfinished(tiny_encoder: Path, tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed when its training had ended: checkpoints, but no run."""
    config = TrainConfig(
        train=[tiny_run.parent / "train.jsonl"],
        validation=[tiny_run.parent / "validation.jsonl"],
        out=tmp_path_factory.mktemp("unfinished") / "run",
        encoder=str(tiny_encoder),
        max_tokens=64,
        epochs=0.5,
        device="cpu",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "save", _killed)
        with pytest.raises(KilledError):
            train(config)
    return config.out


@pytest.fixture
def step(unfinished: Path) -> Path:
    return next((unfinished / "checkpoints").iterdir())


@pytest.fixture
def plain(tiny_encoder: Path, schema: LabelSchema, tmp_path: Path) -> Path:
    """A run with a plain head, which is a text classifier to the rest of the world."""
    torch.manual_seed(3)
    options: dict[str, Any] = {"normalisation": "standard-1", "head": "plain", "max_tokens": 64, "dropout": 0.1}
    checkpoints.save(checkpoints.from_encoder(str(tiny_encoder), schema, **options), tmp_path / "plain")
    return tmp_path / "plain"


@pytest.fixture
def write_mapping(tmp_path: Path) -> Callable[..., Path]:
    def write(meanings: dict[str, Any], **keys: Any) -> Path:
        path = tmp_path / "mapping.yaml"
        content = {"problem": "multi", "meanings": meanings, "max_tokens": 64} | keys
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return path

    return write


def whole(schema: LabelSchema) -> dict[str, Any]:
    """What the labels of a plain head mean."""
    pairs = {f"{t}:{s}": {"topic": t, "stance": s} for t in schema.topic_ids for s in schema.stance_ids}
    return {topic: topic for topic in schema.topic_ids} | pairs


def test_run_answers_as_the_labeller_does(tiny_run: Path, schema: LabelSchema, tiny_encoder: Path) -> None:
    system = load_system(tiny_run, device="cpu", batch_size=2)
    assert (system.kind, system.schema, system.encoder) == ("run", schema, str(tiny_encoder))
    further = replace(system, record={**system.record, "encoder": {"name": "models/start", "base": "models/first"}})
    assert further.encoder == "models/first"  # of a run that a run was fine-tuned further from
    assert not system.notes
    said = system.answers(TEXTS)
    assert said.topic is not None
    for row, prediction in enumerate(Labeller.load(tiny_run, device="cpu").label(TEXTS)):
        for t, topic in enumerate(schema.topic_ids):
            assert said.labels.presence[row, t] == prediction[topic].present
            assert said.topic[row, t] == pytest.approx(prediction[topic].probability, abs=1e-5)
    assert system.answers([]).labels.presence.shape == (0, 3)


def test_checkpoint_of_an_unfinished_run_answers_with_its_own_weights(
    step: Path, unfinished: Path, schema: LabelSchema, tiny_encoder: Path
) -> None:
    system = load_system(step, device="cpu")
    assert (system.kind, system.encoder, system.max_tokens) == ("checkpoint", str(tiny_encoder), 64)
    assert system.description == f"checkpoint at step {step.name.split('-')[1]} of the unfinished run {unfinished.name}"
    assert "thresholds of 0.5" in system.notes[0]
    assert system.checkpoint is not None
    stored = load_file(step / "model.safetensors")
    for name, tensor in system.checkpoint.model.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, stored[name].float())
    said = system.answers(TEXTS)
    assert said.topic is not None
    assert (said.labels.presence == (said.topic >= 0.5)).all()


def test_half_precision_weights_and_dropped_layers_are_read_as_they_are(
    unfinished: Path, step: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    folder = run / "checkpoints" / step.name
    folder.mkdir(parents=True)
    record = json.loads((unfinished / "train.json").read_text())
    record["config"]["layers"] = 1
    (run / "train.json").write_text(json.dumps(record))
    kept = {name: tensor for name, tensor in load_file(step / "model.safetensors").items() if "layer.1." not in name}
    save_file({name: tensor.bfloat16() for name, tensor in kept.items()}, folder / "model.safetensors")
    system = load_system(folder, device="cpu")
    assert system.checkpoint is not None
    assert system.checkpoint.model.config.num_hidden_layers == 1
    assert {tensor.dtype for tensor in system.checkpoint.model.state_dict().values()} == {torch.float32}


def test_unfinished_run_names_its_last_checkpoint(unfinished: Path, step: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=f"not finished; name a checkpoint of it, the last is .*{step.name}"):
        load_system(unfinished)
    (tmp_path / "run").mkdir()
    shutil.copy(unfinished / "train.json", tmp_path / "run")
    with pytest.raises(CheckpointError, match="it has no checkpoint yet"):
        load_system(tmp_path / "run")


def test_checkpoint_that_cannot_be_what_its_run_says_is_told(unfinished: Path, step: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(unfinished, run)
    folder = run / "checkpoints" / step.name
    record = json.loads((run / "train.json").read_text())

    def fails(message: str) -> None:
        with pytest.raises(NabaError, match=message) as caught:
            load_system(folder)
        assert "\n" not in str(caught.value)

    (run / "train.json").write_text(json.dumps(record | {"schema": {"name": "other", "fingerprint": "0" * 12}}))
    fails("began with other topics or stances")
    (run / "train.json").write_text(json.dumps(record | {"config": {}}))
    fails("train.json: not as naba writes it")
    (run / "train.json").write_text(json.dumps(record | {"config": record["config"] | {"head": "plain"}}))
    fails("does not fit the model that .*train.json describes")
    (run / "train.json").write_text(json.dumps(record | {"config": record["config"] | {"encoder": "/none"}}))
    fails("/none: no such folder")
    (run / "train.json").write_text(json.dumps(record))
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    fails("cannot be read")
    weights.unlink()
    fails("cannot be read")
    (run / "train.json").unlink()
    fails("no train.json in")


def test_classifier_of_a_plain_head_answers_as_its_run(
    plain: Path, schema: LabelSchema, write_mapping: Callable[..., Path]
) -> None:
    run, mapped = load_system(plain), load_system(plain, mapping=write_mapping(whole(schema)))
    assert mapped.kind == "classifier"
    assert mapped.schema is mapped.source_schema
    assert not mapped.notes
    assert mapped.encoder is None
    one, other = run.answers(TEXTS), mapped.answers(TEXTS)
    assert one.topic is not None
    assert other.topic is not None
    assert (one.labels.presence == other.labels.presence).all()
    assert (one.labels.stance == other.labels.stance).all()
    assert np.allclose(one.topic, other.topic, atol=1e-5)


def test_what_a_mapping_lacks_is_not_scored(
    plain: Path, schema: LabelSchema, write_mapping: Callable[..., Path], labelled: Make
) -> None:
    meanings = {
        "diplomacy": "diplomacy",
        "military_action:support": {"topic": "military_action", "stance": "support"},
        "military_action:oppose": {"topic": "military_action", "stance": "oppose"},
    }
    system = load_system(plain, mapping=write_mapping(meanings, unlisted="none"))
    assert system.schema.topic_ids == ("diplomacy", "military_action")
    assert system.source_schema.fingerprint == schema.fingerprint
    assert [note.split(":")[0] for note in system.notes] == [
        "It has no label for humanitarian_aid",
        "Its labels for diplomacy say no stance",
        "Its labels for military_action say no neutral",
    ]
    items = [
        labelled("أ", diplomacy="support", military_action="neutral"),
        labelled("ب", military_action="oppose", humanitarian_aid="support"),
        labelled("ت", military_action=None),
    ]
    test = system.scored_on(TestSet.of(items, schema))
    assert test.gold.presence.tolist() == [[1, 1], [0, 1], [0, UNKNOWN]]
    assert test.gold.stance.tolist() == [[UNKNOWN, UNKNOWN], [UNKNOWN, 1], [UNKNOWN, UNKNOWN]]
    said = system.answers(test.texts)
    scores = score(test.gold, said.labels, test.schema, said.topic)
    assert set(scores["topics"]["per_topic"]) == {"diplomacy", "military_action"}
    assert scores["stances"]["support"] == 1
    assert scores["pairs"]["support"] == 1
    [majority] = run_baselines(["majority"], test.texts, test.schema, train=items)
    assert majority.answers is not None
    assert majority.answers.labels.presence.shape == (3, 2)


def test_several_systems_are_scored_on_what_all_of_them_answer_for(
    plain: Path, tiny_run: Path, schema: LabelSchema, write_mapping: Callable[..., Path], labelled: Make
) -> None:
    run = load_system(tiny_run)
    both = load_system(
        plain, mapping=write_mapping({"military_action": "military_action", "diplomacy": "diplomacy"}, unlisted="none")
    )
    one = load_system(plain, mapping=write_mapping({"military_action": "military_action"}, unlisted="none"))
    full = TestSet.of([labelled("غارة", military_action="oppose", diplomacy="support"), labelled("هدنة")], schema)
    test = full
    for system in (both, run, one):
        test = system.scored_on(test)
    assert test.schema.topic_ids == ("military_action",)
    assert test.gold.presence.tolist() == [[1], [0]]
    whole = run.answers(test.texts)
    said = narrow(whole, run.schema, test.schema)
    assert said.labels.presence[:, 0].tolist() == whole.labels.presence[:, 2].tolist()
    assert said.stance is not None
    assert said.stance.shape == (2, 1, 3)
    assert narrow(one.answers(test.texts), one.schema, test.schema).stance is None
    other = load_system(plain, mapping=write_mapping({"diplomacy": "diplomacy"}, unlisted="none"))
    with pytest.raises(DataError, match="answers for none of the topics military_action"):
        other.scored_on(test)


def test_run_is_scored_on_the_whole_test_set_and_on_no_other(
    tiny_run: Path, schema: LabelSchema, markets: LabelSchema, labelled: Make
) -> None:
    system = load_system(tiny_run)
    test = TestSet.of([labelled("أ", diplomacy="support")], schema)
    assert system.scored_on(test) is test
    with pytest.raises(DataError, match="other topics or stances"):
        system.scored_on(TestSet.of([], markets))


def test_cut_texts_are_counted(
    plain: Path, schema: LabelSchema, write_mapping: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    system = load_system(plain, mapping=write_mapping(whole(schema), max_tokens=16))
    with caplog.at_level(logging.WARNING):
        assert system.answers(["هدنة", "غارة " * 50]).labels.presence.shape == (2, 3)
    assert "1 of 2 texts are cut at 16 tokens" in caplog.text
    assert system.answers([]).labels.presence.shape == (0, 3)


def test_encoder_without_a_classifier_is_no_classifier(
    tiny_encoder: Path, schema: LabelSchema, write_mapping: Callable[..., Path]
) -> None:
    with pytest.raises(CheckpointError, match=r"has no trained classifier.*lack classifier\."):
        load_system(tiny_encoder, mapping=write_mapping({"LABEL_0": "none", "LABEL_1": "diplomacy"}))


def test_mapping_that_does_not_fit_the_model_names_it(
    plain: Path, tiny_run: Path, write_mapping: Callable[..., Path]
) -> None:
    with pytest.raises(ConfigError, match=r"meanings\.politics: .*plain has no such label; it has diplomacy"):
        load_system(plain, mapping=write_mapping({"politics": "diplomacy"}))
    with pytest.raises(CheckpointError, match="reads at most 128 tokens"):
        load_system(plain, mapping=write_mapping({"diplomacy": "diplomacy"}, unlisted="none", max_tokens=500))
    with pytest.raises(ConfigError, match="normalisation"):
        load_system(plain, mapping=write_mapping({"diplomacy": "diplomacy"}, unlisted="none", normalisation="mine"))
    with pytest.raises(CheckpointError, match="is a run of naba; evaluate it without a mapping"):
        load_system(tiny_run, mapping=write_mapping({"diplomacy": "diplomacy"}))
    with pytest.raises(ConfigError, match="no such configuration file"):
        load_system(plain, mapping=Path("none.yaml"))


@pytest.mark.parametrize("make", ["encoder", "none", "onnx-folder", "onnx-file", "empty"])
def test_what_is_no_system_says_what_to_name_instead(make: str, tiny_encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    model, message = {
        "encoder": (tiny_encoder, "no run of naba; .*--mapping"),
        "none": ("somebody/news", "no such folder; .*--mapping"),
        "onnx-folder": (tmp_path / "onnx", "config.json is missing"),
        "onnx-file": (tmp_path / "onnx" / "model.onnx", "only what `naba export` made is known"),
        "empty": (tmp_path / "empty", "config.json is missing"),
    }[make]
    with pytest.raises(CheckpointError, match=message):
        load_system(model)


def test_system_says_where_it_comes_from(tiny_run: Path) -> None:
    system: System = load_system(tiny_run)
    assert [source["path"] for source in system.record["config"]["train"]] == [str(tiny_run.parent / "train.jsonl")]


class KilledError(Exception):
    """Plays the kill."""


def _killed(*arguments: Any) -> None:
    raise KilledError
