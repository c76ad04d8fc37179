"""Label errors: how many planted ones are found, and how far down the list.

    python tests/benchmarks/suspects.py                        # 5 % of data/authored.jsonl, seeds 1 to 3; a minute
    python tests/benchmarks/suspects.py data/real/train.jsonl  # any other labelled set
    python tests/benchmarks/suspects.py --compare              # cleanlab's filters and scores, on other seeds

In so many segments one label is made wrong: a present topic becomes absent, an absent one present with some stance, or a
stance another. k is the number of segments with a planted error: a list of k without a miss has precision and recall 1.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

from naba.dataset.clusters import find_clusters
from naba.dataset.labelled import load_labelled
from naba.dataset.suspects import find_suspects, out_of_fold
from naba.records import LabelledSegment, TopicLabel
from naba.schema import LabelSchema
from naba.tfidf import Probabilities, targets

ROOT = Path(__file__).resolve().parents[2]
SEEDS, COMPARING_SEEDS = (1, 2, 3), (11, 12, 13)
FILTERS = ("prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "predicted_neq_given")
SCORES = ("self_confidence", "normalized_margin")

Label = tuple[int, str, str]
"""Number of the segment, topic, question."""


def plant(
    items: Sequence[LabelledSegment], schema: LabelSchema, share: float, seed: int
) -> tuple[list[LabelledSegment], set[Label]]:
    """The items with one label made wrong in a share of them, and which."""
    draw = random.Random(seed)
    wrong, planted = list(items), set()
    for number in draw.sample(range(len(items)), round(share * len(items))):
        topic = draw.choice(schema.topic_ids)
        label = items[number].labels[topic]
        if not label.present:
            made, question = TopicLabel(True, draw.choice(schema.stance_ids)), "presence"
        elif draw.random() < 0.5:
            made, question = TopicLabel(False), "presence"
        else:
            others = [stance for stance in schema.stance_ids if stance != label.stance]
            made, question = TopicLabel(True, draw.choice(others)), "stance"
        wrong[number] = replace(items[number], labels={**items[number].labels, topic: made})
        planted.add((number, topic, question))
    return wrong, planted


def figures(found: Sequence[Label], planted: set[Label]) -> dict[str, float]:
    """Precision at 20, 50 and k, recall at k and 2k and of the whole list, precision and length of the list."""
    hits, k = [label in planted for label in found], len(planted)
    return {
        "precision at 20": sum(hits[:20]) / 20,
        "precision at 50": sum(hits[:50]) / 50,
        "precision and recall at k": sum(hits[:k]) / k,
        "recall at 2k": sum(hits[: 2 * k]) / k,
        "recall of the list": sum(hits) / k,
        "precision of the list": sum(hits) / max(len(hits), 1),
        "length of the list": len(hits),
    }


def report(name: str, runs: Sequence[dict[str, float]]) -> None:
    """Mean, and least to greatest, over seeds."""
    print(name)
    for key in runs[0]:
        values = [run[key] for run in runs]
        form = ".0f" if key.startswith("length") else ".3f"
        print(f"  {key:<27}{np.mean(values):>8{form}}  ({min(values):{form}} to {max(values):{form}})")


def variants(
    items: Sequence[LabelledSegment], said: Probabilities, schema: LabelSchema
) -> Iterator[tuple[str, list[Label]]]:
    """What every filter finds, ranked by every score."""
    gold = targets(items, schema)
    for name in FILTERS:
        for score in SCORES:
            found: list[tuple[float, Label]] = []
            for t, topic in enumerate(schema.topic_ids):
                there = said.presence[:, t]
                binary = np.stack([1 - there, there], axis=1)
                questions = (("presence", gold.presence, binary), ("stance", gold.stance, said.stance[:, t]))
                for question, labels, beliefs in questions:
                    rows = np.flatnonzero((labels[:, t] >= 0) & ~np.isnan(beliefs).any(axis=1))
                    given, beliefs = labels[rows, t], beliefs[rows]
                    flagged = find_label_issues(given, beliefs, filter_by=name, n_jobs=1)
                    quality = get_label_quality_scores(given, beliefs, method=score)
                    found += [(quality[n], (int(rows[n]), topic, question)) for n in np.flatnonzero(flagged)]
            yield f"{name}, {score}", [label for _, label in sorted(found)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=ROOT / "data" / "authored.jsonl", help="Labelled JSONL.")
    parser.add_argument("--share", type=float, default=0.05, help="Of the segments that get a wrong label.")
    parser.add_argument("--compare", action="store_true", help="Compare cleanlab's filters and scores.")
    arguments = parser.parse_args()
    schema = LabelSchema.load(ROOT / "configs" / "labels.yaml")
    items = load_labelled([arguments.data], schema)
    clusters = find_clusters(items).of.tolist()
    runs: dict[str, list[dict[str, float]]] = {}
    for seed in COMPARING_SEEDS if arguments.compare else SEEDS:
        wrong, planted = plant(items, schema, arguments.share, seed)
        said = out_of_fold(wrong, clusters, schema, seed=seed)
        if arguments.compare:
            for name, found in variants(wrong, said, schema):
                runs.setdefault(name, []).append(figures(found, planted))
            continue
        suspects = [(s.number, s.topic, s.question) for s in find_suspects(wrong, said, schema)]
        for question in ("presence", "stance"):
            name = f"{question} alone"
            of_question = {label for label in planted if label[2] == question}
            runs.setdefault(name, []).append(figures([s for s in suspects if s[2] == question], of_question))
        runs.setdefault(f"all ({len(planted)} planted in {len(items):,} segments)", []).append(
            figures(suspects, planted)
        )
    for name, all_seeds in runs.items():
        report(name, all_seeds)


if __name__ == "__main__":
    main()
