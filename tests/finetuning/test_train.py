import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from naba.config import TrainConfig, TrainingSource
from naba.errors import CheckpointError, ConfigError, DataError, NabaError
from naba.finetuning import train as module
from naba.finetuning.interruption import TerminatedError
from naba.finetuning.train import train
from naba.finetuning.trainer import training_arguments
from naba.modelling import checkpoint as checkpoints
from naba.modelling.encode import Collator
from naba.out_folder import hold
from naba.progress import SILENT, Progress
from tests.conftest import Run
from tests.finetuning.test_event_file import read_events


@pytest.fixture
def config(tiny_encoder: Path, tiny_run: Path, tmp_path: Path) -> TrainConfig:
    return TrainConfig(
        train=[tiny_run.parent / "train.jsonl"],
        validation=[tiny_run.parent / "validation.jsonl"],
        out=tmp_path / "run",
        encoder=str(tiny_encoder),
        max_tokens=64,
        epochs=0.5,
        device="cpu",
    )


@pytest.fixture
def steps11(config: TrainConfig) -> TrainConfig:
    """Eleven steps, scored and saved after 3, 6, 9 and 11."""
    return config.model_copy(update={"epochs": 1, "evaluations": 4})


@pytest.fixture(scope="module")
def whole11(tiny_encoder: Path, tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `steps11` gives where nothing interrupts it."""
    folder = tmp_path_factory.mktemp("whole")
    data = {name: [tiny_run.parent / f"{name}.jsonl"] for name in ("train", "validation")}
    settings = {"encoder": str(tiny_encoder), "max_tokens": 64, "device": "cpu", "epochs": 1, "evaluations": 4}
    train(TrainConfig.model_validate(data | settings | {"out": folder / "run"}))
    return folder / "run"


def test_run_folder_is_complete_and_says_what_made_it(tiny_run: Path) -> None:
    names = {path.name for path in tiny_run.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "decision.json", "run.json", "README.md"} <= names
    assert {"learning-curve.svg", "tensorboard"} <= names
    assert "checkpoints" not in names
    assert "](learning-curve.svg)" in (tiny_run / "README.md").read_text(encoding="utf-8")
    record = json.loads((tiny_run / "run.json").read_text())
    assert record["segments"] == {"train": 160, "validation": 80}
    assert record["config"]["seed"] == 1
    assert len(record["data"]) == 2
    assert record["versions"]["torch"]
    assert any("loss" in entry for entry in record["history"])
    assert any("eval_pair_f1" in entry for entry in record["history"])


def test_training_learns(config: TrainConfig, tmp_path: Path, write_rows: Callable[..., Path]) -> None:
    # Topic and stance follow from a word each; whoever knows neither gets a third of either right at best.
    words = {"diplomacy": "محادثات", "humanitarian_aid": "مساعدات", "military_action": "غارة"}
    stances = {"support": "ترحيب", "oppose": "رفض", "neutral": "خبر"}
    rows = [
        {
            "text": f"{said} {word} رقم {number}",
            "labels": {key: {"present": key == topic, "stance": stance if key == topic else None} for key in words},
        }
        for number in range(20)
        for topic, word in words.items()
        for stance, said in stances.items()
    ]
    learnt = {
        "train": [TrainingSource(path=write_rows("train.jsonl", rows[:126]))],
        "validation": [write_rows("validation.jsonl", rows[126:])],
    }
    rates = {"epochs": 16, "evaluations": 2, "learning_rate": 3e-3, "head_learning_rate": 1e-2}
    record = train(config.model_copy(update=learnt | rates))
    assert record["validation"]["pairs"]["f1"] > 0.9
    assert json.loads((config.out / "run.json").read_text())["validation"] == record["validation"]


def test_same_seed_gives_the_same_weights(config: TrainConfig) -> None:
    train(config)
    train(config.model_copy(update={"out": config.out.parent / "again"}))
    assert _same_weights(config.out, config.out.parent / "again")


def test_plain_head_trains_too(config: TrainConfig) -> None:
    train(config.model_copy(update={"head": "plain"}))
    assert checkpoints.load(config.out).model.head_kind == "plain"


def test_finished_run_is_not_overwritten_unless_asked(config: TrainConfig) -> None:
    train(config)
    with pytest.raises(ConfigError, match="--overwrite"):
        train(config)
    train(config, overwrite=True)


def test_folder_that_is_no_run_is_never_deleted(config: TrainConfig) -> None:
    config.out.mkdir()
    (config.out / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="no run of naba"):
        train(config, overwrite=True)
    assert (config.out / "thesis.txt").exists()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_interrupted_run_goes_on_to_the_same_weights(
    config: TrainConfig, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    lines = (root / "data" / "authored.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "weak.jsonl").write_text("".join(lines[240:300]), encoding="utf-8")
    sources = [*config.train, TrainingSource(path=tmp_path / "weak.jsonl", weight=0.3)]
    settings = {"epochs": 1.5, "evaluations": 4, "precision": precision, "train": sources}
    config = config.model_copy(update=settings)
    whole = train(config.model_copy(update={"out": config.out.parent / "whole"}))
    _stop_at(14, config, monkeypatch)
    assert not (config.out / "run.json").exists()
    record = train(config)
    assert _same_weights(config.out.parent / "whole", config.out)
    assert record["precision"] == precision
    assert (record["resumed_at"], whole["resumed_at"]) == (12, None)
    assert record["validation"] == whole["validation"]
    # The mean loss of the same steps is told, and once, in whichever session they were.
    assert _losses(record) == _losses(whole)
    for tag, steps in _steps_of_events(config.out / "tensorboard").items():
        assert steps == sorted(set(steps)), tag
    assert _steps_of_events(config.out / "tensorboard") == _steps_of_events(config.out.parent / "whole" / "tensorboard")


def test_seconds_are_those_of_all_sessions(steps11: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    _stop_at(7, steps11, monkeypatch)
    spent = steps11.out / "checkpoints" / "checkpoint-6" / "seconds.json"
    assert 0 < json.loads(spent.read_text())["seconds"] < 300
    spent.write_text('{"seconds": 1000.0}')
    assert 1000 < train(steps11)["seconds"] < 1300


def test_unfinished_run_of_another_configuration_is_not_mixed_in(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stop_at(4, config.model_copy(update={"evaluations": 2}), monkeypatch)
    with pytest.raises(
        ConfigError, match=r"an unfinished run that differs in dropout, evaluations, seed; .*--overwrite"
    ):
        train(config.model_copy(update={"seed": 7, "dropout": 0.0}))


def test_nan_loss_stops_with_what_to_lower(config: TrainConfig) -> None:
    with pytest.raises(CheckpointError, match="lower learning_rate"):
        train(
            config.model_copy(
                update={"learning_rate": 1e30, "head_learning_rate": 1e30, "epochs": 2, "max_grad_norm": 1e30}
            )
        )


def test_checkpoint_broken_by_a_kill_is_passed_over(
    steps11: TrainConfig, whole11: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module.checkpoints, "save", _killed)  # training ends, the run is not written
        with pytest.raises(KilledError):
            train(steps11)
    saved = (steps11.out / "checkpoints").iterdir()
    newest, older, *_ = sorted(saved, key=lambda path: int(path.name.split("-")[1]), reverse=True)
    weights = newest / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert train(steps11)["resumed_at"] == int(older.name.split("-")[1])
    assert _same_weights(whole11, steps11.out)


def test_checkpoint_before_a_broken_new_best_has_its_own_best(
    steps11: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = module.JointTrainer._determine_best_metric

    def best_at_3_then_9(self: Any, metrics: dict[str, float], trial: Any) -> bool:
        score = {3: 0.2, 6: 0.1, 9: 0.3, 11: 0.0}[self.state.global_step]
        return bool(judge(self, metrics | {"eval_pair_f1": score}, trial))

    monkeypatch.setattr(module.JointTrainer, "_determine_best_metric", best_at_3_then_9)
    whole = train(steps11.model_copy(update={"out": steps11.out.parent / "whole"}))
    assert whole["best_step"] == 9
    _stop_at(10, steps11, monkeypatch)
    (steps11.out / "checkpoints" / "checkpoint-9" / "optimizer.pt").write_bytes(b"")
    record = train(steps11)
    assert (record["resumed_at"], record["best_step"]) == (6, 9)
    assert _same_weights(steps11.out.parent / "whole", steps11.out)


def test_second_training_in_the_same_folder_is_refused(config: TrainConfig, naba: Run, root: Path) -> None:
    settings = config.out.parent / "train.yaml"
    settings.write_text(yaml.safe_dump(config.model_dump(mode="json") | {"labels": str(root / "configs/labels.yaml")}))
    with hold(config.out, lambda: None):
        for more in ((), ("--overwrite",)):
            code, out, errors = naba("train", settings, *more)
            assert (code, out) == (2, "")
            assert re.fullmatch(r"naba: error: .*run: another naba command works there; wait for .*\n", errors)


@pytest.mark.parametrize(
    ("precision", "weights", "autocast"),
    [
        ("float32", "float16", False),
        ("bfloat16", "float32", False),
        ("bfloat16", "float16", False),
        ("float32", "float32", True),
    ],
)
def test_decision_is_fitted_on_what_the_stored_weights_answer(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch, precision: str, weights: str, autocast: bool
) -> None:
    def as_on_a_gpu(*arguments: Any) -> Any:
        found = training_arguments(*arguments)
        found.bf16, found.mixed_precision = autocast, "bf16" if autocast else "no"
        return found

    fitted_on: list[Any] = []
    fit = module.fit_decision
    monkeypatch.setattr(module, "training_arguments", as_on_a_gpu)
    monkeypatch.setattr(module, "fit_decision", lambda *given: fitted_on.extend(given) or fit(*given))
    train(config.model_copy(update={"precision": precision, "weights": weights}))
    run, rows = checkpoints.load(config.out), module._ready(config).validation
    batch = Collator(run.tokenizer.pad_token_id)([rows[number] for number in range(len(rows))])
    with torch.no_grad():
        logits = run.model(batch["input_ids"], batch["attention_mask"])
    assert fitted_on[0].dtype == np.float32
    assert np.allclose(fitted_on[0], logits.topic, atol=1e-5)
    assert np.allclose(fitted_on[1], logits.stance, atol=1e-5)
    # What is stored as float32 has more digits than training in bfloat16 computes with.
    matrix = run.model.encoder_parameters()[0]
    assert torch.equal(matrix, matrix.half().float()) == (weights == "float16")
    assert not torch.equal(matrix, matrix.bfloat16().float())


def test_file_without_the_right_to_read_it_is_told(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config.train[0].path
    opened = Path.open

    def refuse(self: Path, *arguments: Any, **options: Any) -> Any:
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"train\.jsonl: cannot be read \(Permission denied\); check its rights"):
        train(config)
    assert not config.out.exists()


def test_run_whose_checkpoints_are_all_broken_starts_anew(
    steps11: TrainConfig, whole11: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _stop_at(7, steps11, monkeypatch)
    for checkpoint in (steps11.out / "checkpoints").iterdir():
        (checkpoint / "optimizer.pt").write_bytes(b"")
    assert train(steps11)["resumed_at"] is None
    assert "no other is left: the run starts anew" in caplog.text
    assert _same_weights(whole11, steps11.out)


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, TerminatedError)])
def test_signal_saves_where_it_is_and_the_same_run_goes_on(
    steps11: TrainConfig,
    whole11: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    raised: type[BaseException],
) -> None:
    def press(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 4:
            os.kill(os.getpid(), number)

    handlers = [signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)]
    with monkeypatch.context() as patch:
        patch.setattr(module.StepBar, "on_step_begin", press)
        with pytest.raises(raised):
            train(steps11)
    assert [signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert train(steps11)["resumed_at"] == 5
    assert _same_weights(whole11, steps11.out)


def test_interrupted_run_loses_patience_at_the_same_step(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    # No score is better than the first: with patience 2 the third scoring, at step 6 of 22, is the last.
    same = {"pair_f1": 0.25, "topic_macro_f1": 0.5, "stance_macro_f1": 0.5}
    monkeypatch.setattr("naba.finetuning.trainer._validation_scores", lambda *given: same)
    config = config.model_copy(update={"epochs": 2, "evaluations": 11, "patience": 2})
    whole = train(config.model_copy(update={"out": config.out.parent / "whole"}))
    assert (whole["steps"], whole["planned_steps"], whole["best_step"]) == (6, 22, 2)
    _stop_at(5, config, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(module.checkpoints, "save", _killed)  # goes on from step 4, stops at 6, is killed once more
        with pytest.raises(KilledError):
            train(config)
    record = train(config)
    assert (record["steps"], record["best_step"], record["resumed_at"]) == (6, 2, 6)
    assert record["planned_steps"] == 22
    assert [entry["step"] for entry in record["history"] if "eval_pair_f1" in entry] == [2, 4, 6]
    assert _same_weights(config.out.parent / "whole", config.out)


def test_steps_are_told_with_loss_speed_and_best_score(steps11: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    told = _Told()
    _stop_at(8, steps11, monkeypatch, told)
    advances = told.advances["training"]
    assert (told.totals, sum(done for done, _ in advances)) == ({"training": 11}, 8)
    assert re.fullmatch(r"loss \d\.\d{3}, \d+\.\d seg/s, F1 0\.\d{3}", advances[-1][1])
    told = _Told()
    train(steps11, progress=told)
    # The first is the six steps of the first session, and says what is known of them.
    advances = told.advances["training"]
    assert [done for done, _ in advances] == [6, 1, 1, 1, 1, 1]
    assert re.fullmatch(r"F1 0\.\d{3}", advances[0][1])
    assert re.fullmatch(r"loss \d\.\d{3}, \d+\.\d seg/s, F1 0\.\d{3}", advances[-1][1])
    # 80 segments in batches of 32.
    assert (told.totals["scoring validation"], len(told.advances["scoring validation"])) == (3, 3)


def test_out_of_memory_says_what_to_lower(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons: list[Exception] = [
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried to"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        MemoryError(),
    ]
    for reason in reasons:  # of a CPU, of a GPU, of Python itself
        with monkeypatch.context() as patch:
            patch.setattr(module.JointTrainer, "batch_loss", _raising(reason))
            with pytest.raises(CheckpointError, match="out of memory at step 0; lower batch_size or max_tokens"):
                train(config)


def test_bug_is_not_taken_for_a_fault_of_the_user(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.JointTrainer, "batch_loss", _raising(RuntimeError("shapes do not match")))
    with pytest.raises(RuntimeError, match="shapes"):
        train(config)


# Bytes: the optimiser's 537,000 do not fit, nor do the weights' 87,000.
@pytest.mark.parametrize("largest", [120_000, pytest.param(60_000, marks=pytest.mark.slow)])
def test_full_disk_costs_no_more_than_the_checkpoint_that_was_written(
    steps11: TrainConfig, whole11: Path, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    def fill(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 6:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))

    with _all_space_back(), monkeypatch.context() as patch:
        patch.setattr(module.StepBar, "on_step_end", fill)
        with pytest.raises(ConfigError, match=r"cannot be written at step 6 .*; free some space and start again"):
            train(steps11)
    assert train(steps11)["resumed_at"] == 3
    assert _same_weights(whole11, steps11.out)


@pytest.mark.parametrize(
    "largest", [1_000, pytest.param(20_000, marks=pytest.mark.slow)]
)  # bytes: the tokenizer has 15,000, the weights have 168,000
def test_full_disk_at_the_end_leaves_all_that_was_trained(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    save = checkpoints.save

    def full(*arguments: Any) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        save(*arguments)

    with _all_space_back(), monkeypatch.context() as patch:
        patch.setattr(module.checkpoints, "save", full)
        with pytest.raises(NabaError, match="cannot be written"):
            train(config)
    assert not (config.out / "run.json").exists()
    record = train(config)
    assert record["resumed_at"] == record["steps"] == 6
    checkpoints.load(config.out)


def test_data_changed_between_the_halves_of_a_run_is_found(
    config: TrainConfig, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "train.jsonl"
    lines = (tiny_run.parent / "train.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    data.write_text("".join(lines), encoding="utf-8")
    config = config.model_copy(update={"train": [TrainingSource(path=data)]})
    with monkeypatch.context() as patch:
        patch.setattr(module.checkpoints, "save", _killed)
        with pytest.raises(KilledError):
            train(config)
    data.write_text("".join(lines[:100]), encoding="utf-8")
    with pytest.raises(ConfigError, match="differs in data"):
        train(config)


def test_mistyped_encoder_leaves_nothing_behind_and_costs_no_finished_run(config: TrainConfig, root: Path) -> None:
    wrong = config.model_copy(update={"encoder": str(root / "seeds")})
    with pytest.raises(CheckpointError):
        train(wrong)
    assert not config.out.exists()
    train(config)
    with pytest.raises(CheckpointError):
        train(wrong, overwrite=True)
    assert (config.out / "run.json").is_file()


def test_output_that_is_a_file_is_told(config: TrainConfig) -> None:
    config.out.write_text("notes")
    with pytest.raises(ConfigError, match="is a file"):
        train(config)


class KilledError(Exception):
    """Plays the kill."""


def _killed(*arguments: Any) -> None:
    raise KilledError


def _raising(error: Exception) -> Callable[..., None]:
    def method(*arguments: Any) -> None:
        raise error

    return method


def _stop_at(step: int, config: TrainConfig, monkeypatch: pytest.MonkeyPatch, progress: Progress = SILENT) -> None:
    """Train until a kill after `step` steps."""
    begin = module.StepBar.on_step_begin

    def kill(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        begin(self, args, state, control, **kwargs)
        if state.global_step == step:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(module.StepBar, "on_step_begin", kill)
        with pytest.raises(KilledError):
            train(config, progress=progress)


@contextmanager
def _all_space_back() -> Iterator[None]:
    """After the block files may be of any size again."""
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class _Told:
    """A progress that remembers what it was told of each task."""

    def __init__(self) -> None:
        self.totals: dict[str, int | None] = {}
        self.advances: dict[str, list[tuple[int, str]]] = {}

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Callable[[int, str], None]]:
        self.totals[label], self.advances[label] = total, []
        yield lambda done, note: self.advances[label].append((done, note))


def _losses(record: dict[str, Any]) -> list[tuple[int, float]]:
    return [(entry["step"], entry["loss"]) for entry in record["history"] if "loss" in entry]


def _steps_of_events(folder: Path) -> dict[str, list[int]]:
    steps: dict[str, list[int]] = {}
    for step, tag, _ in read_events(folder):
        steps.setdefault(tag, []).append(step)
    return steps


def _same_weights(one: Path, other: Path) -> bool:
    first, second = (checkpoints.load(folder).model.state_dict() for folder in (one, other))
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_that_is_absent_is_told(config: TrainConfig) -> None:
    with pytest.raises(ConfigError, match="no CUDA device"):
        train(config.model_copy(update={"device": "cuda"}))


def test_missing_and_empty_data_are_told(config: TrainConfig, write_rows: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: no such file"):
        train(config.model_copy(update={"train": [TrainingSource(path=Path("none.jsonl"))]}))
    for name in ("train", "validation"):
        with pytest.raises(ConfigError, match=f"{name}: names no file"):
            train(config.model_copy(update={name: []}))
    with pytest.raises(DataError, match="no labelled segments"):
        train(config.model_copy(update={"validation": [write_rows("empty.jsonl", [])]}))


@pytest.mark.slow
def test_killed_process_goes_on_to_the_same_weights(config: TrainConfig, root: Path) -> None:
    """SIGKILL at several moments of a real process, also while a checkpoint may be half written."""
    config = config.model_copy(update={"epochs": 6, "evaluations": 12})
    train(config.model_copy(update={"out": config.out.parent / "whole"}))
    settings = config.out.parent / "train.yaml"
    settings.write_text(yaml.safe_dump(config.model_dump(mode="json")))
    command = [sys.executable, "-m", "naba", "train", str(settings), "--set", f"labels={root / 'configs/labels.yaml'}"]
    environment = dict(os.environ, PYTHONPATH=str(root / "training"))
    kills = 0
    for wait in (0.0, 0.5, 1.0, 1.5, 2.0):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        checkpointed = len(list(config.out.glob("checkpoints/*/trainer_state.json")))
        while process.poll() is None and time.monotonic() < deadline:
            if len(list(config.out.glob("checkpoints/checkpoint-*"))) > checkpointed or wait == 0.0:
                break
            time.sleep(0.05)
        time.sleep(wait)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait(timeout=60)
    assert kills >= 2
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0 or "--overwrite" in done.stderr, done.stderr
    assert _same_weights(config.out.parent / "whole", config.out)
