"""What to label next: the segments of a pool whose labels would teach a model most.

`uncertainty` takes what the model is least sure of; `diverse` takes of the BETA·N least sure the nearest to each of N
centres of weighted k-means, so that a batch is not twenty wordings of one doubt (Zhdanov 2019, "Diverse mini-batch Active
Learning"); `random` is what both are measured against (tests/benchmarks/active_learning.py). Near-duplicates of what is
labelled already, and of each other, are never picked.

    chosen = select_segments(pool, labelled, classifier.probabilities(texts), 200, method="diverse", seed=1)
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from naba.dataset.dedupe import find_near_duplicates
from naba.errors import DataError
from naba.jsonl import read_numbered
from naba.paths import find
from naba.records import LabelledSegment, TopicLabel
from naba.schema import UNKNOWN, LabelSchema
from naba.text import normaliser
from naba.tfidf import Floats, Ints, Probabilities, targets

Method = Literal["random", "uncertainty", "diverse"]
METHODS: tuple[Method, ...] = ("random", "uncertainty", "diverse")
BETA = 10
"""`diverse` clusters this many times as many segments as are asked for."""
DIMENSIONS = 100
"""Of the vectors that are clustered."""

_NORMALISE = normaliser("standard-1")


@dataclass(frozen=True)
class Chosen:
    """One segment to label."""

    number: int
    """Which of the pool's segments."""
    score: float | None
    """What it was picked by, 0 to 1: uncertainty, or the probability of the wanted class; None where picked at random."""


def load_pool(paths: Sequence[Path], schema: LabelSchema) -> list[LabelledSegment]:
    """Read segments to choose from; labels in the rows are not looked at.

    Raises DataError naming file and line for a missing file or a row without text.
    """
    pool = [
        LabelledSegment.from_row(row | {"labels": {}}, schema, f"{path}:{line}")
        for path in map(find, paths)
        for line, row in read_numbered(path)
    ]
    if not pool:
        raise DataError(f"{', '.join(map(str, paths))}: no segments")
    return pool


def check_examples(
    labelled: Sequence[LabelledSegment], schema: LabelSchema, want: tuple[int, int | None] | None
) -> None:
    """Raise DataError where the labelled segments cannot teach a classifier what is asked of it."""
    gold = targets(labelled, schema)
    if not any(
        len(set(column.tolist()) - {UNKNOWN}) > 1 for labels in (gold.presence, gold.stance) for column in labels.T
    ):
        raise DataError(
            f"{len(labelled):,} labelled segments, all labelled alike: nothing can be learnt; begin with --method random"
        )
    if want is None:
        return
    topic, stance = want
    known = gold.presence[:, topic] == 1 if stance is None else gold.stance[:, topic] == stance
    if not known.any():
        name = schema.topic_ids[topic] + ("" if stance is None else f":{schema.stance_ids[stance]}")
        raise DataError(f"--want {name}: none of the labelled segments is; what was never seen cannot be looked for")


def uncertainty(probabilities: Probabilities) -> Floats:
    """How unsure a classifier is of each segment, 0 to 1 [N].

    The entropy of a topic's whole answer (absent, or present with one of S stances), a mean over topics, as a share of
    its greatest value log(1 + S). By the chain rule (Cover and Thomas 2006, theorem 2.2.1) it is the entropy of presence
    plus that of the stance given presence times the probability of presence. Entropy sampling: Settles 2009, "Active
    Learning Literature Survey", section 3.1.
    """
    there = probabilities.presence  # [N, T]
    of_presence = _entropy(np.stack([1 - there, there], axis=-1))  # [N, T]
    of_stance = _entropy(probabilities.stance)  # [N, T]
    greatest = np.log(1 + probabilities.stance.shape[-1])
    return np.asarray((of_presence + there * of_stance).mean(axis=1) / greatest)


def parse_want(want: str, schema: LabelSchema) -> tuple[int, int | None]:
    """A class such as "oil:rising", or "oil" for any stance, as numbers of topic and stance. Raises DataError."""
    topic, colon, stance = want.partition(":")
    if topic not in schema.topic_ids:
        raise DataError(
            f"--want {want}: topic {topic!r} is not in the label schema; it has {', '.join(schema.topic_ids)}"
        )
    if colon and stance not in schema.stance_ids:
        raise DataError(
            f"--want {want}: stance {stance!r} is not in the label schema; it has {', '.join(schema.stance_ids)}"
        )
    return schema.topic_ids.index(topic), schema.stance_ids.index(stance) if colon else None


def likelihood(probabilities: Probabilities, topic: int, stance: int | None) -> Floats:
    """Probability of each segment [N] that it has the topic, and with it the stance where one is named."""
    there = probabilities.presence[:, topic]
    return there if stance is None else there * probabilities.stance[:, topic, stance]


def select_segments(
    pool: Sequence[LabelledSegment],
    labelled: Sequence[LabelledSegment],
    scores: Floats | None,
    count: int,
    *,
    method: Method = "diverse",
    seed: int = 1,
    beta: int = BETA,
) -> list[Chosen]:
    """Up to `count` segments of the pool, the highest score first (for `random`: in the order drawn).

    Fewer come back where the pool has fewer that are new and distinct.

    Args:
        pool: P segments; their labels are not looked at.
        labelled: what has labels already, to be left out with its near-duplicates.
        scores: [P] the higher the rather; `random` needs none.
    """
    if method == "random" or scores is None:
        order = np.random.default_rng(seed).permutation(len(pool))
    else:
        # Reals tie often where a classifier has seen little; the draw keeps the pool's order from deciding.
        draw = np.random.default_rng(seed).permutation(len(pool))
        order = draw[np.argsort(-scores[draw], kind="stable")]
    new = _first_of_each(pool, labelled, order)
    if method == "diverse" and scores is not None and len(new) > count:
        candidates = new[: beta * count]
        vectors = embed([pool[n].segment.text for n in candidates])
        new = candidates[nearest_to_centres(vectors, scores[candidates], count, seed)]
    numbers = new[:count].tolist()
    return [Chosen(n, None if method == "random" or scores is None else round(float(scores[n]), 4)) for n in numbers]


def nearest_to_centres(vectors: Floats, weights: Floats, count: int, seed: int) -> Ints:
    """For each of `count` centres of weighted k-means the nearest vector that no other centre has, ascending [count].

    Args:
        vectors: [N, D], N at least `count`.
        weights: [N], none negative.
    """
    # All weights zero is no weighting; a zero among others would leave a segment to chance.
    weights = np.maximum(weights, 1e-9)
    with warnings.catch_warnings():
        # Fewer distinct vectors than centres is no fault: the centres on one spot take its neighbours.
        warnings.simplefilter("ignore", ConvergenceWarning)
        centres = KMeans(count, n_init=1, random_state=seed).fit(vectors, sample_weight=weights).cluster_centers_
    distances = ((vectors**2).sum(axis=1)[None] - 2 * centres @ vectors.T) + (centres**2).sum(axis=1)[:, None]
    taken = np.zeros(len(vectors), dtype=bool)
    for row in distances[np.argsort(distances.min(axis=1), kind="stable")]:
        taken[np.where(taken, np.inf, row).argmin()] = True
    return np.flatnonzero(taken)


def embed(texts: Sequence[str]) -> Floats:
    """Vectors of unit length [N, up to DIMENSIONS] that are close where words are shared (latent semantic analysis)."""
    words = TfidfVectorizer(sublinear_tf=True, max_features=50_000, token_pattern=r"\w+")
    try:
        matrix = words.fit_transform([_NORMALISE(text) for text in texts])
    except ValueError:  # no text has a word: nothing tells them apart
        return np.ones((len(texts), 1))
    size = min(DIMENSIONS, min(matrix.shape) - 1)
    if size < 1:
        return np.asarray(normalize(matrix.toarray()))
    return np.asarray(normalize(TruncatedSVD(size, random_state=0).fit_transform(matrix)))


def to_label(item: LabelledSegment, chosen: Chosen, rank: int, method: Method, want: str | None) -> LabelledSegment:
    """The segment with every label unknown and a note of how it was picked, ready for annotators.

    Args:
        rank: from 1, the first to label.
    """
    said = {"method": method, "score": chosen.score, "rank": rank} | ({"want": want} if want else {})
    unlabelled = {topic: TopicLabel(None) for topic in item.labels}
    # Whoever labelled the pool's row did not label this one.
    provenance = {key: value for key, value in item.provenance.items() if key not in ("annotator", "rule", "model")}
    return replace(item, labels=unlabelled, provenance=provenance, extra={"selected_by": said})


def _entropy(probabilities: Floats) -> Floats:
    """In nats, over the last axis."""
    safe = np.where(probabilities > 0, probabilities, 1.0)
    return np.asarray(-(safe * np.log(safe)).sum(axis=-1))


def _first_of_each(pool: Sequence[LabelledSegment], labelled: Sequence[LabelledSegment], order: Ints) -> Ints:
    """The numbers in `order` without near-duplicates of labelled segments, and one of each cluster of the others."""
    texts = [item.segment.text for item in (*labelled, *pool)]
    clusters = find_near_duplicates(texts).clusters
    known, own = set(clusters[: len(labelled)].tolist()), clusters[len(labelled) :]
    kept: list[Any] = []
    for number in order.tolist():
        if own[number] not in known:
            known.add(own[number])
            kept.append(number)
    return np.array(kept, dtype=int)
