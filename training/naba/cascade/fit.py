"""Fitting the first stage: one logistic regression a topic, on labelled segments and on what the run is sure of.

material = Material.of(items, learned, schema)
stage = fit_stage(material, every, "standard-1")
scores = out_of_fold(material, folds=5)          # [N, T], each by models that saw nothing of its cluster
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import diags
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

from naba.cascade.stage import LinearStage
from naba.cascade.unlabelled import Learned
from naba.cascade.words import count_matrix
from naba.dataset.clusters import find_clusters
from naba.dataset.dedupe import components
from naba.errors import DataError
from naba.records import LabelledSegment, Segment
from naba.schema import UNKNOWN, LabelSchema
from naba.text import normaliser
from naba.tfidf import targets

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]

STRENGTH = 0.1
"""Inverse regularisation; chosen by the share of general news that passes at a certified recall."""


@dataclass(frozen=True)
class Material:
    """N segments that the first stage may be fitted on: the labelled ones first, then those that the run labelled."""

    features: Any  # [N, buckets], sparse
    presence: Ints  # [N, T] of 1, 0 or UNKNOWN
    groups: Ints  # [N]
    """Numbers of clusters of articles that nearly duplicate one another, labelled or not; never cut by a fold."""
    sources: Sequence[str | None]  # [N]
    """provenance.source of the labelled ones."""
    certified: Mask  # [N]
    """On which of them recall is certified: read labels of published text, each text once."""
    authored: bool
    """Whether these are authored segments, as there are no others."""
    normalisation: str

    @classmethod
    def of(
        cls, items: Sequence[LabelledSegment], learned: Learned, schema: LabelSchema, normalisation: str
    ) -> "Material":
        """Put labelled and learned segments together."""
        certified, authored = _certified(items)
        texts = [item.segment.text for item in items] + list(learned.texts)
        rest = len(learned.texts)
        return cls(
            count_matrix(texts, normaliser(normalisation)),
            np.concatenate([targets(items, schema).presence, learned.presence]),
            _groups(items, learned),
            [item.provenance.get("source") for item in items] + [None] * rest,
            np.concatenate([certified, np.zeros(rest, dtype=bool)]),
            authored,
            normalisation,
        )


def fit_stage(material: Material, rows: Ints) -> LinearStage:
    """Fit on some of the segments. A topic without a positive or without a negative among them scores 0 everywhere."""
    features = material.features[rows]
    # How rare a piece is goes into its weight: what is summed at use are weights alone.
    seen = np.asarray((features > 0).sum(axis=0)).ravel()
    rarity = np.log((len(rows) + 1) / (seen + 1))
    scaled = features @ diags(rarity)
    weights = np.zeros((features.shape[1], material.presence.shape[1]))
    bias = np.zeros(weights.shape[1])
    for t, truth in enumerate(material.presence[rows].T):
        known = np.flatnonzero(truth != UNKNOWN)
        if len(np.unique(truth[known])) < 2:
            continue
        model = LogisticRegression(
            C=STRENGTH, solver="liblinear", class_weight="balanced", tol=1e-3, max_iter=300, random_state=0
        )
        with threadpool_limits(1):  # more threads only spin on a product of sparse matrices
            model.fit(scaled[known], truth[known])
        weights[:, t], bias[t] = model.coef_[0] * rarity, model.intercept_[0]
    return LinearStage(weights.astype(np.float16), bias, material.normalisation)


def scored_by(stage: LinearStage, material: Material, rows: Ints) -> Floats:
    """The stage's scores [n, T] of segments of the material."""
    weights = stage.weights.astype(np.float64)
    return np.asarray(material.features[rows] @ weights + stage.bias)


def out_of_fold(material: Material, folds: int) -> Floats:
    """Scores [N, T], each by a stage fitted on the folds that its segment is not in.

    Raises DataError where there are fewer clusters than folds.
    """
    if len(np.unique(material.groups)) < folds:
        raise DataError(f"folds = {folds}: the labelled segments have fewer clusters of articles; give more data")
    scores = np.zeros(material.presence.shape)
    for rows, held_out in GroupKFold(folds).split(material.groups, groups=material.groups):
        scores[held_out] = scored_by(fit_stage(material, rows), material, held_out)
    return scores


def without_source(material: Material, source: str) -> Floats:
    """Scores of a source's segments [n, T] by a stage fitted without that source, and without what shares a cluster with it."""
    held_out = np.array([one == source for one in material.sources])
    touched = np.isin(material.groups, material.groups[held_out])
    return scored_by(fit_stage(material, np.flatnonzero(~touched)), material, np.flatnonzero(held_out))


def calibration(scores: Floats, truth: Ints) -> tuple[float, float]:
    """Slope and offset that turn scores into log-odds (Platt 1999); 1 and 0 where there is one class only."""
    known = truth != UNKNOWN
    if len(np.unique(truth[known])) < 2:
        return 1.0, 0.0
    model = LogisticRegression(C=1e4).fit(scores[known, None], truth[known])
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _groups(items: Sequence[LabelledSegment], learned: Learned) -> Ints:
    """Clusters of labelled and learned segments: what is one among the labelled alone stays one.

    Beside many others a text that is often copied may count as stock text, which joins nothing.
    """
    alone = find_clusters(items).of
    taught = [
        LabelledSegment(Segment(article, text), {})
        for article, text in zip(learned.articles, learned.texts, strict=True)
    ]
    every = find_clusters([*items, *taught])
    _, first = np.unique(alone, return_index=True)
    links = np.stack([every.of[: len(items)], every.of[first[alone]]], axis=1)
    return np.asarray(components(every.count, links)[every.of])


def _certified(items: Sequence[LabelledSegment]) -> tuple[Mask, bool]:
    read = np.zeros(len(items), dtype=bool)
    seen: set[str] = set()
    for number, item in enumerate(items):
        if not item.extra.get("weak") and item.extra.get("teacher") is None and item.segment.id not in seen:
            seen.add(item.segment.id)
            read[number] = True
    authored = np.array([bool(item.provenance.get("authored")) for item in items])
    published = read & ~authored
    return (published, False) if published.any() else (read, True)
