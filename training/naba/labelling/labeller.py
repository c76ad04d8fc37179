"""The labeller: a trained run that answers for texts and whole articles.

labeller = Labeller.load()                       # the model that ships with naba
prediction = labeller.label(["…"])[0]
prediction["diplomacy"].stance                   # "support", or None where the topic is absent
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from naba.corpus.readers import Rejected
from naba.corpus.segments import MAX_WORDS, segment_article
from naba.errors import CheckpointError
from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.device import pick_device
from naba.modelling.infer import Scores, score_texts
from naba.paths import SHIPPED_MODEL
from naba.progress import SILENT, Progress
from naba.records import Article, Prediction, Segment, TopicPrediction
from naba.schema import LabelSchema

ARTICLES_AT_ONCE = 32
"""Articles whose segments are batched together, so that batches hold segments of like length."""


@dataclass(frozen=True)
class LabelledArticle:
    """An article with the model's answer for each of its segments."""

    article: Article
    segments: Sequence[tuple[Segment, Prediction]]


class Labeller:
    """A loaded model. Make one with `Labeller.load`; it may be used for any number of calls."""

    def __init__(self, checkpoint: Checkpoint, batch_size: int = 32) -> None:
        """Wrap a loaded checkpoint; `batch_size` is in segments."""
        self.checkpoint = checkpoint
        self.batch_size = batch_size

    @classmethod
    def load(cls, model: str | Path | None = None, *, device: str = "auto", batch_size: int = 32) -> "Labeller":
        """Load a run folder.

        Args:
            model: the folder; None is the model that ships with naba's checkout, `models/naba-news`.
            device: "auto" (CUDA where there is one), "cpu" or "cuda".
            batch_size: segments per forward pass.

        Raises:
            CheckpointError: no such folder, or not a run of this version of naba.
            ConfigError: CUDA asked for and absent.
        """
        if model is None and not SHIPPED_MODEL.is_dir():
            raise CheckpointError(
                f"{SHIPPED_MODEL}: the shipped model is not here; it comes with a checkout of naba. "
                "Install from one (pip install -e .), or name a model folder"
            )
        checkpoint = checkpoints.load(SHIPPED_MODEL if model is None else Path(model))
        checkpoint.model.to(pick_device(device))
        return cls(checkpoint, batch_size)

    @property
    def schema(self) -> LabelSchema:
        """The topics and stances this model knows."""
        return self.checkpoint.schema

    def label(self, texts: Sequence[str], *, progress: Progress = SILENT) -> list[Prediction]:
        """Label texts, each taken as one segment; the answers come in the texts' order.

        A text longer than the model reads at once is windowed (`Prediction.windows` says into how many).

        Raises:
            TypeError: a single string was given instead of a sequence of strings.
        """
        if isinstance(texts, str):
            raise TypeError("label() takes a list of texts; for one text write label([text])")
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"label() takes texts; number {number} is a {type(text).__name__}")
        scores = score_texts(self.checkpoint, texts, batch_size=self.batch_size, progress=progress)
        return decide(self.checkpoint, texts, scores)

    def label_articles(
        self, articles: Iterable[Article | Rejected], *, max_words: int = MAX_WORDS
    ) -> Iterator[LabelledArticle | Rejected]:
        """Segment and label a stream of articles, in order; rejected ones pass through."""
        stream = iter(articles)
        while chunk := list(islice(stream, ARTICLES_AT_ONCE)):
            segments = [segment_article(item, max_words) if isinstance(item, Article) else [] for item in chunk]
            answers = iter(self.label([segment.text for of_article in segments for segment in of_article]))
            for item, of_article in zip(chunk, segments, strict=True):
                if isinstance(item, Rejected):
                    yield item
                else:
                    yield LabelledArticle(item, [(segment, next(answers)) for segment in of_article])


def decide(checkpoint: Checkpoint, texts: Sequence[str], scores: Scores) -> list[Prediction]:
    """Turn raw scores of texts into predictions by the run's temperatures and thresholds."""
    schema, decision = checkpoint.schema, checkpoint.decision
    topic, stance = decision.probabilities(scores.topic, scores.stance, schema)  # [N, T], [N, T, S]
    present = topic >= decision.thresholds(schema)  # [N, T]
    predictions = []
    for row, text in enumerate(texts):
        answers: dict[str, TopicPrediction] = {}
        for t, name in enumerate(schema.topic_ids):
            by_stance: dict[str, Any] = dict(zip(schema.stance_ids, map(float, stance[row, t]), strict=True))
            likeliest = max(by_stance, key=by_stance.__getitem__)
            here = bool(present[row, t])
            answers[name] = TopicPrediction(here, float(topic[row, t]), likeliest if here else None, by_stance)
        predictions.append(Prediction(text, answers, scores.windows[row]))
    return predictions
