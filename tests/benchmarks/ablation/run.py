"""Which training techniques pay: leave-one-source-out folds, one technique at a time against the plain recipe.

    nice python tests/benchmarks/ablation/run.py data/real/train.jsonl --arms base llrd --threads 1
    python tests/benchmarks/ablation/table.py data/real/train.jsonl       # tests/benchmarks/ablation/results.{md,json}

For each source a model is trained on SEGMENTS segments of the other sources, for a fixed number of epochs, and answers
for all segments of that source: no validation set, so nothing is chosen by what is scored. The logits go to
`data/built/ablation/<arm>/`; what is there already is not computed again, so a stopped run goes on. SEGMENTS and EPOCHS
are smaller than a release's: this screens, it does not set records.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from techniques import ARMS, Arm
from transformers import set_seed

from naba.config import TrainConfig
from naba.dataset.labelled import load_labelled
from naba.finetuning.trainer import lower_precision, make_trainer, training_arguments
from naba.modelling import checkpoint as checkpoints
from naba.modelling.device import pick_device, pick_precision
from naba.modelling.encode import EncodedSegments
from naba.modelling.infer import score_texts
from naba.paths import find
from naba.records import LabelledSegment
from naba.schema import LabelSchema

OUT = Path("data/built/ablation")
SEGMENTS, EPOCHS = 2000, 3


def folds(
    items: Sequence[LabelledSegment], seed: int
) -> Iterator[tuple[str, list[LabelledSegment], list[LabelledSegment]]]:
    """Source, SEGMENTS training segments of all other sources, all segments of the source."""
    sources = [str(item.provenance["source"]) for item in items]
    for held_out in sorted(set(sources)):
        others = [item for item, source in zip(items, sources, strict=True) if source != held_out]
        chosen = np.random.default_rng(seed).permutation(len(others))[:SEGMENTS]
        yield (
            held_out,
            [others[n] for n in sorted(chosen)],
            [item for item, source in zip(items, sources, strict=True) if source == held_out],
        )


def run_fold(
    arm: Arm, held_out: str, training: list[LabelledSegment], test: list[LabelledSegment], seed: int, file: Path
) -> None:
    """Train one fold of one arm and write the logits of the held-out source."""
    started = time.perf_counter()
    with scratch() as folder:
        config = TrainConfig.model_validate(
            {"train": [], "validation": [], "out": folder, "epochs": EPOCHS, "seed": seed} | arm.settings
        )
        schema = LabelSchema.load(find(config.labels))
        device = pick_device(config.device)
        precision = pick_precision(config.precision, device)
        rewrite = arm.rewrite or (lambda item: item)
        extra, weights = arm.more(held_out, schema) if arm.more else ([], [])
        set_seed(seed)
        run = checkpoints.from_encoder(
            arm.encoder(held_out) if arm.encoder else config.encoder,
            schema,
            normalisation=config.normalisation,
            head=config.head,
            max_tokens=config.max_tokens,
            dropout=config.dropout,
        )
        if arm.prepare:
            arm.prepare(run)
        if device == "cpu":
            lower_precision(run.model, precision)
        encode = [
            EncodedSegments(part, schema, run.tokenizer, run.normalise, config.max_tokens, weight)
            for part, weight in (
                ([*map(rewrite, training), *extra], [*[1.0] * len(training), *weights]),
                (test[:64], None),
            )
        ]
        arguments = training_arguments(config, device, precision, folder)
        arguments.eval_strategy = arguments.save_strategy = "no"
        arguments.load_best_model_at_end = False
        trainer = make_trainer(config, run, encode[0], encode[1], arguments, arm.trainer)
        trainer.train()
        trained = time.perf_counter() - started
        trainer.finish()
        run.model.float()
        if device == "cpu":
            lower_precision(run.model, precision)  # answers in training's precision, as fast
        scores = score_texts(run, [rewrite(item).segment.text for item in test])
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".tmp.npz")
    np.savez_compressed(temporary, topic=scores.topic, stance=scores.stance, ids=[item.segment.id for item in test])
    temporary.replace(file)
    file.with_suffix(".json").write_text(
        json.dumps(
            {
                "train": len(encode[0]),
                "steps": arguments.max_steps,
                "train_seconds": round(trained, 1),
                "precision": precision,
            }
        )
    )


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that the trainer may fill."""
    folder = Path(tempfile.mkdtemp())
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    items = load_labelled([arguments.data], LabelSchema.load(find(Path("configs/labels.yaml"))))
    for seed in arguments.seeds:
        for name in arguments.arms:
            for held_out, training, test in folds(items, seed):
                file = arguments.out / name / f"{held_out}-seed-{seed}.npz"
                if not file.exists():
                    run_fold(ARMS[name], held_out, training, test, seed, file)
                    print(f"{time.strftime('%H:%M:%S')} {file}: {file.with_suffix('.json').read_text()}", flush=True)


if __name__ == "__main__":
    main()
