from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from naba.errors import CheckpointError
from naba.pretraining.masking import IGNORED, WordMasking

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "كتب", "##وا", "##ها", "رسالة", ".", "(", "«"]


def fast(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]", "cls_token": "[CLS]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, sep_token="[SEP]", **names)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def wordpiece() -> PreTrainedTokenizerFast:
    vocabulary = {piece: number for number, piece in enumerate(PIECES)}
    return fast(Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]")))


def words(tokenizer: Any, pieces: list[str]) -> list[int]:
    return WordMasking(tokenizer, 0.15).words(np.array(tokenizer.convert_tokens_to_ids(pieces))).tolist()


def test_words_of_wordpiece(wordpiece: PreTrainedTokenizerFast) -> None:
    pieces = ["[CLS]", "كتب", "##وا", "##ها", "رسالة", ".", "(", "كتب", "[UNK]", "##ها", "[SEP]"]
    # كتبوها | رسالة | . | ( | كتب | what follows an unknown piece; marks and unknown pieces are no words.
    assert words(wordpiece, pieces) == [-1, 0, 0, 0, 1, 2, 3, 4, -1, 5, -1]


def test_block_may_begin_within_a_word(wordpiece: PreTrainedTokenizerFast) -> None:
    assert words(wordpiece, ["[CLS]", "##وا", "##ها", "رسالة", "[SEP]"]) == [-1, 0, 0, 1, -1]
    assert words(wordpiece, ["##وا", "رسالة"]) == [0, 1]


def test_words_of_sentencepiece() -> None:
    scores = [(piece, -1.0) for piece in [*PIECES[:5], "▁كتب", "وا", "▁رسالة", ".", "▁«", "نعم", "▁", "»"]]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=1))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    pieces = ["[CLS]", "▁كتب", "وا", "▁رسالة", "▁«", "نعم", "»", ".", "[SEP]", "▁كتب"]
    # كتبوا | رسالة | « | نعم | » | . | a new article's كتب
    assert words(fast(tokenizer), pieces) == [-1, 0, 0, 1, 2, 3, 4, 5, -1, 6]
    assert words(fast(tokenizer), ["▁رسالة", "▁", "وا"]) == [0, 1, 1]


def test_words_of_byte_level_pieces() -> None:
    # ك is the two bytes D9 83, which byte-level BPE writes as "Ù" and "ĥ"; "Ġ" is the space.
    vocabulary = {piece: number for number, piece in enumerate([*PIECES[:5], "Ù", "ĥ", "ĠÙ", "Ġab", "cd", ",", "Ġ("])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
    pieces = ["[CLS]", "Ù", "ĥ", "ĠÙ", "ĥ", "Ġab", "cd", ",", "Ġ(", "cd", "[SEP]"]
    # ك | ك | abcd | , | ( | cd
    assert words(fast(tokenizer), pieces) == [-1, 0, 0, 1, 1, 2, 2, 3, 4, 5, -1]


def test_pieces_that_tell_no_words_are_refused() -> None:
    tokenizer = Tokenizer(models.BPE({piece: number for number, piece in enumerate(PIECES)}, []))
    with pytest.raises(CheckpointError, match="do not tell where words begin"):
        WordMasking(fast(tokenizer), 0.15)


@pytest.mark.parametrize("kind", ["bert-wordpiece", "bert-unigram", "roberta"])
def test_words_are_those_of_the_text(encoders: dict[str, Path], kind: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(encoders[kind])
    text = "أعلنت وزارة الصحة في بغداد، وقال المتحدث إن الاجتماع قريبا"
    ids = np.array(tokenizer(text)["input_ids"])
    found = WordMasking(tokenizer, 0.15).words(ids)
    spelt = [tokenizer.decode(ids[found == number]).replace(" ##", "").strip() for number in range(found.max() + 1)]
    assert spelt == [*text.split("،")[0].split(), "،", *text.split("،")[1].split()]


@given(st.lists(st.integers(0, len(PIECES) - 1), min_size=1, max_size=40), st.integers(0, 999), st.booleans())
def test_masking_takes_words_whole_and_leaves_marks_alone(ids: list[int], seed: int, readable: bool) -> None:
    tokenizer = fast(Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(PIECES)}, unk_token="[UNK]")))
    masking, given_ids = WordMasking(tokenizer, 0.3), np.array(ids)
    inputs, labels = masking.mask(given_ids, np.random.default_rng(seed), readable=readable)
    numbers, chosen = masking.words(given_ids), labels != IGNORED
    assert (inputs[~chosen] == given_ids[~chosen]).all()
    assert (labels[chosen] == given_ids[chosen]).all()
    assert not chosen[numbers < 0].any()
    for number in range(numbers.max() + 1):
        word = numbers == number
        assert chosen[word].all() or not chosen[word].any()
        hidden = inputs[word] == tokenizer.mask_token_id
        assert hidden.all() or not hidden.any()
        assert readable or hidden.all() == chosen[word].all()
    assert chosen.any() == (numbers >= 0).any()
    assert not np.isin(inputs[chosen], [0, 1, 2, 3]).any()


def test_shares_of_words_and_of_their_fates(wordpiece: PreTrainedTokenizerFast) -> None:
    ids = np.array(wordpiece.convert_tokens_to_ids(["كتب", "##وا"] * 5_000))
    inputs, labels = WordMasking(wordpiece, 0.15).mask(ids, np.random.default_rng(1))
    chosen = labels != IGNORED
    # Four deviations of a share of 5,000 words, and of the 750 that are chosen.
    assert chosen.mean() == pytest.approx(0.15, abs=0.02)
    assert (inputs[chosen] == wordpiece.mask_token_id).mean() == pytest.approx(0.8, abs=0.06)
    # A random piece is the right one in one of seven.
    assert (inputs[chosen] == labels[chosen]).mean() == pytest.approx(0.1 + 0.1 / 7, abs=0.05)
