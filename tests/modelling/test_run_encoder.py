import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from naba.errors import CheckpointError
from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.run_encoder import check_normalisation, tell_origin
from naba.schema import LabelSchema
from tests.modelling.encoders import READS

FAMILIES = ["bert-wordpiece", "roberta-bpe", "modernbert-bpe", "electra-wordpiece"]


@pytest.fixture
def start(schema: LabelSchema) -> Callable[..., Checkpoint]:
    def make(encoder: Path, head: str, *, seed: int = 1, schema: LabelSchema = schema) -> Checkpoint:
        torch.manual_seed(seed)
        options = {"normalisation": "standard-1", "max_tokens": READS, "dropout": 0.1}
        run = checkpoints.from_encoder(str(encoder), schema, head=head, **options)  # type: ignore[arg-type]
        tell_origin(str(encoder), "standard-1", run.model.config)
        return run

    return make


def weights(run: Checkpoint) -> dict[str, torch.Tensor]:
    """Of the encoder without a pooler, which only one of the two heads has."""
    model = run.model
    part = model.classifier.base_model if model.head_kind == "plain" else model.encoder
    return {name: tensor for name, tensor in part.state_dict().items() if not name.startswith("pooler.")}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("before", ["attention", "plain"])
@pytest.mark.parametrize("now", ["attention", "plain"])
def test_run_gives_its_encoder_and_the_heads_are_new(
    encoder: Callable[[str], Path],
    start: Callable[..., Checkpoint],
    markets: LabelSchema,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    family: str,
    before: str,
    now: str,
) -> None:
    run = start(encoder(family), before)
    with torch.no_grad():
        for parameter in run.model.parameters():  # as after a training
            parameter += 0.01 * torch.randn_like(parameter)
    checkpoints.save(run, tmp_path / "run", torch.float16)
    caplog.set_level(logging.INFO, logger="naba")
    again = start(tmp_path / "run", now, seed=2, schema=markets)  # other labels too
    first, second = weights(run), weights(again)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name].half().float(), second[name]) for name in first)
    assert caplog.messages == [f"{tmp_path / 'run'}: a run of naba: training starts from its encoder, with new heads"]
    checkpoints.save(again, tmp_path / "second")
    assert checkpoints.load(tmp_path / "second").schema.topic_ids == markets.topic_ids


@pytest.mark.parametrize("head", ["attention", "plain"])
def test_heads_of_a_run_with_the_same_labels_are_new_too(
    encoder: Callable[[str], Path], start: Callable[..., Checkpoint], tmp_path: Path, head: str
) -> None:
    run = start(encoder("bert-wordpiece"), head)
    checkpoints.save(run, tmp_path / "run")
    again = start(tmp_path / "run", head, seed=2)
    old, new = (
        (each.model.head.stance_weight if head == "attention" else each.model.classifier.classifier.weight)
        for each in (run, again)
    )
    assert old.shape == new.shape
    assert not torch.equal(old, new)


def test_run_whose_weights_are_not_whole_is_told(
    encoder: Callable[[str], Path], start: Callable[..., Checkpoint], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    checkpoints.save(start(encoder("bert-wordpiece"), "attention"), folder)
    whole = load_file(folder / "model.safetensors")
    lacking = {name: tensor for name, tensor in whole.items() if "LayerNorm.bias" not in name}
    save_file(lacking, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"run: its weights lack embeddings\.LayerNorm\.bias and 4 more"):
        start(folder, "attention")
    save_file(whole, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    for change, says in (
        ({"hidden_size": 32}, "the weights do not fit config.json"),
        ({"naba": config["naba"] | {"head": "hydra"}}, "another kind of head"),
    ):
        (folder / "config.json").write_text(json.dumps(config | change))
        with pytest.raises(CheckpointError, match=says):
            start(folder, "attention")


def test_shipped_run_is_an_encoder(start: Callable[..., Checkpoint], root: Path) -> None:
    run = start(root / "models" / "naba-news", "attention")
    assert run.model.head.query.abs().sum() == 0  # as every head starts


def test_other_normalisation_than_the_encoder_was_trained_with_is_warned_of(
    encoder: Callable[[str], Path],
    start: Callable[..., Checkpoint],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = start(encoder("bert-wordpiece"), "attention")
    run.normalisation = "arabert-v02-2"
    checkpoints.save(run, tmp_path / "run")
    adapted = shutil.copytree(encoder("bert-wordpiece"), tmp_path / "adapted")
    (adapted / "pretrain.json").write_text(json.dumps({"config": {"normalisation": "arbert-1"}}))
    start(tmp_path / "run", "attention")
    start(adapted, "attention")
    assert caplog.messages == [
        f"{tmp_path / 'run'}: was trained on text normalised by arabert-v02-2, and normalisation is standard-1; set "
        "normalisation=arabert-v02-2 unless you mean it",
        f"{adapted}: was trained on text normalised by arbert-1, and normalisation is standard-1; set "
        "normalisation=arbert-1 unless you mean it",
    ]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"config": 1}', '{"config": {"normalisation": 2}}'])
def test_encoder_of_which_nothing_is_known_is_not_judged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    (tmp_path / "pretrain.json").write_text(content)
    check_normalisation(str(tmp_path), "standard-1")
    check_normalisation("somebody/encoder", "standard-1")
    assert not caplog.messages
