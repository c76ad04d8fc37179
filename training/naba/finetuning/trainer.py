"""Hugging Face's Trainer for the joint model: loss, learning rates, validation scores, progress, Ctrl-C.

`naba.finetuning.train` prepares the run folder, uses this to train, and writes the run.
"""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import torch
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from naba.config import TrainConfig
from naba.errors import CheckpointError
from naba.finetuning.batches import BatchPlan, PlannedBatches
from naba.finetuning.optimizer import make_optimizer, parameter_groups
from naba.metrics import Labels, score
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.device import Precision
from naba.modelling.encode import Collator, EncodedSegments
from naba.modelling.loss import joint_loss
from naba.modelling.model import JointLogits, TopicStanceModel
from naba.schema import LabelSchema


def training_arguments(config: TrainConfig, device: str, precision: Precision, checkpoints: Path) -> TrainingArguments:
    """What Hugging Face's Trainer is told; the steps are set by `make_trainer`."""
    return TrainingArguments(
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


def make_trainer(
    config: TrainConfig,
    run: Checkpoint,
    training: EncodedSegments,
    validation: EncodedSegments,
    arguments: TrainingArguments,
    kind: "type[JointTrainer] | None" = None,
) -> "JointTrainer":
    """A trainer that validates and saves at the configured points, keeps the best checkpoint, and prints nothing.

    Args:
        run: on a CPU with its encoder in the precision to train in (`to_precision`).
        kind: a trainer with another loss or optimiser.
    """
    plan = BatchPlan(training.lengths, config.batch_size, config.epochs, config.seed)
    steps = ceil(len(plan) / (arguments.world_size * max(1, arguments.n_gpu)))
    arguments.max_steps = steps
    arguments.warmup_steps = int(config.warmup * steps)
    arguments.eval_steps = arguments.save_steps = max(1, round(steps / (config.evaluations or max(1.0, config.epochs))))
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
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    if config.patience:
        trainer.add_callback(EarlyStoppingCallback(config.patience))
    return trainer


def to_precision(model: TopicStanceModel, precision: Precision) -> None:
    """Turn the pretrained part to the precision of training; fresh attention heads stay in float32."""
    part = model.classifier if model.head_kind == "plain" else model.encoder
    part.to(getattr(torch, precision))


@dataclass
class _FlatCollator:
    """Collates the rows of planned batches, or of plain datasets."""

    collate: Collator

    def __call__(self, items: Sequence[Any]) -> dict[str, torch.Tensor]:
        return self.collate([row for item in items for row in (item if isinstance(item, list) else [item])])


class JointTrainer(Trainer):
    """Hugging Face's Trainer with the joint loss and two learning rates."""

    settings: TrainConfig

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The joint loss of one batch."""
        loss, logits = self.batch_loss(model, inputs)
        if model.training:
            # Batches differ in size: this way every segment weighs the same, whatever its length.
            loss = loss * (len(inputs["input_ids"]) / self.settings.batch_size)
            if not torch.isfinite(loss):
                raise CheckpointError(
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


@contextmanager
def saving_interrupts(trainer: "JointTrainer") -> Iterator[None]:
    """Within the block the first Ctrl-C ends the step, saves a checkpoint and then interrupts; the second at once."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    stop = _StopAndSave()
    trainer.add_callback(stop)

    def handle(number: int, frame: Any) -> None:
        if stop.wanted:
            raise KeyboardInterrupt
        stop.wanted = True

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if stop.wanted:
        raise KeyboardInterrupt


class _StopAndSave(TrainerCallback):
    """Once wanted, has the trainer save after the step it is in, and stop."""

    wanted = False

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.wanted:
            control.should_save = control.should_training_stop = True


class StepBar(TrainerCallback):
    """Passes the steps, the loss and the validation score on to the progress."""

    def __init__(self, advance: Any) -> None:
        self.advance, self.done, self.loss, self.best = advance, 0, "", ""

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.advance(state.global_step - self.done, f"{self.loss} {self.best}".strip())
        self.done = state.global_step

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if logs and "loss" in logs:
            self.loss = f"loss {float(logs['loss']):.3f}"
        if logs and "eval_pair_f1" in logs:
            self.best = f"validation pair-F1 {logs['eval_pair_f1']:.3f}"


def _validation_scores(prediction: Any, schema: LabelSchema) -> dict[str, float]:
    (topic, stance), (presence, gold_stance) = prediction.predictions, prediction.label_ids
    predicted = Labels((topic > 0).astype(int), stance.argmax(-1))
    scores = score(Labels(presence, gold_stance), predicted, schema)
    return {
        "pair_f1": scores["pairs"]["f1"],
        "topic_macro_f1": scores["topics"]["macro_f1"] or 0.0,
        "stance_macro_f1": scores["stances"]["macro_f1"] or 0.0,
    }
