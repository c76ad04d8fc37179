from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from transformers import AutoTokenizer

from naba.errors import DataError
from naba.pretraining.blocks import Frame, TrainingBlocks, ValidationBlocks, shuffled
from naba.pretraining.masking import IGNORED, WordMasking


@pytest.fixture
def masking(tiny_encoder: Path) -> WordMasking:
    return WordMasking(AutoTokenizer.from_pretrained(tiny_encoder), 0.15)


def original(block: dict[str, Tensor]) -> list[int]:
    """The block as it was before it was masked."""
    return np.where(block["labels"] == IGNORED, block["input_ids"], block["labels"]).tolist()


@given(st.integers(1, 300), st.text(max_size=5))
def test_shuffling_is_a_permutation(size: int, key: str) -> None:
    assert sorted(shuffled(place, size, key) for place in range(size)) == list(range(size))


def test_shuffling_differs_by_key_and_is_always_the_same() -> None:
    orders = [[shuffled(place, 100, key) for place in range(100)] for key in ("1/0", "1/1", "2/0")]
    assert len(set(map(tuple, orders))) == 3
    assert all(sum(place == to for place, to in enumerate(order)) < 10 for order in orders)
    assert [shuffled(place, 10, "1/0") for place in range(10)] == [9, 2, 0, 1, 8, 3, 7, 6, 5, 4]


def test_frame_is_what_the_tokenizer_puts_around_a_text(tiny_encoder: Path) -> None:
    frame = Frame.of(AutoTokenizer.from_pretrained(tiny_encoder), 10)
    assert frame == Frame((2,), (3,), 10)
    assert frame.room == 8


def test_an_epoch_reads_every_token_and_blocks_are_full(masking: WordMasking) -> None:
    tokens = np.arange(10, 30, dtype=np.uint16)  # 20 tokens, 8 a block: 10-17, 18-25, and 22-29, which reaches back
    blocks = TrainingBlocks(tokens, Frame((2,), (3,), 10), masking, count=6, seed=1)
    assert blocks.in_epoch == 3
    for epoch in (0, 1):
        read = [original(blocks[3 * epoch + place]) for place in range(3)]
        assert all(len(block) == 10 and block[0] == 2 and block[-1] == 3 for block in read)
        assert sorted(block[1] for block in read) == [10, 18, 22]
        assert Counter(id for block in read for id in block[1:-1]) == Counter([*range(10, 30), *range(22, 26)])


def test_block_follows_from_its_number_and_the_seed_alone(masking: WordMasking) -> None:
    tokens, frame = np.arange(5, 500, dtype=np.uint16), Frame((2,), (3,), 34)
    one, other = (TrainingBlocks(tokens, frame, masking, count=40, seed=1) for _ in range(2))
    for number in (39, 0, 17):
        assert all((one[number][name] == other[number][name]).all() for name in ("input_ids", "labels"))
    reseeded = TrainingBlocks(tokens, frame, masking, count=40, seed=2)
    assert any(original(reseeded[number]) != original(one[number]) for number in range(5))
    # Block 0 of the first epoch comes again in the second, with another mask.
    again = next(number for number in range(16, 32) if original(one[number]) == original(one[0]))
    assert (one[again]["labels"] != one[0]["labels"]).any()


def test_measured_blocks_are_spread_and_hide_the_same_words_always(masking: WordMasking) -> None:
    tokens, frame = np.arange(5, 555, dtype=np.uint16), Frame((2,), (3,), 12)
    blocks = ValidationBlocks(tokens, frame, masking, most=5)
    assert blocks.numbers == [0, 13, 27, 40, 54]
    first, second = blocks[3], ValidationBlocks(tokens, frame, masking, most=5)[3]
    assert (first["input_ids"] == second["input_ids"]).all()
    assert ((first["labels"] != IGNORED) == (first["input_ids"] == 4)).all()
    assert len(ValidationBlocks(tokens[:30], frame, masking, most=5)) == 3


def test_less_than_a_block_is_told(masking: WordMasking) -> None:
    with pytest.raises(DataError, match="7 tokens, less than one block of 10"):
        ValidationBlocks(np.arange(7), Frame((2,), (3,), 10), masking, most=5)
