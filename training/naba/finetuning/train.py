"""Fine-tuning: labelled segments and an encoder in, a complete run folder out.

    result = train(TrainConfig(train=[…], validation=[…], out=Path("models/mine")))

The best checkpoint is the one with the highest (topic, stance) pair F1 on validation; thresholds and temperatures are
fitted there too. A run that was interrupted goes on from its last checkpoint when started again.
"""

import logging
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import set_seed

from naba.calibration import fit_decision
from naba.config import TrainConfig
from naba.dataset.labelled import load_labelled
from naba.finetuning.event_file import event_file
from naba.finetuning.faults import explained
from naba.finetuning.from_run import RecordedRun
from naba.finetuning.inputs import check_inputs
from naba.finetuning.interruption import saving_interrupts
from naba.finetuning.learning_curve import draw
from naba.finetuning.processes import on_all, on_first, rank
from naba.finetuning.run_folder import CHECKPOINTS, RUN, claimed, data_fingerprints, early_stop, resume_point, step_of
from naba.finetuning.steps import ScoringBar, StepBar, Stopwatch
from naba.finetuning.trainable import check_apart, check_trainable
from naba.finetuning.trainer import JointTrainer, make_trainer, training_arguments
from naba.jsonl import write_json
from naba.metrics import Labels, score
from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.device import lower_precision, pick_device, pick_precision
from naba.modelling.encode import EncodedSegments
from naba.modelling.layers import keep_layers
from naba.modelling.pretrained import encoder_mark
from naba.modelling.run_encoder import tell_origin
from naba.modelling.targets import weigh_classes
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.run import CURVE, describe_inputs, environment, write_model_card
from naba.schema import LabelSchema

logger = logging.getLogger(__name__)

EVENTS = "tensorboard"


def train(
    config: TrainConfig,
    *,
    overwrite: bool = False,
    progress: Progress = SILENT,
    repeats: RecordedRun | None = None,
) -> dict[str, Any]:
    """Train one run; returns what stands in its run.json.

    Under `accelerate launch` every process calls this; the first one writes.

    Args:
        config: the run.
        overwrite: replace a finished or foreign run in `config.out` instead of refusing.
        progress: where the steps are reported.
        repeats: a run that this is to be the same as, as far as its data, labels and encoder are not changed in `config`.

    Raises:
        ConfigError: CUDA asked for and absent, the output holds another run, or the disk is full.
        DataError: no data, or labels outside the schema, or nothing known, or segments in training and in validation, or
            other data than of the run to repeat.
        CheckpointError: the encoder cannot be loaded or is another, the loss is no number, or memory ran out.
        KeyboardInterrupt: Ctrl-C or SIGTERM, once a checkpoint is saved.
    """
    started = time.perf_counter()
    device = pick_device(config.device)
    precision = pick_precision(config.precision, device)
    arguments = on_all(lambda: training_arguments(config, device, precision, config.out / CHECKPOINTS))
    trainer: JointTrainer | None = None
    with (
        explained(config.out, lambda: trainer.state.global_step if trainer else 0, "batch_size or max_tokens"),
        ExitStack() as held,
    ):
        ready = on_all(lambda: _ready(config))
        inputs = describe_inputs(
            config,
            ready.run.schema,
            encoder=encoder_mark(config.encoder, loaded=True),
            data=ready.data,
            precision=precision,
            device=device,
            processes=arguments.world_size,
        )
        # Only now: a mistyped encoder must neither leave a folder behind nor cost the run that is there.
        start = on_first(lambda: _claim(config, inputs, repeats, overwrite, held))
        if device == "cpu":
            lower_precision(ready.run.model, precision)
        stopped_at = early_stop(start, config.patience) if start else None
        trainer = make_trainer(config, ready.run, ready.training, ready.validation, arguments, stopped_at=stopped_at)
        told = progress if rank() == 0 else SILENT
        stopwatch = Stopwatch(started, start)
        trainer.add_callback(stopwatch)
        _fit(trainer, config.out, start, told)
        trainer.take_best()
        record = inputs | _outcome(ready, trainer, start, told)
        record |= {"seconds": stopwatch.seconds} | environment()
        if rank() == 0:
            _write(ready.run, config, record)
    return record


@dataclass
class _Ready:
    """What there is before a run folder is touched."""

    run: Checkpoint
    training: EncodedSegments
    validation: EncodedSegments
    data: dict[str, str]


def _ready(config: TrainConfig) -> _Ready:
    """The model with fresh heads, and the training and validation segments as it reads them."""
    check_inputs(config)
    schema = LabelSchema.load(find(config.labels))
    parts = [load_labelled([source.path], schema) for source in config.train]
    training = [item for part in parts for item in part]
    weights = [source.weight for source, part in zip(config.train, parts, strict=True) for _ in part]
    validation = load_labelled(config.validation, schema)
    check_trainable(training, validation, schema)
    check_apart(training, validation, allow_leak=config.allow_leak)
    set_seed(config.seed)
    run = checkpoints.from_encoder(
        config.encoder,
        schema,
        normalisation=config.normalisation,
        head=config.head,
        max_tokens=config.max_tokens,
        dropout=config.dropout,
    )
    tell_origin(config.encoder, config.normalisation, run.model.config)
    if config.layers is not None:
        keep_layers(run.model, config.layers)
    encoded = EncodedSegments(training, schema, run.tokenizer, run.normalise, config.max_tokens, weights)
    if config.class_weights:
        weigh_classes(encoded.rows)
    held_out = EncodedSegments(validation, schema, run.tokenizer, run.normalise, config.max_tokens)
    held_out.rows.sort(key=lambda row: len(row["input_ids"]), reverse=True)  # little padding in each batch
    return _Ready(run, encoded, held_out, data_fingerprints(config))


def _claim(
    config: TrainConfig, inputs: dict[str, Any], repeats: RecordedRun | None, overwrite: bool, held: ExitStack
) -> str | None:
    """Take the run folder; the checkpoint from which the run in it goes on, None where it starts."""
    if repeats is not None:
        repeats.check(inputs)
    held.enter_context(claimed(config.out, inputs, overwrite=overwrite))
    return resume_point(config.out, inputs["processes"])


def _fit(trainer: JointTrainer, out: Path, start: str | None, progress: Progress) -> None:
    """Train to the end, and leave the best checkpoint's weights in the model."""
    with (
        progress.task("training", int(trainer.args.max_steps), "steps") as advance,
        event_file(out / EVENTS) as events,
        saving_interrupts(trainer),
    ):
        trainer.add_callback(StepBar(advance, trainer.segments))
        trainer.add_callback(events)
        trainer.train(resume_from_checkpoint=start)


def _outcome(ready: _Ready, trainer: JointTrainer, start: str | None, progress: Progress) -> dict[str, Any]:
    """Fit thresholds and temperatures on validation; what came out, for run.json."""
    schema, state = ready.run.schema, trainer.state
    batches = len(trainer.get_eval_dataloader())
    with progress.task("scoring validation", batches, "batches") as advance:
        trainer.add_callback(ScoringBar(advance))
        logits = trainer.predict(ready.validation)  # type: ignore[arg-type]
    (topic, stance), (presence, gold_stance) = logits.predictions, logits.label_ids  # type: ignore[misc]
    ready.run.decision = fit_decision(topic, stance, presence, gold_stance, schema)
    decision = ready.run.decision
    predicted = decision.labels(*decision.probabilities(topic, stance, schema), schema)
    return {
        "segments": {"train": len(ready.training), "validation": len(ready.validation)},
        "validation": score(Labels(presence, gold_stance), predicted, schema),
        "resumed_at": step_of(start) if start else None,
        "steps": state.global_step,
        "planned_steps": trainer.planned_steps,
        "best_step": state.best_global_step,
        "history": [entry for entry in state.log_history if "loss" in entry or "eval_pair_f1" in entry],
    }


def _write(run: Checkpoint, config: TrainConfig, record: dict[str, Any]) -> None:
    if record["validation"]["pairs"]["f1"] == 0:
        more = "with more patience" if record["steps"] < record["planned_steps"] else "longer"
        logger.warning("%s: no (topic, stance) pair of validation is right; train %s or on more data", config.out, more)
    run.model.to("cpu")
    checkpoints.save(run, config.out, getattr(torch, config.weights))
    draw(record["history"], record["best_step"], config.out / CURVE)
    write_model_card(config.out, record, run.schema)
    # Written last: its presence says that the run is complete.
    write_json(config.out / RUN.done, record)
    shutil.rmtree(config.out / CHECKPOINTS, ignore_errors=True)
