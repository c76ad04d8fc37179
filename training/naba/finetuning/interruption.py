"""Ctrl-C, and SIGTERM as a cluster sends it before it takes the machine away: end the step, save, then stop.

with saving_interrupts(trainer):
    trainer.train()
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers import Trainer, TrainerCallback

from naba.finetuning.processes import highest, launched


class TerminatedError(KeyboardInterrupt):
    """Ended by SIGTERM; whoever handles Ctrl-C handles this too."""

    exit_code = 128 + signal.SIGTERM


@contextmanager
def saving_interrupts(trainer: Trainer) -> Iterator[None]:
    """Within the block the first Ctrl-C or SIGTERM ends the step, saves a checkpoint and then interrupts.

    The second interrupts at once, but not where a launcher started several processes: it passes on what the terminal
    has told every one of them already.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
        TerminatedError: after SIGTERM.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    stop = _StopAndSave()
    trainer.add_callback(stop)

    def handle(number: int, frame: Any) -> None:
        if stop.wanted and not launched():
            raise _interruption(number)
        stop.wanted = max(stop.wanted, number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if stop.wanted:
        raise _interruption(stop.wanted)


class _StopAndSave(TrainerCallback):
    """Once wanted on any process, has all save after the step they are in, and stop."""

    wanted = 0
    """Number of the signal; 0: none came."""

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.wanted = highest(self.wanted, args.device)
        if self.wanted:
            control.should_log = control.should_save = control.should_training_stop = True


def _interruption(number: int) -> KeyboardInterrupt:
    return TerminatedError() if number == signal.SIGTERM else KeyboardInterrupt()
