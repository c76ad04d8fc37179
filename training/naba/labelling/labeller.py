"""The labeller: a trained run that answers for texts and whole articles.

labeller = Labeller.load()                       # the model that ships with naba
prediction = labeller.label(["…"])[0]
prediction["diplomacy"].stance                   # "support", or None where the topic is absent

Any number of threads may share one. While the engine works on one batch of articles, the next is read and the one before
written: `start` returns at once, `LabelledLater.result` waits.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

from naba.calibration import Decision
from naba.cascade.stage import Cascade, Verdict
from naba.corpus.readers import Rejected
from naba.corpus.segments import MAX_WORDS, segment_article
from naba.errors import CheckpointError
from naba.labelling.screening import screened
from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.device import pick_device
from naba.modelling.engines import Engine
from naba.modelling.exported import EngineName, pick_engine
from naba.modelling.infer import Pending, Scorer, Scores
from naba.paths import SHIPPED_MODEL, find
from naba.progress import SILENT, Advance, Progress
from naba.records import Article, Prediction, Segment, TopicPrediction
from naba.schema import LabelSchema

ARTICLES_AT_ONCE = 32
"""Articles whose segments are batched together where the caller gives no number, so that batches hold segments of like length."""
TEXTS_AT_ONCE = 1000
"""The same for texts."""

A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True)
class LabelledArticle:
    """An article with the model's answer for each of its segments."""

    article: Article
    segments: Sequence[tuple[Segment, Prediction]]


Item = Article | Rejected
Labelled = LabelledArticle | Rejected


class Labeller:
    """A loaded model. Make one with `Labeller.load`; it may be used for any number of calls, from any number of threads."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        engine: Engine | None = None,
        *,
        batch_tokens: int | None = None,
        cascade: Cascade | None = None,
    ) -> None:
        """Wrap a loaded checkpoint; PyTorch runs it where no engine is given, and it reads all where no cascade is."""
        self.checkpoint = checkpoint
        self._cascade = cascade
        self._scorer = Scorer(checkpoint, engine, batch_tokens=batch_tokens)

    @classmethod
    def load(
        cls,
        model: str | Path | None = None,
        *,
        device: str = "auto",
        engine: EngineName = "auto",
        batch_tokens: int | None = None,
        workers: int | None = None,
        cascade: float | None = None,
    ) -> "Labeller":
        """Load a run folder.

        Args:
            model: the folder; None is the model that ships with naba's checkout, `models/naba-news`.
            device: "auto" (CUDA where there is one), "cpu" or "cuda".
            engine: "int8" is the form that `naba export` makes, "float32", "bfloat16" and "float16" are PyTorch's;
                "auto" is whichever of those that answer alike is fastest here, which a second's trial tells.
            batch_tokens: tokens a batch, padding counted; what the engine is fast with where not given.
            workers: threads of the int8 form; as many as the process may use cores where not given.
            cascade: the recall of the first stage (`naba cascade`) that is to decide what the model reads, such as 0.99;
                what it does not pass on has every topic absent, and is marked `screened`. Without it the model reads all.

        Raises:
            CheckpointError: no such folder, not a run of this version of naba, or without the int8 form or the first stage
                that is asked for.
            ConfigError: CUDA asked for and absent, an engine that does not go with the device, or a recall that the first
                stage was not made for.
        """
        if model is None and not SHIPPED_MODEL.is_dir():
            raise CheckpointError(
                f"{SHIPPED_MODEL}: the shipped model is not here; it comes with a checkout of naba. "
                "Install from one (pip install -e .), or name a model folder"
            )
        folder = find(SHIPPED_MODEL if model is None else Path(model))
        checkpoint = checkpoints.load(folder)
        device = pick_device(device)
        checkpoint.model.to(device)
        first = None if cascade is None else Cascade.load(folder, cascade, checkpoint.schema)
        picked = pick_engine(checkpoint, folder, engine, device, workers)
        return cls(checkpoint, picked, batch_tokens=batch_tokens, cascade=first)

    @property
    def schema(self) -> LabelSchema:
        """The topics and stances this model knows."""
        return self.checkpoint.schema

    @property
    def engine(self) -> str:
        """What runs the model: "int8", "bfloat16", "float16" or "float32"."""
        return self._scorer.engine.name

    def label(self, texts: Sequence[str], *, progress: Progress = SILENT) -> list[Prediction]:
        """Label texts, each taken as one segment; the answers come in the texts' order.

        A text longer than the model reads at once is windowed (`Prediction.windows` says into how many).

        Raises:
            TypeError: a single string was given instead of a sequence of strings.
        """
        _check_texts(texts)
        with progress.task("labelling", len(set(texts)), "segments") as advance:
            return self._texts(texts).result(advance)

    def label_iter(self, texts: Iterable[str], *, at_once: int = TEXTS_AT_ONCE) -> Iterator[Prediction]:
        """Label a stream of texts, however long; the answers come in its order.

        Args:
            texts: each taken as one segment.
            at_once: texts that are read ahead and batched together; of these no more than two portions are ever held.

        Raises:
            TypeError: a single string was given, or something in the stream is no text.
        """
        if isinstance(texts, str):
            raise TypeError("label_iter() takes a stream of texts; for one text write label([text])")

        def started(chunk: list[str]) -> "_Texts":
            _check_texts(chunk)
            return self._texts(chunk)

        return _ahead(texts, at_once, started)

    def label_articles(
        self, articles: Iterable[Item], *, max_words: int = MAX_WORDS, at_once: int | None = None
    ) -> Iterator[Labelled]:
        """Segment and label a stream of articles, in order; rejected ones pass through."""

        def started(chunk: list[Item]) -> LabelledLater:
            return self.start(chunk, max_words=max_words)

        return _ahead(articles, at_once or ARTICLES_AT_ONCE, started)

    def start(self, items: Sequence[Item], *, max_words: int = MAX_WORDS) -> "LabelledLater":
        """Segment articles and begin to label them; the call returns before they are labelled."""
        segments = [segment_article(item, max_words) if isinstance(item, Article) else [] for item in items]
        return LabelledLater(items, segments, self._texts([one.text for some in segments for one in some]))

    def _texts(self, texts: Sequence[str]) -> "_Texts":
        # Stock phrases and syndicated paragraphs repeat: each is scored once.
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        verdict = self._cascade.read(list(places)) if self._cascade else None
        read = (
            list(places) if verdict is None else [text for text, ok in zip(places, verdict.passes, strict=True) if ok]
        )
        pending = self._scorer.start(self._scorer.read(read))
        return _Texts(self.checkpoint, texts, [places[text] for text in texts], pending, verdict)


class LabelledLater:
    """Articles that are being labelled."""

    def __init__(self, items: Sequence[Item], segments: Sequence[Sequence[Segment]], texts: "_Texts") -> None:
        self._items, self._segments, self._texts = items, segments, texts

    @property
    def segments(self) -> int:
        """How many segments there are in all."""
        return sum(map(len, self._segments))

    def result(self, advance: Advance | None = None) -> list[Labelled]:
        """Wait for them. `advance` is told of the segments as they are done."""
        answers = iter(self._texts.result(advance))
        return [
            item
            if isinstance(item, Rejected)
            else LabelledArticle(item, [(segment, next(answers)) for segment in segments])
            for item, segments in zip(self._items, self._segments, strict=True)
        ]

    def cancel(self) -> None:
        """Leave undone what is not begun yet."""
        self._texts.cancel()


@dataclass(frozen=True)
class _Texts:
    """Texts that are being labelled, each different one once."""

    checkpoint: Checkpoint
    texts: Sequence[str]
    places: Sequence[int]
    pending: Pending
    verdict: Verdict | None
    """Of the first stage, on each different text; None without one."""

    def result(self, advance: Advance | None = None) -> list[Prediction]:
        scores = self.pending.result(advance)
        if self.verdict is None:
            return self._decided(scores, self.texts, self.places)
        passes = self.verdict.passes
        if advance is not None:
            advance(int((~passes).sum()), "")
        rank = (passes.cumsum() - 1).tolist()  # place among all → place among those that were read
        read = [place for place in self.places if passes[place]]
        texts = [text for text, place in zip(self.texts, self.places, strict=True) if passes[place]]
        answers = iter(self._decided(scores, texts, [rank[place] for place in read]))
        return [
            next(answers) if passes[place] else screened(text, self.verdict, place, self.checkpoint.schema)
            for text, place in zip(self.texts, self.places, strict=True)
        ]

    def cancel(self) -> None:
        self.pending.cancel()

    def _decided(self, scores: Scores, texts: Sequence[str], places: Sequence[int]) -> list[Prediction]:
        every = Scores(scores.topic[places], scores.stance[places], [scores.windows[place] for place in places])
        return decide(texts, every, self.checkpoint.decision, self.checkpoint.schema)


def decide(texts: Sequence[str], scores: Scores, decision: Decision, schema: LabelSchema) -> list[Prediction]:
    """Turn raw scores of texts into predictions by a run's temperatures and thresholds."""
    topic, stance = decision.probabilities(scores.topic, scores.stance, schema)  # [N, T], [N, T, S]
    labels = decision.labels(topic, stance, schema)
    topics, stances = schema.topic_ids, schema.stance_ids
    predictions = []
    rows: Any = zip(
        texts,
        scores.windows,
        topic.tolist(),
        stance.tolist(),
        (labels.presence == 1).tolist(),
        labels.stance.tolist(),
        strict=True,
    )
    for text, windows, p_topic, p_stance, here, best in rows:
        answers = {
            name: TopicPrediction(
                here[t],
                p_topic[t],
                stances[best[t]] if here[t] else None,
                dict(zip(stances, p_stance[t], strict=True)),
            )
            for t, name in enumerate(topics)
        }
        predictions.append(Prediction(text, answers, windows))
    return predictions


class _Later(Protocol[R]):
    def result(self) -> list[R]: ...

    def cancel(self) -> None: ...


def _ahead(items: Iterable[A], at_once: int, started: Callable[[list[A]], _Later[R]]) -> Iterator[R]:
    """Results of a stream's portions in order, each begun before the one before it is waited for."""
    stream = iter(items)
    begun: list[_Later[R]] = []
    try:
        while chunk := list(islice(stream, at_once)):
            begun.append(started(chunk))
            if len(begun) == 2:
                yield from begun[0].result()
                del begun[0]
        for last in begun:
            yield from last.result()
    finally:  # also where the caller wants no more
        for later in begun:
            later.cancel()


def _check_texts(texts: Sequence[str]) -> None:
    if isinstance(texts, str):
        raise TypeError("label() takes a list of texts; for one text write label([text])")
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"label() takes texts; number {number} is a {type(text).__name__}")
