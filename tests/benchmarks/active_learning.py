"""Active learning, simulated: how many labels each way of picking them needs for the same score.

    nice python tests/benchmarks/active_learning.py data/real/train.jsonl               # the table, about ten minutes
    nice python tests/benchmarks/active_learning.py data/real/train.jsonl --tune        # BETA, on other seeds

A fifth of the clusters is held out; of the rest 200 random segments are labelled, then 200 more in each round by each
method, up to 3,000. The model is logistic regression over TF-IDF of the whole pool (its texts are known, its labels not).
The model, and with it the saving, is not the fine-tuned encoder: read the figures as a comparison of methods. The last 1,500
rows of data/real/train.jsonl were themselves picked by an earlier model, so that random draws from an enriched pool too.
"""

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import FeatureUnion

from naba.dataset.clusters import find_clusters
from naba.dataset.labelled import load_labelled
from naba.dataset.select import METHODS, likelihood, parse_want, select_segments, uncertainty
from naba.metrics import Labels, score
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.text import normaliser
from naba.tfidf import LogisticRegressions, targets

ROOT = Path(__file__).resolve().parents[2]
START, BATCH, END = 200, 200, 3000
SEEDS, TUNING_SEEDS = (1, 2, 3, 4, 5), (101, 102)
BETAS = (3, 5, 10)


class Simulation:
    """One split of the data: pool, held-out part, and features of both."""

    def __init__(self, items: Sequence[LabelledSegment], clusters: Sequence[int], schema: LabelSchema, seed: int):
        self.schema, self.seed = schema, seed
        inside, outside = next(GroupShuffleSplit(1, test_size=0.2, random_state=seed).split(items, groups=clusters))
        self.pool, held_out = [items[n] for n in inside], [items[n] for n in outside]
        normalise = normaliser("standard-1")
        texts = [[normalise(item.segment.text) for item in part] for part in (self.pool, held_out)]
        # Fewer features than naba.tfidf has, for speed.
        features = FeatureUnion(
            [
                ("words", TfidfVectorizer(min_df=2, sublinear_tf=True, token_pattern=r"\w+", max_features=20_000)),
                ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), min_df=2, sublinear_tf=True,
                                               max_features=20_000)),
            ]
        )  # fmt: skip
        self.x = features.fit_transform(texts[0]).tocsr()
        self.z = features.transform(texts[1]).tocsr()
        self.gold, self.truth = targets(self.pool, schema), targets(held_out, schema)

    def fit(self, rows: Sequence[int]) -> LogisticRegressions:
        """A model of the pool's rows that are labelled so far."""
        gold = Labels(self.gold.presence[rows], self.gold.stance[rows])
        return LogisticRegressions(self.x[rows], gold, self.schema)

    def start(self) -> list[int]:
        """The random segments that every method begins with."""
        return np.random.default_rng(self.seed).permutation(len(self.pool))[:START].tolist()

    def curve(self, method: Any, **how: Any) -> Iterator[tuple[int, float]]:
        """Number of labels and pair-F1 on the held-out part, round by round."""
        rows = self.start()
        while True:
            model = self.fit(rows)
            said = model.probabilities(self.z)
            answer = Labels((said.presence > 0.5).astype(int), said.stance.argmax(-1))
            yield len(rows), score(self.truth, answer, self.schema)["pairs"]["f1"]
            if len(rows) >= END:
                return
            rest = np.setdiff1d(np.arange(len(self.pool)), rows)
            scores = None if method == "random" else uncertainty(model.probabilities(self.x[rest]))
            chosen = select_segments([self.pool[n] for n in rest], [self.pool[n] for n in rows], scores,
                                     min(BATCH, END - len(rows)), method=method, seed=self.seed, **how)  # fmt: skip
            rows += [int(rest[c.number]) for c in chosen]


def labels_needed(curve: Sequence[tuple[int, float]], target: float) -> float | None:
    """The number of labels at which a curve first reaches the target, between rounds by a straight line; None: never."""
    for (before, low), (after, high) in pairwise(curve):
        if low >= target:
            return before
        if high >= target:
            return before + (after - before) * (target - low) / (high - low)
    return None


def spread(values: Sequence[float], form: str) -> str:
    """Median, least and greatest."""
    return " ".join(format(value, form) for value in (statistics.median(values), min(values), max(values)))


def table(curves: dict[Any, list[list[tuple[int, float]]]]) -> None:
    """Pair-F1 by number of labels, and the labels that each method needs."""
    print("\nlabels  " + "".join(f"{name!s:>26}" for name in curves) + "   pair-F1: median, least, greatest over seeds")
    sizes = [size for size, _ in next(iter(curves.values()))[0]]
    for at, size in enumerate(sizes):
        cells = (spread([curve[at][1] for curve in runs], ".3f") for runs in curves.values())
        print(f"{size:>6}  " + "".join(f"{cell:>26}" for cell in cells))


def savings(curves: dict[Any, list[list[tuple[int, float]]]]) -> None:
    """Labels needed for what random reaches with 1,000, 2,000 and END of them, seed by seed and on the mean curve."""
    for size in (1000, 2000, END):
        print(f"\nlabels needed for the pair-F1 that random reaches with {size:,} (same split and start):")
        for name, runs in curves.items():
            pairs = list(zip([*curves["random"], mean_curve(curves["random"])], [*runs, mean_curve(runs)], strict=True))
            needed = [labels_needed(curve, dict(random)[size]) for random, curve in pairs]
            saved = [float("nan") if n is None else 1 - n / size for n in needed]
            told = ", ".join("never" if n is None else f"{n:,.0f}" for n in needed[:-1])
            shares = ", ".join("–" if np.isnan(share) else f"{share:.0%}" for share in saved[:-1])
            print(f"  {name!s:<12} by seed {told}; saved {shares}; on the mean curve {saved[-1]:.0%}")


def mean_curve(runs: Sequence[list[tuple[int, float]]]) -> list[tuple[int, float]]:
    """The mean over seeds, round by round."""
    return [(points[0][0], statistics.mean(f1 for _, f1 in points)) for points in zip(*runs, strict=True)]


def rare(simulations: Sequence[Simulation], want: str) -> None:
    """How many of one batch are of a wanted class, by method."""
    print(f"\n{want} among the {BATCH} picked after {START} random ones: median, least, greatest over seeds")
    found: dict[str, list[float]] = {}
    for simulation in simulations:
        rows = simulation.start()
        rest = np.setdiff1d(np.arange(len(simulation.pool)), rows)
        believed = simulation.fit(rows).probabilities(simulation.x[rest])
        t, s = parse_want(want, simulation.schema)
        ways = {"random": ("random", None), "diverse": ("diverse", uncertainty(believed))}
        ways |= {"diverse --want": ("diverse", likelihood(believed, t, s))}
        ways |= {"uncertainty --want": ("uncertainty", likelihood(believed, t, s))}
        pool, known = [simulation.pool[n] for n in rest], [simulation.pool[n] for n in rows]
        for name, (method, scores) in ways.items():
            chosen = select_segments(pool, known, scores, BATCH, method=method, seed=simulation.seed)
            hits = sum(int(simulation.gold.stance[rest[c.number], t] == s) for c in chosen)
            found.setdefault(name, []).append(hits)
    for name, hits in found.items():
        print(f"  {name:<20} {spread(hits, '.0f')}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="Labelled JSONL of real segments.")
    parser.add_argument("--tune", action="store_true", help="Compare values of BETA, on other seeds than are reported.")
    parser.add_argument("--want", default="humanitarian_aid:oppose", help="The rare class.")
    arguments = parser.parse_args()
    schema = LabelSchema.load(ROOT / "configs" / "labels.yaml")
    items = load_labelled([arguments.data], schema)
    clusters = find_clusters(items).of.tolist()
    started = time.perf_counter()
    seeds = TUNING_SEEDS if arguments.tune else SEEDS
    simulations = [Simulation(items, clusters, schema, seed) for seed in seeds]
    ways = {f"beta {b}": ("diverse", {"beta": b}) for b in BETAS} if arguments.tune else {m: (m, {}) for m in METHODS}
    curves = {name: [list(s.curve(method, **how)) for s in simulations] for name, (method, how) in ways.items()}
    print(
        f"{len(items):,} segments, {len(set(clusters)):,} clusters, seeds {seeds}, {time.perf_counter() - started:.0f} s"
    )
    table(curves)
    if not arguments.tune:
        savings(curves)
        rare(simulations, arguments.want)
    else:
        for name, runs in curves.items():
            print(f"{name}: mean over rounds and seeds {np.mean([f1 for curve in runs for _, f1 in curve]):.4f}")


if __name__ == "__main__":
    main()
