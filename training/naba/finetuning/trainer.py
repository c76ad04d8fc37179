"""Hugging Face's Trainer for the joint model: loss, learning rates, when to validate and save, validation scores.

`naba.finetuning.train` prepares the run folder, uses this to train, and writes the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from naba.config import TrainConfig
from naba.errors import ConfigError
from naba.finetuning.arguments import shared_arguments
from naba.finetuning.batches import BatchPlan, PlannedBatches
from naba.finetuning.faults import check_finite
from naba.finetuning.optimizer import MasterWeights, make_optimizer, parameter_groups
from naba.finetuning.processes import total
from naba.finetuning.run_folder import drop_old_checkpoints
from naba.finetuning.steps import EarlyStopping, PlannedEpochs
from naba.metrics import Labels, score
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.device import Precision, round_weights
from naba.modelling.encode import Collator, EncodedSegments
from naba.modelling.loss import joint_loss, known_labels
from naba.modelling.model import JointLogits, TopicStanceModel
from naba.schema import LabelSchema


def training_arguments(config: TrainConfig, device: str, precision: Precision, checkpoints: Path) -> TrainingArguments:
    """What Hugging Face's Trainer is told; the steps are set by `make_trainer`.

    Raises ConfigError where there are more processes than segments in a batch.
    """
    arguments = shared_arguments(
        "train",
        device,
        precision,
        seed=config.seed,
        output_dir=str(checkpoints),
        # One item of the training set is a process's part of a planned batch.
        per_device_train_batch_size=1,
        per_device_eval_batch_size=2 * config.batch_size,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        lr_scheduler_type="linear",
        max_grad_norm=config.max_grad_norm,
        eval_strategy="steps",
        load_best_model_at_end=True,
        metric_for_best_model="eval_pair_f1",
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,
        ddp_find_unused_parameters=False,  # the heads leave no parameter of the encoder unused
    )
    if config.batch_size < arguments.world_size:
        raise ConfigError(
            f"batch_size = {config.batch_size} cannot be shared by {arguments.world_size} processes; raise batch_size or "
            "start fewer processes"
        )
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
    steps = len(plan)
    epochs = PlannedEpochs(plan, config.epochs)
    if stopped_at is not None:
        plan.batches = plan.batches[:stopped_at]
    arguments.max_steps = min(steps, stopped_at or steps)
    arguments.warmup_steps = int(config.warmup * steps)
    # Rounded down, the last scoring would stand a step before the end, and another at the end itself.
    arguments.eval_steps = arguments.save_steps = ceil(steps / (config.evaluations or max(1.0, config.epochs)))
    arguments.logging_steps = max(1, min(10, steps))
    trainer = (kind or JointTrainer)(
        run.model,  # type: ignore[arg-type]
        arguments,
        data_collator=_FlatCollator(Collator(run.tokenizer.pad_token_id)),
        train_dataset=PlannedBatches(training, plan, arguments.world_size),
        eval_dataset=validation,  # type: ignore[arg-type]
        compute_metrics=lambda prediction: _validation_scores(prediction, run.schema),
    )
    trainer.settings = config
    trainer.planned_steps = steps
    trainer.segments = [len(batch) for batch in plan.batches]
    trainer.add_callback(epochs)
    trainer.add_callback(_Checkpoints())
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    if config.patience:
        trainer.add_callback(EarlyStopping(config.patience))
    return trainer


@dataclass
class _FlatCollator:
    """Collates the rows of planned batches, or of plain datasets."""

    collate: Collator

    def __call__(self, items: Sequence[Any]) -> dict[str, torch.Tensor]:
        return self.collate([row for item in items for row in (item if isinstance(item, list) else [item])])


class _Checkpoints(TrainerCallback):
    """Logs with every checkpoint, which does not hold the mean loss since the last log; drops those no longer needed."""

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        control.should_log |= control.should_save

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            drop_old_checkpoints(Path(args.output_dir))


class JointTrainer(Trainer):
    """Hugging Face's Trainer with the joint loss and two learning rates."""

    settings: TrainConfig
    planned_steps: int
    """Of the whole training, whether it is stopped early or not."""
    segments: list[int]
    """How many each step reads, on all processes together."""
    _adamw: Any = None

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The joint loss of one batch."""
        loss, logits = self.batch_loss(model, inputs)
        if model.training:
            # Batches differ in size: this way segments of a large and of a small batch weigh the same. A part's loss is
            # its share of the whole batch's, and the processes' gradients are averaged, not summed.
            rows = self.segments[self.state.global_step]
            loss = loss * (rows * self.args.world_size / self.settings.batch_size)
            check_finite(loss, self.state.global_step)
        return (loss, logits) if return_outputs else loss

    def batch_loss(self, model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, JointLogits]:
        """Mean loss over what is known in the batch, in training on all processes together; and the logits."""
        logits: JointLogits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        shaped = {"label_smoothing": self.settings.label_smoothing, "focal_gamma": self.settings.focal_gamma}
        known = total(known_labels(inputs)) if model.training else None
        loss = joint_loss(
            logits,
            inputs,
            stance_weight=self.settings.stance_weight,
            known=known,
            **(shaped if model.training else {}),
        )
        return loss, logits

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: Any = None
    ) -> Any:
        """Loss, (topic, stance) logits and (presence, stance) targets of one validation batch."""
        inputs = self._prepare_inputs(inputs)  # type: ignore[assignment]
        with torch.no_grad():
            loss, logits = self.compute_loss(model, inputs, return_outputs=True)
        return loss, (logits.topic.float(), logits.stance.float()), (inputs["presence"], inputs["stance"])

    def take_best(self) -> None:
        """Leave the trained model as it is to be scored and stored: the best weights, computing in float32.

        The trainer has loaded the best checkpoint's weights as the model computed with them; where these were rounded,
        the unrounded ones stand with its optimiser.
        """
        best = self.state.best_model_checkpoint
        if isinstance(self._adamw, MasterWeights) and best is not None:
            self._adamw.restore(Path(best) / "optimizer.pt")
        model: TopicStanceModel = self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)
        round_weights(model.float(), getattr(torch, self.settings.weights))

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
            self._adamw = self.optimizer  # accelerate wraps the other
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
