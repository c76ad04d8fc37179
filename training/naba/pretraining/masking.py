"""Whole words of a block of tokens, masked: what the model reads and what it is to say.

Masking of words: Cui et al. 2021, "Pre-Training With Whole Word Masking for Chinese BERT"; 80/10/10: Devlin et al.
2019, "BERT", section 3.1. The collator of transformers (5.23) is not used: it tells words by gaps between offsets, which
SentencePiece leaves none of, and masks words without the two tenths that stay readable.

    masking = WordMasking(tokenizer, 0.15)
    inputs, labels = masking.mask(ids, np.random.default_rng(1))
"""

import json
import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.errors import CheckpointError

IGNORED = -100
"""Label of a token that is not to be predicted, as PyTorch's cross-entropy has it."""

_MASKED, _RANDOM = 0.8, 0.1

Ids = NDArray[np.int64]
Flags = NDArray[np.bool_]


class WordMasking:
    """Masks whole words: WordPiece ("##"), SentencePiece ("▁") and byte-level BPE ("Ġ").

    A piece of punctuation is a word of its own, as in BERT. Special and unknown tokens are never masked.
    """

    def __init__(self, tokenizer: Any, share: float) -> None:
        """`share` of the words is to be predicted. Raises CheckpointError where pieces do not tell words apart."""
        vocabulary: dict[str, int] = tokenizer.get_vocab()
        size = max(vocabulary.values()) + 1
        self._share, self._mask_id = share, int(tokenizer.mask_token_id)
        self._special = np.zeros(size, bool)
        self._special[tokenizer.all_special_ids] = True
        # An id without a piece is no word either.
        self._special[np.setdiff1d(np.arange(size), list(vocabulary.values()))] = True
        self._ordinary = np.flatnonzero(~self._special)
        self._opens, self._punctuation = np.zeros(size, bool), np.zeros(size, bool)
        for piece, (opens, text) in _read_pieces(tokenizer, vocabulary).items():
            self._opens[vocabulary[piece]] = opens
            self._punctuation[vocabulary[piece]] = _is_punctuation(text)

    def words(self, ids: Ids) -> Ids:
        """The number of each token's word, ascending from 0; -1 for what is never masked. [L] → [L]"""
        special, punctuation = self._special[ids], self._punctuation[ids]
        follows = np.ones(len(ids), bool)  # what is no word, and so cannot go on
        follows[1:] = special[:-1] | punctuation[:-1]
        opens = ~special & (self._opens[ids] | punctuation | follows)
        return np.where(special, -1, np.cumsum(opens) - 1)

    def mask(self, ids: Ids, random: np.random.Generator, *, readable: bool = True) -> tuple[Ids, Ids]:
        """Input and labels [L] of one block, at least one word of it to be predicted if it has one.

        `readable`: of ten chosen words one stays as it is and one becomes other pieces, as in training; else all are
        masked. Each fate is a whole word's.
        """
        words = self.words(ids)
        count = int(words.max(initial=-1)) + 1
        labels = np.full(len(ids), IGNORED)
        if not count:
            return ids.copy(), labels
        chosen = random.random(count) < self._share
        chosen[random.integers(count)] |= not chosen.any()
        fate = random.random(count) if readable else np.zeros(count)
        picked = chosen[words] & (words >= 0)
        labels[picked] = ids[picked]
        masked = picked & (fate[words] < _MASKED)
        replaced = picked & (fate[words] >= _MASKED) & (fate[words] < _MASKED + _RANDOM)
        inputs = np.where(masked, self._mask_id, ids)
        inputs[replaced] = random.choice(self._ordinary, int(replaced.sum()))
        return inputs, labels


def _read_pieces(tokenizer: Any, vocabulary: dict[str, int]) -> dict[str, tuple[bool, str]]:
    """Piece → whether it opens a word, and the text it stands for."""
    backend: Any = getattr(tokenizer, "backend_tokenizer", None)
    parts = json.loads(backend.to_str()) if backend is not None else {"model": {}}
    around = json.dumps([parts.get(name) for name in ("normalizer", "pre_tokenizer", "decoder")], ensure_ascii=False)
    if parts["model"].get("type") == "WordPiece":
        mark = parts["model"]["continuing_subword_prefix"]
        return {piece: (not piece.startswith(mark), piece.removeprefix(mark)) for piece in vocabulary}
    if '"ByteLevel"' in around:
        texts = {piece: backend.decoder.decode([piece]) for piece in vocabulary}
    elif "▁" in around:
        texts = {piece: piece.replace("▁", " ") for piece in vocabulary}
    else:
        raise CheckpointError(
            "the tokenizer's pieces do not tell where words begin; naba knows WordPiece, SentencePiece and byte-level BPE, "
            "read by the tokenizers library"
        )
    return {piece: (text[:1].isspace(), text.strip()) for piece, text in texts.items()}


def _is_punctuation(text: str) -> bool:
    # U+FFFD stands for part of a character's bytes: of a letter as a rule.
    return bool(text) and all(unicodedata.category(mark)[0] in "PS" and mark != "\ufffd" for mark in text)
