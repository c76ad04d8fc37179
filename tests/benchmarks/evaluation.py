"""Cost of an evaluation without the model: a million answers in under 2 GB, 2,000 resamples of 10,000 segments in under 10 s.

    python tests/benchmarks/evaluation.py                      # both; a quarter of an hour on one thread
    python tests/benchmarks/evaluation.py --segments 100000

Segments, gold labels and answers are made up, in a file as a user has it; every part of the report is made of them with
the product's defaults, in a process of its own, and its time and the memory at its end are printed.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

LABELS = Path("configs/labels.yaml")
WORDS = 3000
BATCH = 5
"""Segments an article."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=1_000_000)
    parser.add_argument("--bootstrap-segments", type=int, default=10_000)
    arguments = parser.parse_args()
    for work, size in ((bootstrap, arguments.bootstrap_segments), (whole, arguments.segments)):
        process = multiprocessing.get_context("spawn").Process(target=work, args=(size,))
        process.start()
        process.join()


def bootstrap(size: int) -> None:
    """Intervals of every score, average precisions included, from 2,000 resamples."""
    from naba.evaluation.intervals import bootstrap
    from naba.schema import LabelSchema

    schema = LabelSchema.load(LABELS)
    gold, answers = made_labels(size, schema), made_answers(size, schema)
    clusters = np.arange(size) // BATCH
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        bootstrap(gold, answers.labels, schema, clusters, probability=answers.topic, resamples=2000)
        seconds.append(time.perf_counter() - started)
    print(
        f"2,000 resamples of {size:,} segments: {np.median(seconds):.2f} s (median of 5; {min(seconds):.2f} to {max(seconds):.2f})"
    )


def whole(size: int) -> None:
    """Everything that a report holds of one system beside another."""
    from naba.dataset.labelled import load_labelled
    from naba.evaluation.answers import TestSet
    from naba.evaluation.curves import precision_recall
    from naba.evaluation.error_analysis import error_analysis
    from naba.evaluation.slices import slices
    from naba.evaluation.trust import trust
    from naba.evaluation.uncertainty import compared, scored
    from naba.jsonl import write_jsonl
    from naba.schema import LabelSchema

    schema = LabelSchema.load(LABELS)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "test.jsonl"
        write_jsonl(file, rows(size, schema))
        print(f"{size:,} segments, {file.stat().st_size / 2**20:.0f} MiB of JSONL")
        items = timed("read", lambda: load_labelled([file], schema))
    test = timed("cluster", lambda: TestSet.of(items, schema))
    answers = timed("(answers made up)", lambda: made_answers(size, schema))
    other = made_answers(size, schema, seed=3)
    timed("scores and intervals", lambda: scored(test, answers))
    timed("comparison", lambda: compared(test, "model", {"model": answers, "other": other}))
    timed("curves", lambda: precision_recall(test, answers, dict.fromkeys(schema.topic_ids, 0.5)))
    timed("calibration", lambda: trust(test, answers, answers))
    timed("slices", lambda: slices(test, answers))
    timed("errors", lambda: error_analysis(test, answers).to_dict())


def timed(name: str, work: Callable[[], Any]) -> Any:
    """Do it; print how long it took and the most memory that was held meanwhile (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak until now
    started = time.perf_counter()
    found = work()
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e9
    print(f"  {name:22} {time.perf_counter() - started:8.1f} s   peak {peak:.2f} GB", flush=True)
    return found


def rows(size: int, schema: Any) -> Iterator[dict[str, Any]]:
    """Rows of made-up segments of 40 words in articles of BATCH."""
    generator = np.random.default_rng(0)
    letters = list("ابتثجحخدذرزسشصضطظعغفقكلمنهوي")
    words = ["".join(generator.choice(letters, generator.integers(3, 8))) for _ in range(WORDS)]
    gold = made_labels(size, schema)
    for number in range(size):
        labels = {
            topic: {
                "present": bool(gold.presence[number, t]),
                "stance": schema.stance_ids[gold.stance[number, t]] if gold.presence[number, t] else None,
            }
            for t, topic in enumerate(schema.topic_ids)
        }
        yield {
            "article_id": f"article-{number // BATCH}",
            "text": " ".join(words[n] for n in generator.integers(WORDS, size=40)),
            "labels": labels,
            "provenance": {"source": f"outlet-{number % 7}", "date": f"20{10 + number % 15}-0{1 + number % 9}-11"},
        }


def made_labels(size: int, schema: Any, seed: int = 1) -> Any:
    """Labels of which a quarter is present."""
    from naba.schema import UNKNOWN
    from naba.scores import Labels

    generator = np.random.default_rng(seed)
    presence = (generator.random((size, len(schema.topic_ids))) < 0.25).astype(int)
    stance = generator.integers(len(schema.stance_ids), size=presence.shape)
    return Labels(presence, np.where(presence == 1, stance, UNKNOWN))


def made_answers(size: int, schema: Any, seed: int = 2) -> Any:
    """Answers that are right more often than not."""
    from naba.evaluation.answers import Answers
    from naba.scores import Labels

    generator = np.random.default_rng(seed)
    gold = made_labels(size, schema)
    topic = np.clip(generator.normal(0.25 + 0.5 * gold.presence, 0.2), 0, 1)
    score = generator.random((*topic.shape, len(schema.stance_ids)))
    np.put_along_axis(score, np.maximum(gold.stance, 0)[..., None], 1.0, axis=-1)
    stance = score / score.sum(-1, keepdims=True)
    return Answers(Labels((topic >= 0.5).astype(int), stance.argmax(-1)), topic, stance)


if __name__ == "__main__":
    main()
