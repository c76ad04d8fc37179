"""What a step is of a run: how far the epochs are, what the progress bar says, when it is one too many, what it took."""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from transformers import EarlyStoppingCallback, TrainerCallback

from naba.errors import DataError
from naba.finetuning.batches import BatchPlan
from naba.jsonl import read_json, write_json
from naba.progress import Advance

_SPENT = "seconds.json"


class PlannedEpochs(TrainerCallback):
    """Has the trainer's log say how many epochs are done; to the trainer the whole plan is one."""

    def __init__(self, plan: BatchPlan, epochs: float) -> None:
        """`epochs` are planned; a step reads a batch."""
        self.ends = [0, *plan.epoch_ends]
        self.epochs = [*map(float, range(len(plan.epoch_ends))), epochs]

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        state.epoch = float(np.interp(state.global_step, self.ends, self.epochs))


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


class EarlyStopping(EarlyStoppingCallback):
    """Stops after so many scorings without a better one, counted from the first that is above 0."""

    def check_metric_value(self, args: Any, state: Any, control: Any, metric_value: Any) -> None:
        # Until some answer is right the scores say nothing of whether the model learns.
        if metric_value > 0 or state.best_metric:
            super().check_metric_value(args, state, control, metric_value)


class Stopwatch(TrainerCallback):
    """The seconds of a run over all its sessions; written into every checkpoint, for the session that goes on there."""

    def __init__(self, began: float, checkpoint: str | None) -> None:
        """The session `began` at that `time.perf_counter()`, and goes on from that checkpoint."""
        self.began, self.before = began, _spent(checkpoint)

    @property
    def seconds(self) -> float:
        """Until now; what was done after a checkpoint and then lost is not counted."""
        return round(self.before + time.perf_counter() - self.began, 1)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            with suppress(DataError):  # not worth a training
                write_json(
                    Path(args.output_dir) / f"checkpoint-{state.global_step}" / _SPENT, {"seconds": self.seconds}
                )


def _spent(checkpoint: str | None) -> float:
    if checkpoint is None:
        return 0.0
    try:
        return float(read_json(Path(checkpoint) / _SPENT)["seconds"])
    except (DataError, KeyError, TypeError, ValueError):  # killed before it was written
        return 0.0


class ScoringBar(TrainerCallback):
    """Passes the batches of a prediction on to the progress."""

    def __init__(self, advance: Advance) -> None:
        self.advance = advance

    def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.advance(1, "")
