"""Hugging Face's Trainer for masked language modelling: loss, rates, the phase of a new head, perplexity on validation.

`naba.pretraining.pretrain` prepares the folder, uses this to train, and writes the encoder.
"""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from naba.errors import CheckpointError, ConfigError
from naba.finetuning.arguments import shared_arguments
from naba.finetuning.faults import check_finite
from naba.finetuning.optimizer import make_optimizer
from naba.finetuning.run_folder import CHECKPOINTS
from naba.modelling.device import Precision
from naba.pretraining.blocks import TrainingBlocks, ValidationBlocks
from naba.pretraining.config import PretrainConfig
from naba.pretraining.masking import IGNORED

_CHUNK = 1 << 22
"""Tokens counted at once."""
_ROUND_TO = 64
"""The masked tokens that a head reads at once are a multiple of this."""


def training_arguments(config: PretrainConfig, device: str, precision: Precision) -> TrainingArguments:
    """What Hugging Face's Trainer is told but for the steps; `batch_size` is shared by the processes.

    Raises ConfigError where it cannot be.
    """
    arguments = shared_arguments(
        "pretrain",
        device,
        precision,
        seed=config.seed,
        output_dir=str(config.out / CHECKPOINTS),
        learning_rate=config.learning_rate,
        max_grad_norm=config.max_grad_norm,
        save_steps=config.save_every,
        save_total_limit=2,
        logging_steps=min(10, config.steps),
        ddp_timeout=24 * 3600,  # the others wait while the first process tokenises
    )
    if config.batch_size % arguments.world_size:
        raise ConfigError(
            f"batch_size = {config.batch_size} cannot be shared by {arguments.world_size} processes; choose a multiple"
        )
    arguments.per_device_train_batch_size = config.batch_size // arguments.world_size
    return arguments


class MaskedTrainer(Trainer):
    """Hugging Face's Trainer with the masked loss; for `head_steps` steps only the head is trained."""

    def __init__(
        self,
        model: Any,
        arguments: TrainingArguments,
        config: PretrainConfig,
        training: TrainingBlocks,
        validation: ValidationBlocks,
        head_steps: int,
    ) -> None:
        """`model` in the precision to train in; see `to_precision`."""
        super().__init__(model, arguments, train_dataset=training)
        self.settings, self.blocks, self.validation, self.head_steps = config, training, validation, head_steps
        self.trained = list(model.parameters())
        self._adamw: Any = None
        for callback in (PrinterCallback, ProgressCallback):
            self.remove_callback(callback)
        self.add_callback(_Phases(self))

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Mean cross-entropy over the masked tokens of one batch, in nats."""
        losses, _ = masked_losses(model, inputs["input_ids"], inputs["labels"])
        loss = losses.sum() / max(1, len(losses))
        check_finite(loss, self.state.global_step)
        return loss

    def create_optimizer(self, model: Any = None) -> Any:
        """AdamW; matrices decay, biases and norms do not."""
        if self.optimizer is None:  # type: ignore[has-type]
            groups = [
                {"params": [p for p in self.trained if (p.ndim > 1) == decayed], "weight_decay": decay}
                for decayed, decay in ((True, self.settings.weight_decay), (False, 0.0))
            ]
            self.trained = [parameter for group in groups for parameter in group["params"]]  # type: ignore[attr-defined]
            self.optimizer = make_optimizer([group | {"lr": self.settings.learning_rate} for group in groups])
            self._adamw = self.optimizer  # accelerate wraps the other
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """A steady rate for the new head alone; then, for all, warm-up and linear decay."""
        if self.lr_scheduler is None:  # type: ignore[has-type]
            steps, settings = num_training_steps - self.head_steps, self.settings
            warmup = int(settings.warmup * steps)

            def factor(step: int) -> float:
                if step < self.head_steps:
                    return settings.head_learning_rate / settings.learning_rate
                step -= self.head_steps
                return min((step + 1) / (warmup + 1), (steps - step) / (steps - warmup))

            self.lr_scheduler = LambdaLR(optimizer or self.optimizer, factor)
        return self.lr_scheduler

    def measure(self) -> dict[str, float]:
        """What `perplexity` finds on the validation blocks, by the weights in float32."""
        names = {id(parameter): name for name, parameter in self.model.named_parameters()}  # type: ignore[union-attr]
        weights = {names[id(parameter)]: master for parameter, master in zip(self.trained, self.masters, strict=True)}
        return perplexity(self.model, self.validation, self.args.device, self.args.per_device_train_batch_size, weights)

    def take_masters(self) -> None:
        """Give the model the weights in float32, once it is trained."""
        for parameter, master in zip(self.trained, self.masters, strict=True):
            parameter.data = master.data

    @property
    def masters(self) -> list[Tensor]:
        """The trained weights in float32: the model's own, or the optimiser's copies of rounded ones."""
        return list(getattr(self._adamw, "masters", self.trained))


class _Phases(TrainerCallback):
    """Trains the head alone first; measures before the encoder is trained, and whenever a checkpoint is saved."""

    def __init__(self, trainer: MaskedTrainer) -> None:
        self.trainer = trainer

    def on_step_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        alone = state.global_step < self.trainer.head_steps
        for parameter in model.base_model.parameters():
            parameter.requires_grad_(not alone)
        if state.global_step == self.trainer.head_steps:
            self.trainer.log(self.trainer.measure())

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step % args.save_steps == 0:
            if self.trainer.head_steps < state.global_step < state.max_steps:
                self.trainer.log(self.trainer.measure())
            # A checkpoint does not hold the mean loss since the last log. Set last: every log unsets it.
            control.should_log = True


def masked_losses(
    model: Any, input_ids: Tensor, labels: Tensor, weights: Mapping[str, Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """Cross-entropy in nats and whether the first guess is right, for each of the M masked tokens of [B, L]: [M], [M].

    The head reads the masked tokens alone: a seventh of them, and the head is a quarter of a small model's work.

    Args:
        weights: name → what to compute with instead of the model's own parameters.
    """
    chosen = (labels.flatten() != IGNORED).nonzero().squeeze(1)  # [M]
    # Filled up, so that kernels are kept for few shapes; what is filled in has no part in the losses.
    filled = F.pad(chosen, (0, -len(chosen) % _ROUND_TO))

    def keep(module: Any, arguments: Any, output: Any) -> Any:
        output.last_hidden_state = output.last_hidden_state.flatten(0, 1)[filled].unsqueeze(0)  # [1, M or more, H]
        return output

    with getattr(model, "module", model).base_model.register_forward_hook(keep):
        read = model if weights is None else partial(_with_weights, model, weights)
        logits = read(input_ids=input_ids).logits[0, : len(chosen)].float()  # [M, V]
    wanted = labels.flatten()[chosen]
    return F.cross_entropy(logits, wanted, reduction="none"), logits.argmax(-1) == wanted


def _with_weights(model: Any, weights: Mapping[str, Tensor], **inputs: Tensor) -> Any:
    # The parameters stay what they are: exchanging their data for another type would undo their hooks, by which several
    # processes share gradients.
    return functional_call(model, dict(weights), kwargs=inputs)


@torch.no_grad()
def perplexity(
    model: Any, validation: ValidationBlocks, device: Any, batch_size: int, weights: Mapping[str, Tensor] | None = None
) -> dict[str, float]:
    """Mean loss of the masked tokens, its exponential (pseudo-perplexity), and how many first guesses are right."""
    training = model.training
    model.eval()
    total = torch.zeros(3, dtype=torch.float64)  # loss, right guesses, tokens
    for batch in DataLoader(validation, batch_size, generator=torch.Generator()):
        losses, right = masked_losses(model, batch["input_ids"].to(device), batch["labels"].to(device), weights)
        total += torch.tensor([float(losses.double().sum()), float(right.sum()), float(len(losses))])
    model.train(training)
    loss, right_guesses, tokens = total.tolist()
    if not tokens:
        raise CheckpointError(
            "no token of validation can be masked: the tokenizer spells none of the words of these articles"
        )
    mean = loss / tokens
    return {
        "eval_loss": mean,
        "perplexity": math.exp(min(mean, 700)),
        "accuracy": right_guesses / tokens,
        "tokens": int(tokens),
    }


def frequency_perplexity(tokens: NDArray[Any], pieces: int, validation: ValidationBlocks) -> float:
    """Pseudo-perplexity of always answering by how often each piece stands in `tokens`: what any model has to beat."""
    counts = np.ones(pieces)  # none is impossible
    for start in range(0, len(tokens), _CHUNK):
        counts += np.bincount(tokens[start : start + _CHUNK], minlength=pieces)
    labels = torch.cat([validation[number]["labels"] for number in range(len(validation))]).numpy()
    logs = np.log(counts / counts.sum())[labels[labels != IGNORED]]
    return math.exp(-float(logs.mean()))
