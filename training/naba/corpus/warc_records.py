"""The records of a WARC file (ISO 28500), gzipped or not, one at a time; a broken one costs itself.

Own code because the libraries lose what follows damage: of 200 gzipped records with one wrong byte in the 51st, warcio
1.8 gives 51 and FastWARC 2.0 gives 50, and both give a cut record as though it were whole.

    for number, record in warc_records(file, size, limit, wanted):
        if isinstance(record, DataError): ...
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, cast

from naba.corpus.gzip_members import DamagedError, GzipMembers
from naba.corpus.http_message import parse_fields
from naba.errors import DataError

HEAD = 1 << 16
"""Bytes of a record by which it is seen whether it is wanted."""
_LINE = 1 << 16
_MAX_HEADER = 1 << 20
_PIECE = 1 << 20


@dataclass(frozen=True)
class WarcRecord:
    """One record."""

    headers: Mapping[str, str]
    """Its own header fields, names in small letters; not those of the page in it."""
    block: bytes
    """What follows them; of a response, the HTTP message."""


Wanted = Callable[[Mapping[str, str], bytes], bool]
"""Whether a record is to be read whole, by its headers and the first HEAD bytes of its block."""


class _BrokenError(Exception):
    """A record is not as it must be; the next one has to be searched."""


def warc_records(
    file: IO[bytes], size: int | None, limit: int, wanted: Wanted
) -> Iterator[tuple[int, WarcRecord | DataError]]:
    """The wanted records with their numbers, which count those of all kinds from 1; for a broken one, why it is that.

    Args:
        file: the WARC file; its first bytes tell whether it is gzipped.
        size: its bytes as they lie there; None if unknown.
        limit: longest block in bytes; a longer one is passed over and told.
        wanted: see `Wanted`.
    """
    stream = io.BufferedReader(cast(io.RawIOBase, file), _LINE)
    packed = stream.peek(2).startswith(b"\x1f\x8b")
    reader = _Reader(io.BufferedReader(GzipMembers(stream), _LINE), None) if packed else _Reader(stream, size)
    number, lost = 0, False
    while True:
        begun = False
        try:
            if not reader.find(lost=lost):
                return
            begun, number = True, number + 1
            record = reader.record(limit, wanted)
        except (DamagedError, _BrokenError) as error:
            # Damage that goes on before a record is found was told already.
            if begun or not lost:
                number += not begun
                yield number, DataError(f"{error}; reading goes on at the next record that can be found")
            lost = True
        else:
            lost = False
            if record is not None:
                yield number, record


class _Reader:
    """A stream of records."""

    def __init__(self, stream: "io.BufferedReader[Any]", size: int | None) -> None:
        self._stream, self._size = stream, size
        self._pending: DamagedError | None = None
        """Damage of the record to come that was met while the one before was finished."""

    def find(self, *, lost: bool) -> bool:
        """Go behind the first line of the next record; False at the end. Raises if other text stands there, unless lost."""
        if self._pending is not None:
            error, self._pending = self._pending, None
            raise error
        begins = True
        while line := self._stream.readline(_LINE):
            if begins and line.startswith(b"WARC/"):
                return True
            if line.strip() and not lost:
                raise _BrokenError("no WARC record where one should begin")
            begins = line.endswith(b"\n")
        return False

    def record(self, limit: int, wanted: Wanted) -> WarcRecord | DataError | None:
        """The record whose first line was read; None if it is not wanted."""
        headers = self._headers()
        length = self._length(headers)
        block = self._exactly(min(length, HEAD))
        keep = wanted(headers, block)
        if keep and length <= limit:
            block += self._exactly(length - len(block))
        else:
            for start in range(len(block), length, _PIECE):
                self._exactly(min(_PIECE, length - start))
        self._check_end()
        if keep and length > limit:
            return DataError(f"{length:,} bytes, longer than an article may be")
        return WarcRecord(headers, block) if keep else None

    def _headers(self) -> dict[str, str]:
        lines: list[bytes] = []
        while (line := self._stream.readline(_LINE)).strip():
            lines.append(line)
            if sum(map(len, lines)) > _MAX_HEADER:
                raise _BrokenError(f"its header is longer than {_MAX_HEADER:,} bytes")
        if not line:
            raise _BrokenError("the file ends in the middle of it")
        return parse_fields(b"".join(lines))

    def _length(self, headers: Mapping[str, str]) -> int:
        given = headers.get("content-length", "")
        # More digits than a file can have bytes are not worth the conversion.
        if not (given.isascii() and given.isdigit() and len(given) < 19):
            raise _BrokenError(
                f"Content-Length is {given[:20]!r}, no number of bytes" if given else "no Content-Length"
            )
        if self._size is not None and int(given) > (left := self._size - self._stream.tell()):
            raise _BrokenError(
                f"the file is cut off or damaged: {int(given):,} bytes should follow, there are {left:,}"
            )
        return int(given)

    def _exactly(self, length: int) -> bytes:
        data = self._stream.read(length)
        if len(data) < length:
            raise _BrokenError("the file ends in the middle of it")
        return data

    def _check_end(self) -> None:
        """Empty lines, then the next record or the end of the file: else the record was longer than it says."""
        try:
            while following := self._stream.peek(5)[:5]:
                if following[:1] in (b"\r", b"\n"):
                    self._stream.readline(_LINE)
                elif b"WARC/".startswith(following):
                    return
                else:
                    raise _BrokenError("not followed by a record: its Content-Length is wrong, or it is damaged")
        except DamagedError as error:
            if not error.at_start:
                raise
            self._pending = error
