"""What Hugging Face's Trainer is told alike in fine-tuning and in pretraining.

arguments = shared_arguments("train", "cuda", "bfloat16", output_dir=…, learning_rate=…, seed=1)
"""

import logging
from typing import Any

from transformers import TrainingArguments

from naba.modelling.device import Precision

logger = logging.getLogger(__name__)


def shared_arguments(command: str, device: str, precision: Precision, *, seed: int, **others: Any) -> TrainingArguments:
    """One process's arguments: one device, nothing printed, and the precision that the configuration asked for.

    Args:
        command: of naba, for the advice to start several processes.
        device: "cpu" or "cuda".
        precision: on CUDA bfloat16 is autocast's.
        seed: of the run.
        others: arguments of `TrainingArguments` that only this kind of training has.
    """
    arguments = TrainingArguments(
        train_sampling_strategy="sequential",
        save_strategy="steps",
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        dataloader_pin_memory=device == "cuda",
        use_cpu=device == "cpu",
        # On a CPU the weights themselves are bfloat16: autocast would spend on casts what the arithmetic saves.
        bf16=precision == "bfloat16" and device == "cuda",
        report_to=[],
        disable_tqdm=True,
        seed=seed,
        data_seed=seed,
        **others,
    )
    # `accelerate launch` sets another in the environment; the record says what the configuration asked for.
    arguments.mixed_precision = "bf16" if arguments.bf16 else "no"
    if arguments.n_gpu > 1:
        logger.warning(
            "one of %d GPUs is used; `accelerate launch -m naba %s` with the same arguments uses all",
            arguments.n_gpu,
            command,
        )
        # Threads of one process, the Trainer's other way, are slower and cannot pass on what the models are given.
        arguments._n_gpu = 1
    return arguments
