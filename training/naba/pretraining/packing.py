"""Articles as one long row of tokens on disk, so that pretraining needs the same memory whatever their number.

Articles are read, normalised and tokenised as a stream; each ends in a separator. What is written holds no padding and
no bounds of blocks: those are cut while training (`naba.pretraining.blocks`).

    pack(config, tokenizer, held_out, folder)
    packed = open_packed(tokenizer, folder)
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from naba.config import ArticleSource
from naba.corpus.files import article_files
from naba.corpus.readers import Rejected, read_records
from naba.corpus.segments import segment_article
from naba.errors import CheckpointError, DataError
from naba.jsonl import read_json, write_json
from naba.pretraining.config import PretrainConfig
from naba.pretraining.held_out import RUNS, WHOLE, HeldOutSegments, bare
from naba.progress import SILENT, Progress
from naba.records import Article
from naba.text import normaliser

PARTS = ("training", "validation")
_DONE = "packed.json"
_RECORDS, _CHARACTERS = 256, 2_000_000
"""So many are looked through and tokenised at once."""
MANY_UNKNOWN = 0.05
"""A larger share of unknown tokens is a tokenizer for another language or another normalisation."""


@dataclass(frozen=True)
class Packed:
    """The tokens of all articles."""

    training: NDArray[Any]  # [N], memory-mapped
    validation: NDArray[Any]  # [M], memory-mapped
    counts: dict[str, Any]
    """What became of the articles, for the record."""


@dataclass
class _Counts:
    read: int = 0
    """Articles."""
    set_aside: int = 0
    """Records that could not be read as articles, and articles without text."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Articles that hold a held-out segment, by how it was found."""
    articles: Counter[str] = field(default_factory=Counter)
    """By part."""
    tokens: Counter[str] = field(default_factory=Counter)
    """By part, separators included."""
    unknown: int = 0
    """Tokens that stand for what the tokenizer cannot spell."""
    first_reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "read": self.read,
            "set_aside": self.set_aside,
            "dropped": {name: self.dropped[name] for name in (WHOLE, RUNS)},
            "articles": {part: self.articles[part] for part in PARTS},
            "tokens": {part: self.tokens[part] for part in PARTS},
            "unknown_share": round(self.unknown / max(1, self.tokens.total()), 5),
        }


def pack(
    config: PretrainConfig, tokenizer: Any, held_out: HeldOutSegments, folder: Path, progress: Progress = SILENT
) -> None:
    """Tokenise all articles into `folder`, unless an interrupted run left them there whole.

    Raises DataError where no article is left for a part, or the disk is full.
    """
    done = folder / _DONE
    if done.is_file():
        return
    counts = _Counts()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack, progress.task("reading", None, "articles") as advance:
            files = {part: stack.enter_context(_path(folder, part).open("wb")) for part in PARTS}
            for records in _together(_records(config.articles)):
                before = counts.read
                kept = list(_kept(records, held_out, counts))
                _write(kept, config, tokenizer, files, counts)
                advance(counts.read - before, f"{counts.tokens.total():,} tokens")
    except OSError as error:
        raise DataError(
            f"{folder}: the tokens cannot be written ({error.strerror or error}); check the folder and the disk"
        ) from None
    _check(counts, config)
    write_json(done, counts.to_dict())  # written last: its presence says that the tokens are complete


def open_packed(tokenizer: Any, folder: Path) -> Packed:
    """What `pack` wrote, mapped into memory."""
    training, validation = (np.memmap(_path(folder, part), _dtype(tokenizer), "r") for part in PARTS)
    return Packed(training, validation, read_json(folder / _DONE))


def separator(tokenizer: Any) -> int:
    """The token that ends an article."""
    for token in (tokenizer.sep_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    raise CheckpointError("the tokenizer has neither a separator nor an end token; it is none of a masked encoder")


def _dtype(tokenizer: Any) -> "np.dtype[Any]":
    return np.dtype("uint16" if len(tokenizer) <= 2**16 else "uint32")


def _path(folder: Path, part: str) -> Path:
    return folder / f"{part}.tokens"


def _records(sources: Sequence[ArticleSource]) -> Iterator[list[Article | Rejected]]:
    for source in sources:
        for name, path in article_files([source.path]):
            yield from read_records(name, path, source.read)


def _together(records: Iterator[list[Article | Rejected]]) -> Iterator[list[list[Article | Rejected]]]:
    some: list[list[Article | Rejected]] = []
    size = 0
    for record in records:
        some.append(record)
        size += sum(len(item.text) for item in record if isinstance(item, Article))
        if len(some) == _RECORDS or size > _CHARACTERS:
            yield some
            some, size = [], 0
    if some:
        yield some


def _kept(records: Sequence[list[Article | Rejected]], held_out: HeldOutSegments, counts: _Counts) -> Iterator[str]:
    """The texts of the articles of the records without a held-out segment; a page is looked through as a whole."""
    pages = [" ".join(_page(record)) for record in records]
    for record, found in zip(records, held_out.found_in(pages), strict=True):
        for item in record:
            if isinstance(item, Rejected):
                counts.set_aside += 1
                counts.first_reason = counts.first_reason or str(item)
                continue
            counts.read += 1
            if found:
                counts.dropped[found] += 1
            elif text := " ".join(segment.text for segment in segment_article(item)):
                yield text
            else:
                counts.set_aside += 1


def _page(record: Sequence[Article | Rejected]) -> Iterator[str]:
    for item in record:
        if isinstance(item, Article):
            yield item.title or ""
            if item.parent_id is None:  # embedded articles have the page's text
                yield item.text


def _write(
    texts: Sequence[str],
    config: PretrainConfig,
    tokenizer: Any,
    files: Mapping[str, IO[bytes]],
    counts: _Counts,
) -> None:
    if not texts:
        return
    normalise, end = normaliser(config.normalisation), separator(tokenizer)
    rows = tokenizer([normalise(text) for text in texts], add_special_tokens=False, verbose=False)["input_ids"]
    for text, row in zip(texts, rows, strict=True):
        part = PARTS[is_validation(text, config.validation)]
        ids = np.array([*row, end], _dtype(tokenizer))
        files[part].write(ids.tobytes())
        counts.articles[part] += 1
        counts.tokens[part] += len(ids)
        counts.unknown += row.count(tokenizer.unk_token_id)


def is_validation(text: str, share: float) -> bool:
    """Whether an article is measured on: by its letters alone, so that copies stay together and others move nothing."""
    return xxhash.xxh64_intdigest(bare(text).encode()) < share * 2**64


def _check(counts: _Counts, config: PretrainConfig) -> None:
    told = f"{counts.read:,} read, {counts.set_aside:,} set aside, {counts.dropped.total():,} dropped for held-out text"
    if not counts.read:
        raise DataError(f"no article to pretrain on ({told}; first: {counts.first_reason or 'the files are empty'})")
    if not counts.articles["training"]:
        raise DataError(f"no article is left to pretrain on ({told}); give more articles or less held_out")
    if not counts.articles["validation"]:
        raise DataError(
            f"no article fell to validation = {config.validation} ({told}); raise validation or give more articles"
        )
