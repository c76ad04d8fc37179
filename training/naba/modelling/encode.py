"""Labelled segments as tensors: normalise, tokenise, pad each batch to its own longest segment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from naba.modelling.targets import loss_targets
from naba.records import LabelledSegment
from naba.schema import LabelSchema

PAD_TO = 8
"""Batch lengths are rounded up to this many tokens, so that kernels are built for few shapes."""


class EncodedSegments(Dataset[dict[str, Any]]):
    """Token ids and targets of labelled segments, in the given order."""

    def __init__(
        self,
        segments: Sequence[LabelledSegment],
        schema: LabelSchema,
        tokenizer: Any,
        normalise: Callable[[str], str],
        max_tokens: int,
        weights: Sequence[float] | None = None,
    ) -> None:
        """Encode segments.

        Args:
            segments: N segments.
            max_tokens: longer ones are cut.
            weights: how much each of the N counts in the loss; 1 where not given.

        Raises DataError for a row whose `teacher` is broken.
        """
        texts = [normalise(item.segment.text) for item in segments]
        encoded = tokenizer(texts, truncation=True, max_length=max_tokens)["input_ids"] if texts else []
        self.rows = []
        for ids, item, weight in zip(encoded, segments, weights or [1.0] * len(texts), strict=True):
            presence, stance = item.targets(schema)
            row = {"input_ids": ids, "presence": presence, "stance": stance}
            self.rows.append(row | loss_targets(item, schema, weight))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]

    @property
    def lengths(self) -> list[int]:
        """Tokens of each segment."""
        return [len(row["input_ids"]) for row in self.rows]


@dataclass
class Collator:
    """Pads token ids to [B, L] and stacks everything else that the rows hold, such as targets [B, T] and weights [B]."""

    pad_token_id: int

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        batch = pad([row["input_ids"] for row in rows], self.pad_token_id)
        for name in rows[0]:
            if name != "input_ids":
                batch[name] = torch.tensor([row[name] for row in rows])  # [B], [B, T] or [B, T, S]
        return batch


def padded(length: int) -> int:
    """Tokens that a segment of this length takes in a batch of its own."""
    return -(-length // PAD_TO) * PAD_TO


def pad(sequences: Sequence[Sequence[int]], pad_token_id: int) -> dict[str, Tensor]:
    """`input_ids` and `attention_mask`, both [B, L] with L the longest, rounded up to PAD_TO."""
    length = padded(max(len(ids) for ids in sequences))
    ids = torch.full((len(sequences), length), pad_token_id)
    mask = torch.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
        mask[row, : len(sequence)] = 1
    return {"input_ids": ids, "attention_mask": mask}
