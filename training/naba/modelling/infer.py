"""Raw scores of texts: normalise, tokenise, batch by length, run, put back in order. Long texts are windowed, never cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from naba.modelling.checkpoint import Checkpoint
from naba.modelling.encode import pad
from naba.progress import SILENT, Progress

OVERLAP = 4
"""Neighbouring windows of a long text share a quarter (1 / OVERLAP) of their tokens."""


@dataclass(frozen=True)
class Scores:
    """Raw scores of N texts."""

    topic: NDArray[np.float32]  # [N, T] logits
    stance: NDArray[np.float32]  # [N, T, S] logits
    windows: list[int]
    """Windows each text was cut into; 1 where it fits the model whole."""


def score_texts(
    checkpoint: Checkpoint, texts: Sequence[str], *, batch_size: int = 32, progress: Progress = SILENT
) -> Scores:
    """Score texts with a model, on the device its weights are on.

    A text longer than the model's `max_tokens` is read in overlapping windows; a topic's scores are those of the
    window in which the topic is likeliest.
    """
    pieces, owners = _windows(checkpoint, texts)
    order = sorted(range(len(pieces)), key=lambda i: len(pieces[i]), reverse=True)
    device = next(checkpoint.model.parameters()).device
    topics, stances = len(checkpoint.schema.topic_ids), len(checkpoint.schema.stance_ids)
    topic = np.zeros((len(pieces), topics), dtype=np.float32)
    stance = np.zeros((len(pieces), topics, stances), dtype=np.float32)
    checkpoint.model.eval()
    with torch.inference_mode(), progress.task("labelling", len(pieces), "segments") as advance:
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch = pad([pieces[row] for row in rows], checkpoint.tokenizer.pad_token_id)
            logits = checkpoint.model(**{name: tensor.to(device) for name, tensor in batch.items()})
            topic[rows] = logits.topic.float().cpu().numpy()
            stance[rows] = logits.stance.float().cpu().numpy()
            advance(len(rows), "")
    return _merge(topic, stance, owners, len(texts))


def _windows(checkpoint: Checkpoint, texts: Sequence[str]) -> tuple[list[list[int]], list[int]]:
    """Token ids of every window, and the text each belongs to (in text order)."""
    if not texts:
        return [], []
    encoded: Any = checkpoint.tokenizer(
        [checkpoint.normalise(text) for text in texts],
        truncation=True,
        max_length=checkpoint.max_tokens,
        stride=checkpoint.max_tokens // OVERLAP,
        return_overflowing_tokens=True,
    )
    return encoded["input_ids"], encoded["overflow_to_sample_mapping"]


def _merge(topic: NDArray[np.float32], stance: NDArray[np.float32], owners: list[int], count: int) -> Scores:
    bounds = np.searchsorted(owners, np.arange(count + 1))
    windows = [int(end - start) for start, end in pairwise(bounds)]
    if all(size == 1 for size in windows):
        return Scores(topic, stance, windows)
    merged_topic = np.zeros((count, *topic.shape[1:]), dtype=np.float32)
    merged_stance = np.zeros((count, *stance.shape[1:]), dtype=np.float32)
    columns = np.arange(topic.shape[1])
    for row, (start, end) in enumerate(pairwise(bounds)):
        best = start + topic[start:end].argmax(axis=0)  # [T]
        merged_topic[row], merged_stance[row] = topic[best, columns], stance[best, columns]
    return Scores(merged_topic, merged_stance, windows)
