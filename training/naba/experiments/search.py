"""A search for hyper-parameters with Optuna: many trainings with other values, and the configuration of the best.

    result = search(load_config(SearchConfig, Path("configs/search.yaml")))
    result["best"]["values"]

Trials go to `<out>/trial-0/seed-1` …, the study to `<out>/study.log` (Optuna's journal), the table of all trials to
`<out>/trials.json` and `trials.csv`, the best configuration to `<out>/best.yaml`. A search that was killed goes on: the
values of trial n depend on the seed, on n and on the trials before it, so that the trial that was cut off is drawn again
with the same values and goes on from its last checkpoint.
"""

import hashlib
import logging
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from naba.config import TrainConfig
from naba.dataset.labelled import load_labelled
from naba.errors import CheckpointError, ConfigError
from naba.experiments.data_marks import data_marks, fingerprints, training_paths
from naba.experiments.experiment import NamedProgress, Train, drop_weights, hold, train_once
from naba.experiments.search_results import write_results
from naba.experiments.search_space import OBJECTIVES, Choices, Range, SearchConfig
from naba.finetuning.train import train as train_run
from naba.jsonl import read_json
from naba.modelling.pretrained import encoder_mark
from naba.paths import find
from naba.progress import SILENT, Advance, Progress
from naba.run import environment
from naba.schema import LabelSchema

if TYPE_CHECKING:
    from optuna import Study, Trial

logger = logging.getLogger(__name__)

Encoders = Mapping[str, Mapping[str, str | None]]
"""Name → by what it is known again (`encoder_mark`)."""

JOURNAL = "study.log"
STARTUP_TRIALS = 5
"""Of these none is stopped early: Optuna's default."""


def search(
    config: SearchConfig,
    *,
    overwrite: bool = False,
    progress: Progress = SILENT,
    tell: Callable[[str], None] = logger.info,
    train: Train = train_run,
) -> dict[str, Any]:
    """Run the trials that are still to be run; returns the content of trials.json.

    Args:
        config: the search.
        overwrite: start from the beginning, in place of what is there.
        progress: where the steps of the trainings are reported.
        tell: called with a line for every trial that is done.
        train: what trains a run.

    Raises:
        ConfigError: Optuna is missing, `out` holds something else, no trial could be finished; or `naba train` refuses a
            key or a value, which is found before anything is trained.
        CheckpointError: an encoder is not there, or the first training failed before its first step.
        DataError: the data cannot be read.
    """
    optuna = _optuna()
    base = config.check()
    data = fingerprints([*training_paths(base), *base.validation])
    schema = LabelSchema.load(find(base.labels))
    _check_objective(config, base, schema)
    encoders = {name: encoder_mark(name) for name in _encoders(config, base)}
    with hold(config.out, _plan(config, base, schema, data, encoders), overwrite=overwrite):
        study, facts = _open(config), {"data": data} | environment()
        for number in range(len(_done(study))):
            _tidy(config, number)  # what a kill left
        while (number := len(_done(study))) < config.trials:
            trial = _ask(study, config, number)
            try:
                value = _value(trial, config, number, train, encoders, progress)
            except optuna.TrialPruned:
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            except CheckpointError as error:
                if not any(config.out.glob("trial-*/*/train.json")):
                    raise  # nothing was ever trained, so that it is not this trial's values that are wrong
                trial.set_user_attr("reason", str(error))
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, value)
            _tidy(config, number)
            row = write_results(config, _done(study), facts)["trials"][-1]
            tell(f"trial {number + 1} of {config.trials}: {_line(row)}")
        found = write_results(config, _done(study), facts)
    if not any(row["state"] == "finished" for row in found["trials"]):
        reasons = [row["reason"] for row in found["trials"] if row["reason"]]
        raise ConfigError(f"{config.out}: no trial could be finished ({reasons[0]}); see trials.csv, change the space")
    return found


def _check_objective(config: SearchConfig, base: TrainConfig, schema: LabelSchema) -> None:
    held_out = load_labelled(base.validation, schema)
    if config.objective == "stance_macro_f1" and not any(
        label.stance for item in held_out for label in item.labels.values()
    ):
        raise ConfigError("objective = stance_macro_f1: no stance is known in the validation data; use topic_macro_f1")


def _encoders(config: SearchConfig, base: TrainConfig) -> list[str]:
    """The encoders that trials may start from."""
    values = config.space.get("encoder")
    return [str(name) for name in values.choices] if isinstance(values, Choices) else [base.encoder]


def _plan(
    config: SearchConfig, base: TrainConfig, schema: LabelSchema, data: Mapping[str, str], encoders: Encoders
) -> dict[str, Any]:
    """What tells this search from others; trials may be added later."""
    said = config.model_dump(mode="json", exclude={"out", "trials", "base", "train", "keep_weights"})
    fixed = base.model_dump(mode="json", exclude={"out", "seed", "train", "validation", *config.space})
    marks = data_marks(base.model_dump(mode="json"), data)
    given = {"schema": schema.fingerprint, "encoders": list(encoders.values()), "data": marks}
    return {"command": "search", "train": fixed} | given | said


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise ConfigError("search needs optuna; install it with: pip install -e '.[search]'") from None
    return optuna


def _open(config: SearchConfig) -> "Study":
    """The study on disk; trials that a kill cut off are closed, to be drawn again."""
    optuna = _optuna()
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = config.out / JOURNAL
    # The folder is held, so that what a killed process left behind is nobody's: its lock, and half a line.
    path.with_name(f"{JOURNAL}.lock").unlink(missing_ok=True)
    if path.is_file() and not (content := path.read_bytes()).endswith(b"\n"):
        path.write_bytes(content[: content.rfind(b"\n") + 1])
    pruner = (
        optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS) if config.prune else optuna.pruners.NopPruner()
    )
    study: Study = optuna.create_study(
        study_name="naba",
        storage=JournalStorage(JournalFileBackend(str(path))),
        direction="maximize",
        pruner=pruner,
        load_if_exists=True,
    )
    for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def _done(study: "Study") -> list[Any]:
    """The trials that came to an end of their own, in order; a failed one has a reason, one that was cut off has none."""
    ended = [trial for trial in study.get_trials() if trial.state.is_finished()]
    return [trial for trial in ended if trial.state.name != "FAIL" or "reason" in trial.user_attrs]


def _ask(study: "Study", config: SearchConfig, number: int) -> "Trial":
    """A new trial; its values depend only on the seed, the number, and the trials before."""
    optuna = _optuna()
    mark = hashlib.sha256(f"{config.seed}:{number}".encode()).digest()
    study.sampler = optuna.samplers.TPESampler(seed=int.from_bytes(mark[:4]))
    return study.ask({key: _distribution(config, key) for key in sorted(config.space)})


def _distribution(config: SearchConfig, key: str) -> Any:
    distributions, values = _optuna().distributions, config.space[key]
    if not isinstance(values, Range):
        return distributions.CategoricalDistribution(values.choices)
    if config.whole(key):
        return distributions.IntDistribution(int(values.low), int(values.high), values.log, int(values.step or 1))
    return distributions.FloatDistribution(float(values.low), float(values.high), values.log, values.step)


def _value(
    trial: "Trial", config: SearchConfig, number: int, train: Train, encoders: Encoders, progress: Progress
) -> float:
    """Train with the trial's values and each seed; the mean of the objective."""
    found: list[float] = []
    for seed in config.seeds:
        run = config.trial(trial.params, config.out / f"trial-{number}" / f"seed-{seed}", seed)
        named = NamedProgress(progress, f"trial {number + 1} of {config.trials}")
        # The first seed alone: a trial is judged by its best score so far, so that the next seeds' would not count.
        watched = _Watched(named, trial, run.out / "checkpoints") if config.prune and not found else None
        record = train_once(run, train, encoders[run.encoder], progress=watched or named)
        if watched:
            watched.complete(record["history"])
        scores: Any = record["validation"]
        for key in OBJECTIVES[config.objective].split("."):
            scores = scores[key]
        if scores is None or not math.isfinite(scores):
            raise CheckpointError(f"{config.objective} of the run is {scores}")
        found.append(float(scores))
    return float(np.mean(found))


class _Watched:
    """A progress that passes the validation scores of a training on to its trial, and ends it where it does poorly.

    The scores are those that the trainer saves with its checkpoints, so that a run that goes on has its earlier ones.
    They count from the next step on: a run that has only to be written is not ended, wherever it was interrupted.
    """

    def __init__(self, progress: Progress, trial: "Trial", checkpoints: Path) -> None:
        self.progress, self.trial, self.checkpoints = progress, trial, checkpoints
        self.steps, self.newest, self.reported = 0, 0, 0

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Advance]:
        """Start a task; in the training itself every step looks whether there is a new score."""
        with self.progress.task(label, total, unit) as advance:

            def watch(done: int, note: str) -> None:
                advance(done, note)
                self.steps += done
                self._look()

            yield watch if label == "training" else advance

    def complete(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Pass on what was not seen of a finished training: its last score, or all where it was finished before."""
        for _ in self._report(history):
            pass

    def _look(self) -> None:
        saved = [int(path.name.split("-")[1]) for path in self.checkpoints.glob("checkpoint-*")]
        newest = max((step for step in saved if step < self.steps), default=0)
        if newest == self.newest:
            return
        self.newest = newest
        state = read_json(self.checkpoints / f"checkpoint-{newest}" / "trainer_state.json")
        for _ in self._report(state["log_history"]):
            if self.trial.should_prune():
                raise _optuna().TrialPruned

    def _report(self, history: Sequence[Mapping[str, Any]]) -> Iterator[None]:
        """Report the scores that are new, one at each turn."""
        scores = [entry["eval_pair_f1"] for entry in history if "eval_pair_f1" in entry]
        for number in range(self.reported, len(scores)):
            self.trial.report(scores[number], number)
            self.reported = number + 1
            yield


def _tidy(config: SearchConfig, number: int) -> None:
    """Remove what a trial needs no more."""
    for run in (config.out / f"trial-{number}").glob("seed-*"):
        shutil.rmtree(run / "checkpoints", ignore_errors=True)
        if not config.keep_weights:
            drop_weights(run)


def _line(row: Mapping[str, Any]) -> str:
    value = "" if row["value"] is None else f" {row['value']:.3f}"
    values = ", ".join(f"{key} {_short(found)}" for key, found in row["values"].items())
    return f"{row['state']}{value}, {values}; {row['seconds']:.0f} s" + (f": {row['reason']}" if row["reason"] else "")


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
