"""What a step is of a run: how far the epochs are, and what the progress bar says."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from transformers import TrainerCallback

from naba.finetuning.batches import BatchPlan
from naba.progress import Advance


class PlannedEpochs(TrainerCallback):
    """Has the trainer's log say how many epochs are done; to the trainer the whole plan is one."""

    def __init__(self, plan: BatchPlan, epochs: float, batches: int) -> None:
        """`epochs` are planned; `batches` are read in a step."""
        self.ends = [0, *plan.epoch_ends]
        self.epochs = [*map(float, range(len(plan.epoch_ends))), epochs]
        self.batches = batches

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        state.epoch = float(np.interp(state.global_step * self.batches, self.ends, self.epochs))


class StepBar(TrainerCallback):
    """Passes steps, loss, speed and the best validation score on to the progress."""

    def __init__(self, advance: Advance, segments: Sequence[int] | None = None) -> None:
        """`segments` are read in each step; without them no speed is told."""
        self.advance, self.segments = advance, segments
        self.done, self.loss, self.best = 0, "", ""
        self.began: float | None = None
        self.seconds, self.read = 0.0, 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # Told apart from the first step: a bar counts its speed from here, not from the steps of an earlier session.
        self._advance(state)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.began = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.segments and self.began is not None:
            self.seconds += time.perf_counter() - self.began
            self.read += self.segments[state.global_step - 1]
        self._advance(state)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if logs and "loss" in logs:
            self.loss = f"loss {float(logs['loss']):.3f}"

    def _advance(self, state: Any) -> None:
        speed = f"{self.read / self.seconds:.1f} seg/s" if self.seconds else ""
        best = f"F1 {state.best_metric:.3f}" if state.best_metric is not None else ""
        self.advance(state.global_step - self.done, ", ".join(filter(None, (self.loss, speed, best))))
        self.done = state.global_step


class ScoringBar(TrainerCallback):
    """Passes the batches of a prediction on to the progress."""

    def __init__(self, advance: Advance) -> None:
        self.advance = advance

    def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.advance(1, "")
