"""What a cascade saves: how fast labelling is with it and without, and beside transformers' pipeline, all in one run.

    naba cascade RUN --unlabelled ARTICLES --corpus ARTICLES
    python tests/benchmarks/cascade.py RUN ARTICLES [--write]     # e.g. data/real-articles/antcorpus.jsonl.gz; some minutes

The sides take turns, on all cores, on segments of articles from all over ARTICLES, each round on others: the first stage is faster
on words that it knows. Medians of the rounds. The pipeline is that of labelling.py, a plain 12-logit head on the same encoder, at
the best of several batch sizes, and as it is slow, on a tenth of the round's segments. Beside the speeds stands what the first
stage screens out of what the run would have labelled there. `--write` keeps the figures in results/cascade.json,
with the certified recalls and pass rates of the run's cascade.json.
"""

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

from labelling import BATCH_SIZES, plain_pipeline, rate
from naba import Labeller
from naba.cascade.config import CascadeConfig
from naba.cascade.stage import FOLDER, RECORD, Cascade, recalls_of
from naba.cascade.unlabelled import corpus_texts
from naba.jsonl import read_json, write_json
from naba.modelling.engines import usable_cores
from naba.records import Prediction
from naba.run import environment

RESULTS = Path(__file__).with_name("results") / "cascade.json"
PIPELINE, RUN = "pipeline", "run"


def measure(run: Path, texts: list[str], rounds: int) -> dict[str, Any]:
    """Segments a second of the pipeline, of the run alone, and behind its first stage at each recall."""
    labellers = {RUN: Labeller.load(run, engine="int8")} | {
        str(recall): Labeller.load(run, engine="int8", cascade=recall) for recall in recalls_of(run)
    }
    parts = [texts[number :: rounds + 1] for number in range(rounds + 1)]
    answers: dict[str, list[Prediction]] = {name: [] for name in labellers}
    measured: dict[str, list[float]] = {name: [] for name in (PIPELINE, *labellers)}
    with tempfile.TemporaryDirectory() as folder:
        pipe = plain_pipeline(run, Path(folder))
        few = parts[0][::10]
        tried = {size: rate(lambda size=size: pipe(few, batch_size=size), len(few)) for size in BATCH_SIZES}
        best = max(tried, key=tried.__getitem__)
        for number, part in enumerate(parts):
            few = part[::10]
            speeds = {PIPELINE: rate(lambda few=few: pipe(few, batch_size=best), len(few))}
            for name, labeller in labellers.items():
                said = answers[name]
                speeds[name] = rate(
                    lambda labeller=labeller, said=said, part=part: said.extend(labeller.label(part)), len(part)
                )
            if number:  # the first round warms up
                for name, speed in speeds.items():
                    measured[name].append(speed)
            print(number, {name: round(speed, 1) for name, speed in speeds.items()}, flush=True)
    return {
        "segments": len(texts),
        "rounds": rounds,
        "cores": usable_cores(),
        "segments_a_round": len(parts[0]),
        "pipeline_segments_a_round": len(parts[0][::10]),
        "pipeline_batch_size": best,
        "labelled_by_the_run": round(share(bool(one.present) for one in answers[RUN]), 4),
        "at": {name: told(name, measured, answers) for name in measured},
    }


def told(name: str, measured: dict[str, list[float]], answers: dict[str, list[Prediction]]) -> dict[str, Any]:
    """One side's figures."""
    ratios = [a / b for a, b in zip(measured[name], measured[PIPELINE], strict=True)]
    found: dict[str, Any] = {
        "per_second": round(statistics.median(measured[name]), 1),
        "times_pipeline": [round(value, 2) for value in (statistics.median(ratios), min(ratios), max(ratios))],
    }
    if name in answers and name != RUN:
        by_run = [behind.screened for alone, behind in zip(answers[RUN], answers[name], strict=True) if alone.present]
        alone = [a / b for a, b in zip(measured[name], measured[RUN], strict=True)]
        found |= {
            "times_the_run_alone": round(statistics.median(alone), 2),
            "read_by_the_model": round(1 - share(one.screened for one in answers[name]), 4),
            "screened_of_what_the_run_labels": round(share(by_run), 4) if by_run else None,
        }
    return found


def share(of: Any) -> float:
    return statistics.mean(map(float, of))


def first_stage(run: Path, labeller: Labeller, texts: list[str]) -> float:
    """Segments a second of the first stage alone, on words that it has not met."""
    cascade = Cascade.load(run, recalls_of(run)[0], labeller.schema)
    return round(rate(lambda: cascade.passes(texts), len(texts)))


def main() -> None:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("articles", type=Path)
    parser.add_argument("--segments", type=int, default=12000, help="of all rounds together")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    record = read_json(arguments.run / FOLDER / RECORD)
    _, texts = corpus_texts(arguments.articles, CascadeConfig(), set())
    chosen = texts[:: max(1, len(texts) // arguments.segments)][: arguments.segments]
    results = {
        "articles": arguments.articles.name,
        "first_stage_segments_a_second": first_stage(
            arguments.run, Labeller.load(arguments.run, device="cpu", engine="int8"), texts
        ),
        "end_to_end": measure(arguments.run, chosen, arguments.rounds),
        "cascade": {key: record[key] for key in ("segments", "recalls", "corpora", "validation")},
    } | environment()
    for name, values in results["end_to_end"]["at"].items():
        print(name, values)
    if arguments.write:
        write_json(RESULTS, results)


if __name__ == "__main__":
    main()
