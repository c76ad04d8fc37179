"""Repeats with a training that only writes its folder and answers that are known, so that figures are worked out by
hand; and one whole path with the tiny encoder."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from naba.config import TrainConfig, load_config
from naba.errors import CheckpointError, ConfigError, DataError
from naba.evaluation.intervals import Interval
from naba.evaluation.significance import Difference, compare
from naba.experiments import repeat_comparison, repeat_summary
from naba.experiments.data_marks import fingerprints, training_paths
from naba.experiments.experiment import finished, hold
from naba.experiments.experiment_tables import Sheet, comparison_sheet, runs_sheet, summary_sheet
from naba.experiments.predictions import Answers, Predictions, load_predictions
from naba.experiments.repeat_comparison import Comparison, at_odds, compare_repeats, write_comparison
from naba.experiments.repeat_design import RepeatConfig, check_inputs
from naba.experiments.repeat_summary import scores_of, summarise_predictions
from naba.experiments.repeats import repeat
from naba.jsonl import read_json, read_jsonl, write_json
from naba.metrics import Labels
from naba.modelling.pretrained import encoder_mark
from naba.progress import SILENT, Progress
from naba.schema import UNKNOWN, LabelSchema
from tests.conftest import Run

TOPICS = ("diplomacy", "humanitarian_aid", "military_action")
STANCES = ("support", "oppose", "neutral")


def rows(count: int, start: int = 0, **extra: Any) -> list[dict[str, Any]]:
    """Rows that each have one topic and stance, by their number, and words of their own."""
    found = []
    for number in range(start, start + count):
        topic, stance = TOPICS[number % 3], STANCES[number // 3 % 3]
        labels = {name: {"present": name == topic, "stance": stance if name == topic else None} for name in TOPICS}
        text = f"{number} " + " ".join(f"كلمة{place}رقم{number}" for place in range(8))
        found.append({"text": text, "labels": labels, "provenance": {"source": "ab"[number % 2]}} | extra)
    return found


class Stub:
    """Stands in for training and asking: counts its calls, is wrong on every `wrong`-th segment."""

    def __init__(self, schema: LabelSchema, wrong: int = 4, fails_at: int | None = None) -> None:
        self.schema, self.wrong, self.fails_at = schema, wrong, fails_at
        self.trained: list[TrainConfig] = []
        self.asked: list[Path] = []

    def train(self, config: TrainConfig, *, overwrite: bool = False, progress: Progress = SILENT) -> dict[str, Any]:
        if len(self.trained) == self.fails_at:
            raise InterruptedTrainingError
        self.trained.append(config)
        record = {
            "config": config.model_dump(mode="json"),
            "encoder": encoder_mark(config.encoder),
            "data": fingerprints([*training_paths(config), *config.validation]),
            "segments": {"train": 1, "validation": 1},
            "seconds": 1.0,
            "best_step": 3,
            "validation": {},
        }
        for name in ("model.safetensors", "tokenizer.json"):
            config.out.mkdir(parents=True, exist_ok=True)
            (config.out / name).write_text("large")
        write_json(config.out / "run.json", record)
        return record

    def predict(self, run: Path, texts: Sequence[str], *, device: str, progress: Progress = SILENT) -> Answers:
        """The truth, which the number at the head of each text gives; on every `wrong`-th the next topic instead."""
        self.asked.append(run)
        stance = np.full((len(texts), 3, 3), 0.1)
        present = np.zeros((len(texts), 3), dtype=bool)
        seed = int(run.name.rpartition("-")[2])
        for row, text in enumerate(texts):
            number = int(text.split()[0])
            shift = int((number + seed) % self.wrong == 0)
            present[row, (number + shift) % 3] = True
            stance[row, :, number // 3 % 3] = 0.8
        return Answers(present, np.where(present, 0.9, 0.2), stance)


class InterruptedTrainingError(Exception):
    """Plays the kill."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the disk and drawing thousands of resamples, time after time, would be most of the time."""
    monkeypatch.setattr(os, "fsync", lambda number: None)
    for module, name in ((repeat_summary, "bootstrap"), (repeat_comparison, "compare")):
        monkeypatch.setattr(module, name, partial(getattr(module, name), resamples=200))


@pytest.fixture
def stub(schema: LabelSchema) -> Stub:
    return Stub(schema)


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """What stands for an encoder where nothing is trained."""
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "model.safetensors").write_text("one")
    return tmp_path / "encoder"


@pytest.fixture
def config(write_rows: Callable[..., Path], tmp_path: Path, root: Path, encoder: Path) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "labels": root / "configs" / "labels.yaml",
            "train": [write_rows("train.jsonl", rows(72))],
            "validation": [write_rows("validation.jsonl", rows(18, start=100))],
            "out": tmp_path / "out",
            "encoder": str(encoder),
            "device": "cpu",
        }
    )


def run(config: TrainConfig, stub: Stub, *, overwrite: bool = False, **design: Any) -> dict[str, Any]:
    settings = RepeatConfig.model_validate(design)
    return repeat(config, settings, overwrite=overwrite, train=stub.train, predict=stub.predict)


def test_seeds_are_summarised_as_worked_out_by_hand(config: TrainConfig, stub: Stub) -> None:
    # 18 segments numbered 100 … 117, a pair each. Seed 1 is wrong where number + 1 is divisible by 5 (104, 109, 114): 15 of
    # 18 pairs right, F1 15/18. Seeds 2 (103 … 113), 3 (102 … 117, four of them) and 4 (101 … 116): 15/18, 14/18, 14/18.
    stub.wrong = 5
    summary = run(config, stub, seeds=[1, 2, 3, 4])
    assert [one.out.name for one in stub.trained] == ["seed-1", "seed-2", "seed-3", "seed-4"]
    assert [one.seed for one in stub.trained] == [1, 2, 3, 4]
    found = summary["scores"]["pairs.f1"]
    assert found["mean"] == pytest.approx(58 / 72)
    assert found["deviation"] == pytest.approx((1 / 36) * (4 / 3) ** 0.5)  # each 1/36 from the mean
    # Student's t with 3 degrees of freedom: 3.182.
    assert found["high"] - found["mean"] == pytest.approx(3.1824 * found["deviation"] / 2, rel=1e-4)
    assert summary["pooled"]["pairs.f1"]["value"] == pytest.approx(58 / 72)
    assert summary["pooled"]["pairs.f1"]["low"] < 58 / 72 < summary["pooled"]["pairs.f1"]["high"]
    assert summary["over"] == "seeds"
    assert "optimistic" in summary["notes"][0]


def test_folds_are_scored_on_what_they_did_not_train_on(config: TrainConfig, stub: Stub, schema: LabelSchema) -> None:
    summary = run(config, stub, seeds=[1], folds=3)
    held_out: list[str] = []
    for one in stub.trained:
        fold = one.out.name.removesuffix("-seed-1")
        parts = {
            name: {row["text"] for path in paths for row in read_jsonl(path)}
            for name, paths in (("train", training_paths(one)), ("validation", one.validation))
        }
        assert not parts["train"] & parts["validation"]
        answered = {row["id"] for row in read_jsonl(one.out / "predictions.jsonl")}
        seen = {row["id"] for path in (*training_paths(one), *one.validation) for row in read_jsonl(path)}
        assert not answered & seen
        assert summary["folds"][fold]["segments"]["held_out"] == len(answered) == 24
        held_out += answered
    assert len(held_out) == len(set(held_out)) == 72
    # Number + 1 is divisible by 4 for 18 of the 72, each one pair missed and one wrongly said: F1 54/72.
    assert summary["pooled"]["pairs.f1"]["value"] == pytest.approx(0.75)
    folds = summary["folds"].values()
    assert summary["test_over_train"] == pytest.approx(np.mean([24 / fold["segments"]["train"] for fold in folds]))


def test_interval_over_folds_is_corrected_for_shared_training_data(config: TrainConfig, stub: Stub) -> None:
    # Nadeau and Bengio 2003: s · √(1/4 + test/train) · t(0.975, 3 degrees of freedom).
    summary = run(config, stub, seeds=[1, 2], folds=4)
    by_fold = [
        np.mean([one["scores"]["pairs.f1"] for one in summary["runs"] if one["fold"] == fold])
        for fold in ("fold-1", "fold-2", "fold-3", "fold-4")
    ]
    found = summary["scores"]["pairs.f1"]
    assert found["count"] == 4  # the two seeds of a fold are one observation
    assert found["mean"] == pytest.approx(np.mean(by_fold))
    assert found["deviation"] == pytest.approx(np.std(by_fold, ddof=1))
    reach = 3.1824 * found["deviation"] * (1 / 4 + summary["test_over_train"]) ** 0.5
    assert found["mean"] - found["low"] == pytest.approx(reach, rel=1e-4)
    # Seed 1 misses 18 of 72 and so does seed 2: nothing varies over seeds.
    assert summary["over_seeds"]["pairs.f1"] == {
        "mean": 0.75,
        "deviation": 0.0,
        "low": None,
        "high": None,
        "count": 2,
        "cut": False,
    }


def test_few_folds_have_no_interval_of_their_mean_and_the_table_says_why(config: TrainConfig, stub: Stub) -> None:
    summary = run(config, stub, folds=3)
    assert summary["scores"]["pairs.f1"]["low"] is summary["scores"]["pairs.f1"]["high"] is None
    assert summary["scores"]["pairs.f1"]["deviation"] is not None
    assert summary["pooled"]["pairs.f1"]["low"] is not None
    sheet = summary_sheet(summary)
    assert any("No interval of the mean of fewer than 4 values" in line for line in sheet.foot)
    assert not any("Student" in line for line in sheet.foot)
    assert "over 3 folds" in str(sheet.title)


def test_interval_that_is_cut_at_one_is_said_to_be(config: TrainConfig, stub: Stub) -> None:
    # One of the 72 is wrong (number 69, as 69 + 1 is divisible by 70), so one of four folds: mean near 1.
    stub.wrong = 70
    summary = run(config, stub, folds=4)
    found = summary["scores"]["pairs.f1"]
    assert (found["high"], found["cut"]) == (1.0, True)
    foot = summary_sheet(summary).foot
    assert any("it ends there" in line for line in foot)
    assert any("Student's t over 4 folds" in line for line in foot)


def test_folds_say_what_they_were_validated_on_and_what_was_held_out_together(
    config: TrainConfig, stub: Stub, write_rows: Callable[..., Path]
) -> None:
    found = rows(150)
    for number, row in enumerate(found):
        row["provenance"]["source"] = "large" if number < 90 else ("little" if number < 120 else "tiny")
    write_rows("train.jsonl", found)
    told: list[str] = []
    design = RepeatConfig(leave_out="source")
    summary = repeat(config, design, train=stub.train, predict=stub.predict, tell=told.append)
    assert told[0] == "2 runs: 2 folds with 1 seed"
    assert told[1].endswith("large: 90; little, tiny: 60")
    assert told[2] in summary["notes"]
    assert any("15 % of what may be scored" in note and "validation.jsonl" in note for note in summary["notes"])
    assert any(
        "together, having fewer than 50 segments to score each: little, tiny" in note for note in summary["notes"]
    )
    for line in summary["notes"]:
        assert f"- {line}" in (config.out / "repeat.md").read_text(encoding="utf-8")


def test_sources_that_are_held_out_one_by_one_are_not_said_to_be_together(
    config: TrainConfig, stub: Stub, write_rows: Callable[..., Path]
) -> None:
    write_rows("train.jsonl", rows(120))  # 60 of a and of b
    assert not any("together" in note for note in run(config, stub, leave_out="source")["notes"])
    assert not any("folds" in note for note in run(config, stub, overwrite=True)["notes"] if "use --folds" not in note)


def test_report_holds_the_tables_of_the_terminal(config: TrainConfig, stub: Stub) -> None:
    summary = run(config, stub, seeds=[1, 2], folds=3)
    report = (config.out / "repeat.md").read_text(encoding="utf-8")
    assert report.startswith("# out: 6 runs\n")
    for sheet in (runs_sheet(summary), summary_sheet(summary)):
        assert "\n".join(sheet.as_markdown()) in report
        assert str(sheet.head[0]) in shown(sheet)
    assert "| fold-1-seed-1 | fold-1 | " in report
    assert "| pair F1 | 0.750 | " in report
    assert "كلمة" not in report


def shown(sheet: Sheet) -> str:
    """What a terminal of 80 columns shows, in one line."""
    file = io.StringIO()
    Console(file=file, width=80).print(sheet.for_terminal())
    assert all(len(line) <= 80 for line in file.getvalue().splitlines())
    return " ".join(file.getvalue().split())


def test_names_with_markup_and_bars_are_shown_as_they_are() -> None:
    sheet = Sheet(["score"], [["[red]a|b[/red]"]], title="of [bold]c[/bold]")
    assert "[red]a|b[/red]" in shown(sheet)
    assert "of [bold]c[/bold]" in shown(sheet)
    assert "| [red]a\\|b[/red] |" in sheet.as_markdown()


def test_summary_is_computed_again_from_the_predictions(config: TrainConfig, stub: Stub, schema: LabelSchema) -> None:
    summary = run(config, stub, seeds=[1, 2], folds=3)
    predictions = load_predictions(config.out / "predictions.jsonl", schema)
    again = summarise_predictions(predictions, schema, test_over_train=summary["test_over_train"])
    assert json.loads(json.dumps(again)) == {name: summary[name] for name in again}
    assert read_json(config.out / "summary.json") == json.loads(json.dumps(summary))


def test_predictions_hold_no_text(config: TrainConfig, stub: Stub) -> None:
    run(config, stub, seeds=[1], folds=3)
    assert "كلمة" not in (config.out / "predictions.jsonl").read_text(encoding="utf-8")
    assert "كلمة" not in (config.out / "summary.json").read_text(encoding="utf-8")


def test_interrupted_experiment_goes_on_with_what_is_missing(config: TrainConfig, schema: LabelSchema) -> None:
    whole = run(config.model_copy(update={"out": config.out.parent / "whole"}), Stub(schema), seeds=[1, 2], folds=3)
    with pytest.raises(InterruptedTrainingError):
        run(config, Stub(schema, fails_at=4), seeds=[1, 2], folds=3)
    assert not (config.out / "summary.json").exists()
    second = Stub(schema)
    summary = run(config, second, seeds=[1, 2], folds=3)
    assert [one.out.name for one in second.trained] == ["fold-2-seed-2", "fold-3-seed-2"]
    assert [one["scores"] for one in summary["runs"]] == [one["scores"] for one in whole["runs"]]
    assert summary["pooled"] == whole["pooled"]
    third = Stub(schema)
    assert run(config, third, seeds=[1, 2], folds=3)["pooled"] == whole["pooled"]
    assert third.trained == third.asked == []


def test_run_that_was_trained_but_not_asked_is_asked(config: TrainConfig, stub: Stub) -> None:
    run(config, stub, seeds=[1, 2])
    (config.out / "seed-2" / "predictions.jsonl").unlink()
    stub.trained.clear()
    stub.asked.clear()
    run(config, stub, seeds=[1, 2])
    assert (stub.trained, [path.name for path in stub.asked]) == ([], ["seed-2"])


def test_seeds_can_be_added_and_the_folder_be_moved(config: TrainConfig, stub: Stub) -> None:
    run(config, stub, seeds=[1], folds=3)
    stub.trained.clear()
    config.out.rename(config.out.parent / "moved")
    config = config.model_copy(update={"out": config.out.parent / "moved"})
    summary = run(config, stub, seeds=[1, 5], folds=3)
    assert [one.out.name for one in stub.trained] == ["fold-1-seed-5", "fold-2-seed-5", "fold-3-seed-5"]
    assert len(summary["runs"]) == 6


@pytest.mark.parametrize(
    ("change", "design", "says"),
    [
        ({"epochs": 9.0}, {"folds": 3}, r"differs from this one in config\.epochs;"),
        ({}, {"folds": 4}, r"in folds\.fold-1\.fingerprint;"),
        ({}, {"folds": 3, "split_seed": 2}, r"in folds\.fold-1\.fingerprint;"),
        ({}, {}, r"in data\.validation;"),
    ],
)
def test_another_experiment_is_not_mixed_in(
    config: TrainConfig, stub: Stub, change: dict[str, Any], design: dict[str, Any], says: str
) -> None:
    run(config, stub, folds=3)
    changed = config.model_copy(update=change)
    with pytest.raises(ConfigError, match=says):
        run(changed, stub, **design)
    assert (config.out / "summary.json").is_file()
    run(changed, stub, overwrite=True, **design)


def test_changed_data_are_found(config: TrainConfig, stub: Stub, write_rows: Callable[..., Path]) -> None:
    run(config, stub)
    write_rows("train.jsonl", rows(60))
    with pytest.raises(ConfigError, match=r"differs from this one in data\.train;"):
        run(config, stub)


def test_runs_of_another_encoder_are_not_mixed_in(config: TrainConfig, stub: Stub, encoder: Path) -> None:
    run(config, stub, seeds=[1])
    (encoder / "model.safetensors").write_text("two")  # the same name, other weights
    with pytest.raises(ConfigError, match=r"in encoder\.fingerprint;"):
        run(config, stub, seeds=[1, 2])
    run(config, stub, seeds=[1, 2], overwrite=True)
    assert [one.out.name for one in stub.trained] == ["seed-1", "seed-1", "seed-2"]


def test_encoder_that_changes_between_two_runs_stops_the_experiment(
    config: TrainConfig, stub: Stub, encoder: Path
) -> None:
    def train(config: TrainConfig, *, overwrite: bool = False, progress: Progress = SILENT) -> dict[str, Any]:
        if config.seed == 2:
            (encoder / "model.safetensors").write_text("two")
        return stub.train(config)

    with pytest.raises(ConfigError, match=r"seed-2: was trained from a different version of .*encoder than"):
        repeat(config, RepeatConfig(seeds=[1, 2]), train=train, predict=stub.predict)
    (encoder / "model.safetensors").write_text("one")
    with pytest.raises(ConfigError, match="seed-2: was trained from a different version"):
        run(config, stub, seeds=[1, 2])
    shutil.rmtree(config.out / "seed-2")
    run(config, stub, seeds=[1, 2])


def test_encoder_that_is_not_there_leaves_no_folder(config: TrainConfig, stub: Stub, encoder: Path) -> None:
    shutil.rmtree(encoder)
    with pytest.raises(CheckpointError, match="no such folder"):
        run(config, stub)
    assert not config.out.exists()


def test_encoder_of_the_hub_is_known_by_its_commit(tiny_encoder: Path, tmp_path: Path) -> None:
    """The Hub is played by a cache folder, read offline by a process of its own."""
    repository = tmp_path / "models--somebody--tiny"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    shutil.copytree(tiny_encoder, repository / "snapshots" / ("0" * 40))
    code = "import json; from naba.modelling.pretrained import encoder_mark; print(json.dumps(encoder_mark('somebody/tiny')))"
    environment = dict(os.environ, HF_HUB_CACHE=str(tmp_path), HF_HUB_OFFLINE="1")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert json.loads(done.stdout) == {"name": "somebody/tiny", "commit": "0" * 40}, done.stderr


@pytest.mark.parametrize(
    ("train", "validation", "says"),
    [
        (["c"], ["a"], "train"),  # the two parts swapped
        (["b", "a"], ["c"], "train"),
        (["a"], ["c"], "train"),
        (["a", "b"], ["c", "a"], "validation"),
        ([{"path": "a", "weight": 0.5}, "b"], ["c"], "weights"),
    ],
)
def test_finished_run_is_of_the_same_data_in_the_same_parts(
    stub: Stub, tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch, train: Any, validation: Any, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in "abc":
        (tmp_path / name).write_text(name)
    content = {"out": "run", "encoder": str(encoder)}
    before = TrainConfig.model_validate(content | {"train": ["a", "b"], "validation": ["c"]})
    stub.train(before)
    assert finished(before)
    with pytest.raises(ConfigError, match=rf"run: holds a run that differs in its data \({says}\)"):
        finished(TrainConfig.model_validate(content | {"train": train, "validation": validation}))


def test_finished_run_that_was_written_otherwise_is_told(config: TrainConfig, stub: Stub) -> None:
    record = stub.train(config)
    write_json(config.out / "run.json", record | {"data": {}})
    with pytest.raises(ConfigError, match=r"run\.json: not as naba writes it"):
        finished(config)


@pytest.mark.parametrize("name", ["run.json", "thesis.txt", "experiment.json"])
def test_folder_of_something_else_is_never_touched(config: TrainConfig, stub: Stub, name: str) -> None:
    config.out.mkdir()
    (config.out / name).write_text('{"command": "search"}')
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="no 'naba repeat' wrote"):
            run(config, stub, overwrite=overwrite)
    assert (config.out / name).read_text() == '{"command": "search"}'
    assert [path.name for path in config.out.iterdir()] == [name]


def test_second_command_in_the_same_folder_is_refused(config: TrainConfig, stub: Stub) -> None:
    plan = {"command": "repeat"}
    with hold(config.out, plan), pytest.raises(ConfigError, match="another naba command"), hold(config.out, plan):
        pass


def test_weights_are_kept_for_seeds_and_dropped_for_folds_unless_asked(config: TrainConfig, stub: Stub) -> None:
    run(config, stub)
    assert (config.out / "seed-1" / "model.safetensors").is_file()
    run(config, stub, folds=3, overwrite=True)
    assert not list(config.out.glob("*/model.safetensors"))
    assert (config.out / "fold-1-seed-1" / "run.json").is_file()
    with pytest.raises(ConfigError, match="weights were dropped"):
        run(config, stub, folds=3, keep_weights=True)
    run(config, stub, folds=3, keep_weights=True, overwrite=True)
    assert len(list(config.out.glob("*/model.safetensors"))) == 3


def test_each_source_of_training_data_keeps_its_weight(
    config: TrainConfig, stub: Stub, write_rows: Callable[..., Path]
) -> None:
    weak = write_rows("weak.jsonl", rows(9, start=200, weak=True))
    content = config.model_dump() | {"train": [config.train[0], {"path": weak, "weight": 0.25}]}
    run(TrainConfig.model_validate(content), stub, folds=3)
    for one in stub.trained:
        assert [(source.path.name, source.weight) for source in one.train] == [
            ("train-1.jsonl", 1.0),
            ("train-2.jsonl", 0.25),
        ]
        assert all(row.get("weak") for row in read_jsonl(one.train[1].path))
        assert sum(1 for _ in read_jsonl(one.train[1].path)) == 9


def test_fold_without_an_example_of_a_topic_has_no_score_for_it(
    config: TrainConfig, stub: Stub, write_rows: Callable[..., Path]
) -> None:
    # All military segments are of source a: with b held out there is none to score.
    found = rows(168)
    for row in found:
        row["provenance"]["source"] = "a" if row["labels"]["military_action"]["present"] else "b"
    for number in range(0, 168, 6):  # some others, so that a has something else too
        found[number]["provenance"]["source"] = "a"
    write_rows("train.jsonl", found)
    stub.wrong = 1000
    summary = run(config, stub, leave_out="source", seeds=[1])
    assert summary["folds"]["fold-2"]["holds_out"] == "b"
    path = "topics.per_topic.military_action.f1"
    assert [one["scores"][path] for one in summary["runs"]] == [1.0, None]
    assert summary["scores"][path]["count"] == 1
    assert summary["scores"]["topics.macro_f1"]["count"] == 2
    assert any("only 2 folds of sources" in note for note in summary["notes"])


def test_data_that_training_holds_are_told(config: TrainConfig, stub: Stub, write_rows: Callable[..., Path]) -> None:
    test = write_rows("test.jsonl", [*rows(10, start=300), *rows(2), *rows(2)])
    summary = run(config, stub, data=[test])
    assert summary["segments"] == 12  # two stand twice
    assert any("4 scored segments share an article or text with training or" in note for note in summary["notes"])
    assert not any("optimistic" in note for note in summary["notes"])


def test_data_that_validation_holds_are_told(config: TrainConfig, stub: Stub, write_rows: Callable[..., Path]) -> None:
    # Of these 5 are the first of validation, on which checkpoint and thresholds were chosen.
    summary = run(config, stub, data=[write_rows("test.jsonl", [*rows(10, start=300), *rows(5, start=100)])])
    assert any("5 scored segments share" in note and "or validation" in note for note in summary["notes"])


def test_other_data_to_score_make_another_experiment(
    config: TrainConfig, stub: Stub, write_rows: Callable[..., Path]
) -> None:
    test = write_rows("test.jsonl", rows(9, start=300))
    run(config, stub, data=[test])
    for data in ([], [*config.validation, test]):
        with pytest.raises(ConfigError, match=r"in data\.scored;"):
            run(config, stub, data=data)


def test_training_segments_with_a_teachers_answers_are_told(
    config: TrainConfig, stub: Stub, write_rows: Callable[..., Path]
) -> None:
    assert not any("teacher" in note for note in run(config, stub, folds=3)["notes"])
    taught = write_rows("pseudo.jsonl", rows(7, start=200, weak=True, teacher={}))
    content = config.model_dump() | {"train": [config.train[0], {"path": taught}]}
    config = TrainConfig.model_validate(content)
    for design in ({"folds": 3}, {}):
        notes = run(config, stub, overwrite=True, **design)["notes"]
        assert any(note.startswith("7 training segments carry a teacher's answers") for note in notes)


def test_failed_run_is_named_and_the_finished_stay(config: TrainConfig, stub: Stub) -> None:
    def fail(config: TrainConfig, *, overwrite: bool = False, progress: Progress = SILENT) -> dict[str, Any]:
        if config.seed == 2:
            raise CheckpointError("the loss became nan at step 3; lower learning_rate")
        return stub.train(config)

    with pytest.raises(CheckpointError, match="seed-2: the loss became nan"):
        repeat(config, RepeatConfig(seeds=[1, 2]), train=fail, predict=stub.predict)
    assert (config.out / "seed-1" / "predictions.jsonl").is_file()


@pytest.mark.parametrize(
    ("design", "says"),
    [
        ({"seeds": [1, 2, 1]}, "given twice"),
        ({"seeds": []}, "seeds"),
        ({"seeds": [-1]}, "from 0 to"),
        ({"seeds": ["one"]}, "seeds"),
        ({"folds": 1}, "folds = 1"),
        ({"folds": 3, "leave_out": "source"}, "give one"),
        ({"folds": 3, "data": ["x.jsonl"]}, "data cannot be given with folds"),
        ({"leave_out": "author"}, "leave_out = 'author'"),
    ],
)
def test_bad_design_is_told(design: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(RepeatConfig, None, None, design)


def test_empty_or_missing_data_are_told_before_anything_is_written(config: TrainConfig, stub: Stub) -> None:
    for change, says in (
        ({"train": []}, "names no file"),
        ({"validation": [Path("none.jsonl")]}, "no such file"),
    ):
        with pytest.raises((ConfigError, DataError), match=says):
            run(config.model_copy(update=change), stub)
    assert not config.out.exists()


def test_comparison_is_that_of_the_same_segments(config: TrainConfig, schema: LabelSchema) -> None:
    one, other = (config.model_copy(update={"out": config.out.parent / name}) for name in ("one", "other"))
    run(one, Stub(schema, wrong=8), folds=3)
    run(other, Stub(schema, wrong=4), folds=3)
    found, file = write_comparison(one.out, other.out, schema)
    assert (found.segments, found.clusters, found.only_first, found.only_second) == (72, 72, 0, 0)
    assert file == one.out / "compared-with-other.json"
    written = read_json(file)
    assert (written["first"], written["second"]) == (str(one.out), str(other.out))
    assert {key: written[key] for key in found.to_dict()} == json.loads(json.dumps(found.to_dict()))
    # The first misses 9 of 72, the second 18: 63/72 - 54/72.
    difference = found.differences["pairs.f1"]
    assert difference.value == pytest.approx(9 / 72)
    assert difference.interval is not None
    assert difference.interval.low < 9 / 72 < difference.interval.high
    assert difference.p < 0.05
    back = compare_repeats(other.out, one.out, schema).differences["pairs.f1"]
    assert back.value == pytest.approx(-9 / 72)
    assert json.loads(json.dumps(found.to_dict()))["differences"]["pairs.f1"]["first"] == pytest.approx(63 / 72)


def test_experiments_with_other_numbers_of_seeds_and_other_folds_can_be_compared(
    config: TrainConfig, schema: LabelSchema
) -> None:
    one, other = (config.model_copy(update={"out": config.out.parent / name}) for name in ("one", "other"))
    run(one, Stub(schema), folds=3, seeds=[1, 2])
    run(other, Stub(schema), folds=4, seeds=[1, 2, 3])
    found = compare_repeats(one.out, other.out, schema)
    assert found.differences["pairs.f1"].value == pytest.approx(0.0)
    # Each of the 72 segments stands six times in both.
    assert found.first["pairs.f1"] == found.second["pairs.f1"] == pytest.approx(0.75)


def test_segments_that_only_one_has_are_left_out_and_counted(
    config: TrainConfig, schema: LabelSchema, write_rows: Callable[..., Path]
) -> None:
    one, other = (config.model_copy(update={"out": config.out.parent / name}) for name in ("one", "other"))
    run(one, Stub(schema), folds=3)
    write_rows("train.jsonl", rows(60, start=24))
    run(other, Stub(schema), folds=3)
    found = compare_repeats(one.out, other.out, schema)
    assert (found.segments, found.only_first, found.only_second) == (48, 24, 12)


def refused_before_training(config: TrainConfig, compare: Path, says: str) -> None:
    stub = Stub(LabelSchema.load(config.labels))
    with pytest.raises(DataError, match=says):
        repeat(config, RepeatConfig(folds=3), compare=compare, train=stub.train, predict=stub.predict)
    assert stub.trained == []
    assert not config.out.exists()


def test_what_will_be_compared_is_told_before_training(
    config: TrainConfig, schema: LabelSchema, write_rows: Callable[..., Path]
) -> None:
    one, other = (config.model_copy(update={"out": config.out.parent / name}) for name in ("one", "other"))
    run(one, Stub(schema), folds=3)
    stub = Stub(schema)
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(f"{len(stub.trained)} trained: {line}")

    arguments: dict[str, Any] = {"train": stub.train, "predict": stub.predict, "tell": tell, "compare": one.out}
    repeat(other, RepeatConfig(folds=3), **arguments)
    assert told[1] == f"0 trained: to be compared with {one.out} on 72 segments that both score"
    write_rows("train.jsonl", rows(60, start=24))
    told.clear()
    stub.trained.clear()
    repeat(other, RepeatConfig(folds=3), overwrite=True, **arguments)
    assert told[1].startswith("0 trained: to be compared with")
    assert told[1].endswith(
        "on 48 segments that both score; left out: 12 of this one, 24 of the other; the two differ in data and folds"
    )


def test_interval_and_p_that_disagree_are_marked_and_explained(schema: LabelSchema) -> None:
    # Four of thirty clusters tell the two apart, all in favour of the first. Two of the 2⁴ swaps of these give as large a
    # difference: p = 0.125. Only (26/30)³⁰ = 1.4 % of the resamples hold none of them: the interval leaves 0 out.
    presence = np.array([[1, 0, 0]] * 30)
    gold, right = (Labels(presence, np.array([[0, UNKNOWN, UNKNOWN]] * 30)) for _ in range(2))
    worse = Labels(presence, np.array([[1, UNKNOWN, UNKNOWN]] * 4 + [[0, UNKNOWN, UNKNOWN]] * 26))
    found = compare(gold, right, worse, schema, np.arange(30), resamples=2000)["pairs.f1"]
    assert found.value == pytest.approx(4 / 30)
    assert found.p == pytest.approx(0.125, abs=0.03)
    assert found.interval is not None and found.interval.low > 0
    assert at_odds(found)
    same = Difference(0.1, Interval(-0.1, 0.3, 0.1), 0.4)
    assert not at_odds(same)
    comparison = Comparison(30, 30, 0, 0, {"x": 1.0, "y": 0.5}, {"x": 0.9, "y": 0.4}, {"x": found, "y": same})
    sheet = comparison_sheet(comparison, {"x": "pair F1", "y": "other"})
    assert [row[5].endswith("†") for row in sheet.rows] == [True, False]
    foot = " ".join(sheet.foot)
    assert "answers are swapped on whole clusters" in foot and "bootstrap over whole clusters" in foot
    assert "go by p" in foot and "2 scores" in foot
    assert "†" in shown(sheet)
    assert not any("†" in line for line in comparison_sheet(comparison, {"y": "other"}).foot)


def test_what_cannot_be_compared_is_told(
    config: TrainConfig, schema: LabelSchema, markets: LabelSchema, write_rows: Callable[..., Path]
) -> None:
    one, other = (config.model_copy(update={"out": config.out.parent / name}) for name in ("one", "other"))
    run(one, Stub(schema), folds=3)
    with pytest.raises(ConfigError, match=r"no summary\.json"):
        compare_repeats(one.out, other.out, schema)
    with pytest.raises(ConfigError, match="other topics or stances"):
        compare_repeats(one.out, one.out, markets)
    # The same is told before the first is trained, and what needs no look into the data before anything is loaded.
    with pytest.raises(ConfigError, match=r"no summary\.json"):
        check_inputs(config, RepeatConfig(), other.out)
    with pytest.raises(ConfigError, match="one: is this experiment itself"):
        check_inputs(one, RepeatConfig(), one.out.parent / "." / "one")
    check_inputs(config, RepeatConfig(), one.out)
    write_rows("train.jsonl", rows(72, start=500))
    refused_before_training(other, one.out, "no segment in common")
    run(other, Stub(schema), folds=3)
    with pytest.raises(DataError, match="no segment in common"):
        compare_repeats(one.out, other.out, schema)
    relabelled = [row | {"labels": rows(1, start=1)[0]["labels"]} for row in rows(72)]
    write_rows("train.jsonl", relabelled)
    other = other.model_copy(update={"out": config.out.parent / "third"})
    refused_before_training(other, one.out, "different labels")
    run(other, Stub(schema), folds=3)
    with pytest.raises(DataError, match="different labels"):
        compare_repeats(one.out, other.out, schema)


@pytest.mark.parametrize(
    "line", ["{}", '{"id": "a", "fold": null, "seed": 1, "cluster": 0, "labels": {}, "topics": {}}', "not json"]
)
def test_damaged_predictions_are_told_with_their_line(tmp_path: Path, schema: LabelSchema, line: str) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(DataError, match=r"predictions\.jsonl:1: not"):
        load_predictions(path, schema)
    path.write_text("")
    with pytest.raises(DataError, match="no predictions"):
        load_predictions(path, schema)


def test_class_without_an_example_has_no_score(schema: LabelSchema) -> None:
    # One segment of diplomacy, found; the other topics are absent and not said.
    labels = Labels(np.array([[1, 0, 0]]), np.array([[0, -100, -100]]))
    said = Labels(np.array([[1, 0, 0]]), np.array([[0, 0, 0]]))
    one = Predictions(["a"], [None], np.array([1]), np.array([0]), labels, said)
    scores = scores_of(one, schema)
    assert scores["topics.per_topic.diplomacy.f1"] == scores["pairs.f1"] == 1.0
    assert scores["topics.per_topic.military_action.f1"] is None
    assert scores["stances.per_topic.military_action.macro_f1"] is None


def test_command_trains_scores_and_compares(naba: Run, tiny_encoder: Path, tmp_path: Path, root: Path) -> None:
    """The whole path with a real training."""
    lines = (root / "data" / "authored.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "train.jsonl").write_text("".join(lines[:80]), encoding="utf-8")
    (tmp_path / "train.yaml").write_text(
        f"labels: {root / 'configs' / 'labels.yaml'}\ntrain: [train.jsonl]\nvalidation: [train.jsonl]\nout: one\n"
        f"encoder: {tiny_encoder}\nmax_tokens: 32\nepochs: 1\ndevice: cpu\n"
    )
    code, out, errors = naba("repeat", "train.yaml", "--folds", 2)
    assert code == 0, errors
    assert "run 2 of 2: fold-2-seed-1, pair-F1" in out
    assert "authored, not published" in " ".join(out.split())
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    code, out, _ = naba("repeat", "train.yaml", "--folds", 2, "--compare", "other")  # finished: nothing is trained
    assert code == 0
    assert "compared on 80 segments" in " ".join(out.split())
    assert "p, the test to go by" in " ".join(out.split())
    assert "| pair F1 |" in (tmp_path / "one" / "compared-with-other.md").read_text(encoding="utf-8")
    found = read_json(tmp_path / "one" / "compared-with-other.json")
    assert found["differences"]["topics.micro_f1"]["value"] == 0.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--seeds", "1,x"], "expected whole numbers"),
        (["--seeds", "1,1"], "given twice"),
        (["--seeds", "1.5"], "expected whole numbers"),
        (["--folds", "1"], "--folds"),
        (["--folds", "3", "--leave-out", "source"], "give one"),
        (["--compare", "nowhere"], "no summary.json"),
        (["--compare", "out"], "this experiment itself"),
        (["--data", "none.jsonl"], "no such file"),
        (["--leave-out", "author"], "--leave-out"),
    ],
)
def test_bad_command_is_one_line(
    naba: Run, write_rows: Callable[..., Path], tmp_path: Path, root: Path, arguments: list[str], says: str
) -> None:
    write_rows("rows.jsonl", rows(30))
    (tmp_path / "train.yaml").write_text(
        f"labels: {root / 'configs' / 'labels.yaml'}\ntrain: [rows.jsonl]\nvalidation: [rows.jsonl]\nout: out\n"
    )
    code, _, errors = naba("repeat", "train.yaml", *arguments)
    assert code == 2
    assert says in errors
    assert len(errors.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("repeat", ["--seeds", "one"]),
        ("repeat", ["--seeds", "1,1"]),
        ("repeat", ["--compare", "nowhere"]),
        ("repeat", ["--set", "train=[none.jsonl]"]),
        ("search", ["--set", "space.rate.low=1"]),
        ("search", ["--set", "train.train=[none.jsonl]"]),
    ],
)
def test_bad_arguments_are_told_before_anything_heavy_is_loaded(
    write_rows: Callable[..., Path], tmp_path: Path, root: Path, command: str, arguments: list[str]
) -> None:
    write_rows("rows.jsonl", rows(3))
    train = f"labels: {root / 'configs' / 'labels.yaml'}\ntrain: [rows.jsonl]\nvalidation: [rows.jsonl]\nout: out\n"
    (tmp_path / "repeat.yaml").write_text(train)
    (tmp_path / "base.yaml").write_text(train)
    (tmp_path / "search.yaml").write_text("base: base.yaml\nspace: {epochs: {low: 1, high: 2}}\nout: found\n")
    code = (
        "import sys; from naba.cli import main\n"
        f"sys.argv = ['naba', '{command}', '{command}.yaml', *{arguments!r}]\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n"
        "    heavy = {'torch', 'transformers', 'sklearn', 'scipy', 'optuna'} & set(sys.modules)\n"
        "    sys.exit(f'loaded {heavy}' if heavy or end.code != 2 else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_folder_in_place_of_a_file_is_told(config: TrainConfig) -> None:
    with pytest.raises(DataError, match="is a folder; name the JSONL file in it"):
        check_inputs(config.model_copy(update={"validation": [config.labels.parent]}), RepeatConfig())
