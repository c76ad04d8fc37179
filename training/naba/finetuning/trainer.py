"""Hugging Face's Trainer for the joint model: loss, learning rates, when to validate and save, validation scores.

`naba.finetuning.train` prepares the run folder, uses this to train, and writes the run.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import torch
from transformers import EarlyStoppingCallback, Trainer, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from naba.config import TrainConfig
from naba.errors import CheckpointError
from naba.finetuning.batches import BatchPlan, PlannedBatches
from naba.finetuning.optimizer import make_optimizer, parameter_groups
from naba.finetuning.processes import ElsewhereError, highest, rank
from naba.finetuning.steps import PlannedEpochs
from naba.metrics import Labels, score
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.device import Precision, to_precision
from naba.modelling.encode import Collator, EncodedSegments
from naba.modelling.loss import joint_loss
from naba.modelling.model import JointLogits, TopicStanceModel
from naba.schema import LabelSchema

logger = logging.getLogger(__name__)


def training_arguments(config: TrainConfig, device: str, precision: Precision, checkpoints: Path) -> TrainingArguments:
    """What Hugging Face's Trainer is told; the steps are set by `make_trainer`."""
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        # One item of the training set is a whole planned batch.
        per_device_train_batch_size=1,
        per_device_eval_batch_size=2 * config.batch_size,
        train_sampling_strategy="sequential",
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        lr_scheduler_type="linear",
        max_grad_norm=config.max_grad_norm,
        eval_strategy="steps",
        save_strategy="steps",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="eval_pair_f1",
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        dataloader_pin_memory=device == "cuda",
        use_cpu=device == "cpu",
        # On a CPU the weights themselves are bfloat16: autocast would spend on casts what the arithmetic saves.
        bf16=precision == "bfloat16" and device == "cuda",
        report_to=[],
        disable_tqdm=True,
        seed=config.seed,
        data_seed=config.seed,
    )
    # `accelerate launch` sets another in the environment; the run says in run.json what the configuration asked for.
    arguments.mixed_precision = "bf16" if arguments.bf16 else "no"
    if arguments.n_gpu > 1:
        logger.warning(
            "one of %d GPUs is used; `accelerate launch -m naba train` with the same arguments uses all",
            arguments.n_gpu,
        )
        # Threads of one process, the Trainer's other way, are slower and cannot pass on what the model returns.
        arguments._n_gpu = 1
    return arguments


def make_trainer(
    config: TrainConfig,
    run: Checkpoint,
    training: EncodedSegments,
    validation: EncodedSegments,
    arguments: TrainingArguments,
    kind: "type[JointTrainer] | None" = None,
    stopped_at: int | None = None,
) -> "JointTrainer":
    """A trainer that validates and saves at the configured points, keeps the best checkpoint, and prints nothing.

    Args:
        run: on a CPU with its encoder in the precision to train in (`lower_precision`).
        kind: a trainer with another loss or optimiser.
        stopped_at: the step at which the run stopped early before it was interrupted; None: it did not.
    """
    plan = BatchPlan(training.lengths, config.batch_size, config.epochs, config.seed)
    batches = arguments.world_size  # in a step: one on each device
    steps = ceil(len(plan) / batches)
    epochs = PlannedEpochs(plan, config.epochs, batches)
    if stopped_at is not None:
        plan.batches = plan.batches[: stopped_at * batches]
    arguments.max_steps = min(steps, stopped_at or steps)
    arguments.warmup_steps = int(config.warmup * steps)
    # Rounded down, the last scoring would stand a step before the end, and another at the end itself.
    arguments.eval_steps = arguments.save_steps = ceil(steps / (config.evaluations or max(1.0, config.epochs)))
    arguments.logging_steps = max(1, min(10, steps))
    trainer = (kind or JointTrainer)(
        run.model,  # type: ignore[arg-type]
        arguments,
        data_collator=_FlatCollator(Collator(run.tokenizer.pad_token_id)),
        train_dataset=PlannedBatches(training, plan),
        eval_dataset=validation,  # type: ignore[arg-type]
        compute_metrics=lambda prediction: _validation_scores(prediction, run.schema),
    )
    trainer.settings = config
    trainer.segments = [
        sum(len(batch) for batch in plan.batches[start : start + batches]) for start in range(0, len(plan), batches)
    ]
    trainer.add_callback(epochs)
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    if config.patience:
        trainer.add_callback(EarlyStoppingCallback(config.patience))
    return trainer


def lower_precision(model: TopicStanceModel, precision: Precision) -> None:
    """Turn the pretrained part to the precision of training; fresh attention heads stay in float32."""
    to_precision(model.classifier if model.head_kind == "plain" else model.encoder, precision)


@dataclass
class _FlatCollator:
    """Collates the rows of planned batches, or of plain datasets."""

    collate: Collator

    def __call__(self, items: Sequence[Any]) -> dict[str, torch.Tensor]:
        return self.collate([row for item in items for row in (item if isinstance(item, list) else [item])])


class JointTrainer(Trainer):
    """Hugging Face's Trainer with the joint loss and two learning rates."""

    settings: TrainConfig
    segments: list[int]
    """How many each step reads, on all processes together."""

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The joint loss of one batch."""
        loss, logits = self.batch_loss(model, inputs)
        if model.training:
            # Batches differ in size: this way segments of a large and of a small batch weigh the same.
            loss = loss * (len(inputs["input_ids"]) / self.settings.batch_size)
            if highest(int(not torch.isfinite(loss)), loss.device):
                kind = CheckpointError if rank() == 0 else ElsewhereError
                raise kind(
                    f"the loss became {loss.item()} at step {self.state.global_step}; lower learning_rate or max_grad_norm"
                )
        return (loss, logits) if return_outputs else loss

    def batch_loss(self, model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, JointLogits]:
        """Mean loss over what is known in the batch, and the logits."""
        logits: JointLogits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        smoothing = self.settings.label_smoothing if model.training else 0.0
        loss = joint_loss(logits, inputs, stance_weight=self.settings.stance_weight, label_smoothing=smoothing)
        return loss, logits

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: Any = None
    ) -> Any:
        """Loss, (topic, stance) logits and (presence, stance) targets of one validation batch."""
        inputs = self._prepare_inputs(inputs)  # type: ignore[assignment]
        with torch.no_grad():
            loss, logits = self.compute_loss(model, inputs, return_outputs=True)
        return loss, (logits.topic.float(), logits.stance.float()), (inputs["presence"], inputs["stance"])

    def create_optimizer(self, model: Any = None) -> Any:
        """AdamW with the encoder at its own rate."""
        if self.optimizer is None:  # type: ignore[has-type]
            self.optimizer = make_optimizer(
                parameter_groups(
                    self.model,  # type: ignore[arg-type]
                    learning_rate=self.settings.learning_rate,
                    head_learning_rate=self.settings.head_learning_rate,
                    weight_decay=self.settings.weight_decay,
                )
            )
        return self.optimizer


def _validation_scores(prediction: Any, schema: LabelSchema) -> dict[str, float]:
    (topic, stance), (presence, gold_stance) = prediction.predictions, prediction.label_ids
    predicted = Labels((topic > 0).astype(int), stance.argmax(-1))
    scores = score(Labels(presence, gold_stance), predicted, schema)
    return {
        "pair_f1": scores["pairs"]["f1"],
        "topic_macro_f1": scores["topics"]["macro_f1"] or 0.0,
        "stance_macro_f1": scores["stances"]["macro_f1"] or 0.0,
    }
