import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from naba.errors import ConfigError
from naba.finetuning.run_folder import early_stop, last_whole_checkpoint, prepare

INPUTS: dict[str, Any] = {"config": {"seed": 1, "epochs": 4}, "precision": "float32", "data": {"a.jsonl": "0123"}}
FILES = ["model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"]


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    """Two checkpoints as the trainer writes them; the first is the best."""
    for step in (8, 16):
        _write(tmp_path / "checkpoints", step, best=8)
    return tmp_path / "checkpoints"


def _write(folder: Path, step: int, best: int | None, states: tuple[str, ...] = ("rng_state.pth",)) -> None:
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    save_file({"weight": torch.arange(400.0)}, checkpoint / "model.safetensors")
    for name in ("optimizer.pt", "scheduler.pt", *states):
        torch.save({"step": step, "values": torch.arange(400.0)}, checkpoint / name)
    patience = {"EarlyStoppingCallback": {"attributes": {"early_stopping_patience_counter": 2}}}
    state = {"global_step": step, "stateful_callbacks": patience}
    state["best_model_checkpoint"] = str(folder / f"checkpoint-{best}") if best else None
    (checkpoint / "trainer_state.json").write_text(json.dumps(state))


def _cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_newest_checkpoint_is_the_one_with_the_highest_step(checkpoints: Path) -> None:
    (checkpoints / "checkpoint-best").mkdir()  # another's
    assert last_whole_checkpoint(checkpoints) == str(checkpoints / "checkpoint-16")
    _write(checkpoints, 104, best=8)
    assert last_whole_checkpoint(checkpoints) == str(checkpoints / "checkpoint-104")
    assert last_whole_checkpoint(checkpoints / "none") is None


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("break_", [_cut, Path.unlink], ids=["cut", "absent"])
def test_broken_checkpoint_is_removed_and_the_one_before_it_used(
    checkpoints: Path, name: str, break_: Callable[[Path], None]
) -> None:
    break_(checkpoints / "checkpoint-16" / name)
    assert last_whole_checkpoint(checkpoints) == str(checkpoints / "checkpoint-8")
    assert not (checkpoints / "checkpoint-16").exists()


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth"])
def test_single_flipped_bit_is_found(checkpoints: Path, name: str) -> None:
    _flip(checkpoints / "checkpoint-16" / name)
    assert last_whole_checkpoint(checkpoints) == str(checkpoints / "checkpoint-8")


def test_checkpoint_is_of_no_use_without_the_best_weights(checkpoints: Path, caplog: pytest.LogCaptureFixture) -> None:
    _cut(checkpoints / "checkpoint-8" / "model.safetensors")
    assert last_whole_checkpoint(checkpoints) is None
    assert "the one before it is used" in caplog.messages[0]
    assert "no other is left: the run starts anew" in caplog.messages[1]


def test_every_process_must_have_left_its_random_state(checkpoints: Path) -> None:
    shutil.rmtree(checkpoints)
    both = ("rng_state_0.pth", "rng_state_1.pth")
    _write(checkpoints, 8, None, both)
    _write(checkpoints, 16, None, both[:1])
    assert last_whole_checkpoint(checkpoints) == str(checkpoints / "checkpoint-16")
    assert last_whole_checkpoint(checkpoints, processes=2) == str(checkpoints / "checkpoint-8")


def test_checkpoint_tells_whether_the_patience_had_run_out(checkpoints: Path) -> None:
    checkpoint = str(checkpoints / "checkpoint-16")
    assert early_stop(checkpoint, patience=2) == 16
    assert early_stop(checkpoint, patience=3) is None
    assert early_stop(checkpoint, patience=0) is None


def test_folder_is_taken_once_and_taken_up_again(tmp_path: Path) -> None:
    prepare(tmp_path / "run", INPUTS, overwrite=False)
    (tmp_path / "run" / "checkpoints").mkdir()
    prepare(tmp_path / "run", INPUTS, overwrite=False)
    assert (tmp_path / "run" / "checkpoints").is_dir()


def test_run_of_other_inputs_is_refused_naming_them(tmp_path: Path) -> None:
    prepare(tmp_path / "run", INPUTS, overwrite=False)
    other = INPUTS | {"config": {"seed": 2, "epochs": 4}, "data": {"a.jsonl": "4567"}}
    with pytest.raises(ConfigError, match="an unfinished run with another seed, data; choose another 'out', or pass"):
        prepare(tmp_path / "run", other, overwrite=False)
    prepare(tmp_path / "run", other, overwrite=True)
    assert json.loads((tmp_path / "run" / "train.json").read_text()) == other


def test_run_begun_by_an_earlier_naba_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text('{"config": {"seed": 1}}')
    with pytest.raises(ConfigError, match="another epochs, precision, data"):
        prepare(tmp_path, INPUTS, overwrite=False)
