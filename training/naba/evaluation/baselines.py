"""Simple systems that a model must beat, fitted on the same training data.

`majority` says for each topic what most training segments have, and its commonest stance. `tfidf` is TF-IDF over word
and character n-grams with logistic regression: one yes/no classifier a topic, one stance classifier a topic.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion

from naba.metrics import Labels
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema
from naba.text import normaliser

_NORMALISE = normaliser("standard-1")


def targets(items: Sequence[LabelledSegment], schema: LabelSchema) -> Labels:
    """Gold labels as arrays [N, T]."""
    rows = [item.targets(schema) for item in items]
    presence, stance = zip(*rows, strict=True)
    return Labels(np.array(presence), np.array(stance))


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
    gold = targets(train, schema)
    # A word seen once says little; in a handful of segments every word is.
    rarest = 2 if len(train) >= 50 else 1
    features = FeatureUnion(
        [
            ("words", TfidfVectorizer(ngram_range=(1, 2), min_df=rarest, sublinear_tf=True, token_pattern=r"\w+")),
            ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=rarest, sublinear_tf=True)),
        ]
    )
    x = features.fit_transform([_NORMALISE(item.segment.text) for item in train])
    z = features.transform([_NORMALISE(text) for text in test])
    answer = majority(gold, len(test), schema)
    for t in range(len(schema.topic_ids)):
        known, judged = gold.presence[:, t] != UNKNOWN, gold.stance[:, t] != UNKNOWN
        # A classifier needs two classes; where training has one, the majority answer stands.
        for rows, labels, column in ((known, gold.presence, answer.presence), (judged, gold.stance, answer.stance)):
            if len(np.unique(labels[rows, t])) > 1:
                model = LogisticRegression(C=10, max_iter=1000, class_weight="balanced")
                column[:, t] = model.fit(x[rows], labels[rows, t]).predict(z)
    return answer
