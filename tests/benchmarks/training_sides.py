"""The sides of `training_speed.py`: Hugging Face's Trainer and ours, each training in a process of its own.

    worker = Worker(Training("naba", "all", "auto"), items, Job("models/naba-base", threads=2), rounds=5)
    worker.ask("warm", 30.0), worker.ask("part", 0)       # → {"seconds", "tokens", "memory"}

The Trainer's sides follow the documented defaults of transformers' example `run_classification.py` (pad_to_max_length,
max_seq_length 128, float32, AdamW) and of its Trainer.
"""

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from naba.config import TrainConfig
from naba.paths import find
from naba.records import LabelledSegment
from naba.schema import LabelSchema

# torch and transformers are imported in the workers only: a child's ru_maxrss is never less than its parent's memory.
LABELS = Path("configs/labels.yaml")
PADDED = 128
"""Tokens that run_classification pads and cuts to."""


@dataclass(frozen=True)
class Training:
    """One run of a trainer; a side may need several."""

    recipe: str
    """padded, dynamic or naba."""
    target: str
    """`all` labels, the `topics`, or the stance towards the topic named."""
    precision: str = "float32"

    @property
    def name(self) -> str:
        """Of its files and in messages."""
        return f"{self.recipe}-{self.target}-{self.precision}"

    def of(self, items: Sequence[LabelledSegment]) -> list[LabelledSegment]:
        """The segments that it trains on."""
        whole = self.target in ("all", "topics")
        return [item for item in items if whole or item.labels[self.target].present]


@dataclass(frozen=True)
class Side:
    """One way to get all labels."""

    what: str
    trainings: tuple[Training, ...]
    rates: tuple[float, ...]
    """Learning rates that are tried."""


@dataclass(frozen=True)
class Job:
    """What all sides have in common."""

    encoder: str
    threads: int
    batch_size: int
    max_tokens: int
    """Of the sides that do not pad to PADDED."""
    epochs: float = 1
    rate: float = 1e-4
    seed: int = 1


def sides(schema: LabelSchema, ours: TrainConfig) -> dict[str, Side]:
    """Name → side: A and B are what a user has today, C is naba, C32 is naba without bfloat16."""
    padded = [Training("padded", target) for target in ("topics", *schema.topic_ids)]
    own, both = (ours.learning_rate,), (5e-5, ours.learning_rate)
    return {
        "A": Side("Trainer, padded to 128, topics and each stance apart", tuple(padded), both),
        "B": Side("Trainer, one multi-label model, dynamic padding", (Training("dynamic", "all"),), both),
        "C32": Side("naba train, float32", (Training("naba", "all"),), own),
        "C": Side("naba train, precision auto", (Training("naba", "all", "auto"),), own),
    }


class Worker:
    """A process of its own for one training."""

    def __init__(self, training: Training, items: Sequence[LabelledSegment], job: Job, rounds: int = 1) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other, training, list(items), job, rounds), daemon=True)
        self.process.start()
        other.close()
        self.name = training.name
        self.environment: Any = self._answer()

    def ask(self, kind: str, value: Any) -> Any:
        """Have it work, and wait for the answer."""
        self.connection.send((kind, value))
        return self._answer()

    def end(self) -> None:
        """Let it go."""
        self.connection.send(None)
        self.process.join()

    def _answer(self) -> Any:
        try:
            return self.connection.recv()
        except EOFError:
            self.process.join()
            raise SystemExit(
                f"{self.name}: its process ended with code {self.process.exitcode}; what it said is above"
            ) from None


def serve(connection: Any, training: Training, items: list[LabelledSegment], job: Job, rounds: int) -> None:
    """Answer `warm`, (`part`, number) and (`answers`, segments) until None comes."""
    import torch
    import transformers

    from naba.run import environment

    torch.set_num_threads(job.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    schema = LabelSchema.load(find(LABELS))
    with tempfile.TemporaryDirectory() as scratch:
        trainer, encode = make(training, training.of(items), job, schema, Path(scratch))
        dataset = trainer.train_dataset
        count = len(dataset)
        order = np.arange(count) if training.recipe == "naba" else np.random.default_rng(job.seed).permutation(count)
        parts = np.array_split(order, rounds)
        connection.send(environment())
        while (wanted := connection.recv()) is not None:
            kind, value = wanted
            if kind == "warm":
                end = time.perf_counter() + value
                for part in parts:
                    if time.perf_counter() < end:
                        run_part(trainer, dataset, part)
                connection.send(None)
            elif kind == "part":
                # Parts may differ by one batch or segment: each stands for a ROUNDS-th of the job.
                share = count / rounds / max(1, len(parts[value]))
                done = run_part(trainer, dataset, parts[value])
                gibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
                connection.send({name: figure * share for name, figure in done.items()} | {"memory": gibibytes})
            else:
                trainer.model.float()
                logits = trainer.predict(encode(value)).predictions
                if training.recipe == "naba":
                    logits = np.concatenate([logits[0], logits[1].reshape(len(value), -1)], axis=1)  # [N, T + T·S]
                connection.send(np.round(logits.astype(float), 4).tolist())


def run_part(trainer: Any, dataset: Any, rows: Any) -> dict[str, float]:
    """Train on some rows: time in the loop by the wall and of the processor, padded tokens. Optimiser states stay."""
    from torch.utils.data import Subset

    if not len(rows):
        return {"seconds": 0.0, "processor_seconds": 0.0, "tokens": 0}
    trainer.train_dataset = dataset.select(rows) if hasattr(dataset, "select") else Subset(dataset, rows)
    if trainer.args.max_steps > 0:
        trainer.args.max_steps = len(rows)
    before = trainer.data_collator.tokens
    trainer.train()
    wall, processor = trainer.clock.took
    return {"seconds": wall, "processor_seconds": processor, "tokens": trainer.data_collator.tokens - before}


def make(
    training: Training, items: list[LabelledSegment], job: Job, schema: LabelSchema, scratch: Path
) -> tuple[Any, Callable[[list[LabelledSegment]], Any]]:
    """A trainer over all segments with a clock and a token counter, and what turns other segments into its input."""
    from transformers import TrainerCallback
    from transformers.trainer_callback import PrinterCallback

    class Clock(TrainerCallback):
        """Seconds that the loop of the last training took, by the wall and of the processor."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.began = time.perf_counter(), time.process_time()

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.took = time.perf_counter() - self.began[0], time.process_time() - self.began[1]

    class Counter:
        """A collator that counts the tokens of what it makes."""

        def __init__(self, collate: Any) -> None:
            self.collate, self.tokens = collate, 0

        def __call__(self, rows: Any) -> Any:
            batch = self.collate(rows)
            self.tokens += batch["input_ids"].numel()
            return batch

    maker = make_naba if training.recipe == "naba" else make_hugging_face
    trainer, encode = maker(training, items, job, schema, scratch)
    trainer.remove_callback(PrinterCallback)
    trainer.clock, trainer.data_collator = Clock(), Counter(trainer.data_collator)
    trainer.add_callback(trainer.clock)
    return trainer, encode


def make_naba(training: Training, items: list[LabelledSegment], job: Job, schema: LabelSchema, scratch: Path) -> Any:
    """What `naba train` runs, without validation and checkpoints in between: the Trainer's sides have none either."""
    from transformers import set_seed

    from naba.finetuning.trainer import make_trainer, training_arguments
    from naba.modelling import checkpoint as checkpoints
    from naba.modelling.device import lower_precision, pick_precision
    from naba.modelling.encode import EncodedSegments

    settings = {"encoder": job.encoder, "batch_size": job.batch_size, "max_tokens": job.max_tokens, "seed": job.seed}
    settings |= {"epochs": job.epochs, "learning_rate": job.rate, "precision": training.precision}
    config = TrainConfig.model_validate({"train": [], "validation": [], "out": scratch} | settings)
    precision = pick_precision(config.precision, "cpu")
    set_seed(config.seed)
    parts = config.model_dump(include={"normalisation", "head", "max_tokens", "dropout"})
    run = checkpoints.from_encoder(config.encoder, schema, **parts)
    lower_precision(run.model, precision)

    def encode(part: list[LabelledSegment]) -> EncodedSegments:
        return EncodedSegments(part, schema, run.tokenizer, run.normalise, config.max_tokens)

    arguments = training_arguments(config, "cpu", precision, scratch)
    arguments.eval_strategy = arguments.save_strategy = "no"
    arguments.load_best_model_at_end = False
    encoded = encode(items)
    return make_trainer(config, run, encoded, encoded, arguments), encode


def make_hugging_face(
    training: Training, items: list[LabelledSegment], job: Job, schema: LabelSchema, scratch: Path
) -> Any:
    """Hugging Face's Trainer and sequence classifier as run_classification sets them up."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForSequenceClassification as Classifier
    from transformers import (
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
        default_data_collator,
        set_seed,
    )

    from naba.text import normaliser

    set_seed(job.seed)
    ours = TrainConfig(train=[], validation=[], out=scratch)
    source, normalise = str(find(Path(job.encoder))), normaliser(ours.normalisation)
    many = training.target in ("all", "topics")
    labels = [targets(item, training.target, schema) for item in items]
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = Classifier.from_pretrained(
        source,
        num_labels=len(labels[0]) if many else len(schema.stance_ids),
        problem_type=f"{'multi' if many else 'single'}_label_classification",
        dtype=torch.float32,
    )
    padded = training.recipe == "padded"
    cut = {"padding": "max_length", "max_length": PADDED} if padded else {"max_length": job.max_tokens}

    def encode(part: list[LabelledSegment], labels: list[Any] | None = None) -> Dataset:
        encoded = tokenizer([normalise(item.segment.text) for item in part], truncation=True, **cut)
        return Dataset.from_dict({**encoded, **({"label": labels} if labels else {})})

    arguments = TrainingArguments(
        output_dir=str(scratch),
        per_device_train_batch_size=job.batch_size,
        learning_rate=job.rate,
        num_train_epochs=job.epochs,
        warmup_steps=ours.warmup,
        weight_decay=ours.weight_decay,
        save_strategy="no",
        use_cpu=True,
        dataloader_pin_memory=False,
        report_to=[],
        disable_tqdm=True,
        seed=job.seed,
    )
    collator = default_data_collator if padded else DataCollatorWithPadding(tokenizer)
    return Trainer(model, arguments, train_dataset=encode(items, labels), data_collator=collator), encode


def targets(item: LabelledSegment, target: str, schema: LabelSchema) -> Any:
    """[T] or [T + T·S] floats, or the number of the stance."""
    if target not in ("all", "topics"):
        return schema.stance_ids.index(item.labels[target].stance)
    found = [float(item.labels[topic].present) for topic in schema.topic_ids]
    if target == "all":
        found += [float(item.labels[topic].stance == s) for topic in schema.topic_ids for s in schema.stance_ids]
    return found
