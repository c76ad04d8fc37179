"""Raw scores of texts: windows of tokens, batches of like length, an engine, and everything back in the texts' order.

scores = score_texts(checkpoint, ["…", "…"])              # once
scorer = Scorer(checkpoint, engine)                       # often, and from several threads
pending = scorer.start(["…"]); scores = pending.result()  # while the caller does something else
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from naba.modelling.checkpoint import Checkpoint
from naba.modelling.encode import pad
from naba.modelling.engines import Engine, Logits, TorchEngine
from naba.modelling.windows import WindowReader, Windows, plan_batches
from naba.progress import SILENT, Advance, Progress

_MOST_TOKENS = 1 << 30


@dataclass(frozen=True)
class Scores:
    """Raw scores of N texts."""

    topic: NDArray[np.float32]  # [N, T] logits
    stance: NDArray[np.float32]  # [N, T, S] logits
    windows: list[int]
    """Windows each text was cut into; 1 where it fits the model whole."""


class Scorer:
    """A model that scores texts, on an engine. Threads may share it.

    A text longer than the model's `max_tokens` is read in overlapping windows; a topic's scores are those of the
    window in which the topic is likeliest.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        engine: Engine | None = None,
        *,
        batch_tokens: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        """Wrap a model.

        Args:
            checkpoint: the run.
            engine: what runs it; PyTorch, where the weights are, where not given.
            batch_tokens: tokens a batch, padding counted; what the engine is fast with where not given.
            batch_size: at most so many windows a batch; where it alone is given, exactly so many.
        """
        self.engine = engine or TorchEngine(checkpoint.model)
        self._reader = WindowReader(checkpoint)
        self._pad_token_id = checkpoint.tokenizer.pad_token_id
        self._shape = len(checkpoint.schema.topic_ids), len(checkpoint.schema.stance_ids)
        self._batch_tokens = batch_tokens or (_MOST_TOKENS if batch_size else self.engine.batch_tokens)
        self._batch_size = batch_size
        self._threads = ThreadPoolExecutor(self.engine.workers, thread_name_prefix="naba-engine")

    def read(self, texts: Sequence[str]) -> Windows:
        """The texts' windows: the part of the work that needs no model."""
        return self._reader.read(texts)

    def start(self, windows: Windows) -> "Pending":
        """Begin to score what `read` gave; the call returns at once. What reads alike is scored once."""
        first: dict[tuple[int, ...], int] = {}
        same = [first.setdefault(tuple(ids), row) for row, ids in enumerate(windows.ids)]
        distinct = list(first.values())
        lengths = [len(windows.ids[row]) for row in distinct]
        batches = plan_batches(lengths, batch_tokens=self._batch_tokens, batch_size=self._batch_size)
        chosen = [[distinct[place] for place in batch] for batch in batches]
        futures = {self._threads.submit(self._run, windows, rows): rows for rows in chosen}
        return Pending(windows, same, futures, self._shape)

    def score(self, texts: Sequence[str], *, progress: Progress = SILENT) -> Scores:
        """Score texts, in their order."""
        windows = self.read(texts)
        with progress.task("labelling", len(windows.ids), "segments") as advance:
            return self.start(windows).result(advance)

    def _run(self, windows: Windows, rows: list[int]) -> Logits:
        return self.engine.run(pad([windows.ids[row] for row in rows], self._pad_token_id))


class Pending:
    """Scores under way."""

    def __init__(
        self, windows: Windows, same: list[int], futures: dict[Future[Logits], list[int]], shape: tuple[int, int]
    ) -> None:
        self._windows, self._same, self._futures, self._shape = windows, same, futures, shape

    def result(self, advance: Advance | None = None) -> Scores:
        """Wait for them; `advance` is told of the different windows as they are done.

        Whatever went wrong in the engine is raised here, and the rest is not begun.
        """
        topics, stances = self._shape
        topic = np.zeros((len(self._windows.ids), topics), dtype=np.float32)
        stance = np.zeros((len(self._windows.ids), topics, stances), dtype=np.float32)
        try:
            for future in as_completed(self._futures):
                rows = self._futures[future]
                topic[rows], stance[rows] = future.result()
                if advance is not None:
                    advance(len(rows), "")
        finally:
            self.cancel()
        return merge(topic[self._same], stance[self._same], self._windows)

    def cancel(self) -> None:
        """Leave undone what is not begun yet."""
        for future in self._futures:
            future.cancel()


def score_texts(
    checkpoint: Checkpoint, texts: Sequence[str], *, batch_size: int = 32, progress: Progress = SILENT
) -> Scores:
    """Score texts with PyTorch, on the device that the model's weights are on; `batch_size` is in segments."""
    return Scorer(checkpoint, batch_size=batch_size).score(texts, progress=progress)


def merge(topic: NDArray[np.float32], stance: NDArray[np.float32], windows: Windows) -> Scores:
    """Scores of windows, [W, T] and [W, T, S], as scores of the texts that they are of."""
    counts = [end - start for start, end in windows.bounds]
    if all(count == 1 for count in counts):
        return Scores(topic, stance, counts)
    merged_topic = np.zeros((windows.texts, *topic.shape[1:]), dtype=np.float32)
    merged_stance = np.zeros((windows.texts, *stance.shape[1:]), dtype=np.float32)
    columns = np.arange(topic.shape[1])
    for row, (start, end) in enumerate(windows.bounds):
        best = start + topic[start:end].argmax(axis=0)  # [T]
        merged_topic[row], merged_stance[row] = topic[best, columns], stance[best, columns]
    return Scores(merged_topic, merged_stance, counts)
