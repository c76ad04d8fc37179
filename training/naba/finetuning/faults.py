"""Memory, disk or another process that gives out in the middle of a training, as one line that says what to do.

with explained(config.out, lambda: trainer.state.global_step, lower="batch_size or max_tokens"):
    trainer.train()
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError

from naba.errors import CheckpointError, ConfigError, NabaError
from naba.finetuning.processes import ElsewhereError, highest, other_ended, rank
from naba.finetuning.run_folder import CHECKPOINTS, last_whole_checkpoint, step_of

_FORBIDDEN = {errno.EACCES, errno.EROFS}
_OF_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, *_FORBIDDEN}
"""What the system answers where a file cannot be written."""
_UNWRITABLE = ("PytorchStreamWriter", "inline_container", "iostream error", "(os error")
"""By which what PyTorch and the libraries in Rust say of a full disk is known; their classes do not tell."""
_FULL = "the disk is full, or files may not grow further"


@contextmanager
def explained(out: Path, step: Callable[[], int], lower: str) -> Iterator[None]:
    """Within the block such faults become errors of the user's.

    Args:
        out: the run folder.
        step: gives the step that the training is at.
        lower: the settings on which the need of memory depends.

    Raises:
        CheckpointError: memory gave out, or another process ended.
        ConfigError: the disk is full or cannot be written.
        ElsewhereError: another process ended, and the first one says so.
    """
    try:
        yield
    except NabaError:
        raise
    except Exception as error:  # the libraries in Rust raise no narrower class
        reason = " ".join(str(error).split())[:160]
        here = f"{out}: " if rank() == 0 else f"process {rank()}: {out}: "
        if other_ended(error):
            if rank() > 0:
                raise ElsewhereError(reason) from None
            raise CheckpointError(
                f"{out}: another process of this training ended at step {step()}; what it said stands above, unless the "
                "system stopped it. The same command goes on from the last checkpoint"
            ) from None
        if isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate memory" in reason:
            raise CheckpointError(
                f"{here}out of memory at step {step()}; lower {lower} and start again with --overwrite ({reason})"
            ) from None
        if _is_of_disk(error, out):
            mend = "make it writable" if getattr(error, "errno", None) in _FORBIDDEN else "free some space"
            reason = (error.strerror if isinstance(error, OSError) else None) or _FULL
            raise ConfigError(
                f"{here}cannot be written at step {step()} ({reason}); {mend} and start again{_from(out, step())}"
            ) from None
        raise


def check_finite(loss: torch.Tensor, step: int) -> None:
    """Raise CheckpointError where the loss of a step is no number on any process; ElsewhereError on all but the first."""
    if highest(int(not torch.isfinite(loss)), loss.device):
        kind = CheckpointError if rank() == 0 else ElsewhereError
        raise kind(
            f"the loss became {loss.item()} at step {step}; lower learning_rate or max_grad_norm and start again with "
            "--overwrite"
        )


def _from(out: Path, step: int) -> str:
    """Where the run will go on. What was written of a checkpoint is removed: it only takes the space that is wanting."""
    if rank() > 0 or not step:  # before the first step the folder may be another run's
        return ""
    whole = last_whole_checkpoint(out / CHECKPOINTS, quiet=True)
    if whole is None:
        return ": no checkpoint was written yet, so the run starts from the beginning"
    return f": the run goes on from the checkpoint of step {step_of(whole)}"


def _is_of_disk(error: Exception, out: Path) -> bool:
    if isinstance(error, OSError):
        if error.filename is None:
            return error.errno in _OF_DISK
        return Path(str(error.filename)).is_relative_to(out)
    return isinstance(error, SafetensorError) or any(words in str(error) for words in _UNWRITABLE)
