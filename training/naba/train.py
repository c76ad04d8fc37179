"""Fine-tuning: labelled segments and an encoder in, a complete run folder out.

    result = train(TrainConfig(train=[…], validation=[…], out=Path("models/mine")))

The best checkpoint is the one with the highest (topic, stance) pair F1 on validation; thresholds and temperatures are
fitted there too. A run that was interrupted goes on from its last checkpoint when started again.
"""

import logging
import pickle
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from naba.calibration import fit_decision
from naba.config import TrainConfig
from naba.corpus.labelled import load_labelled
from naba.errors import CheckpointError, ConfigError, DataError
from naba.jsonl import read_json, write_json
from naba.metrics import Labels, score
from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.device import pick_device
from naba.modelling.encode import Collator, EncodedSegments
from naba.modelling.loss import joint_loss
from naba.modelling.model import JointLogits
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.run import describe_run, fingerprint, write_model_card
from naba.schema import LabelSchema

logger = logging.getLogger(__name__)


def train(config: TrainConfig, *, overwrite: bool = False, progress: Progress = SILENT) -> dict[str, Any]:
    """Train one run; returns what stands in its run.json.

    Args:
        config: the run.
        overwrite: replace a finished or foreign run in `config.out` instead of refusing.
        progress: where the steps are reported.

    Raises:
        ConfigError: CUDA asked for and absent, or the output holds another run.
        DataError: no data, or labels outside the schema.
        CheckpointError: the encoder cannot be loaded.
    """
    device = pick_device(config.device)
    schema = LabelSchema.load(find(config.labels))
    training = load_labelled(config.train, schema)
    validation = load_labelled(config.validation, schema)
    started = time.perf_counter()
    set_seed(config.seed)
    run = checkpoints.from_encoder(
        config.encoder,
        schema,
        normalisation=config.normalisation,
        head=config.head,
        max_tokens=config.max_tokens,
        dropout=config.dropout,
    )
    # Only now: a mistyped encoder must neither leave a folder behind nor cost the run that is there.
    _prepare(config, schema, overwrite)
    encode = [
        EncodedSegments(items, schema, run.tokenizer, run.normalise, config.max_tokens)
        for items in (training, validation)
    ]
    trainer = _trainer(config, run, encode[0], encode[1], device, progress)
    start = last_whole_checkpoint(config.out / "checkpoints")
    if start:
        logger.warning(
            "%s: going on from %s of an interrupted run", config.out, Path(start).name.replace("-", " of step ")
        )
    with progress.task("training", int(trainer.args.max_steps), "steps") as advance, _saving_interrupts(trainer):
        trainer.add_callback(_Bar(advance))
        trainer.train(resume_from_checkpoint=start)
    logits = trainer.predict(encode[1])  # type: ignore[arg-type]
    (topic, stance), (presence, gold_stance) = logits.predictions, logits.label_ids  # type: ignore[misc]
    run.decision = fit_decision(topic, stance, presence, gold_stance, schema)
    probability, _ = run.decision.probabilities(topic, stance, schema)
    predicted = Labels((probability >= run.decision.thresholds(schema)).astype(int), stance.argmax(-1))
    scores = score(Labels(presence, gold_stance), predicted, schema)
    if scores["pairs"]["f1"] == 0:
        logger.warning("%s: no (topic, stance) pair of validation is right; train longer or on more data", config.out)
    run.model.to("cpu")
    checkpoints.save(run, config.out, getattr(torch, config.weights))
    record = describe_run(
        config,
        schema,
        sizes={"train": len(training), "validation": len(validation)},
        seconds=time.perf_counter() - started,
        validation=scores,
        history=[entry for entry in trainer.state.log_history if "loss" in entry or "eval_pair_f1" in entry],
        best_step=trainer.state.best_global_step,
    )
    write_model_card(config.out, record, schema)
    # Written last: its presence says that the run is complete.
    write_json(config.out / "run.json", record)
    shutil.rmtree(config.out / "checkpoints", ignore_errors=True)
    return record


def _prepare(config: TrainConfig, schema: LabelSchema, overwrite: bool) -> None:
    """Make the run folder; find out whether it holds this run, unfinished, or something else."""
    out = config.out
    # Weights trained on other data or labels are another run, whatever the configuration says.
    wanted = {
        "config": config.model_dump(mode="json"),
        "schema": schema.fingerprint,
        "data": {str(path): fingerprint(find(path)) for path in (*config.train, *config.validation)},
    }
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: is a file, not a folder; choose another 'out'")
    if out.exists() and any(out.iterdir()):
        unfinished = (out / "train.json").is_file() and not (out / "run.json").is_file()
        if unfinished and read_json(out / "train.json") == wanted:
            return
        if not overwrite:
            state = "an unfinished run with another configuration or other data" if unfinished else "files already"
            raise ConfigError(f"{out}: holds {state}; choose another 'out', or pass --overwrite to replace it")
        if not (out / "train.json").is_file():
            raise ConfigError(f"{out}: holds files that are no run of naba; choose another 'out'")
        shutil.rmtree(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be made ({error.strerror}); choose another 'out'") from None
    write_json(out / "train.json", wanted)


def last_whole_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that was written whole; broken ones, left by a kill while saving, are removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    for path in found:
        if _is_whole(path):
            return str(path)
        logger.warning("%s: broken, as after a kill while it was written; the one before it is used", path)
        shutil.rmtree(path)
    return None


def _is_whole(checkpoint: Path) -> bool:
    """Whether weights, optimiser and the trainer's state, which is written last, can all be read."""
    try:
        read_json(checkpoint / "trainer_state.json")
        with safe_open(checkpoint / "model.safetensors", "pt") as weights:
            weights.keys()
        torch.load(checkpoint / "optimizer.pt", map_location="cpu", weights_only=True)
    except (OSError, DataError, SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError):
        return False
    return True


def _trainer(
    config: TrainConfig,
    run: Checkpoint,
    training: EncodedSegments,
    validation: EncodedSegments,
    device: str,
    progress: Progress,
) -> "JointTrainer":
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
def _saving_interrupts(trainer: "JointTrainer") -> Iterator[None]:
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


class _Bar(TrainerCallback):
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
