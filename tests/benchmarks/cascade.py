"""What the cascade saves: how much passes, how fast the first stage is, and how fast labelling is with it and without.

    naba cascade RUN --unlabelled ARTICLES --corpus ARTICLES
    python tests/benchmarks/cascade.py RUN ARTICLES            # e.g. data/real-articles/antcorpus.jsonl.gz; some minutes

Speeds are medians of alternating runs on the same segments of ARTICLES, each on one thread. The first stage's is given twice:
for words that it has not seen, and as it goes on. Figures go to tests/benchmarks/results/cascade.json; pass rates and recalls
are those of the run's cascade.json.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from naba.cascade.config import CascadeConfig
from naba.cascade.stage import FOLDER, RECORD, Cascade
from naba.cascade.unlabelled import corpus_texts
from naba.jsonl import read_json, write_json
from naba.labelling.labeller import Labeller

RESULTS = Path(__file__).parent / "results" / "cascade.json"


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall time, and processor time of the process: the second is what an idle machine would take on one core."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def first_stage(run: Path, recall: float, labeller: Labeller, texts: list[str]) -> dict[str, Any]:
    """Segments a second of the first stage alone."""
    cascade = Cascade.load(run, recall, labeller.schema)
    half = len(texts) // 2
    cold = seconds(lambda: cascade.passes(texts[:half]))
    warm = seconds(lambda: cascade.passes(texts[half:]))
    again = seconds(lambda: cascade.passes(texts))
    counts = {"cold": (half, cold), "as_it_goes_on": (len(texts) - half, warm), "all_words_known": (len(texts), again)}
    return {
        name: {"segments": count, "per_second": round(count / wall), "per_core_second": round(count / processor)}
        for name, (count, (wall, processor)) in counts.items()
    }


def end_to_end(run: Path, recalls: list[float], texts: list[str], engine: str, times: int) -> dict[str, Any]:
    """Segments a second of the whole labeller, with and without the first stage, in turn."""
    ways = {str(recall): recall for recall in (None, *recalls)}
    labellers = {
        name: Labeller.load(run, device="cpu", engine=engine, workers=1, cascade=recall)  # type: ignore[arg-type]
        for name, recall in ways.items()
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    share = {}
    for _ in range(times):
        for name, labeller in labellers.items():
            answers: list[Any] = []
            taken[name].append(
                seconds(lambda labeller=labeller, answers=answers: answers.extend(labeller.label(texts)))
            )  # type: ignore[misc]
            share[name] = sum(not answer.screened for answer in answers) / len(answers)
    found = {}
    for name, runs in taken.items():
        wall, processor = (statistics.median(values) for values in zip(*runs, strict=True))
        found[name] = {
            "read_by_the_model": round(share[name], 4),
            "per_second": round(len(texts) / wall, 1),
            "per_core_second": round(len(texts) / processor, 1),
        }
    for values in found.values():
        values["times_as_fast"] = round(values["per_core_second"] / found["None"]["per_core_second"], 2)
    return {"segments": len(texts), "runs": times, "engine": engine, "at": found}


def main() -> None:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("articles", type=Path)
    parser.add_argument("--segments", type=int, default=400, help="for the whole labeller")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--engine", default="int8")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    record = read_json(arguments.run / FOLDER / RECORD)
    recalls = [float(recall) for recall in record["recalls"]]
    _, texts = corpus_texts(arguments.articles, CascadeConfig(), set())
    labeller = Labeller.load(arguments.run, device="cpu", engine=arguments.engine)
    step = max(1, len(texts) // arguments.segments)
    results = {
        "articles": arguments.articles.name,
        "first_stage": first_stage(arguments.run, recalls[0], labeller, texts),
        "end_to_end": end_to_end(
            arguments.run, recalls, texts[::step][: arguments.segments], arguments.engine, arguments.times
        ),
        "cascade": {key: record[key] for key in ("segments", "recalls", "corpora", "validation", "hardware", "commit")},
    }
    for name, values in results["first_stage"].items():
        print(
            f"first stage, {name}: {values['per_second']:,} segments/s, {values['per_core_second']:,} a second of a core"
        )
    for name, values in results["end_to_end"]["at"].items():
        print(
            f"cascade {name}: {values['read_by_the_model']:.1%} read, {values['per_second']:,} segments/s, "
            f"{values['per_core_second']:,} a second of a core, {values['times_as_fast']} times"
        )
    write_json(RESULTS, results)


if __name__ == "__main__":
    main()
