"""Labelled segments as tensors: normalise, tokenise, pad each batch to its own longest segment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

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
    ) -> None:
        texts = [normalise(item.segment.text) for item in segments]
        encoded = tokenizer(texts, truncation=True, max_length=max_tokens)["input_ids"] if texts else []
        self.rows = [
            {"input_ids": ids, "presence": presence, "stance": stance}
            for ids, (presence, stance) in zip(encoded, (item.targets(schema) for item in segments), strict=True)
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]


@dataclass
class Collator:
    """Pads token ids to [B, L] and stacks the targets, where there are any, to [B, T]."""

    pad_token_id: int

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        batch = pad([row["input_ids"] for row in rows], self.pad_token_id)
        for name in ("presence", "stance"):
            if name in rows[0]:
                batch[name] = torch.tensor([row[name] for row in rows])  # [B, T]
        return batch


def pad(sequences: Sequence[Sequence[int]], pad_token_id: int) -> dict[str, Tensor]:
    """`input_ids` and `attention_mask`, both [B, L] with L the longest, rounded up to PAD_TO."""
    length = -(-max(len(ids) for ids in sequences) // PAD_TO) * PAD_TO
    ids = torch.full((len(sequences), length), pad_token_id)
    mask = torch.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
        mask[row, : len(sequence)] = 1
    return {"input_ids": ids, "attention_mask": mask}
