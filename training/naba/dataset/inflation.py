"""How much a naive random split would have flattered: the same classifier on both splits of the same segments.

The naive split draws single segments, as `train_test_split` does, from the data as it came, repeats and all; the other
keeps clusters whole, repeats dropped. TF-IDF + logistic regression is fitted and scored on each, several times; what the naive split
scores above the other is leakage, not skill.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.errors import DataError
from naba.metrics import score
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.tfidf import TfidfClassifier, targets

Numbers = NDArray[np.int64]

MAX_SEGMENTS = 4000
"""More are not needed to see the difference; the rest of the clusters is left out, whole."""
MIN_SEGMENTS = 100
"""Of fewer, a fifth is too few to score."""
_SHARE = 0.2
_REPEATS = 5


def inflation(
    items: Sequence[LabelledSegment],
    clusters: Numbers,
    repeats: NDArray[np.bool_],
    schema: LabelSchema,
    seed: int,
) -> dict[str, Any] | None:
    """Scores of both splits, each the mean of five draws.

    Args:
        items: N labelled segments as they came.
        clusters: the cluster of each [N].
        repeats: which of them repeat another's text [N].
        schema: of their labels.
        seed: of the draws.

    Returns:
        `naive` and `clustered`, each with pair_f1 and topic_macro_f1, and how many segments; None for too few segments
        or clusters, or texts that share no word.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(np.unique(clusters))
    sizes = np.bincount(clusters)[order] if len(order) else order
    kept = order[np.cumsum(sizes) <= MAX_SEGMENTS]
    chosen = np.flatnonzero(np.isin(clusters, kept))
    if len(chosen) < MIN_SEGMENTS or len(kept) < 10:
        return None
    rows: dict[str, list[dict[str, float]]] = {"naive": [], "clustered": []}
    try:
        for _ in range(_REPEATS):
            naive, whole = _draws(random, chosen, kept, clusters, repeats)
            rows["naive"].append(_scores(items, *naive, schema))
            rows["clustered"].append(_scores(items, *whole, schema))
    except DataError:  # texts without a word in common teach a classifier nothing
        return None
    means = {
        name: {key: round(float(np.mean([row[key] for row in of_split])), 4) for key in of_split[0]}
        for name, of_split in rows.items()
    }
    return {"segments": len(chosen), "repeats": _REPEATS} | means


def _draws(
    random: np.random.Generator, chosen: Numbers, kept: Numbers, clusters: Numbers, repeats: NDArray[np.bool_]
) -> tuple[tuple[Numbers, Numbers], tuple[Numbers, Numbers]]:
    """Train and test of a naive split of the chosen segments, and of one of their distinct ones by whole clusters."""
    test = np.isin(chosen, random.permutation(chosen)[: int(len(chosen) * _SHARE)])
    distinct = chosen[~repeats[chosen]]
    drawn = random.permutation(kept)
    size = np.bincount(clusters[distinct], minlength=int(clusters.max()) + 1)[drawn]
    # At least one cluster is held out, also where the first is larger than the share.
    held = drawn[: max(1, int((np.cumsum(size) <= len(distinct) * _SHARE).sum()))]
    whole = np.isin(clusters[distinct], held)
    return (chosen[~test], chosen[test]), (distinct[~whole], distinct[whole])


def _scores(items: Sequence[LabelledSegment], train: Numbers, test: Numbers, schema: LabelSchema) -> dict[str, float]:
    model = TfidfClassifier([items[number] for number in train.tolist()], schema)
    held = [items[number] for number in test.tolist()]
    found = score(targets(held, schema), model.predict([item.segment.text for item in held]), schema)
    return {"pair_f1": found["pairs"]["f1"], "topic_macro_f1": found["topics"]["macro_f1"] or 0.0}
