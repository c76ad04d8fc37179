"""Simple systems that a model must beat, fitted on the same training data.

`majority` says for each topic what most training segments have, and its commonest stance. `tfidf` is TF-IDF over word
and character n-grams with logistic regression (`naba.tfidf`).
"""

from collections.abc import Sequence

import numpy as np

from naba.metrics import Labels
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema
from naba.tfidf import TfidfClassifier, targets

__all__ = ["majority", "targets", "tfidf"]


def majority(train: Labels, count: int, schema: LabelSchema) -> Labels:
    """The same answer for each of `count` segments."""
    topics = len(schema.topic_ids)
    presence, stance = np.zeros((count, topics), dtype=int), np.zeros((count, topics), dtype=int)
    for t in range(topics):
        known = train.presence[:, t] != UNKNOWN
        presence[:, t] = int(known.any() and train.presence[known, t].mean() > 0.5)
        judged = train.stance[:, t][train.stance[:, t] != UNKNOWN]
        stance[:, t] = np.bincount(judged).argmax() if len(judged) else 0
    return Labels(presence, stance)


def tfidf(train: Sequence[LabelledSegment], test: Sequence[str], schema: LabelSchema) -> Labels:
    """TF-IDF + logistic regression, fitted on `train`, answering for the texts of `test`."""
    return TfidfClassifier(train, schema).predict(test)
