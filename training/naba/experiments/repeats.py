"""One training several times: with several seeds, over cross-validation folds, or both; then mean, deviation, intervals.

    summary = repeat(config, RepeatConfig(seeds=[1, 2, 3], folds=5))

Runs go to `<out>/fold-1-seed-1` (`<out>/seed-1` without folds), the folds' data to `<out>/folds`, every answer on a
segment that was not trained on to `<out>/predictions.jsonl`, and what they come to (`naba.experiments.repeat_summary`)
to `<out>/summary.json`. Interrupted and started again, finished runs are kept and an unfinished one goes on.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from naba.config import Config, TrainConfig
from naba.dataset.labelled import load_labelled
from naba.dataset.leakage import stock_text, without_overlap
from naba.errors import CheckpointError, ConfigError
from naba.experiments.experiment import (
    NamedProgress,
    Train,
    data_marks,
    drop_weights,
    encoder_mark,
    fingerprints,
    has_weights,
    hold,
    train_once,
    training_paths,
)
from naba.experiments.folds import OVERLAP_WORDS, Folds, make_folds
from naba.experiments.parts import Part, fold_parts, seed_part
from naba.experiments.predictions import Predict, load_predictions, predict_run, prediction_rows
from naba.experiments.repeat_summary import (
    PREDICTIONS,
    SUMMARY,
    SUMMARY_FORMAT,
    headline,
    scores_of,
    summarise_predictions,
)
from naba.finetuning.train import train as train_run
from naba.jsonl import read_jsonl, write_json, write_jsonl
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment
from naba.run import environment
from naba.schema import LabelSchema

logger = logging.getLogger(__name__)

FEW_SOURCES = 5
"""Over fewer sources than this an interval of their mean says little."""


class RepeatConfig(Config):
    """`naba repeat`: with which seeds, and over what."""

    seeds: list[int] = Field([1], min_length=1)
    """A run for each, of each fold."""
    folds: int | None = Field(None, ge=2)
    """Cross-validation over this many stratified folds of the training segments."""
    leave_out: Literal["source"] | None = None
    """Cross-validation that holds out each source (outlet) of the training segments in turn."""
    data: list[Path] = Field(default_factory=list)
    """Without folds: the labelled JSONL that the runs are scored on; their validation files where not given."""
    split_seed: int = Field(1, ge=0)
    """Of the draw of folds and of their validation parts; the same for all seeds, so that they can be compared."""
    keep_weights: bool | None = None
    """Keep the weights of every run; where not given, without folds only."""

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed is given twice; the same seed trains the same run")
        if min(seeds) < 0 or max(seeds) >= 2**32:
            raise ValueError("seeds are whole numbers from 0 to 4294967295")
        return seeds

    @model_validator(mode="after")
    def _check(self) -> "RepeatConfig":
        if self.folds and self.leave_out:
            raise ValueError("folds and leave_out are two ways of cutting the same data; give one")
        if self.over_folds and self.data:
            raise ValueError("data says nothing with folds, which are scored on what they hold out")
        return self

    @property
    def over_folds(self) -> bool:
        """Whether there are folds."""
        return bool(self.folds or self.leave_out)

    @property
    def keeps_weights(self) -> bool:
        """Whether the runs' weights stay."""
        return not self.over_folds if self.keep_weights is None else self.keep_weights


def repeat(
    config: TrainConfig,
    design: RepeatConfig,
    *,
    overwrite: bool = False,
    progress: Progress = SILENT,
    tell: Callable[[str], None] = logger.info,
    train: Train = train_run,
    predict: Predict = predict_run,
) -> dict[str, Any]:
    """Train and score every run that is not there yet; returns the content of summary.json.

    Args:
        config: the training; its `out` is the folder of the whole. Its `seed` is not used, nor, with folds, its
            `validation`.
        design: seeds and folds.
        overwrite: start from the beginning, in place of what is there.
        progress: where the steps of the runs are reported.
        tell: called with a line for every run that is done.
        train: what trains a run.
        predict: what asks a run.

    Raises:
        ConfigError: `out` holds something else. DataError: the data cannot be read, or give no such folds.
        CheckpointError: the encoder is not there, or a run failed; those that are finished stay.
    """
    experiment = _Experiment(config, design)
    with hold(config.out, experiment.plan(), overwrite=overwrite):
        parts = experiment.parts()
        total = len(parts) * len(design.seeds)
        runs: list[dict[str, Any]] = []
        for seed in design.seeds:  # the whole cross-validation with the first seed before the next begins
            for part in parts:
                label = f"run {len(runs) + 1} of {total}"
                runs.append(experiment.run(part, seed, train, predict, NamedProgress(progress, label)))
                tell(f"{label}: {runs[-1]['run']}, pair-F1 {_figure(runs[-1]['scores']['pairs.f1'])}")
        return experiment.conclude(runs)


class _Experiment:
    """What all runs have in common."""

    def __init__(self, config: TrainConfig, design: RepeatConfig) -> None:
        if not config.train:
            raise ConfigError("train: names no file; `naba build` makes one")
        self.config, self.design = config, design
        self.schema = LabelSchema.load(find(config.labels))
        self.sources = [load_labelled([path], self.schema) for path in training_paths(config)]
        self.items = [item for source in self.sources for item in source]
        self.folds: Folds | None = None
        self.validation: list[LabelledSegment] = []
        if design.over_folds:
            self.folds = make_folds(
                self.items, self.schema, count=design.folds, leave_out=design.leave_out, seed=design.split_seed
            )
            self.scored = []
        else:
            self.validation = load_labelled(config.validation, self.schema)
            self.scored = load_labelled(design.data, self.schema) if design.data else self.validation
        scored_files = [] if self.folds else [*config.validation, *design.data]
        self.data = fingerprints([*training_paths(config), *scored_files])
        self.encoder = encoder_mark(config.encoder)

    def plan(self) -> dict[str, Any]:
        """What tells this experiment from others. Seeds may be added later, and files may be moved: neither is in it."""
        ignored = {"out", "seed", "train", "validation"}
        said = self.config.model_dump(mode="json")
        used = said | {"validation": []} if self.folds else said  # folds have a validation part of their own
        return {
            "command": "repeat",
            "config": {key: value for key, value in said.items() if key not in ignored},
            "schema": self.schema.fingerprint,
            "encoder": self.encoder,
            "data": data_marks(used, self.data) | {"scored": [self.data[str(path)] for path in self.design.data]},
            "folds": self._folds(),
        }

    def parts(self) -> list[Part]:
        """The folds, or the one part without any."""
        if self.folds:
            return fold_parts(self.config, self.sources, self.folds)
        return [seed_part(self.config, self.scored)]

    def run(self, part: Part, seed: int, train: Train, predict: Predict, progress: Progress) -> dict[str, Any]:
        """Train and score one run, or what is missing of it; returns its row of the summary."""
        config, keep = part.run(seed), self.design.keeps_weights
        answers = config.out / PREDICTIONS
        try:
            record = train_once(config, train, self.encoder, progress=progress)
        except CheckpointError as error:
            raise CheckpointError(f"{config.out.name}: {error}") from None
        if not answers.is_file():
            texts = [item.segment.text for item in part.scored]
            said = predict(config.out, texts, device=config.device, progress=progress)
            rows = prediction_rows(part.scored, part.clusters, said, self.schema, seed=seed, fold=part.fold)
            write_jsonl(answers, rows)
        elif keep and not has_weights(config.out):
            raise ConfigError(f"{config.out}: its weights were dropped when it was done; --overwrite trains all anew")
        if not keep:
            drop_weights(config.out)
        row: dict[str, Any] = {"run": config.out.name, "fold": part.fold, "seed": seed}
        row["segments"] = dict(record["segments"]) | {"scored": len(part.scored)}
        row |= {"seconds": record["seconds"], "best_step": record["best_step"]}
        return row | {"scores": scores_of(load_predictions(answers, self.schema), self.schema)}

    def conclude(self, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Write predictions.jsonl and summary.json; returns the summary."""
        out, schema = self.config.out, self.schema
        files = [out / str(run["run"]) / PREDICTIONS for run in runs]
        write_jsonl(out / PREDICTIONS, (row for path in files for row in read_jsonl(path)))
        predictions = load_predictions(out / PREDICTIONS, schema)
        ratio = float(np.mean([fold.test_over_train for fold in self.folds.folds])) if self.folds else 0.0
        summary: dict[str, Any] = {
            "format": SUMMARY_FORMAT,
            "config": self.config.model_dump(mode="json"),
            "design": self.design.model_dump(mode="json"),
            "schema": {"name": schema.name, "fingerprint": schema.fingerprint}
            | {"topics": schema.topic_ids, "stances": schema.stance_ids},
            "encoder": self.encoder,
            "data": self.data,
            "segments": len(set(predictions.ids)),
            "clusters": len(np.unique(predictions.cluster)),
            "folds": self._folds(),
            "test_over_train": ratio,
            "notes": self._notes(),
            "headline": headline(schema),
            "runs": list(runs),
        }
        summary |= summarise_predictions(predictions, schema, test_over_train=ratio) | environment()
        write_json(out / SUMMARY, summary)
        return summary

    def _folds(self) -> dict[str, Any] | None:
        return {fold.name: fold.describe(self.items) for fold in self.folds.folds} if self.folds else None

    def _notes(self) -> list[str]:
        """What a reader of the figures must know."""
        notes = []
        if self.folds:
            if self.folds.authored:
                notes.append("what is scored was authored, not published: the figures say nothing about real news")
            if self.folds.without_source:
                notes.append(
                    f"{self.folds.without_source:,} segments state no source: they are never held out, and are trained on "
                    "whatever source is"
                )
            if self.design.leave_out and len(self.folds.folds) < FEW_SOURCES:
                notes.append(f"{len(self.folds.folds)} sources are few: the mean over other sources may lie far off")
        elif not self.design.data:
            notes.append(
                "scored on validation, where checkpoint and thresholds were chosen: optimistic; use --folds or --data"
            )
        else:
            known = [*self.items, *self.validation]
            stock = stock_text((item.segment.text for item in (*self.scored, *known)), OVERLAP_WORDS)
            unseen = without_overlap(self.scored, known, OVERLAP_WORDS, stock)
            if seen := len(self.scored) - len(unseen):
                notes.append(
                    f"{seen:,} scored segments share an article or text with training or validation: the scores are too high"
                )
        if taught := self._taught():
            notes.append(
                f"{taught:,} training segments carry a teacher's answers: where it has learnt labels that are scored here, "
                "the scores are too high"
            )
        return notes

    def _taught(self) -> int:
        """How many segments that some run trains on were labelled by a model."""
        trained = np.ones(len(self.items), dtype=bool)
        if self.folds:
            trained[:] = False
            for fold in self.folds.folds:
                trained[fold.train] = True
        return sum(self.items[number].extra.get("teacher") is not None for number in np.flatnonzero(trained).tolist())


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
