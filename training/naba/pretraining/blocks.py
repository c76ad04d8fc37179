"""Packed tokens cut into blocks of one length, in an order and with masks that follow from the seed and a number alone.

So a run that goes on after a kill needs to know no more than how many steps it has made. Every epoch passes over all
blocks once, in another order, with other masks.

    blocks = TrainingBlocks(tokens, Frame.of(tokenizer, 128), masking, count=32_000, seed=1)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xxhash
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from naba.errors import DataError
from naba.pretraining.masking import Ids, WordMasking

Block = dict[str, Tensor]
"""`input_ids` and `labels`, both [L]."""

_VALIDATION_SEED = 0
"""The masks that are measured on are the same for every run, so that runs can be compared."""
_SAMPLE = "نبأ"


@dataclass(frozen=True)
class Frame:
    """What stands before and after a block's tokens, as the encoder is used to it."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    length: int
    """Tokens of the block, frame included."""

    @classmethod
    def of(cls, tokenizer: Any, length: int) -> "Frame":
        """The tokenizer's own marks around a text."""
        whole: list[int] = tokenizer(_SAMPLE)["input_ids"]
        text: list[int] = tokenizer(_SAMPLE, add_special_tokens=False)["input_ids"]
        start = next(start for start in range(len(whole)) if whole[start : start + len(text)] == text)
        return cls(tuple(whole[:start]), tuple(whole[start + len(text) :]), length)

    @property
    def room(self) -> int:
        """Tokens of text in a block."""
        return self.length - len(self.before) - len(self.after)

    def count(self, tokens: NDArray[Any]) -> int:
        """How many blocks hold all tokens. Raises DataError where there is not enough for one."""
        if len(tokens) < self.room:
            raise DataError(
                f"{len(tokens):,} tokens, less than one block of {self.length}; give more articles, raise validation or "
                "lower block_tokens"
            )
        return -(-len(tokens) // self.room)

    def cut(self, tokens: NDArray[Any], number: int) -> Ids:
        """The block of that number; the last one reaches back, so that it is full and no token is lost."""
        start = min(number * self.room, len(tokens) - self.room)
        return np.concatenate([self.before, tokens[start : start + self.room], self.after]).astype(np.int64)


class TrainingBlocks(Dataset[Block]):
    """`count` masked blocks, epoch after epoch."""

    def __init__(self, tokens: NDArray[Any], frame: Frame, masking: WordMasking, count: int, seed: int) -> None:
        self.tokens, self.frame, self.masking, self.count, self.seed = tokens, frame, masking, count, seed
        self.in_epoch = frame.count(tokens)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Block:
        epoch, place = divmod(number, self.in_epoch)
        ids = self.frame.cut(self.tokens, shuffled(place, self.in_epoch, f"{self.seed}/{epoch}"))
        return _block(*self.masking.mask(ids, np.random.default_rng([self.seed, number])))


class ValidationBlocks(Dataset[Block]):
    """At most `most` blocks, taken evenly, with one mask each that never changes; all chosen words are hidden."""

    def __init__(self, tokens: NDArray[Any], frame: Frame, masking: WordMasking, most: int) -> None:
        self.tokens, self.frame, self.masking = tokens, frame, masking
        count = frame.count(tokens)
        self.numbers = np.unique(np.linspace(0, count - 1, min(most, count)).astype(int)).tolist()

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> Block:
        number = self.numbers[place]
        random = np.random.default_rng([_VALIDATION_SEED, number])
        return _block(*self.masking.mask(self.frame.cut(self.tokens, number), random, readable=False))


def shuffled(place: int, size: int, key: str) -> int:
    """Where `place` of `range(size)` goes in the permutation named by `key`, without the permutation in memory.

    A Feistel network of four rounds, walked until it lands inside (Black and Rogaway 2002, "Ciphers with Arbitrary Finite
    Domains", section 4).
    """
    half = max(1, -(-(size - 1).bit_length() // 2))
    low = (1 << half) - 1
    while True:
        left, right = place >> half, place & low
        for turn in range(4):
            left, right = right, left ^ (xxhash.xxh64_intdigest(f"{key}/{turn}/{right}".encode()) & low)
        place = left << half | right
        if place < size:
            return place


def _block(inputs: Ids, labels: Ids) -> Block:
    return {"input_ids": torch.from_numpy(inputs), "labels": torch.from_numpy(labels)}
