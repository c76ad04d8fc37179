"""Votes on one question into the probability of each answer: plain shares, Dawid-Skene, MACE, or weights from gold.

    judged, share = METHODS["dawid-skene"](Question(segment, annotator, answer, answers=2))

- majority: the share of the votes. Needs nothing, assumes nothing.
- dawid-skene (Dawid and Skene 1979, Applied Statistics 28:20-28) learns each annotator's confusion matrix from the votes
  alone, mace (Hovy et al. 2013, NAACL, 1120-1130) how often each one guesses, and what; both are crowd-kit's (Apache-2.0).
  Neither learns anything of an annotator who only ever gives one answer, as most labelling rules do: on the votes that
  are there it says the same whatever is true. Dawid-Skene passes such votes over (a segment with no other vote gets the
  answers' shares among all segments), MACE takes their giver for one who guesses.
- weighted: naive Bayes whose weights come from gold. What a vote weighs is how often gold was which answer when this
  annotator said so, against how often gold is that answer at all; one-answer rules are weighed as well as anyone.

`naba.voting.resolve` asks them topic by topic, presence and stance apart. Silence is no vote to any of them.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.errors import ConfigError, DataError, NabaError
from naba.schema import UNKNOWN
from naba.voting.vote_table import Ints

Floats = NDArray[np.float64]
Answer = tuple[Ints, Floats]
"""The segments that were judged [n], ascending, and the probability of each answer [n, answers]; rows sum to 1."""

_MACE_STARTS = 3
"""Random starts, the likeliest kept. On the benchmark's votes one start and three end within 0.003 of pair-F1."""
_SHRINK = 20.0
"""Votes on gold that an annotator needs until its own record counts as much as all annotators' together."""
_TRUST = 20.0
"""Right votes that each answer starts with; so a small gold can spoil no answer, and without gold all count alike.
Both were chosen on training segments, where 5 and 1 lose about a point of pair-F1 with a gold of 100 to 300."""


@dataclass(frozen=True)
class Question:
    """One question put to all annotators: at least one vote, at most one for each segment and annotator."""

    segment: Ints
    """[V]"""
    annotator: Ints
    """[V]"""
    answer: Ints
    """[V] in 0 … answers - 1."""
    answers: int
    """How many answers there are, at least two."""
    seed: int = 1
    """Of MACE's random starts."""
    gold: Ints | None = None
    """[segments] the right answers, UNKNOWN where nobody knows."""


def majority(question: Question) -> Answer:
    """Each answer's share of the votes."""
    judged, row = np.unique(question.segment, return_inverse=True)
    cells = np.bincount(row * question.answers + question.answer, minlength=len(judged) * question.answers)
    counts = cells.reshape(-1, question.answers)
    return judged, counts / counts.sum(axis=1, keepdims=True)


def dawid_skene(question: Question) -> Answer:
    """Posteriors of crowd-kit's Dawid-Skene. Raises NabaError where crowd-kit is not installed."""
    crowdkit, pandas = _crowdkit()
    columns = {"task": question.segment, "worker": question.annotator, "label": question.answer}
    judged, share = _fit(crowdkit.DawidSkene(), pandas.DataFrame(columns))
    return judged, share.reindex(columns=range(question.answers), fill_value=0.0).to_numpy(np.float64)


def mace(question: Question) -> Answer:
    """Posteriors of crowd-kit's MACE. Raises NabaError where it is not installed, DataError where its products underflow."""
    crowdkit, pandas = _crowdkit()
    # crowd-kit 1.4.2 numbers annotators and answers as they appear but reads its counts back in sorted order, and draws
    # every start from the same integer seed: give it numbers that appear sorted, and a generator.
    order = np.argsort(question.annotator, kind="stable")
    coded, used = pandas.factorize(question.answer[order])
    columns = {"task": question.segment[order], "worker": question.annotator[order], "label": coded}
    starts = np.random.RandomState(question.seed)
    judged, share = _fit(crowdkit.MACE(n_restarts=_MACE_STARTS, random_state=starts), pandas.DataFrame(columns))
    share.columns = used[share.columns]
    return judged, share.reindex(columns=range(question.answers), fill_value=0.0).to_numpy(np.float64)


def weighted(question: Question) -> Answer:
    """Naive Bayes with weights from gold: p(answer) · Π over votes of p(answer | this annotator said so) / p(answer).

    p(answer | …) is counted on the segments that have gold, and shrunk by `_SHRINK` votes to what the same vote means
    over all annotators, and that by `_TRUST` to being right. Raises ConfigError without gold.
    """
    if question.gold is None:
        raise ConfigError("the resolver weighted learns its weights from gold labels; give some with --gold FILE")
    answers = question.answers
    truth = question.gold[question.segment]  # [V]
    seen = truth != UNKNOWN
    counts = np.zeros((int(question.annotator.max()) + 1, answers, answers))  # [annotators, said, true]
    np.add.at(counts, (question.annotator[seen], question.answer[seen], truth[seen]), 1.0)
    pooled = counts.sum(axis=0) + 1.0 + _TRUST * np.eye(answers)
    pooled /= pooled.sum(axis=1, keepdims=True)
    means = (counts + _SHRINK * pooled) / (counts.sum(axis=2, keepdims=True) + _SHRINK)
    prior = np.bincount(question.gold[question.gold != UNKNOWN], minlength=answers) + 1.0
    prior /= prior.sum()
    judged, row = np.unique(question.segment, return_inverse=True)
    odds = np.tile(np.log(prior), (len(judged), 1))  # [n, answers]
    np.add.at(odds, row, np.log(means / prior)[question.annotator, question.answer])
    share = np.exp(odds - odds.max(axis=1, keepdims=True))
    return judged, share / share.sum(axis=1, keepdims=True)


def _fit(aggregator: Any, votes: Any) -> tuple[Ints, Any]:
    """Run a crowd-kit aggregator; returns the segments and a frame of the probabilities of the answers that were given."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # pandas' advice to crowd-kit's authors
        try:
            share = aggregator.fit_predict_proba(votes).sort_index()
        except ValueError as error:
            if "NA values" not in str(error):  # pandas of a row whose every probability came to nothing
                raise
            share = None
    if share is None or share.isna().to_numpy().any():
        raise DataError(
            "a segment has so many votes that MACE's probabilities vanish (it multiplies them); use dawid-skene or majority"
        )
    return share.index.to_numpy(np.int64), share


def _crowdkit() -> tuple[Any, Any]:
    try:
        import pandas
        from crowdkit import aggregation
    except ImportError:
        raise NabaError(
            "the resolvers dawid-skene and mace need crowd-kit; install it with: pip install -e '.[build]'"
        ) from None
    return aggregation, pandas


METHODS: Mapping[str, Callable[[Question], Answer]] = {
    "majority": majority,
    "dawid-skene": dawid_skene,
    "mace": mace,
    "weighted": weighted,
}
