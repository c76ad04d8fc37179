"""Training speed, and what it costs in F1: `naba train` beside Hugging Face's Trainer on the same data and encoder.

    python tests/benchmarks/training_speed.py              # on two idle cores; says first how long it takes
    python tests/benchmarks/training_speed.py --write      # and writes tests/benchmarks/results/training_speed.json
    python tests/benchmarks/training_speed.py --parts speed --segments 40 --rounds 2 --warm-up 0      # a try

A and B are what a user has today, C is naba, C32 is naba in float32 (`training_sides.py`). All read texts normalised
alike, in batches of 16 (ours: of as many padded tokens as 16 average segments have).

Speed: ROUNDS × SEGMENTS training segments, drawn at random, are the job, and each round every side does a ROUNDS-th of
it: A one training of topics and one of each topic's stance on the segments that have the topic, the others one of all.
Processes wait while another works. The clock runs over the Trainer's loop (batches, forward, backward, update), after a
warm-up; loading, tokenising, validation and checkpoints are left out on all sides.
F1: fresh processes train TRAIN segments for EPOCHS epochs at linear decay with warm-up, keep the last weights and answer
for validation, threshold 0.5. A and B get the better of two learning rates, chosen on that same validation set, which
flatters them; ours has its default only. What is finished is kept in data/built/training-speed/ and not computed again:
remove it to measure anew.
"""

import argparse
import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from training_sides import LABELS, PADDED, Job, Side, Training, Worker, sides

from naba.config import TrainConfig
from naba.dataset.clusters import find_clusters
from naba.dataset.labelled import load_labelled
from naba.evaluation.significance import compare
from naba.fingerprint import fingerprint, fingerprint_of
from naba.jsonl import read_json, write_json
from naba.metrics import Labels, score
from naba.paths import find
from naba.records import LabelledSegment
from naba.schema import LabelSchema

BUILT = Path("data/built/training-speed")
RESULTS = Path(__file__).parent / "results" / "training_speed.json"
SECONDS = {"padded": 0.115, "dynamic": 0.155, "naba": 0.075, "auto": 0.031}
"""Per segment, on two cores with AVX-512 and its bfloat16 instructions; like START, for the estimate only."""
START = 20
"""Seconds to start a training and to answer for validation."""
SCORES = {"pairs.f1": "pair-F1", "topics.macro_f1": "topic macro-F1", "stances.macro_f1": "stance macro-F1"}


def speed(
    plan: Mapping[str, Side], items: Sequence[LabelledSegment], job: Job, rounds: int, warm_up: float
) -> dict[str, Any]:
    """Seconds and padded tokens per segment in each round, and peak memory, of each side."""
    load = os.getloadavg()[0]
    workers = {
        name: [Worker(training, items, job, rounds) for training in side.trainings if training.of(items)]
        for name, side in plan.items()
    }
    for group in workers.values():
        for worker in group:
            worker.ask("warm", warm_up)
    found: dict[str, list[list[dict[str, float]]]] = {name: [] for name in plan}
    for number in range(rounds):
        for name in list(plan) if number % 2 == 0 else reversed(plan):
            found[name].append([worker.ask("part", number) for worker in workers[name]])
            print(f"  round {number + 1}, {name}: {sum(part['seconds'] for part in found[name][-1]):.1f} s", flush=True)
    result: dict[str, Any] = {"environment": workers["C"][0].environment, "load_before": load, "sides": {}}
    for name, parts in found.items():
        per_segment = rounds / len(items)
        result["sides"][name] = {
            figure: [sum(part[figure] for part in row) * per_segment for row in parts]
            for figure in ("seconds", "processor_seconds", "tokens")
        } | {"memory": max(part["memory"] for row in parts for part in row)}
        for worker in workers[name]:
            worker.end()
    return result


def train_once(
    training: Training, items: Sequence[LabelledSegment], validation: Sequence[LabelledSegment], job: Job
) -> dict[str, Any]:
    """Train to the end from cold; seconds, memory and logits for validation."""
    worker = Worker(training, items, job)
    record: dict[str, Any] = worker.ask("part", 0)
    record |= {"logits": worker.ask("answers", list(validation)), "environment": worker.environment}
    worker.end()
    return record


def kept(name: str, settings: Mapping[str, Any], make: Any) -> dict[str, Any]:
    """What an earlier call with these settings made, or what `make` makes now."""
    path = BUILT / f"{name}-{fingerprint_of(settings)}.json"
    if not path.is_file():
        write_json(path, {"settings": dict(settings)} | make())
    return read_json(path)


def answers(logits: Mapping[str, Any], schema: LabelSchema) -> Labels:
    """Labels from the logits of a side's trainings, by target: [N, T + T·S], or [N, T] and an [N, S] for each topic."""
    topics = len(schema.topic_ids)
    if "all" in logits:
        topic, rest = np.split(np.array(logits["all"]), [topics], axis=1)
        stance = rest.reshape(len(rest), topics, -1)  # [N, T, S]
    else:
        topic = np.array(logits["topics"])
        stance = np.stack([logits[name] for name in schema.topic_ids], axis=1)  # [N, T, S]
    return Labels((topic > 0).astype(int), stance.argmax(-1))


def at(scores: Mapping[str, Any], path: str) -> float:
    """The score with this dotted path."""
    value: Any = scores
    for key in path.split("."):
        value = value[key]
    return float(value)


class Scoring:
    """F1 of the sides on validation, one training at a time."""

    def __init__(
        self, schema: LabelSchema, items: list[LabelledSegment], validation: list[LabelledSegment], job: Job
    ) -> None:
        self.schema, self.items, self.validation, self.job = schema, items, validation, job
        self.gold = Labels(*map(np.array, zip(*(item.targets(schema) for item in validation), strict=True)))
        self.clusters = find_clusters(validation).of
        self.data = [[item.segment.id for item in part] for part in (items, validation)]

    def settings(self, training: Training, rate: float, seed: int) -> tuple[str, dict[str, Any], Job]:
        """Name and settings of a finished training, and its job."""
        job = replace(self.job, rate=rate, seed=seed)
        settings = asdict(job) | asdict(training) | {"data": fingerprint_of(self.data)}
        return f"{training.name}-{rate:g}-seed-{seed}", settings, job

    def run(self, side: Side, rate: float, seed: int) -> tuple[Labels, dict[str, float]]:
        """Labels for validation, and cost and scores."""
        records = {}
        for training in side.trainings:
            name, settings, job = self.settings(training, rate, seed)
            record = kept(name, settings, lambda t=training, j=job: train_once(t, self.items, self.validation, j))
            print(f"  {name}: {record['seconds']:.0f} s", flush=True)
            records[training.target] = record
        labels = answers({target: record["logits"] for target, record in records.items()}, self.schema)
        found = score(self.gold, labels, self.schema)
        spent = {name: sum(r[name] for r in records.values()) for name in ("seconds", "processor_seconds")}
        return labels, {"rate": rate} | spent | {path: at(found, path) for path in SCORES}

    def left(self, side: Side, seeds: Sequence[int]) -> float:
        """Estimated seconds for what is not finished yet."""
        total = 0.0
        for training in side.trainings:
            for rate in side.rates:
                for seed in seeds:
                    name, settings, _ = self.settings(training, rate, seed)
                    if not (BUILT / f"{name}-{fingerprint_of(settings)}.json").is_file():
                        total += START + cost(training, self.items) * self.job.epochs * 2 / self.job.threads
        return total

    def __call__(self, plan: Mapping[str, Side], seeds: Sequence[int]) -> dict[str, Any]:
        """Scores of each side at its best rate and in its mean over seeds, and what C gains over each other side."""
        labels: dict[str, list[Labels]] = {}
        result: dict[str, Any] = {"sides": {}, "gain of C": {}}
        for name, side in plan.items():
            runs = {rate: [self.run(side, rate, seed) for seed in seeds_of(name, seeds)] for rate in side.rates}
            tried = {rate: mean([figures for _, figures in group]) for rate, group in runs.items()}
            best = max(tried, key=lambda rate: tried[rate]["pairs.f1"])
            labels[name] = [found for found, _ in runs[best]]
            result["sides"][name] = tried[best] | {"tried": {f"{rate:g}": tried[rate]["pairs.f1"] for rate in tried}}
        for name in plan:
            if name != "C":
                result["gain of C"][name] = self.gain(labels["C"], labels[name])
        return result

    def gain(self, first: Sequence[Labels], second: Sequence[Labels]) -> dict[str, Any]:
        """Paired differences, over as many seeds as both have; a cluster's segments go together over all seeds."""
        count = min(len(first), len(second))

        def joined(runs: Sequence[Labels]) -> Labels:
            runs = runs[:count]
            return Labels(np.concatenate([r.presence for r in runs]), np.concatenate([r.stance for r in runs]))

        found = compare(
            joined([self.gold] * count), joined(first), joined(second), self.schema, np.tile(self.clusters, count)
        )
        return {
            path: {"value": found[path].value, "p": found[path].p}
            | ({"low": i.low, "high": i.high} if (i := found[path].interval) else {})
            for path in SCORES
        }


def seeds_of(side: str, seeds: Sequence[int]) -> Sequence[int]:
    """Ours is trained with every seed, the Trainer's sides with the first."""
    return seeds if side.startswith("C") else seeds[:1]


def mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of every figure."""
    return {key: statistics.mean(row[key] for row in rows) for key in rows[0]}


def cost(training: Training, items: Sequence[LabelledSegment]) -> float:
    """Estimated seconds of one epoch on two cores."""
    return len(training.of(items)) * SECONDS["auto" if training.precision == "auto" else training.recipe]


def ratios(found: Mapping[str, Any], over: str, under: str, figure: str = "seconds") -> str:
    """How many times as long one side takes as the other: median over rounds, least and greatest."""
    pairs = zip(found["sides"][over][figure], found["sides"][under][figure], strict=True)
    values = [first / second for first, second in pairs]
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def speed_table(plan: Mapping[str, Side], found: Mapping[str, Any]) -> None:
    print(
        "\n| side | s per 1,000 segments | times C | processor time, times C | padded tokens per segment | peak memory |"
    )
    print("|---|---:|---:|---:|---:|---:|")
    for name, side in plan.items():
        row = found["sides"][name]
        print(f"| {name}: {side.what} | {1000 * statistics.median(row['seconds']):.1f} | {ratios(found, name, 'C')} "
              f"| {ratios(found, name, 'C', 'processor_seconds')} | {statistics.mean(row['tokens']):.0f} | {row['memory']:.2f} GiB |")  # fmt: skip
    print(f"\nOne pass in place of several and no padding to {PADDED}: A / C32 {ratios(found, 'A', 'C32')}; batches of like "
          f"length: B / C32 {ratios(found, 'B', 'C32')}; bfloat16: C32 / C {ratios(found, 'C32', 'C')}")  # fmt: skip


def score_table(plan: Mapping[str, Side], found: Mapping[str, Any]) -> None:
    print(f"\n| side | rate | training, from cold | {' | '.join(SCORES.values())} | pair-F1 of C minus this |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in plan:
        row, gain = found["sides"][name], found["gain of C"].get(name, {}).get("pairs.f1")
        numbers = " | ".join(f"{100 * row[path]:.1f}" for path in SCORES)
        span = f" [{100 * gain['low']:+.1f}, {100 * gain['high']:+.1f}]" if gain and "low" in gain else ""
        last = f"{100 * gain['value']:+.1f}{span}, p = {gain['p']:.3f}" if gain else ""
        tried = ", ".join(f"{rate}: {100 * f1:.1f}" for rate, f1 in row["tried"].items())
        print(f"| {name} | {row['rate']:g} (pair-F1 at {tried}) | {row['seconds']:.0f} s | {numbers} | {last} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, default=Path("data/real/train.jsonl"))
    parser.add_argument("--validation", type=Path, default=Path("data/real/validation.jsonl"))
    parser.add_argument("--encoder", default="models/naba-base")
    parser.add_argument("--parts", nargs="+", default=["speed", "f1"], choices=["speed", "f1"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--segments", type=int, default=120, help="A round's, on each side.")
    parser.add_argument("--warm-up", type=float, default=20, help="Seconds, for each training.")
    parser.add_argument("--train-segments", type=int, default=750, help="For F1.")
    parser.add_argument("--epochs", type=float, default=3, help="For F1.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="For F1; the Trainer's sides take the first.")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--write", action="store_true", help=f"Write {RESULTS.name}; figures only.")
    a = parser.parse_args()
    schema = LabelSchema.load(find(LABELS))
    ours = TrainConfig(train=[], validation=[], out=Path())
    plan = sides(schema, ours)
    items, validation = (load_labelled([path], schema) for path in (a.train, a.validation))
    # The Trainer's sides cannot leave an unknown label out of the loss.
    known = [item for item in items if all(v.present is not None and (v.stance or not v.present) for v in item.labels.values())]  # fmt: skip
    drawn = [known[number] for number in np.random.default_rng(a.seeds[0]).permutation(len(known))]
    part = drawn[: a.rounds * a.segments]
    job = Job(a.encoder, a.threads, ours.batch_size, ours.max_tokens, seed=a.seeds[0])
    scoring = Scoring(schema, drawn[: a.train_segments], validation, replace(job, epochs=a.epochs))
    trainings = [training for side in plan.values() for training in side.trainings]
    seconds = {"speed": sum(cost(t, part) for t in trainings) * 2 / a.threads + len(trainings) * (a.warm_up + 10)}
    seconds["f1"] = sum(scoring.left(side, seeds_of(name, a.seeds)) for name, side in plan.items())
    load = os.getloadavg()[0]
    print(f"about {sum(seconds[name] for name in a.parts) / 60:.0f} minutes ({', '.join(f'{n} {seconds[n] / 60:.0f}' for n in a.parts)})"
          f" on {a.threads} idle cores; others keep {load:.1f} busy{': times will mean little' if load > 0.3 else ''}", flush=True)  # fmt: skip
    inputs = {"encoder": a.encoder, "train": fingerprint(find(a.train)), "validation": fingerprint(find(a.validation))}
    report: dict[str, Any] = {"inputs": inputs, "threads": a.threads}
    if "speed" in a.parts:
        settings = asdict(job) | {
            "rounds": a.rounds,
            "segments": len(part),
            "warm_up": a.warm_up,
            "train": inputs["train"],
        }
        report["speed"] = kept("speed", settings, lambda: speed(plan, part, job, a.rounds, a.warm_up))
        speed_table(plan, report["speed"])
    if "f1" in a.parts:
        settings = {"segments": len(scoring.items), "epochs": a.epochs, "seeds": a.seeds, "validation": len(validation)}
        report["f1"] = {"settings": settings} | scoring(plan, a.seeds)
        score_table(plan, report["f1"])
    if a.write:
        write_json(RESULTS, report)


if __name__ == "__main__":
    main()
