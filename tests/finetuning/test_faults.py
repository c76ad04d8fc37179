from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from naba.errors import CheckpointError, ConfigError, DataError
from naba.finetuning.faults import check_finite, explained

OUT = Path("models/mine")

FULL = [
    OSError(28, "No space left on device"),
    OSError(28, "No space left on device", "models/mine/checkpoints/checkpoint-8/trainer_state.json"),
    OSError(122, "Disk quota exceeded"),
    OSError(27, "File too large"),
    OSError(5, "Input/output error"),
    SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 509888 vs 509776"),
    RuntimeError("basic_ios::clear: iostream error"),
    Exception("No space left on device (os error 28)"),  # as the tokenizers library raises it
]


@pytest.mark.parametrize("error", FULL)
def test_full_disk_is_known_whichever_library_met_it(error: Exception) -> None:
    with (
        pytest.raises(ConfigError, match=r"^models/mine: cannot be written at step 7 .*; free some space"),
        explained(OUT, lambda: 7, "batch_size"),
    ):
        raise error


def test_message_holds_no_library_s_own_words() -> None:
    with (
        pytest.raises(ConfigError, match=r"at step 7 \(the disk is full, or files may not grow further\); free some"),
        explained(OUT, lambda: 7, "batch_size"),
    ):
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 509888 vs 509776")


def test_half_written_checkpoint_is_removed_and_the_whole_one_named(checkpoints: Path) -> None:
    out = checkpoints.parent
    (checkpoints / "checkpoint-16" / "optimizer.pt").write_bytes(b"half")
    with (
        pytest.raises(ConfigError, match=r"and start again: the run goes on from the checkpoint of step 8$"),
        explained(out, lambda: 16, "batch_size"),
    ):
        raise OSError(28, "No space left on device")
    assert [path.name for path in checkpoints.glob("checkpoint-[0-9]*")] == ["checkpoint-8"]
    (checkpoints / "checkpoint-8" / "optimizer.pt").write_bytes(b"half")
    with (
        pytest.raises(ConfigError, match=r"no checkpoint was written yet, so the run starts from the beginning$"),
        explained(out, lambda: 16, "batch_size"),
    ):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("error", [OSError(30, "Read-only file system"), PermissionError(13, "Permission denied")])
def test_folder_that_cannot_be_written_is_to_be_made_so(error: Exception) -> None:
    with (
        pytest.raises(ConfigError, match=r"^models/mine: cannot be written at step 7 .*; make it writable and start"),
        explained(OUT, lambda: 7, "batch_size"),
    ):
        raise error


def test_loss_that_is_no_number_is_told() -> None:
    check_finite(torch.tensor(1.5), 3)
    for value in (torch.nan, torch.inf):
        with pytest.raises(
            CheckpointError,
            match=f"the loss became {value} at step 3; lower learning_rate or max_grad_norm and start again with --over",
        ):
            check_finite(torch.tensor(value), 3)


MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes. Error code 12"),
    OSError(12, "Cannot allocate memory"),
    MemoryError(),
]


@pytest.mark.parametrize("error", MEMORY)
def test_lack_of_memory_names_the_settings(error: Exception) -> None:
    with (
        pytest.raises(CheckpointError, match="out of memory at step 7; lower batch_size or max_tokens and start again"),
        explained(OUT, lambda: 7, "batch_size or max_tokens"),
    ):
        raise error


OTHERS = [
    RuntimeError("The size of tensor a must match the size of tensor b"),
    PermissionError(13, "Permission denied", "data/train.jsonl"),
    BrokenPipeError(32, "Broken pipe"),
    TimeoutError("timed out"),
    TimeoutError(110, "Connection timed out"),
    OSError(24, "Too many open files"),
    KeyError("labels"),
    DataError("data/train.jsonl: empty"),
]


@pytest.mark.parametrize("error", OTHERS)
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, explained(OUT, lambda: 7, "batch_size"):
        raise error
    assert raised.value is error
