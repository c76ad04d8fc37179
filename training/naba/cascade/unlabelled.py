"""Segments of article files for the first stage: those that the run labels to teach it, and those it is tried on.

    learned = learn(checkpoint, engine, [Path("archive.jsonl.gz")], 2000, config, known=ids)
    texts = corpus_texts(Path("archive.jsonl.gz"), config)

Recall is certified on labelled positives alone, each scored by a stage that saw nothing of its cluster; in a cluster are
also the segments drawn here that nearly duplicate it (`naba.cascade.fit`). A copy too much changed to be known again may
still teach. Which segments are drawn follows from their ids.
"""

import hashlib
import heapq
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.cascade.config import CascadeConfig
from naba.corpus.readers import Rejected, read_articles
from naba.corpus.segments import segment_article
from naba.errors import DataError
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.engines import Engine
from naba.modelling.infer import Scorer
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import Article
from naba.schema import UNKNOWN

SURE_ABSENT, SURE_PRESENT = 0.15, 0.7
"""The run's probabilities below and above which its answer teaches; between them a topic is unknown."""
_TEACHING, _TRYING = b"teach", b"try"


@dataclass(frozen=True)
class Learned:
    """M segments with what the run is sure of."""

    texts: list[str] = field(default_factory=list)
    articles: list[str] = field(default_factory=list)  # [M]
    files: list[str] = field(default_factory=list)  # [M]
    presence: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))  # [M, T]
    """1, 0 or UNKNOWN."""
    labelled: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))  # [M]
    """Whether the run finds any topic present."""


def learn(
    checkpoint: Checkpoint,
    engine: Engine,
    config: CascadeConfig,
    known: Set[str],
    *,
    progress: Progress = SILENT,
) -> Learned:
    """Let the run label segments of the unlabelled files.

    Args:
        checkpoint: the run.
        engine: what runs it.
        config: which files, and how many segments of each.
        known: ids of labelled segments; an article with one of them is left out.

    Raises DataError for a file that cannot be read or has no articles.
    """
    texts, articles, files = [], [], []
    for path in config.unlabelled:
        drawn: list[tuple[str, str]] = []
        for article in draw(path, config, _TEACHING):
            segments = segment_article(article, config.read.max_words)
            if not any(segment.id in known for segment in segments):
                drawn += [(segment.text, article.id) for segment in segments]
        drawn = heapq.nsmallest(config.unlabelled_segments, set(drawn), key=lambda one: _order(one[0], _TEACHING))
        texts += [text for text, _ in drawn]
        articles += [f"{path}:{article}" for _, article in drawn]
        files += [str(path)] * len(drawn)
    schema, decision = checkpoint.schema, checkpoint.decision
    if not texts:
        return Learned(presence=np.zeros((0, len(schema.topic_ids)), dtype=np.int64))
    scores = Scorer(checkpoint, engine).score(texts, progress=progress)
    probability, _ = decision.probabilities(scores.topic, scores.stance, schema)
    presence = np.full(probability.shape, UNKNOWN, dtype=np.int64)
    presence[probability < SURE_ABSENT], presence[probability > SURE_PRESENT] = 0, 1
    labelled = np.asarray((probability >= decision.thresholds(schema)).any(axis=1))
    return Learned(texts, articles, files, presence, labelled)


def corpus_texts(path: Path, config: CascadeConfig, without: Set[str]) -> tuple[int, list[str]]:
    """Articles and segments that a corpus is judged by; texts of `without`, that the stage was taught with, are left out."""
    count, texts = 0, []
    for article in draw(path, config, _TRYING):
        count += 1
        texts += [segment.text for segment in segment_article(article, config.read.max_words)]
    return count, [text for text in texts if text not in without]


def draw(path: Path, config: CascadeConfig, purpose: bytes) -> list[Article]:
    """Articles of a file, folder or pattern, at most `corpus_articles`, those with the smallest hashes of their ids."""

    def keyed() -> Iterator[tuple[str, int, Any]]:
        for number, item in enumerate(read_articles([find(path)], config.read)):
            if not isinstance(item, Rejected):
                yield _order(item.id, purpose), number, item

    drawn = [article for _, _, article in heapq.nsmallest(config.corpus_articles, keyed())]
    if not drawn:
        raise DataError(f"{path}: no article that can be read")
    return drawn


def _order(name: str, purpose: bytes) -> str:
    return hashlib.sha1(purpose + name.encode("utf-8", "replace")).hexdigest()
