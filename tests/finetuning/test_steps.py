from types import SimpleNamespace
from typing import Any

import pytest

from naba.finetuning.batches import BatchPlan
from naba.finetuning.steps import PlannedEpochs, StepBar


def state(step: int, best: float | None = None) -> Any:
    return SimpleNamespace(global_step=step, best_metric=best, epoch=0.0)


@pytest.mark.parametrize(
    ("batches", "epochs"),
    # 4 batches an epoch, 10 in all. One a step: 4, 8, 10. Two a step: 2, 4, 5.
    [(1, {1: 0.25, 4: 1.0, 6: 1.5, 8: 2.0, 9: 2.25, 10: 2.5}), (2, {1: 0.5, 2: 1.0, 4: 2.0, 5: 2.5})],
)
def test_epochs_are_those_of_the_plan(batches: int, epochs: dict[int, float]) -> None:
    plan = BatchPlan([8] * 16, batch_size=4, epochs=2.5, seed=1)
    assert len(plan) == 10
    callback = PlannedEpochs(plan, 2.5, batches)
    for step, epoch in epochs.items():
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
