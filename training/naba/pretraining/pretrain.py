"""Pretraining: article files and an encoder in, an encoder folder out that has read them.

    record = pretrain(PretrainConfig(articles=[…], held_out=[…], out=Path("models/adapted")))

prepare (folder) → read and tokenise once (packing) → train the head, then all (trainer) → write (encoder, card). A run
that was interrupted goes on when started again, to the same weights. Gururangan et al. 2020, "Don't Stop Pretraining".
"""

import logging
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from transformers import set_seed

from naba.finetuning.event_file import event_file
from naba.finetuning.faults import explained
from naba.finetuning.interruption import saving_interrupts
from naba.finetuning.processes import on_all, on_first, rank
from naba.finetuning.run_folder import CHECKPOINTS, claimed, resume_point
from naba.finetuning.steps import StepBar, Stopwatch
from naba.jsonl import write_json
from naba.modelling.device import pick_device, pick_precision, round_weights, to_precision
from naba.modelling.run_encoder import check_normalisation
from naba.notice import NOTICE
from naba.pretraining.blocks import Frame, TrainingBlocks, ValidationBlocks
from naba.pretraining.card import write_card
from naba.pretraining.config import PretrainConfig
from naba.pretraining.encoder import MaskedEncoder, check_length, load_masked, save_masked
from naba.pretraining.folder import EVENTS, PRETRAINING, TOKENS, check_inputs, describe_inputs
from naba.pretraining.held_out import HeldOutSegments
from naba.pretraining.masking import WordMasking
from naba.pretraining.packing import MANY_UNKNOWN, Packed, open_packed, pack, separator
from naba.pretraining.trainer import MaskedTrainer, frequency_perplexity, training_arguments
from naba.progress import SILENT, Progress
from naba.run import environment

logger = logging.getLogger(__name__)

_NEW_HEAD = (
    "The encoder came without a masked-language head. `before` was measured after a new head had been trained alone for "
    "{steps} steps, the encoder frozen; `after` has both trained, so that a part of the gain is the head's."
)
_UNTRAINED_HEAD = "The encoder came without a masked-language head and head_steps is 0: `before` says nothing of it."


def pretrain(config: PretrainConfig, *, overwrite: bool = False, progress: Progress = SILENT) -> dict[str, Any]:
    """Pretrain one encoder; returns what stands in its pretrain.json.

    Under `torchrun` or `accelerate launch` every process calls this; the first one reads the articles and writes.

    Args:
        config: the run.
        overwrite: replace an earlier pretraining in `config.out` instead of refusing.
        progress: where reading and steps are reported.

    Raises:
        ConfigError: CUDA asked for and absent, the output holds something else, or no room is left on the disk.
        DataError: no article is left, or a file cannot be read.
        CheckpointError: the encoder cannot be loaded or pretrained, the loss is no number, or memory ran out.
        KeyboardInterrupt: Ctrl-C or SIGTERM, once a checkpoint is saved.
    """
    started = time.perf_counter()
    device = pick_device(config.device)
    precision = pick_precision(config.precision, device)
    arguments = on_all(lambda: training_arguments(config, device, precision))
    trainer: MaskedTrainer | None = None
    with (
        explained(config.out, lambda: trainer.state.global_step if trainer else 0, "batch_size or block_tokens"),
        ExitStack() as held,
    ):
        encoder = on_all(lambda: _load(config))
        inputs = on_first(lambda: describe_inputs(config, encoder.mark, precision, device, arguments.world_size))
        start = on_first(lambda: _claim(config, encoder, inputs, overwrite, progress, held))
        packed = open_packed(encoder.tokenizer, config.out / TOKENS)
        head_steps = config.head_steps if encoder.head_is_new else 0
        arguments.max_steps = head_steps + config.steps
        masking, frame = WordMasking(encoder.tokenizer, config.mask), Frame.of(encoder.tokenizer, config.block_tokens)
        batch = arguments.train_batch_size * arguments.world_size
        blocks = TrainingBlocks(packed.training, frame, masking, arguments.max_steps * batch, config.seed)
        validation = ValidationBlocks(packed.validation, frame, masking, config.validation_blocks)
        if device == "cpu":
            to_precision(encoder.model, precision)
        trainer = MaskedTrainer(encoder.model, arguments, config, blocks, validation, head_steps)
        stopwatch = Stopwatch(started, start)
        trainer.add_callback(stopwatch)
        _fit(trainer, config.out, start, progress if rank() == 0 else SILENT)
        record = inputs | _outcome(trainer, encoder, packed, batch)
        record |= {"seconds": stopwatch.seconds} | environment()
        if rank() == 0:
            _write(encoder, config, record)
    return record


def _load(config: PretrainConfig) -> MaskedEncoder:
    check_inputs(config)
    set_seed(config.seed)
    encoder = load_masked(config.encoder)
    check_length(encoder, config.encoder, config.block_tokens)
    separator(encoder.tokenizer)
    check_normalisation(config.encoder, config.normalisation, encoder.model.config)
    if encoder.head_is_new:
        logger.log(
            NOTICE,
            "%s: has no masked-language head; a new one, tied to its embeddings, is trained alone for head_steps = %d steps first",
            config.encoder,
            config.head_steps,
        )
    return encoder


def _claim(
    config: PretrainConfig,
    encoder: MaskedEncoder,
    inputs: dict[str, Any],
    overwrite: bool,
    progress: Progress,
    held: ExitStack,
) -> str | None:
    """Take the folder and read the articles; the checkpoint from which the run in it goes on, None where it starts."""
    held_out = HeldOutSegments.read(config.held_out, config.overlap_words, config.overlap_share)
    # Only now: a mistyped encoder or file must neither leave a folder behind nor cost what is there.
    held.enter_context(claimed(config.out, inputs, overwrite=overwrite, kind=PRETRAINING))
    pack(config, encoder.tokenizer, held_out, config.out / TOKENS, progress)
    unknown = open_packed(encoder.tokenizer, config.out / TOKENS).counts["unknown_share"]
    if unknown > MANY_UNKNOWN:
        logger.warning(
            "%s: %.0f %% of the tokens are unknown to its tokenizer; is it an encoder for Arabic, and normalisation = %s its own?",
            config.encoder,
            100 * unknown,
            config.normalisation,
        )
    return resume_point(config.out, inputs["processes"])


def _fit(trainer: MaskedTrainer, out: Path, start: str | None, progress: Progress) -> None:
    steps = int(trainer.args.max_steps)
    with (
        progress.task("pretraining", steps, "steps") as advance,
        event_file(out / EVENTS) as events,
        saving_interrupts(trainer),
    ):
        trainer.add_callback(StepBar(advance, [trainer.settings.batch_size] * steps))
        trainer.add_callback(events)
        trainer.train(resume_from_checkpoint=start)
    trainer.take_masters()
    round_weights(trainer.model, getattr(torch, trainer.settings.weights))  # type: ignore[arg-type]


def _outcome(trainer: MaskedTrainer, encoder: MaskedEncoder, packed: Packed, batch: int) -> dict[str, Any]:
    """What came out, for pretrain.json."""
    settings, head_steps, in_epoch = trainer.settings, trainer.head_steps, trainer.blocks.in_epoch
    history = [entry for entry in trainer.state.log_history if "loss" in entry or "perplexity" in entry]
    pieces = encoder.model.get_input_embeddings().num_embeddings
    note = _NEW_HEAD.format(steps=head_steps) if head_steps else _UNTRAINED_HEAD
    return {
        "articles": packed.counts,
        "blocks": {"training": in_epoch, "validation": len(trainer.validation), "batch": batch},
        "tokens_seen": settings.steps * batch * settings.block_tokens,
        "epochs": round(settings.steps * batch / in_epoch, 4),
        "head": {"new": encoder.head_is_new, "steps": head_steps},
        "held_out": {
            "before": _figures(next(entry for entry in history if "perplexity" in entry)),
            "after": _figures(trainer.measure()),
            "by_frequency": {"perplexity": frequency_perplexity(packed.training, pieces, trainer.validation)},
            "note": note if encoder.head_is_new else "",
        },
        # To the trainer the whole run is one epoch.
        "history": [{key: value for key, value in entry.items() if key != "epoch"} for entry in history],
    }


def _figures(measured: dict[str, Any]) -> dict[str, Any]:
    return {name: measured[name] for name in ("perplexity", "accuracy", "tokens")}


def _write(encoder: MaskedEncoder, config: PretrainConfig, record: dict[str, Any]) -> None:
    save_masked(encoder, config.out, getattr(torch, config.weights))
    write_card(config.out, record)
    # Written last: its presence says that the encoder is complete.
    write_json(config.out / PRETRAINING.done, record)
    for name in (CHECKPOINTS, TOKENS):  # the tokens are the articles' text: no part of an encoder that is passed on
        shutil.rmtree(config.out / name, ignore_errors=True)
