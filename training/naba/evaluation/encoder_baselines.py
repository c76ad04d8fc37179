"""Baselines over the vectors of a frozen encoder: what it knows of topics and stances before it is fine-tuned.

`frozen` is logistic regression on the vectors of training segments, `zero_shot` takes the topic whose description is
nearest and needs no label at all. What fine-tuning adds is the distance of a run from both.

    frozen(embedder.embed(train_texts), targets(train, schema), embedder.embed(texts), schema)
    topics, stances = descriptions(schema)
    zero_shot(embedder.embed(texts), embedder.embed(topics), embedder.embed(stances), background, schema)

Vectors come from `naba.evaluation.embeddings`; `naba.evaluation.baselines` calls these beside the others.
"""

import numpy as np

from naba.errors import DataError
from naba.evaluation.answers import Answers
from naba.schema import LabelSchema
from naba.scores import Floats, Labels
from naba.tfidf import LogisticRegressions

FEWEST_TEXTS = 20
"""Fewer texts say too little of how near a description texts usually are."""


def frozen(train: Floats, gold: Labels, texts: Floats, schema: LabelSchema) -> Answers:
    """Logistic regression on vectors of length one, with the settings of the TF-IDF baseline, whose rows are as long.

    Args:
        train: [M, D], gold: [M, T]; unknown labels take no part. texts: [N, D].
    """
    said = LogisticRegressions(train, gold, schema).probabilities(texts)
    labels = Labels((said.presence > 0.5).astype(int), np.asarray(said.stance.argmax(-1)))
    return Answers(labels, said.presence, said.stance)


def descriptions(schema: LabelSchema) -> tuple[list[str], list[str]]:
    """A text for each topic [T], and for each stance of each topic [T · S], in the language of the segments.

    A topic's is its Arabic name with the words typical of it; the definition stands in where a schema lists none. (On
    5,625 news segments and the shipped encoder such words rank with an average precision of 0.57, the English
    definitions with 0.35; so too for stances.)
    """
    topics = [f"{topic.name_ar}: {'، '.join(topic.typical) or topic.definition}" for topic in schema.topics]
    stances = [f"{stance.name_ar}: {topic.name_ar}" for topic in schema.topics for stance in schema.stances]
    return topics, stances


def zero_shot(texts: Floats, topics: Floats, stances: Floats, background: Floats, schema: LabelSchema) -> Answers:
    """The topics and stances whose descriptions are near a text; without probabilities, for cosines are none.

    A topic is present above a threshold on its cosine, which Otsu's criterion sets over `background`: no label is seen.
    The stance is the one that is nearer, by cosine, than it is to the background on average: descriptions differ in how
    near they are to any text.

    Args:
        texts: [N, D], topics: [T, D], stances: [T · S, D], all of length one.
        background: [M, D] of unlabelled texts like those asked about.

    Raises:
        DataError: the background has fewer than FEWEST_TEXTS texts.
    """
    if len(background) < FEWEST_TEXTS:
        raise DataError(
            f"zero-shot: {len(background)} texts, too few to set a threshold on; give {FEWEST_TEXTS} or more, or training data"
        )
    usual, near = background @ topics.T, texts @ topics.T  # [M, T], [N, T]
    thresholds = np.array([otsu(usual[:, t]) for t in range(len(schema.topic_ids))])
    drawn = texts @ stances.T - (background @ stances.T).mean(axis=0)  # [N, T · S]
    stance = drawn.reshape(len(texts), len(schema.topic_ids), len(schema.stance_ids)).argmax(-1)
    return Answers(Labels((near > thresholds).astype(int), np.asarray(stance)))


def otsu(values: Floats) -> float:
    """The cut of values [N] in two that leaves the most variance between the two; infinite where all are equal.

    Otsu 1979, "A Threshold Selection Method from Gray-Level Histograms", IEEE Transactions on Systems, Man, and
    Cybernetics 9(1), equation 18, over the values themselves instead of a histogram.
    """
    ranked = np.sort(np.asarray(values, dtype=np.float64))
    if len(ranked) < 2:
        return float("inf")
    below = np.arange(1, len(ranked))
    share, sums = below / len(ranked), np.cumsum(ranked)
    distance = (sums[-1] - sums[:-1]) / (len(ranked) - below) - sums[:-1] / below
    between = np.where(ranked[1:] > ranked[:-1], share * (1 - share) * distance**2, -1.0)
    best = int(between.argmax())
    return float((ranked[best] + ranked[best + 1]) / 2) if between[best] >= 0 else float("inf")
