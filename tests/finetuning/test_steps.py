from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from naba.finetuning.batches import BatchPlan
from naba.finetuning.steps import EarlyStopping, PlannedEpochs, StepBar, Stopwatch


def state(step: int, best: float | None = None) -> Any:
    return SimpleNamespace(global_step=step, best_metric=best, epoch=0.0)


def test_epochs_are_those_of_the_plan() -> None:
    plan = BatchPlan([8] * 16, batch_size=4, epochs=2.5, seed=1)
    assert len(plan) == 10
    callback = PlannedEpochs(plan, 2.5)
    for step, epoch in {1: 0.25, 4: 1.0, 6: 1.5, 8: 2.0, 9: 2.25, 10: 2.5}.items():  # 4 batches an epoch
        now = state(step)
        callback.on_step_end(None, now, None)
        assert now.epoch == pytest.approx(epoch)


def test_bar_tells_loss_speed_and_the_best_score(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 2.0, 10.0, 12.0])  # two steps of two seconds; what lies between is no training
    monkeypatch.setattr("naba.finetuning.steps.time.perf_counter", lambda: next(clock))
    told: list[tuple[int, str]] = []
    bar = StepBar(lambda done, note: told.append((done, note)), segments=[16, 12])
    bar.on_train_begin(None, state(0), None)
    bar.on_step_begin(None, state(0), None)
    bar.on_step_end(None, state(1), None)
    bar.on_log(None, state(1), None, logs={"loss": 0.51234})
    bar.on_step_begin(None, state(1, best=0.25), None)
    bar.on_step_end(None, state(2, best=0.25), None)
    assert told == [(0, ""), (1, "8.0 seg/s"), (1, "loss 0.512, 7.0 seg/s, F1 0.250")]


def test_bar_of_a_run_that_goes_on_starts_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, str]] = []
    bar = StepBar(lambda done, note: told.append((done, note)))
    bar.on_train_begin(None, state(100, best=0.6), None)
    bar.on_step_end(None, state(101, best=0.6), None)
    assert told == [(100, "F1 0.600"), (1, "F1 0.600")]


def scored(scores: list[float], patience: int) -> int | None:
    """The scoring after which training stops."""
    callback, control = EarlyStopping(patience), SimpleNamespace(should_training_stop=False)
    arguments: Any = SimpleNamespace(greater_is_better=True, metric_for_best_model="eval_pair_f1")
    best: float | None = None
    for number, score in enumerate(scores, start=1):
        callback.on_evaluate(arguments, state(number, best), control, {"eval_pair_f1": score})  # type: ignore[arg-type]
        best = score if best is None or score > best else best  # as the trainer does, afterwards
        if control.should_training_stop:
            return number
    return None


def test_patience_is_counted_from_the_first_score_above_zero() -> None:
    assert scored([0.0, 0.0, 0.0, 0.0, 0.1, 0.2], patience=2) is None
    assert scored([0.0, 0.0, 0.0, 0.1, 0.1, 0.05, 0.2], patience=2) == 6
    assert scored([0.3, 0.2, 0.3, 0.4], patience=2) == 3


def test_seconds_of_sessions_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([12.5, 103.0, 104.0])
    monkeypatch.setattr("naba.finetuning.steps.time.perf_counter", lambda: next(clock))
    saving: Any = SimpleNamespace(global_step=8, is_world_process_zero=True)
    arguments: Any = SimpleNamespace(output_dir=str(tmp_path))
    checkpoint = tmp_path / "checkpoint-8"
    checkpoint.mkdir()
    Stopwatch(began=2.5, checkpoint=None).on_save(arguments, saving, None)  # at 12.5: 10 seconds
    assert Stopwatch(began=100.0, checkpoint=str(checkpoint)).seconds == 13.0  # at 103: 3 more
    (checkpoint / "seconds.json").unlink()  # killed before it was written
    assert Stopwatch(began=100.0, checkpoint=str(checkpoint)).seconds == 4.0
