"""Searches with a training whose score is a formula of its values, and one with the tiny encoder."""

import csv
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from naba.config import TrainConfig, load_config
from naba.errors import CheckpointError, ConfigError, DataError
from naba.experiments import search as module
from naba.experiments.data_marks import fingerprints, training_paths
from naba.experiments.search import search
from naba.experiments.search_space import SearchConfig
from naba.jsonl import read_json, write_json
from naba.modelling.pretrained import encoder_mark
from naba.progress import SILENT, Progress
from tests.conftest import Run

pytest.importorskip("optuna")

ROW = {"text": "عقد الوفدان جولة محادثات", "labels": {"diplomacy": {"present": True, "stance": "neutral"}}}
SPACE = {
    "learning_rate": {"low": "1e-5", "high": "1e-3", "log": True},
    "batch_size": {"low": 4, "high": 32, "step": 4},
    "head": {"choices": ["attention", "plain"]},
}


class KilledError(Exception):
    """Plays the kill."""


class Formula:
    """A training whose score is highest at a rate of 1e-4, batches of 16 and the plain head."""

    def __init__(self, killed_at: int | None = None, evaluations: int = 0) -> None:
        self.killed_at, self.evaluations = killed_at, evaluations
        self.trained: list[TrainConfig] = []

    def score(self, config: TrainConfig) -> float:
        distance = abs(math.log10(config.learning_rate) + 4) + abs(config.batch_size - 16) / 16
        return 0.9 - 0.2 * distance - 0.1 * (config.head == "attention")

    def __call__(self, config: TrainConfig, *, overwrite: bool = False, progress: Progress = SILENT) -> dict[str, Any]:
        config.out.mkdir(parents=True, exist_ok=True)
        write_json(config.out / "train.json", {})
        self.trained.append(config)
        value = self.score(config)
        with progress.task("training", self.evaluations, "steps") as advance:
            for step in range(1, self.evaluations + 1):
                advance(1, "")
                if step <= self.evaluations:
                    self._save(config.out, step, value)
        with progress.task("scoring validation", 1, "batches") as advance:
            advance(1, "")  # too late to stop anything
        if len(self.trained) - 1 == self.killed_at:
            raise KilledError
        (config.out / "model.safetensors").write_text("large")
        return self._finish(config, value)

    def _finish(self, config: TrainConfig, value: float) -> dict[str, Any]:
        record = {
            "config": config.model_dump(mode="json"),
            "encoder": encoder_mark(config.encoder),
            "data": fingerprints([*training_paths(config), *config.validation]),
            "history": self._history(value, self.evaluations),
            "validation": {"pairs": {"f1": value}, "topics": {"macro_f1": value / 2}, "stances": {"macro_f1": None}},
        }
        write_json(config.out / "run.json", record)
        return record

    def _save(self, out: Path, step: int, value: float) -> None:
        """As Hugging Face's Trainer does: all scores so far in the newest checkpoint."""
        folder = out / "checkpoints" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        write_json(folder / "trainer_state.json", {"log_history": self._history(value, step)})

    def _history(self, value: float, steps: int) -> list[dict[str, float]]:
        return [{"eval_pair_f1": value * number / self.evaluations} for number in range(1, steps + 1)]


@pytest.fixture(autouse=True)
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of small files are written here: waiting for the disk would be most of the time."""
    monkeypatch.setattr(os, "fsync", lambda number: None)


@pytest.fixture
def content(write_rows: Callable[..., Path], tmp_path: Path, root: Path) -> dict[str, Any]:
    data = write_rows("rows.jsonl", [ROW])
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "model.safetensors").write_text("one")
    train = {"labels": root / "configs" / "labels.yaml", "train": [data], "validation": [data], "device": "cpu"}
    train["encoder"] = str(tmp_path / "encoder")
    return {"train": train, "space": SPACE, "trials": 6, "prune": False, "out": tmp_path / "out"}


def make(content: dict[str, Any], **change: Any) -> SearchConfig:
    return load_config(SearchConfig, None, None, content | change)


def values(found: dict[str, Any]) -> list[Any]:
    return [(row["values"], row["value"], row["state"]) for row in found["trials"]]


def test_search_comes_near_the_best_values(content: dict[str, Any]) -> None:
    formula = Formula()
    found = search(make(content, trials=20), train=formula)
    assert len(formula.trained) == len(found["trials"]) == 20
    assert all(config.batch_size % 4 == 0 and 1e-5 <= config.learning_rate <= 1e-3 for config in formula.trained)
    assert found["best"]["value"] == max(map(formula.score, formula.trained)) > 0.8
    assert "optimistic" in found["note"]


def test_best_configuration_is_ready_for_training(content: dict[str, Any]) -> None:
    config = make(content)
    formula = Formula()
    found = search(config, train=formula)
    best = max(formula.trained, key=formula.score)
    loaded = load_config(TrainConfig, config.out / "best.yaml")
    assert loaded == best.model_copy(update={"out": config.out / "best"})
    assert "optimistic" in (config.out / "best.yaml").read_text().splitlines()[1]
    assert found["best"]["values"]["head"] == best.head


def test_search_in_which_nothing_is_right_has_no_best(content: dict[str, Any]) -> None:
    class Zero(Formula):
        def score(self, config: TrainConfig) -> float:
            return 0.0

    for objective, says in (
        ("pair_f1", r"No trial got a \(topic, stance\) pair"),
        ("topic_macro_f1", "No trial got a topic"),
    ):
        config = make(content, objective=objective, trials=2)
        found = search(config, overwrite=True, train=Zero())
        assert found["best"] is None
        assert re.match(says, found["note"])
        assert f"(2 finished trials, {objective} 0)" in found["note"]
        assert "optimistic" not in found["note"]
        assert not (config.out / "best.yaml").exists()
        assert len(list(csv.reader((config.out / "trials.csv").read_text().splitlines()))) == 3


def test_trials_that_tie_are_said_to(content: dict[str, Any]) -> None:
    class Same(Formula):
        def score(self, config: TrainConfig) -> float:
            return 0.5

    found = search(make(content, trials=3), train=Same())
    assert found["best"]["number"] == 0
    assert "3 trials share the best score, of which the first was taken" in found["note"]
    assert "share" not in search(make(content, trials=3), overwrite=True, train=Formula())["note"]


def test_single_trial_is_not_said_to_be_chosen(content: dict[str, Any]) -> None:
    assert "nothing was compared" in search(make(content, trials=1), train=Formula())["note"]


def test_table_holds_every_trial(content: dict[str, Any]) -> None:
    config = make(content)
    found = search(config, train=Formula())
    assert read_json(config.out / "trials.json") == json.loads(json.dumps(found))
    rows = list(csv.DictReader((config.out / "trials.csv").read_text().splitlines()))
    assert [float(row["value"]) for row in rows] == [row["value"] for row in found["trials"]]
    assert list(rows[0]) == ["number", "state", "value", *SPACE, "seconds", "reason"]


def test_same_seed_gives_the_same_trials_and_another_does_not(content: dict[str, Any], tmp_path: Path) -> None:
    one, again, other = (
        search(make(content, out=tmp_path / str(number), seed=seed), train=Formula())
        for number, seed in enumerate((1, 1, 2))
    )
    assert values(one) == values(again) != values(other)


@pytest.mark.parametrize("killed_at", [0, 3, 11])
def test_killed_search_goes_on_as_if_it_had_not_been_killed(
    content: dict[str, Any], tmp_path: Path, killed_at: int
) -> None:
    # More than ten trials, so that values are also drawn by what the earlier ones scored.
    whole = search(make(content, trials=12, out=tmp_path / "whole"), train=Formula())
    config = make(content, trials=12)
    with pytest.raises(KilledError):
        search(config, train=Formula(killed_at=killed_at))
    second = Formula()
    found = search(config, train=second)
    assert values(found) == values(whole)
    assert len(second.trained) == 12 - killed_at
    assert second.trained[0].out.parent.name == f"trial-{killed_at}"


def test_training_that_was_finished_before_the_kill_is_not_done_again(
    content: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make(content)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_tidy", _killed)  # after the first trial was told
        with pytest.raises(KilledError):
            search(config, train=Formula())
    formula = Formula()
    assert len(search(config, train=formula)["trials"]) == 6
    assert len(formula.trained) == 5
    # Here the run was finished, and the study does not know it.
    config = make(content, out=config.out.parent / "second")
    with monkeypatch.context() as patch:
        patch.setattr(module, "_value", _after(module._value))
        with pytest.raises(KilledError):
            search(config, train=Formula())
    formula = Formula()
    assert len(search(config, train=formula)["trials"]) == 6
    assert len(formula.trained) == 5


def _killed(*arguments: Any) -> None:
    raise KilledError


def _after(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> None:
        function(*arguments)
        raise KilledError

    return call


def test_line_and_lock_that_a_kill_left_behind_are_mended(content: dict[str, Any]) -> None:
    config = make(content)
    search(config, train=Formula())
    with (config.out / "study.log").open("a") as journal:
        journal.write('{"op_code":4,"worker_')
    (config.out / "study.log.lock").symlink_to("study.log")
    assert len(search(make(content, trials=7), train=Formula())["trials"]) == 7


def test_finished_search_is_only_shown_and_more_trials_can_be_asked_for(content: dict[str, Any]) -> None:
    first = search(make(content), train=Formula())
    formula = Formula()
    assert values(search(make(content), train=formula)) == values(first)
    assert formula.trained == []
    assert values(search(make(content, trials=8), train=formula))[:6] == values(first)
    assert len(formula.trained) == 2


def test_another_search_is_not_mixed_in(content: dict[str, Any]) -> None:
    search(make(content), train=Formula())
    space = SPACE | {"dropout": {"low": 0.0, "high": 0.5}}
    for change, says in (
        ({"space": space}, r"differs from this one in space\.dropout"),
        ({"seeds": [1, 2]}, "in seeds"),
    ):
        with pytest.raises(ConfigError, match=says):
            search(make(content, **change), train=Formula())
    with pytest.raises(ConfigError, match=r"differs from this one in train\.epochs"):
        search(make(content, train=content["train"] | {"epochs": 9}), train=Formula())
    encoder = Path(content["train"]["encoder"]) / "model.safetensors"
    encoder.write_text("two")  # the same name, other weights
    with pytest.raises(ConfigError, match="differs from this one in encoders"):
        search(make(content, trials=7), train=Formula())
    encoder.write_text("one")
    search(make(content, space=space), overwrite=True, train=Formula())


def test_search_for_other_topics_or_stances_is_not_mixed_in(content: dict[str, Any], tmp_path: Path) -> None:
    labels = tmp_path / "labels.yaml"
    shutil.copy(content["train"]["labels"], labels)
    train = content["train"] | {"labels": labels}
    search(make(content, train=train, trials=1), train=Formula())
    text = labels.read_text(encoding="utf-8")
    labels.write_text(text.replace("oppose", "against"), encoding="utf-8")
    with pytest.raises(ConfigError, match="differs from this one in schema"):
        search(make(content, train=train, trials=2), train=Formula())


def test_encoders_that_are_tried_are_known_by_their_content(content: dict[str, Any], tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("encoder", "second")]
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "model.safetensors").write_text("three")
    space = SPACE | {"encoder": {"choices": names}}
    formula = Formula()
    search(make(content, space=space), train=formula)
    assert {config.encoder for config in formula.trained} == set(names)
    (tmp_path / "second" / "model.safetensors").write_text("four")
    with pytest.raises(ConfigError, match="differs from this one in encoders"):
        search(make(content, space=space, trials=7), train=Formula())
    space = SPACE | {"encoder": {"choices": [*names, str(tmp_path / "third")]}}
    with pytest.raises(CheckpointError, match="third: no such folder"):
        search(make(content, space=space, out=tmp_path / "none"), train=Formula())
    assert not (tmp_path / "none").exists()


def test_failed_trial_is_recorded_and_the_others_go_on(content: dict[str, Any]) -> None:
    formula = Formula()

    def train(config: TrainConfig, **arguments: Any) -> dict[str, Any]:
        if len(formula.trained) == 2:
            formula(config)
            raise CheckpointError("the loss became nan at step 3; lower learning_rate")
        return formula(config)

    config = make(content)
    found = search(config, train=train)
    assert [row["state"] for row in found["trials"]] == ["finished"] * 2 + ["failed"] + ["finished"] * 3
    assert "became nan" in found["trials"][2]["reason"]
    # Started again, the failed one counts as done.
    assert search(config, train=train)["trials"] == found["trials"]


def test_search_in_which_every_trial_fails_says_why(content: dict[str, Any]) -> None:
    def train(config: TrainConfig, **arguments: Any) -> dict[str, Any]:
        Formula()(config)
        (config.out / "run.json").unlink()
        raise CheckpointError("the loss became nan at step 3")

    config = make(content, trials=2)
    with pytest.raises(ConfigError, match=r"no trial could be finished \(the loss became nan"):
        search(config, train=train)
    assert (config.out / "trials.csv").is_file()
    assert not (config.out / "best.yaml").exists()


def test_fault_before_the_first_training_stops_the_search(content: dict[str, Any]) -> None:
    # An encoder that cannot be loaded is wrong in every trial.
    def train(config: TrainConfig, **arguments: Any) -> dict[str, Any]:
        raise CheckpointError("nowhere: cannot be loaded as an encoder")

    with pytest.raises(CheckpointError, match="nowhere"):
        search(make(content), train=train)
    assert len(search(make(content), train=Formula())["trials"]) == 6


def test_full_disk_stops_the_search_and_the_trial_goes_on_later(content: dict[str, Any]) -> None:
    formula = Formula()

    def train(config: TrainConfig, **arguments: Any) -> dict[str, Any]:
        if len(formula.trained) == 2:
            raise ConfigError("a checkpoint cannot be written; free some space")
        return formula(config)

    with pytest.raises(ConfigError, match="free some space"):
        search(make(content), train=train)
    assert [row["state"] for row in search(make(content), train=Formula())["trials"]] == ["finished"] * 6


def test_value_is_the_mean_over_seeds(content: dict[str, Any]) -> None:
    class Seeded(Formula):
        def score(self, config: TrainConfig) -> float:
            return 0.1 * config.seed

    formula = Seeded()
    found = search(make(content, seeds=[1, 4], trials=2), train=formula)
    assert [row["value"] for row in found["trials"]] == [pytest.approx(0.25)] * 2
    assert [str(config.out.relative_to(content["out"])) for config in formula.trained] == [
        "trial-0/seed-1",
        "trial-0/seed-4",
        "trial-1/seed-1",
        "trial-1/seed-4",
    ]


def test_objective_can_be_the_topics(content: dict[str, Any]) -> None:
    formula = Formula()
    found = search(make(content, objective="topic_macro_f1", trials=2), train=formula)
    assert found["trials"][0]["value"] == pytest.approx(formula.score(formula.trained[0]) / 2)


def test_poor_trials_are_stopped_early(content: dict[str, Any]) -> None:
    formula = Formula(evaluations=4)
    found = search(make(content, prune=True, trials=12), train=formula)
    states = [row["state"] for row in found["trials"]]
    assert states[: module.STARTUP_TRIALS] == ["finished"] * module.STARTUP_TRIALS
    assert "pruned" in states
    for row, config in zip(found["trials"], formula.trained, strict=True):
        value = formula.score(config)
        shown = [value / 4, value / 2, value * 3 / 4, value]
        assert row["evaluations"] == pytest.approx(shown[: len(row["evaluations"])])
        assert len(row["evaluations"]) == (1 if row["state"] == "pruned" else 4)
        if row["state"] == "pruned":
            # At the first evaluation all have a quarter of their score, so that the median of the scores decides.
            before = [other["value"] for other in found["trials"][: row["number"]] if other["state"] == "finished"]
            assert value < sorted(before)[len(before) // 2]
    assert not list(content["out"].glob("trial-*/*/checkpoints"))


@pytest.mark.parametrize("killed", [{0}, {3, 7}, set(range(12))])
def test_search_that_is_killed_after_finished_trainings_prunes_as_if_it_had_not_been(
    content: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: set[int]
) -> None:
    # Killed when the run was finished, and the study did not know it.
    def value(*arguments: Any) -> float:
        found = original(*arguments)
        if (number := arguments[2]) in killed:
            killed.remove(number)
            raise KilledError
        return found

    original = module._value
    whole = search(make(content, prune=True, trials=12, out=tmp_path / "whole"), train=Formula(evaluations=4))
    assert {"pruned", "finished"} == {row["state"] for row in whole["trials"]}
    killed &= {row["number"] for row in whole["trials"] if row["state"] == "finished"}
    monkeypatch.setattr(module, "_value", value)
    config = make(content, prune=True, trials=12)
    while killed:
        with pytest.raises(KilledError):
            search(config, train=Formula(evaluations=4))
    found = search(config, train=Formula(evaluations=4))
    for row in (*found["trials"], *whole["trials"]):
        del row["seconds"]
    assert found["trials"] == whole["trials"]


def test_training_that_was_cut_off_after_its_last_evaluation_is_not_pruned(content: dict[str, Any]) -> None:
    # The last evaluation is below all others, but no step is left that could be saved.
    class Falling(Formula):
        def __call__(self, config: TrainConfig, **arguments: Any) -> dict[str, Any]:
            if int(config.out.parent.name.split("-")[1]) < 6:
                return super().__call__(config, **arguments)
            config.out.mkdir(parents=True, exist_ok=True)
            write_json(config.out / "train.json", {})
            self._save(config.out, 4, 0.01)
            with arguments["progress"].task("training", 4, "steps") as advance:
                advance(4, "")  # as a run does that goes on from its last checkpoint
            return self._finish(config, 0.01)

    states = [
        row["state"] for row in search(make(content, prune=True, trials=7), train=Falling(evaluations=4))["trials"]
    ]
    assert states[6] == "finished"


def test_first_seed_alone_is_watched(content: dict[str, Any]) -> None:
    class Unlike(Formula):
        """From the seventh trial on one of the seeds is hopeless."""

        def __init__(self, hopeless: int) -> None:
            super().__init__(evaluations=4)
            self.hopeless = hopeless

        def score(self, config: TrainConfig) -> float:
            return 0.01 if config.seed == self.hopeless and int(config.out.parent.name.split("-")[1]) >= 6 else 0.8

    second = search(make(content, prune=True, trials=8, seeds=[1, 2]), train=Unlike(2))["trials"]
    assert [row["state"] for row in second] == ["finished"] * 8
    assert all(row["evaluations"] == pytest.approx([0.2, 0.4, 0.6, 0.8]) for row in second)
    formula = Unlike(1)
    first = search(make(content, prune=True, trials=8, seeds=[1, 2]), overwrite=True, train=formula)["trials"]
    assert [row["state"] for row in first] == ["finished"] * 6 + ["pruned"] * 2
    assert [config.seed for config in formula.trained] == [1, 2] * 6 + [1] * 2


def test_weights_of_trials_are_dropped_unless_asked(content: dict[str, Any], tmp_path: Path) -> None:
    for keep, count in ((False, 0), (True, 2)):
        search(make(content, trials=2, keep_weights=keep, out=tmp_path / str(keep)), train=Formula())
        assert len(list((tmp_path / str(keep)).glob("trial-*/*/model.safetensors"))) == count
        assert len(list((tmp_path / str(keep)).glob("trial-*/*/run.json"))) == 2


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ({"rate": {"low": 1, "high": 2}}, "unknown key 'rate'; known: .*learning_rate"),
        ({"epochs.x": {"low": 1, "high": 2}}, r"unknown key 'epochs\.x'"),
        ({"dropout": {"low": 0.1, "high": 1.5}}, r"dropout = 1\.5"),
        ({"head": {"choices": ["attention", "mean"]}}, "head = 'mean'"),
        ({"head": {"low": 1, "high": 2}}, "head takes no number"),
        ({"batch_size": {"low": 4, "high": 16.5}}, "whole numbers"),
        ({"learning_rate": {"low": 0.0, "high": 0.1, "log": True}}, "above 0"),
        ({"learning_rate": {"low": 0.1, "high": 0.1}}, "not below"),
        ({"learning_rate": {"low": 0.1, "high": ".inf"}}, "high"),
        ({"learning_rate": {"low": 0.1}}, r"learning_rate\.high: Field required"),
        ({"learning_rate": {"low": 0.1, "high": 0.2, "lgo": True}}, r"learning_rate\.lgo: Extra"),
        ({"batch_size": {"low": 4, "high": 18, "step": 4}}, "whole number of steps"),
        ({"learning_rate": [0.1, 0.2]}, "expected {low, high, log}"),
        ({"head": {"choices": []}}, r"head\.choices"),
        ({"head": {"choices": ["plain", "plain"]}}, "given twice"),
        ({"seed": {"choices": [1, 2]}}, "seed is set by the search"),
        ({"out": {"choices": ["a", "b"]}}, "out is set by the search"),
        ({}, "space"),
        ([], "space"),
        ({"max_tokens": {"low": 8, "high": 64}}, "max_tokens = 8"),
    ],
)
def test_bad_space_is_told_before_any_training(content: dict[str, Any], space: Any, says: str) -> None:
    formula = Formula()
    with pytest.raises(ConfigError, match=says) as told:
        search(make(content, space=space), train=formula)
    assert "\n" not in str(told.value)
    assert formula.trained == []
    assert not content["out"].exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"trials": 0}, "trials = 0"),
        ({"objective": "accuracy"}, "objective = 'accuracy'"),
        ({"objective": "stance_macro_f1"}, "no stance is known"),
        ({"seeds": [1, 1]}, "given twice"),
        ({"base": "none.yaml"}, r"none\.yaml: no such configuration"),
        ({"sampler": "tpe"}, "unknown key 'sampler'"),
    ],
)
def test_bad_search_is_told_before_any_training(
    content: dict[str, Any], write_rows: Callable[..., Path], change: dict[str, Any], says: str
) -> None:
    if change.get("objective") == "stance_macro_f1":
        write_rows("rows.jsonl", [{"text": "نص", "labels": {"diplomacy": {"present": True, "stance": None}}}])
    with pytest.raises(ConfigError, match=says):
        search(make(content, **change), train=Formula())
    assert not content["out"].exists()


def test_missing_data_are_told(content: dict[str, Any]) -> None:
    train = content["train"] | {"validation": [Path("none.jsonl")]}
    with pytest.raises(DataError, match=r"none\.jsonl: no such file"):
        search(make(content, train=train), train=Formula())


def test_missing_optuna_is_told(content: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"pip install -e '\.\[search\]'"):
        search(make(content), train=Formula())


def test_shipped_configuration_can_be_searched(root: Path) -> None:
    config = load_config(SearchConfig, root / "configs" / "search.yaml")
    assert config.check().epochs == 3


def test_command_searches_with_real_trainings_and_sees_their_evaluations(
    naba: Run, tiny_encoder: Path, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "search.yaml").write_text(_search_yaml(tiny_encoder, root, tmp_path))
    code, out, errors = naba("search", "search.yaml")
    assert code == 0, errors
    assert "trial 2 of 2: finished" in out
    # Two epochs teach the tiny encoder nothing.
    assert "note: No trial got a (topic, stance) pair of the validation data right" in " ".join(out.split())
    assert "best.yaml;" not in out
    assert not (tmp_path / "found" / "best.yaml").exists()
    found = read_json(tmp_path / "found" / "trials.json")
    assert [len(row["evaluations"]) for row in found["trials"]] == [2, 2]
    run = read_json(tmp_path / "found" / "trial-0" / "seed-1" / "run.json")
    scores = [entry["eval_pair_f1"] for entry in run["history"] if "eval_pair_f1" in entry]
    assert found["trials"][0]["evaluations"] == scores
    code, _, errors = naba("search", "search.yaml", "--set", "space.dropout.high=2")
    assert code == 2
    assert "dropout = 2" in errors


def test_command_names_the_best_configuration(
    naba: Run, root: Path, content: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "search", partial(search, train=Formula()))
    (tmp_path / "search.yaml").write_text(_search_yaml(tmp_path / "encoder", root, tmp_path))
    code, out, errors = naba("search", "search.yaml")
    assert code == 0, errors
    assert "best: naba train found/best.yaml; all trials: found/trials.csv" in " ".join(out.split())


def _search_yaml(tiny_encoder: Path, root: Path, folder: Path) -> str:
    lines = (root / "data" / "authored.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "train.jsonl").write_text("".join(lines[:48]), encoding="utf-8")
    (folder / "validation.jsonl").write_text("".join(lines[48:80]), encoding="utf-8")
    return (
        f"train: {{labels: {root / 'configs' / 'labels.yaml'}, train: [train.jsonl], validation: [validation.jsonl],"
        f" encoder: {tiny_encoder}, max_tokens: 32, epochs: 2, device: cpu}}\n"
        "space:\n  learning_rate: {low: 1e-5, high: 1e-3, log: true}\n  dropout: {low: 0.0, high: 0.3}\n"
        "trials: 2\nout: found\n"
    )


@pytest.mark.slow
def test_search_that_is_killed_for_real_finds_the_same(tiny_encoder: Path, root: Path, tmp_path: Path) -> None:
    """SIGKILL of a real process in the midst of each of the first three trials."""
    (tmp_path / "search.yaml").write_text(_search_yaml(tiny_encoder, root, tmp_path))
    code = "from naba.cli.experiments import search; from pathlib import Path; "
    code += "search(Path('search.yaml'), set_=['trials=4', 'out={}', 'train.epochs=20'])"
    subprocess.run([sys.executable, "-c", code.format("whole")], cwd=tmp_path, check=True, timeout=900)
    for number in range(3):
        process = subprocess.Popen([sys.executable, "-c", code.format("found")], cwd=tmp_path)
        while process.poll() is None and not list(tmp_path.glob(f"found/trial-{number}/seed-1/checkpoints/*-9/*.json")):
            time.sleep(0.01)
        assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run([sys.executable, "-c", code.format("found")], cwd=tmp_path, check=True, timeout=900)
    found, whole = (read_json(tmp_path / name / "trials.json")["trials"] for name in ("found", "whole"))
    for row in (*found, *whole):
        del row["seconds"]
    assert found == whole
