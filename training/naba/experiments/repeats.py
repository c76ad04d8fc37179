"""One training several times: with several seeds, over cross-validation folds, or both; then mean, deviation, intervals.

    summary = repeat(config, RepeatConfig(seeds=[1, 2, 3], folds=5))

Runs go to `<out>/fold-1-seed-1` (`<out>/seed-1` without folds), the folds' data to `<out>/folds`, every answer on a
segment that was not trained on to `<out>/predictions.jsonl`, and what they come to (`naba.experiments.repeat_summary`)
to `<out>/summary.json` and, to be read, `repeat.md`. Interrupted and started again, finished runs are kept and an
unfinished one goes on.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from naba.config import TrainConfig
from naba.dataset.labelled import load_labelled
from naba.dataset.leakage import stock_text, without_overlap
from naba.errors import CheckpointError, ConfigError
from naba.experiments.data_marks import data_marks, fingerprints, training_paths
from naba.experiments.experiment import (
    NamedProgress,
    Train,
    drop_weights,
    has_weights,
    hold,
    train_once,
)
from naba.experiments.folds import OVERLAP_WORDS, SMALL_SOURCE, VALIDATION, Folds, make_folds
from naba.experiments.parts import Part, fold_parts, seed_part
from naba.experiments.predictions import Predict, load_predictions, predict_run, prediction_rows
from naba.experiments.repeat_comparison import check_comparable
from naba.experiments.repeat_design import RepeatConfig
from naba.experiments.repeat_files import PREDICTIONS, SUMMARY, SUMMARY_FORMAT, read_summary
from naba.experiments.repeat_report import write_report
from naba.experiments.repeat_summary import headline, scores_of, summarise_predictions
from naba.experiments.wording import counted
from naba.finetuning.train import train as train_run
from naba.jsonl import read_jsonl, write_json, write_jsonl
from naba.modelling.pretrained import encoder_mark
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment
from naba.run import environment
from naba.schema import LabelSchema

logger = logging.getLogger(__name__)

FEW_SOURCES = 5
"""With fewer folds than this the mean over sources says little of another source."""


def repeat(
    config: TrainConfig,
    design: RepeatConfig,
    *,
    overwrite: bool = False,
    compare: Path | None = None,
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
        compare: the folder of another finished repeat that this one is to be compared with: refused before anything is
            trained where that could not be done.
        progress: where the steps of the runs are reported.
        tell: called with a line on what will be done, and for every run that is done.
        train: what trains a run.
        predict: what asks a run.

    Raises:
        ConfigError: `out` holds something else, or `compare` no such repeat. DataError: the data cannot be read, give no
            such folds, or have no segment in common with `compare`.
        CheckpointError: the encoder is not there, or a run failed; those that are finished stay.
    """
    experiment = _Experiment(config, design)
    outlook = experiment.outlook(compare)
    with hold(config.out, experiment.plan(), overwrite=overwrite):
        for line in outlook:
            tell(line)
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

    def outlook(self, compare: Path | None) -> list[str]:
        """What will be done, a line each. Raises as `check_comparable`."""
        lines = []
        if self.folds:
            folds, seeds = len(self.folds.folds), len(self.design.seeds)
            lines.append(f"{counted(folds * seeds, 'run')}: {counted(folds, 'fold')} with {counted(seeds, 'seed')}")
            if self.design.leave_out:
                held_out = [f"{fold.holds_out}: {len(fold.held_out):,}" for fold in self.folds.folds]
                lines.append(f"held out in turn, with their segments to score: {'; '.join(held_out)}")
                if self.folds.together:
                    lines.append(_together(self.folds.together))
        if compare:
            lines.append(self._to_compare(compare))
        return lines

    def _to_compare(self, compare: Path) -> str:
        folds = self.folds.folds if self.folds else []
        scored = [self.items[number] for fold in folds for number in fold.held_out.tolist()] if folds else self.scored
        common, here, there = check_comparable(scored, self.config.out, compare, self.schema)
        other = read_summary(compare, self.schema)
        same = {
            "data": sorted(other["data"].values()) == sorted(self.data.values()),
            "folds": other["folds"] == self._folds(),
        }
        said = f"to be compared with {compare} on {counted(common, 'segment')} that both score"
        if here or there:
            said += f"; left out: {here:,} of this one, {there:,} of the other"
        differing = [name for name, alike in same.items() if not alike]
        return said + (f"; the two differ in {' and '.join(differing)}" if differing else "")

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
        write_report(out, summary)
        write_json(out / SUMMARY, summary)
        return summary

    def _folds(self) -> dict[str, Any] | None:
        return {fold.name: fold.describe(self.items) for fold in self.folds.folds} if self.folds else None

    def _notes(self) -> list[str]:
        """What a reader of the figures must know."""
        notes = self._notes_on_folds(self.folds) if self.folds else self._notes_on_scored()
        if taught := self._taught():
            notes.append(
                f"{counted(taught, 'training segment carries', 'training segments carry')} a teacher's answers: where it has "
                "learnt labels that are scored here, the scores are too high"
            )
        return notes

    def _notes_on_folds(self, folds: Folds) -> list[str]:
        said = (
            f"in each fold, {100 * VALIDATION:.0f} % of what may be scored and is not held out, drawn by whole articles, served as "
            "validation, for checkpoint and thresholds"
        )
        if self.config.validation:
            said += f"; the configured validation was not used ({', '.join(map(str, self.config.validation))})"
        notes = [said]
        if folds.together:
            notes.append(_together(folds.together))
        if folds.authored:
            notes.append("what is scored was authored, not published: the figures say nothing about real news")
        if folds.without_source:
            notes.append(
                f"{counted(folds.without_source, 'segment')} without a source: never held out, and trained on in every fold"
            )
        if self.design.leave_out and len(folds.folds) < FEW_SOURCES:
            notes.append(
                f"only {len(folds.folds)} folds of sources: the mean over other sources may be far from this one"
            )
        return notes

    def _notes_on_scored(self) -> list[str]:
        if not self.design.data:
            return [
                "scored on validation, where checkpoint and thresholds were chosen: optimistic; use --folds or --data"
            ]
        known = [*self.items, *self.validation]
        stock = stock_text((item.segment.text for item in (*self.scored, *known)), OVERLAP_WORDS)
        seen = len(self.scored) - len(without_overlap(self.scored, known, OVERLAP_WORDS, stock))
        if not seen:
            return []
        shares = counted(seen, "scored segment shares", "scored segments share")
        return [f"{shares} an article or text with training or validation: the scores are too high"]

    def _taught(self) -> int:
        """How many segments that some run trains on were labelled by a model."""
        trained = np.ones(len(self.items), dtype=bool)
        if self.folds:
            trained[:] = False
            for fold in self.folds.folds:
                trained[fold.train] = True
        return sum(self.items[number].extra.get("teacher") is not None for number in np.flatnonzero(trained).tolist())


def _together(sources: Sequence[str]) -> str:
    few = f"fewer than {SMALL_SOURCE} segments to score each"
    return f"not held out one by one but together, having {few}: {', '.join(sources)}"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
