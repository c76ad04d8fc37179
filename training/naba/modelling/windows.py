"""Texts as windows of token ids: normalised, tokenised, and cut where they are longer than the model reads at once.

    windows = WindowReader(checkpoint).read(["…", "…"])
    batches = plan_batches([len(ids) for ids in windows.ids], batch_tokens=512)

Nothing is ever cut off: neighbouring windows of a long text overlap, and together hold every token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from tokenizers import Tokenizer

from naba.modelling.checkpoint import Checkpoint
from naba.modelling.encode import padded

OVERLAP = 4
"""Neighbouring windows of a long text share a quarter (1 / OVERLAP) of their tokens."""


@dataclass(frozen=True)
class Windows:
    """The windows of N texts, in the texts' order."""

    ids: list[list[int]]
    """Token ids of each window."""
    owners: list[int]
    """Which text each window is of."""
    texts: int
    """N."""

    @property
    def bounds(self) -> list[tuple[int, int]]:
        """Of each text its first window, and the one after its last."""
        return [(int(a), int(b)) for a, b in pairwise(np.searchsorted(self.owners, np.arange(self.texts + 1)))]


class WindowReader:
    """Reads texts for a model. Threads may share it: its tokenizer is its own, and nothing ever changes that."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._normalise = checkpoint.normalise
        # transformers sets truncation anew at each call, which two threads cannot do at once.
        self._tokenizer = Tokenizer.from_str(checkpoint.tokenizer.backend_tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(checkpoint.max_tokens, stride=checkpoint.max_tokens // OVERLAP)

    def read(self, texts: Sequence[str]) -> Windows:
        """Normalise and tokenise texts."""
        ids: list[list[int]] = []
        owners: list[int] = []
        for number, encoding in enumerate(self._tokenizer.encode_batch([self._normalise(text) for text in texts])):
            for window in (encoding, *encoding.overflowing):
                ids.append(window.ids)
                owners.append(number)
        return Windows(ids, owners, len(texts))


def plan_batches(lengths: Sequence[int], *, batch_tokens: int, batch_size: int | None = None) -> list[list[int]]:
    """Which sequences share a batch: the longest first, as many as fit. It follows from the lengths alone.

    Args:
        lengths: in tokens.
        batch_tokens: tokens of a batch with its padding; a longer sequence is a batch of its own.
        batch_size: at most so many sequences.

    Returns the batches, each as indices into `lengths`.
    """
    batches: list[list[int]] = []
    most = 0
    for index in sorted(range(len(lengths)), key=lambda i: lengths[i], reverse=True):
        if not batches or len(batches[-1]) >= most:
            batches.append([])
            most = max(1, batch_tokens // padded(lengths[index]))
            most = min(most, batch_size or most)
        batches[-1].append(index)
    return batches
