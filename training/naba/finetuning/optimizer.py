"""AdamW for fine-tuning: two learning rates, no decay of biases and norms, and bfloat16 weights that lose no update.

AdamW with bias correction: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization". Float32 copies of the
weights beside half-precision ones: Micikevicius et al. 2018, "Mixed Precision Training", section 3.1.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from naba.modelling.model import TopicStanceModel


def parameter_groups(
    model: TopicStanceModel, *, learning_rate: float, head_learning_rate: float, weight_decay: float
) -> list[dict[str, Any]]:
    """The encoder at one rate, the heads at another; matrices decay, biases and norms do not."""
    encoder = {id(parameter) for parameter in model.encoder_parameters()}
    groups: dict[tuple[bool, bool], list[Any]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            matrix = parameter.ndim > 1 and not name.endswith("bias")  # the heads' biases are matrices too
            groups.setdefault((id(parameter) in encoder, matrix), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": learning_rate if pretrained else head_learning_rate,
            "weight_decay": weight_decay if decayed else 0.0,
        }
        for (pretrained, decayed), parameters in groups.items()
    ]


def make_optimizer(groups: list[dict[str, Any]]) -> torch.optim.AdamW:
    """AdamW over parameter groups; with float32 masters where any parameter is of lower precision."""
    parameters = [parameter for group in groups for parameter in group["params"]]
    if all(parameter.dtype == torch.float32 for parameter in parameters):
        return torch.optim.AdamW(groups, fused=True)
    return MasterWeights(groups)


class MasterWeights(torch.optim.AdamW):
    """AdamW that steps float32 copies of the model's parameters and rounds them into the model.

    A bfloat16 weight has eight bits: an update smaller than 1/256 of it would be lost if it were added there.
    """

    def __init__(self, groups: Iterable[dict[str, Any]]) -> None:
        """`groups` as for AdamW, holding the model's own parameters."""
        given = list(groups)
        self._rounded = [parameter for group in given for parameter in group["params"]]
        copies = iter([parameter.detach().float().clone() for parameter in self._rounded])
        super().__init__([group | {"params": [next(copies) for _ in group["params"]]} for group in given], fused=True)

    @property
    def masters(self) -> list[torch.Tensor]:
        """The float32 copies, in the order of the given parameters."""
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def restore(self, saved: Path) -> None:
        """Give the model the float32 weights that this optimiser wrote into `saved`, the optimizer.pt of a checkpoint."""
        masters = torch.load(saved, map_location="cpu", weights_only=True)["masters"]
        for parameter, master in zip(self._rounded, masters, strict=True):
            parameter.data = master.to(parameter.device)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One update from the gradients on the model's parameters."""
        for parameter, master in zip(self._rounded, self.masters, strict=True):
            master.grad = None if parameter.grad is None else parameter.grad.float()
        result = super().step(closure)
        for parameter, master in zip(self._rounded, self.masters, strict=True):
            parameter.copy_(master)
            master.grad = None
        return result

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients on the model's parameters."""
        for parameter in self._rounded:
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """AdamW's state and the masters: without these a run would go on from rounded weights."""
        return super().state_dict() | {"masters": [master.detach().clone() for master in self.masters]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where `state_dict` was written."""
        state = dict(state_dict)
        masters = state.pop("masters")
        super().load_state_dict(state)
        with torch.no_grad():
            for master, stored in zip(self.masters, masters, strict=True):
                master.copy_(stored)
