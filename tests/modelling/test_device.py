from types import SimpleNamespace

import pytest
import torch

from naba.errors import ConfigError
from naba.modelling.device import pick_device, pick_precision, round_weights


@pytest.mark.parametrize(("capability", "picked"), [(7, "float32"), (8, "bfloat16")])
def test_auto_takes_bfloat16_only_where_a_gpu_multiplies_it_natively(
    monkeypatch: pytest.MonkeyPatch, capability: int, picked: str
) -> None:
    # A V100 and a T4 are 7.0 and 7.5; PyTorch emulates bfloat16 on them.
    for name, stand_in in {
        "is_available": lambda: True,
        "current_device": lambda: 0,
        "get_device_properties": lambda device: SimpleNamespace(major=capability),
        "_check_bf16_tensor_supported": lambda device: True,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    assert pick_precision("auto", "cuda") == picked
    assert pick_precision("bfloat16", "cuda") == "bfloat16"
    assert pick_device("auto") == "cuda"


def test_cuda_that_is_not_there_is_not_picked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto") == pick_device("cpu") == "cpu"
    with pytest.raises(ConfigError, match="no CUDA device"):
        pick_device("cuda")


def test_rounded_weights_are_those_read_back() -> None:
    module = torch.nn.BatchNorm1d(2)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([1 / 3, 1e-9]))
    round_weights(module, torch.float16)
    # float16 has eleven bits: a third is 1365 / 4096; its least number above zero is 2⁻²⁴.
    assert module.weight.tolist() == [1365 / 4096, 0.0]
    assert module.weight.dtype == torch.float32
    assert module.num_batches_tracked is not None
    assert module.num_batches_tracked.dtype == torch.int64
