"""What the first stage reads of a text: its different words, each as the hashed pieces of its spelling.

    words_of("…", normaliser("standard-1"))    # ["قصف", "المدفعيه", …]
    pieces_of(["قصف"])                         # numbers of its three- to five-letter pieces, and of the word itself

Whatever is summed over pieces can be summed over words, and words repeat: a word's sum is computed once. That is what makes
pieces of words, the best cheap features of Arabic with its many prefixes and endings, as fast as words.
"""

import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.text import fold_spelling

SHORTEST, LONGEST = 3, 5
"""Letters in a piece."""
BUCKETS = 1 << 17
"""Numbers that pieces are hashed to; a power of two."""
_LONGEST_WORD = 40
"""Letters; what is longer is no word, and is read as several."""
_WORD = re.compile(rf"\w{{1,{_LONGEST_WORD}}}")
_BASE, _MIX, _WHOLE = np.uint64(0x100000001B3), np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_POWERS = _BASE ** np.arange(_LONGEST_WORD + 2, dtype=np.uint64)

Ints = NDArray[np.int64]


def words_of(text: str, normalise: Callable[[str], str]) -> list[str]:
    """The different words of a text in its order, spelled alike."""
    return list(dict.fromkeys(_WORD.findall(fold_spelling(normalise(text)))))


def pieces_of(words: Sequence[str], buckets: int = BUCKETS) -> tuple[Ints, Ints]:
    """Numbers of the pieces of W words one after the other, each word's ends marked by spaces, and how many each has [W].

    A piece's hash is the polynomial of its letters' code points at _BASE, modulo 2^64; its number, the upper bits of that
    times a constant. Python's own hash of a string differs from process to process.
    """
    lengths = np.array([len(word) + 2 for word in words], dtype=np.int64)
    letters = np.frombuffer("".join(f" {word} " for word in words).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    codes = letters.astype(np.uint64)
    ends = np.cumsum(lengths)
    word_of, end_of = np.repeat(np.arange(len(words)), lengths), np.repeat(ends, lengths)
    place = np.arange(len(codes)) - np.repeat(ends - lengths, lengths)
    whole = np.add.reduceat(codes * _POWERS[place], ends - lengths) if len(words) else codes
    hashes, owners = [whole * _WHOLE], [np.arange(len(words))]
    window = codes
    for length in range(2, LONGEST + 1):
        window = window[:-1] * _BASE + codes[length - 1 :]
        if length >= SHORTEST:
            inside = np.flatnonzero(np.arange(len(window)) + length <= end_of[: len(window)])
            hashes.append(window[inside])
            owners.append(word_of[inside])
    owner = np.concatenate(owners)
    numbers = np.concatenate(hashes) * _MIX >> np.uint64(65 - buckets.bit_length())
    order = np.argsort(owner, kind="stable")
    return numbers[order].astype(np.int64), np.bincount(owner, minlength=len(words))


def count_matrix(texts: Sequence[str], normalise: Callable[[str], str], buckets: int = BUCKETS) -> Any:
    """Counts of pieces as a sparse matrix [N, buckets], each row divided by the root of its sum."""
    from scipy.sparse import csr_matrix

    words = [words_of(text, normalise) for text in texts]
    places = {word: place for place, word in enumerate(dict.fromkeys(chain.from_iterable(words)))}
    numbers, sizes = pieces_of(list(places), buckets)
    of_word = np.split(numbers, np.cumsum(sizes)[:-1])
    of_text = [np.concatenate([of_word[places[word]] for word in some]) if some else numbers[:0] for some in words]
    lengths = np.array([len(some) for some in of_text], dtype=np.int64)
    values = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths)
    columns, ends = np.concatenate([numbers[:0], *of_text]), np.concatenate([[0], np.cumsum(lengths)])
    matrix = csr_matrix((values, columns, ends), shape=(len(texts), buckets))
    matrix.sum_duplicates()
    return matrix
