"""Checkpoints as the trainer writes them, without the training."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

FILES = ["model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"]


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    """Two checkpoints as the trainer writes them; the first is the best."""
    for step in (8, 16):
        write_checkpoint(tmp_path / "checkpoints", step, best=8)
    return tmp_path / "checkpoints"


def write_checkpoint(folder: Path, step: int, best: int | None, states: tuple[str, ...] = ("rng_state.pth",)) -> None:
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    save_file({"weight": torch.arange(400.0)}, checkpoint / "model.safetensors")
    for name in ("optimizer.pt", "scheduler.pt", *states):
        torch.save({"step": step, "values": torch.arange(400.0)}, checkpoint / name)
    patience = {"EarlyStopping": {"attributes": {"early_stopping_patience_counter": 2}}}
    state = {"global_step": step, "stateful_callbacks": patience}
    state["best_model_checkpoint"] = str(folder / f"checkpoint-{best}") if best else None
    (checkpoint / "trainer_state.json").write_text(json.dumps(state))
