from pathlib import Path

import pytest
import torch

from naba.finetuning.optimizer import MasterWeights, make_optimizer, parameter_groups
from naba.modelling.checkpoint import from_encoder
from naba.schema import LabelSchema


def quadratic(parameter: torch.Tensor) -> torch.Tensor:
    return ((parameter.float() - 2.0) ** 2).sum()


def test_updates_too_small_for_bfloat16_are_not_lost() -> None:
    # The next bfloat16 above 1 is 1.0078: a step of 0.001 would round back to 1 for ever.
    parameter = torch.nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
    optimizer = make_optimizer([{"params": [parameter], "lr": 1e-3, "weight_decay": 0.0}])
    assert isinstance(optimizer, MasterWeights)
    for _ in range(20):
        optimizer.zero_grad()
        quadratic(parameter).backward()
        optimizer.step()
    assert torch.allclose(optimizer.masters[0], torch.full((4,), 1.02), atol=2e-3)
    assert parameter[0].item() > 1.0


def test_float32_weights_get_plain_adamw_with_the_same_steps_as_the_masters() -> None:
    one = torch.nn.Parameter(torch.ones(4))
    other = torch.nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
    plain, master = (make_optimizer([{"params": [p], "lr": 1e-3, "weight_decay": 0.1}]) for p in (one, other))
    assert type(plain) is torch.optim.AdamW
    for parameter, optimizer in ((one, plain), (other, master)):
        parameter.grad = torch.full_like(parameter, 0.5)
        optimizer.step()
    assert isinstance(master, MasterWeights)
    assert torch.equal(one.detach(), master.masters[0])


def test_state_restores_masters_and_moments_exactly() -> None:
    def run(steps: int, state: dict | None = None, weights: torch.Tensor | None = None) -> tuple:  # type: ignore[type-arg]
        start = torch.ones(4, dtype=torch.bfloat16) if weights is None else weights
        parameter = torch.nn.Parameter(start.clone())
        optimizer = make_optimizer([{"params": [parameter], "lr": 1e-2, "weight_decay": 0.1}])
        if state is not None:
            optimizer.load_state_dict(state)
        for _ in range(steps):
            optimizer.zero_grad()
            quadratic(parameter).backward()
            optimizer.step()
        return parameter.detach(), optimizer

    whole, whole_optimizer = run(10)
    half, optimizer = run(5)
    again, again_optimizer = run(5, optimizer.state_dict(), half)
    assert torch.equal(whole, again)
    assert torch.equal(whole_optimizer.masters[0], again_optimizer.masters[0])
    assert all(tensor.dtype == torch.float32 for tensor in again_optimizer.masters)


@pytest.mark.parametrize(("head", "pretrained"), [("attention", "encoder."), ("plain", "classifier.bert.")])
def test_encoder_and_heads_have_rates_of_their_own_and_biases_and_norms_do_not_decay(
    tiny_encoder: Path, schema: LabelSchema, head: str, pretrained: str
) -> None:
    run = from_encoder(str(tiny_encoder), schema, normalisation="standard-1", head=head, max_tokens=32, dropout=0.1)
    groups = parameter_groups(run.model, learning_rate=1e-4, head_learning_rate=1e-3, weight_decay=0.01)
    found = {id(parameter): (group["lr"], group["weight_decay"]) for group in groups for parameter in group["params"]}
    assert len(found) == len(list(run.model.parameters()))
    for name, parameter in run.model.named_parameters():
        decays = not (name.endswith("bias") or "LayerNorm" in name)
        assert found[id(parameter)] == (1e-4 if name.startswith(pretrained) else 1e-3, 0.01 if decays else 0.0), name


def test_best_weights_come_back_unrounded(tmp_path: Path) -> None:
    parameters = [torch.nn.Parameter(torch.ones(4, dtype=dtype)) for dtype in (torch.bfloat16, torch.float32)]
    optimizer = make_optimizer([{"params": parameters, "lr": 1e-3, "weight_decay": 0.0}])
    assert isinstance(optimizer, MasterWeights)
    for at in range(2):  # saved after the first of two steps
        for parameter in parameters:
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        if at == 0:
            torch.save(optimizer.state_dict(), tmp_path / "optimizer.pt")
    optimizer.restore(tmp_path / "optimizer.pt")
    # AdamW's first step is the learning rate, against the gradient.
    for parameter in parameters:
        assert parameter.dtype == torch.float32
        assert torch.allclose(parameter, torch.full((4,), 0.999), atol=1e-6)
