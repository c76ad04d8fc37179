"""Which training techniques pay: leave-one-source-out folds, techniques on and off by a design (`arms.py`).

    nice python tests/benchmarks/ablation/run.py data/real/train.jsonl --threads 1
    python tests/benchmarks/ablation/table.py data/real/train.jsonl       # tests/benchmarks/ablation/results.{md,json}

For each source a model is trained on SEGMENTS segments of the other sources for a fixed number of epochs and answers for
TEST segments of that source: no validation set, so nothing is chosen by what is scored. The logits go to
`data/built/ablation/<run>/`; what is there already is not computed again, so a stopped benchmark goes on, and two processes
share the work. SEGMENTS and EPOCHS are smaller than a release's: this screens, it does not set records.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from arms import OUT, RUNS, teacher_of
from filelock import FileLock, Timeout
from transformers import set_seed

from naba.config import TrainConfig
from naba.dataset.labelled import load_labelled
from naba.finetuning.trainer import make_trainer, training_arguments
from naba.modelling import checkpoint as checkpoints
from naba.modelling.device import lower_precision, pick_device, pick_precision
from naba.modelling.encode import EncodedSegments
from naba.modelling.infer import Scores, score_texts
from naba.modelling.targets import weigh_classes
from naba.paths import find
from naba.records import LabelledSegment
from naba.schema import LabelSchema

SEGMENTS, TEST, EPOCHS = 1000, 1200, 3


def folds(
    items: Sequence[LabelledSegment], seed: int
) -> Iterator[tuple[str, list[LabelledSegment], list[LabelledSegment]]]:
    """Source, SEGMENTS training segments of all other sources, TEST segments of the source."""
    sources = [str(item.provenance["source"]) for item in items]
    for held_out in sorted(set(sources)):
        others = [item for item, source in zip(items, sources, strict=True) if source != held_out]
        chosen = np.random.default_rng(seed).permutation(len(others))[:SEGMENTS]
        yield held_out, [others[n] for n in sorted(chosen)], test_of(items, held_out)


def test_of(items: Sequence[LabelledSegment], held_out: str) -> list[LabelledSegment]:
    """What a fold is scored on, with every seed the same."""
    own = [item for item in items if item.provenance["source"] == held_out]
    return [own[n] for n in sorted(np.random.default_rng(0).permutation(len(own))[:TEST])]


def run_fold(
    name: str, held_out: str, training: list[LabelledSegment], test: list[LabelledSegment], seed: int, out: Path
) -> None:
    """Train one fold of one run and write the logits of the held-out source, with the weights' averages too."""
    run = RUNS[name]
    started = time.perf_counter()
    with scratch() as folder:
        own_seed = 100 * seed + list(RUNS).index(name)
        config = TrainConfig.model_validate(
            {"train": [], "validation": [], "out": folder, "epochs": EPOCHS, "seed": own_seed} | run.settings
        )
        schema = LabelSchema.load(find(config.labels))
        device = pick_device(config.device)
        precision = pick_precision(config.precision, device)
        extra, weights = run.more(held_out, schema)
        encoder = run.encoder(held_out) or config.encoder
        set_seed(config.seed)
        options = config.model_dump(include={"normalisation", "head", "max_tokens", "dropout"})
        model = checkpoints.from_encoder(encoder, schema, **options)
        for part in run.parts:
            if part.prepare:
                part.prepare(model)
            if part.rewrite:
                training, test = list(map(part.rewrite, training)), list(map(part.rewrite, test))
        if device == "cpu":
            lower_precision(model.model, precision)
        encode = [
            EncodedSegments(part, schema, model.tokenizer, model.normalise, config.max_tokens, weight)
            for part, weight in (([*training, *extra], [*[1.0] * len(training), *weights]), (test[:64], None))
        ]
        if config.class_weights:
            weigh_classes(encode[0].rows)
        arguments = training_arguments(config, device, precision, folder)
        arguments.eval_strategy = arguments.save_strategy = "no"
        arguments.load_best_model_at_end = False
        trainer = make_trainer(config, model, encode[0], encode[1], arguments, run.trainer)
        trainer.train()
        trained = time.perf_counter() - started
        detail = {"train": len(encode[0]), "steps": arguments.max_steps, "train_seconds": round(trained, 1)}
        detail["precision"] = precision
        texts, ids = [item.segment.text for item in test], [item.segment.id for item in test]
        for average, values in trainer.averages().items():
            trained_weights = trainer.swap(values)
            write(out / file_name(name, held_out, seed, average), score_texts(model, texts), ids, detail)
            trainer.swap(trained_weights)
        if name == "plain" and seed == 1:
            checkpoints.save(model, teacher_of(held_out), torch.float16)
        write(out / file_name(name, held_out, seed), score_texts(model, texts), ids, detail)


def file_name(run: str, held_out: str, seed: int, average: str | None = None) -> str:
    """Of the logits, relative to the folder of all runs."""
    return f"{run}/{held_out}{f'-{average}' if average else ''}-seed-{seed}.npz"


def write(file: Path, scores: Scores, ids: list[str], detail: dict[str, Any]) -> None:
    """The logits, and beside them how the model came to be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".tmp.npz")
    np.savez_compressed(temporary, topic=scores.topic, stance=scores.stance, ids=ids)
    file.with_suffix(".json").write_text(json.dumps(detail))
    temporary.replace(file)


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
    parser.add_argument("--runs", nargs="+", default=list(RUNS), choices=list(RUNS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    items = load_labelled([arguments.data], LabelSchema.load(find(Path("configs/labels.yaml"))))
    for seed in arguments.seeds:
        for name in arguments.runs:
            for held_out, training, test in folds(items, seed):
                file = arguments.out / file_name(name, held_out, seed)
                file.parent.mkdir(parents=True, exist_ok=True)
                try:
                    with FileLock(file.with_suffix(".lock"), timeout=0):
                        if not file.exists():
                            run_fold(name, held_out, training, test, seed, arguments.out)
                            said = file.with_suffix(".json").read_text()
                            print(f"{time.strftime('%H:%M:%S')} {file}: {said}", flush=True)
                except Timeout:
                    continue  # another process has it in hand


if __name__ == "__main__":
    main()
