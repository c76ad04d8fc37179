"""TF-IDF with logistic regression: the plain classifier that needs no encoder and is fitted in seconds.

A baseline in evaluation, the first judge of labels (`naba suspects`) and of what to label next (`naba select`). One
yes/no classifier a topic, one stance classifier a topic, both over words, pairs of words and characters.

    classifier = TfidfClassifier(items, schema)
    classifier.probabilities(["…"]).presence  # [N, T]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion
from threadpoolctl import threadpool_limits

from naba.errors import DataError
from naba.metrics import Labels
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema
from naba.text import normaliser

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

FEW_SEGMENTS = 50
"""A word seen once says little; among fewer segments than this every word is, and all are kept."""

_NORMALISE = normaliser("standard-1")


@dataclass(frozen=True)
class Probabilities:
    """What a classifier believes of N segments."""

    presence: Floats  # [N, T]
    """Probability that the segment is about the topic."""
    stance: Floats  # [N, T, S]
    """Probability of every stance given that the topic is present; sums to 1."""


def targets(items: Sequence[LabelledSegment], schema: LabelSchema) -> Labels:
    """Gold labels as arrays [N, T]."""
    shape = (len(items), len(schema.topic_ids))
    rows = [item.targets(schema) for item in items]
    return Labels(*(np.array([row[part] for row in rows], dtype=int).reshape(shape) for part in (0, 1)))


class LogisticRegressions:
    """The classifiers over given features; where training has one class only, that class is the answer."""

    def __init__(self, features: Any, gold: Labels, schema: LabelSchema) -> None:
        """Fit on `features` [N, F] (dense or sparse) and labels [N, T]; unknown labels take no part."""
        classes = (range(2), range(len(schema.stance_ids)))
        self._presence, self._stance = (
            [_Classifier(features, labels[:, t], len(known)) for t in range(len(schema.topic_ids))]
            for labels, known in zip((gold.presence, gold.stance), classes, strict=True)
        )

    def probabilities(self, features: Any) -> Probabilities:
        """Probabilities for `features` [N, F]."""
        presence = [model.probabilities(features)[:, 1] for model in self._presence]
        return Probabilities(
            np.stack(presence, axis=1), np.stack([model.probabilities(features) for model in self._stance], axis=1)
        )


class TfidfClassifier:
    """TF-IDF features and the classifiers over them, fitted on labelled segments."""

    def __init__(self, train: Sequence[LabelledSegment], schema: LabelSchema) -> None:
        """Fit on `train`; unknown labels take no part. Raises DataError where the texts have no words to learn from."""
        self._features = vectoriser(len(train))
        try:
            matrix = self._features.fit_transform([_NORMALISE(item.segment.text) for item in train])
        except ValueError as error:  # scikit-learn's word for an empty vocabulary
            raise DataError(f"TF-IDF cannot be fitted on {len(train):,} segments ({error}); give more text") from None
        self._models = LogisticRegressions(matrix, targets(train, schema), schema)

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Probabilities for texts."""
        return self._models.probabilities(self._features.transform([_NORMALISE(text) for text in texts]))

    def predict(self, texts: Sequence[str]) -> Labels:
        """The likelier presence [N, T] and, for every topic, the likeliest stance [N, T]."""
        said = self.probabilities(texts)
        return Labels((said.presence > 0.5).astype(int), np.asarray(said.stance.argmax(-1)))


def vectoriser(segments: int) -> Any:
    """The features, unfitted, for that many training segments; texts are to be normalised first."""
    rarest = 2 if segments >= FEW_SEGMENTS else 1
    return FeatureUnion(
        [
            ("words", TfidfVectorizer(ngram_range=(1, 2), min_df=rarest, sublinear_tf=True, token_pattern=r"\w+")),
            ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=rarest, sublinear_tf=True)),
        ]
    )


class _Classifier:
    def __init__(self, features: Any, labels: Ints, classes: int) -> None:
        known = labels != UNKNOWN
        self.classes = classes
        self.seen = np.unique(labels[known])
        self.model: Any = None
        if len(self.seen) > 1:
            self.model = LogisticRegression(C=10, max_iter=1000, class_weight="balanced")
            # Products of sparse matrices run on one thread; more of them only spin, on a busy machine for minutes.
            with threadpool_limits(1):
                self.model.fit(features[np.flatnonzero(known)], labels[known])

    def probabilities(self, features: Any) -> Floats:
        """[N, classes]; a class that training has not is given 0, and the first gets 1 where it has none."""
        answer = np.zeros((features.shape[0], self.classes))
        if self.model is None:
            answer[:, self.seen[0] if len(self.seen) else 0] = 1.0
        else:
            answer[:, self.seen] = self.model.predict_proba(features)
        return answer
