"""Fine-tuning: labelled segments and an encoder in, a complete run folder out.

    result = train(TrainConfig(train=[…], validation=[…], out=Path("models/mine")))

The best checkpoint is the one with the highest (topic, stance) pair F1 on validation; thresholds and temperatures are
fitted there too. A run that was interrupted goes on from its last checkpoint when started again.
"""

import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import set_seed

from naba.calibration import fit_decision
from naba.config import TrainConfig
from naba.dataset.labelled import load_labelled
from naba.errors import CheckpointError, ConfigError
from naba.finetuning.run_folder import data_fingerprints, last_whole_checkpoint, prepare
from naba.finetuning.trainable import check_trainable
from naba.finetuning.trainer import (
    JointTrainer,
    StepBar,
    make_trainer,
    saving_interrupts,
    to_precision,
    training_arguments,
)
from naba.jsonl import write_json
from naba.metrics import Labels, score
from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.device import pick_device, pick_precision
from naba.modelling.encode import EncodedSegments
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.run import describe_run, write_model_card
from naba.schema import LabelSchema

logger = logging.getLogger(__name__)


def train(config: TrainConfig, *, overwrite: bool = False, progress: Progress = SILENT) -> dict[str, Any]:
    """Train one run; returns what stands in its run.json.

    Under `accelerate launch` every process calls this; the first one writes.

    Args:
        config: the run.
        overwrite: replace a finished or foreign run in `config.out` instead of refusing.
        progress: where the steps are reported.

    Raises:
        ConfigError: CUDA asked for and absent, or the output holds another run.
        DataError: no data, or labels outside the schema, or nothing known.
        CheckpointError: the encoder cannot be loaded, the loss is no number, memory or disk ran out.
    """
    started = time.perf_counter()
    device = pick_device(config.device)
    precision = pick_precision(config.precision, device)
    schema = LabelSchema.load(find(config.labels))
    run, training, validation = _encoded(config, schema)
    arguments = training_arguments(config, device, precision, config.out / "checkpoints")
    main = arguments.process_index == 0
    if main:
        # Only now: a mistyped encoder must neither leave a folder behind nor cost the run that is there.
        prepare(config, schema, precision, overwrite)
    if device == "cpu":
        to_precision(run.model, precision)
    trainer = make_trainer(config, run, training, validation, arguments)
    start = _go_on(config.out) if main else None
    if arguments.world_size > 1:
        start = _agreed(start)
    with (
        progress.task("training", int(arguments.max_steps), "steps") as advance,
        saving_interrupts(trainer),
        _explained(trainer, config.out),
    ):
        trainer.add_callback(StepBar(advance))
        trainer.train(resume_from_checkpoint=start)
    run.model.float()
    logits = trainer.predict(validation)  # type: ignore[arg-type]
    (topic, stance), (presence, gold_stance) = logits.predictions, logits.label_ids  # type: ignore[misc]
    run.decision = fit_decision(topic, stance, presence, gold_stance, schema)
    probability, _ = run.decision.probabilities(topic, stance, schema)
    predicted = Labels((probability >= run.decision.thresholds(schema)).astype(int), stance.argmax(-1))
    scores = score(Labels(presence, gold_stance), predicted, schema)
    record = describe_run(
        config,
        schema,
        precision=precision,
        data=data_fingerprints(config),
        sizes={"train": len(training), "validation": len(validation)},
        processes=arguments.world_size,
        seconds=time.perf_counter() - started,
        validation=scores,
        history=[entry for entry in trainer.state.log_history if "loss" in entry or "eval_pair_f1" in entry],
        best_step=trainer.state.best_global_step,
    )
    if main:
        if scores["pairs"]["f1"] == 0:
            logger.warning(
                "%s: no (topic, stance) pair of validation is right; train longer or on more data", config.out
            )
        _write(run, config, record, schema)
    return record


def _encoded(config: TrainConfig, schema: LabelSchema) -> tuple[Checkpoint, EncodedSegments, EncodedSegments]:
    """The model with fresh heads, and the training and validation segments as it reads them."""
    for name in ("train", "validation"):
        if not getattr(config, name):
            raise ConfigError(
                f"{name}: names no file; `naba build` makes both parts, and the checkpoint is chosen on validation"
            )
    parts = [load_labelled([source.path], schema) for source in config.train]
    training = [item for part in parts for item in part]
    weights = [source.weight for source, part in zip(config.train, parts, strict=True) for _ in part]
    validation = load_labelled(config.validation, schema)
    check_trainable(training, validation, schema)
    set_seed(config.seed)
    run = checkpoints.from_encoder(
        config.encoder,
        schema,
        normalisation=config.normalisation,
        head=config.head,
        max_tokens=config.max_tokens,
        dropout=config.dropout,
    )
    encoded = EncodedSegments(training, schema, run.tokenizer, run.normalise, config.max_tokens, weights)
    held_out = EncodedSegments(validation, schema, run.tokenizer, run.normalise, config.max_tokens)
    held_out.rows.sort(key=lambda row: len(row["input_ids"]), reverse=True)  # little padding in each batch
    return run, encoded, held_out


def _go_on(out: Path) -> str | None:
    start = last_whole_checkpoint(out / "checkpoints")
    if start:
        logger.warning("%s: going on from %s of an interrupted run", out, Path(start).name.replace("-", " of step "))
    return start


def _agreed(start: str | None) -> str | None:
    """What the first process found, on all processes."""
    holder = [start]
    torch.distributed.broadcast_object_list(holder)
    return holder[0]


def _write(run: Checkpoint, config: TrainConfig, record: dict[str, Any], schema: LabelSchema) -> None:
    run.model.to("cpu")
    checkpoints.save(run, config.out, getattr(torch, config.weights))
    write_model_card(config.out, record, schema)
    # Written last: its presence says that the run is complete.
    write_json(config.out / "run.json", record)
    shutil.rmtree(config.out / "checkpoints", ignore_errors=True)


@contextmanager
def _explained(trainer: JointTrainer, out: Path) -> Iterator[None]:
    """Memory or disk that runs out, as one line that says what to do."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError, MemoryError) as error:
        reason = " ".join(str(error).split())[:160]
        step = trainer.state.global_step
        if isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate memory" in reason:
            raise CheckpointError(
                f"{out}: out of memory at step {step}; lower batch_size or max_tokens and start again with --overwrite ({reason})"
            ) from None
        if isinstance(error, OSError | SafetensorError) or "PytorchStreamWriter" in reason or "write" in reason:
            raise ConfigError(
                f"{out}: a checkpoint cannot be written at step {step} ({reason}); free some space and start again: "
                "the run goes on from the checkpoint before"
            ) from None
        raise
