"""An article file wherever it lies: on disk, in an archive, or coming in as a stream.

file = on_disk("a", Path("a.jsonl.gz"))
with file.open() as lines: ...
"""

import gzip
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from naba.config import ReadConfig
from naba.corpus.files import ending, printable
from naba.errors import DataError


@dataclass(frozen=True)
class ArticleFile:
    """Where the bytes of a file come from, and what it is called."""

    name: str
    """The id of an article that has none of its own is made of it."""
    where: str
    """What a rejected record of it is listed under."""
    ending: str
    """Tells its kind, see `naba.corpus.files.ENDINGS`."""
    raw: Callable[[], AbstractContextManager[IO[bytes]]]
    """Opens it, from its start, as it lies there."""
    size: int | None = None
    """Bytes as it lies there, in an archive as the archive states; None for a stream."""
    path: Path | None = None
    """Where it lies on disk as a file of its own."""

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Its bytes, unpacked where its ending says gzip."""
        with self.raw() as raw:
            if self.ending.endswith(".gz"):
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield unpacked  # type: ignore[misc]
            else:
                yield raw

    def read_article(self, config: ReadConfig) -> bytes:
        """All its bytes.

        Raises DataError, having read no more than an article can have, where there are more.
        """
        # Four bytes is the longest a character can be; a larger file needs no decoding to be refused.
        limit = 4 * config.max_characters
        packed = self.ending.endswith(".gz")
        if not packed and self.size is not None and self.size > limit:
            raise DataError(f"{self.size:,} bytes, {_too_long(config)}")
        with self.open() as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise DataError(f"more than {limit:,} bytes, {_too_long(config)}")
        return data


def on_disk(name: str, path: Path) -> ArticleFile:
    """A file of its own. Raises OSError if it is not there."""
    return ArticleFile(name, printable(str(path)), ending(path), lambda: path.open("rb"), path.stat().st_size, path)


def streamed(name: str, kind: str, stream: IO[bytes]) -> ArticleFile:
    """A stream that can be read once; it is left open."""
    return ArticleFile(name, name, kind, lambda: nullcontext(stream))


def _too_long(config: ReadConfig) -> str:
    return f"more than an article of read.max_characters = {config.max_characters:,} can have"
