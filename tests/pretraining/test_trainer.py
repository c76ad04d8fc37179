from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from naba.modelling.device import to_precision
from naba.pretraining.blocks import Frame, TrainingBlocks, ValidationBlocks
from naba.pretraining.config import PretrainConfig
from naba.pretraining.masking import WordMasking
from naba.pretraining.trainer import (
    MaskedTrainer,
    frequency_perplexity,
    masked_losses,
    perplexity,
    training_arguments,
)
from tests.pretraining.test_encoder import NEW

Make = Callable[..., MaskedTrainer]


@pytest.fixture
def make(pretraining: PretrainConfig, tiny_encoder: Path) -> Make:
    """A trainer of 4 steps of the head alone and 8 of all."""

    def made(precision: Any = "float32", **values: Any) -> MaskedTrainer:
        config = pretraining.model_copy(update=values)
        torch.manual_seed(0)
        model = AutoModelForMaskedLM.from_pretrained(tiny_encoder)
        to_precision(model, precision)
        masking, frame = WordMasking(AutoTokenizer.from_pretrained(tiny_encoder), 0.15), Frame((2,), (3,), 32)
        tokens = np.random.default_rng(0).integers(5, 600, 2_000)
        arguments = training_arguments(config, "cpu", precision)
        arguments.max_steps = 12
        blocks = TrainingBlocks(tokens, frame, masking, 12 * 4, seed=1)
        return MaskedTrainer(model, arguments, config, blocks, ValidationBlocks(tokens, frame, masking, 8), 4)

    return made


@pytest.mark.parametrize("kind", NEW)
def test_loss_is_the_models_own(encoders: dict[str, Path], kind: str) -> None:
    torch.manual_seed(0)
    model = AutoModelForMaskedLM.from_pretrained(encoders[kind]).eval()
    ids = torch.randint(5, model.config.vocab_size, (3, 20))
    labels = torch.where(torch.rand(3, 20) < 0.3, ids, -100)
    losses, right = masked_losses(model, ids, labels)
    with torch.no_grad():
        own = model(input_ids=ids, labels=labels)
    assert losses.shape == right.shape == ((labels != -100).sum(),)
    assert torch.allclose(losses.mean(), own.loss, atol=1e-5)
    assert right.tolist() == (own.logits.argmax(-1) == labels)[labels != -100].tolist()
    losses.mean().backward()
    assert model.get_input_embeddings().weight.grad is not None
    # The model itself is as it was.
    assert model(input_ids=ids).logits.shape[:2] == (3, 20)


def test_perplexity_of_a_model_that_knows_nothing_is_the_size_of_the_vocabulary(make: Make) -> None:
    trainer = make()
    with torch.no_grad():
        trainer.model.get_input_embeddings().weight.zero_()
        trainer.model.cls.predictions.bias.zero_()
    trainer.model.train()
    measured = perplexity(trainer.model, trainer.validation, "cpu", 3)
    assert measured["perplexity"] == pytest.approx(600)
    assert measured["tokens"] == sum(int((block["labels"] != -100).sum()) for block in trainer.validation)  # type: ignore[attr-defined]
    assert trainer.model.training


def test_measuring_draws_no_random_number(make: Make) -> None:
    trainer = make()
    state = torch.get_rng_state()
    assert trainer.measure() == trainer.measure()
    assert torch.equal(state, torch.get_rng_state())


def test_new_head_is_trained_alone_then_all(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from naba.pretraining import trainer as module

    weights = []

    def remember(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        model = self.trainer.model
        head = model.cls.predictions.transform.dense.weight
        encoder = model.bert.encoder.layer[0].output.dense.weight
        weights.append((head.detach().clone(), encoder.detach().clone()))

    monkeypatch.setattr(module._Phases, "on_step_end", remember)
    trainer = make()
    before = trainer.model.bert.encoder.layer[0].output.dense.weight.detach().clone()
    trainer.train()
    assert all(torch.equal(encoder, before) for _, encoder in weights[:4])
    assert not torch.equal(weights[0][0], weights[3][0])
    assert not torch.equal(weights[4][1], before)


def test_rates(make: Make) -> None:
    trainer = make(learning_rate=1e-4, head_learning_rate=1e-3, warmup=0.25)
    trainer.create_optimizer_and_scheduler(12)
    rates = []
    for _ in range(12):
        rates.append(trainer.optimizer.param_groups[0]["lr"])
        trainer.optimizer.step()
        trainer.lr_scheduler.step()
    # Four of the head; of the eight others two of warm-up, then down to nothing at the end of the last.
    parts = [1 / 3, 2 / 3, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]
    assert rates == pytest.approx([1e-3] * 4 + [1e-4 * part for part in parts])


def test_measurement_takes_the_float32_weights_and_leaves_the_rounded_ones_alone(make: Make) -> None:
    trainer = make("bfloat16")
    trainer.train()
    rounded = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    measured = trainer.measure()
    after = trainer.model.state_dict()
    assert all(torch.equal(after[name], rounded[name]) and after[name].dtype == rounded[name].dtype for name in after)
    assert measured != perplexity(trainer.model, trainer.validation, "cpu", 4)
    trainer.take_masters()
    assert measured == trainer.measure() == perplexity(trainer.model, trainer.validation, "cpu", 4)
    whole = trainer.model.state_dict()
    assert all(tensor.dtype == torch.float32 for tensor in whole.values() if tensor.is_floating_point())
    assert any(not torch.equal(whole[name], rounded[name].float()) for name in whole)
    assert all(torch.equal(whole[name].to(rounded[name].dtype), rounded[name]) for name in whole)
    assert trainer.model.get_output_embeddings().weight is trainer.model.get_input_embeddings().weight


def test_perplexity_by_frequency(monkeypatch: pytest.MonkeyPatch, tiny_encoder: Path) -> None:
    from naba.pretraining import trainer as module

    monkeypatch.setattr(module, "_CHUNK", 3)
    # Of 8 pieces, one added to each: 5 stands 6 times of 16, 6 stands 4 times of 16.
    tokens = np.array([5, 5, 6, 5, 6, 5, 6, 5])
    masking = WordMasking(AutoTokenizer.from_pretrained(tiny_encoder), 0.5)
    validation = ValidationBlocks(tokens, Frame((), (), 4), masking, 2)
    labels = torch.cat([validation[number]["labels"] for number in range(2)])
    fives, sixes = int((labels == 5).sum()), int((labels == 6).sum())
    wanted = ((16 / 6) ** fives * 4**sixes) ** (1 / (fives + sixes))
    assert frequency_perplexity(tokens, 8, validation) == pytest.approx(wanted)
