"""Hugging Face's Trainer for the joint model: loss, learning rates, validation scores, progress, Ctrl-C.

`naba.finetuning.train` prepares the run folder, uses this to train, and writes the run.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from naba.config import TrainConfig
from naba.errors import CheckpointError
from naba.metrics import Labels, score
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.encode import Collator, EncodedSegments
from naba.modelling.loss import joint_loss
from naba.modelling.model import JointLogits
from naba.schema import LabelSchema


def make_trainer(
    config: TrainConfig,
    run: Checkpoint,
    training: EncodedSegments,
    validation: EncodedSegments,
    device: str,
) -> "JointTrainer":
    """A trainer that validates and saves at the configured points, keeps the best checkpoint, and prints nothing."""
    steps = max(1, int(np.ceil(len(training) / config.batch_size) * config.epochs))
    interval = max(1, steps // config.evaluations) if config.evaluations else max(1, round(steps / config.epochs))
    arguments = TrainingArguments(
        output_dir=str(config.out / "checkpoints"),
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=2 * config.batch_size,
        max_steps=steps,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        warmup_steps=int(config.warmup * steps),
        lr_scheduler_type="linear",
        max_grad_norm=config.max_grad_norm,
        eval_strategy="steps",
        eval_steps=interval,
        save_strategy="steps",
        save_steps=interval,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="eval_pair_f1",
        greater_is_better=True,
        logging_steps=max(1, min(10, steps)),
        logging_nan_inf_filter=False,
        train_sampling_strategy="group_by_length",
        remove_unused_columns=False,
        dataloader_pin_memory=device == "cuda",
        use_cpu=device == "cpu",
        report_to=[],
        disable_tqdm=True,
        seed=config.seed,
        data_seed=config.seed,
    )
    trainer = JointTrainer(
        run.model,  # type: ignore[arg-type]
        arguments,
        data_collator=Collator(run.tokenizer.pad_token_id),
        train_dataset=training,
        eval_dataset=validation,  # type: ignore[arg-type]
        compute_metrics=lambda prediction: _validation_scores(prediction, run.schema),
    )
    trainer.settings = config
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    return trainer


class JointTrainer(Trainer):
    """Hugging Face's Trainer with the joint loss and two learning rates."""

    settings: TrainConfig

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The joint loss of one batch."""
        presence, stance = inputs["presence"], inputs["stance"]
        logits: JointLogits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        loss = joint_loss(
            logits,
            presence,
            stance,
            stance_weight=self.settings.stance_weight,
            label_smoothing=self.settings.label_smoothing if model.training else 0.0,
        )
        if model.training and not torch.isfinite(loss):
            raise CheckpointError(
                f"the loss became {loss.item()} at step {self.state.global_step}; lower learning_rate or max_grad_norm"
            )
        return (loss, logits) if return_outputs else loss

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: Any = None
    ) -> Any:
        """Loss, (topic, stance) logits and (presence, stance) targets of one validation batch."""
        inputs = self._prepare_inputs(inputs)  # type: ignore[assignment]
        with torch.no_grad():
            loss, logits = self.compute_loss(model, inputs, return_outputs=True)
        return loss, (logits.topic, logits.stance), (inputs["presence"], inputs["stance"])

    def create_optimizer(self, model: Any = None) -> Any:
        """AdamW with the encoder at its own rate; biases and norms are not decayed."""
        if self.optimizer is None:  # type: ignore[has-type]
            encoder = {id(parameter) for parameter in self.model.encoder_parameters()}  # type: ignore[union-attr]
            groups: dict[tuple[bool, bool], list[Any]] = {}
            for parameter in self.model.parameters():  # type: ignore[union-attr]
                if parameter.requires_grad:
                    groups.setdefault((id(parameter) in encoder, parameter.ndim > 1), []).append(parameter)
            self.optimizer = torch.optim.AdamW(
                [
                    {
                        "params": parameters,
                        "lr": self.settings.learning_rate if pretrained else self.settings.head_learning_rate,
                        "weight_decay": self.settings.weight_decay if decayed else 0.0,
                    }
                    for (pretrained, decayed), parameters in groups.items()
                ]
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
