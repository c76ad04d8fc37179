"""The bytes of a file of gzip members, one after the other, as a stream that goes on behind damage.

A crawl packs each record as a member of its own, so that one broken member costs one record. Python's gzip module stops
at the first; here a member that breaks raises DamagedError once, and the next read goes on at the following one.

    stream = io.BufferedReader(GzipMembers(file))
"""

import io
import zlib
from typing import IO, Any

_START = b"\x1f\x8b\x08"
_PIECE = 1 << 16
"""Packed bytes read at a time."""


class DamagedError(Exception):
    """A member is broken; what it gave before was read already."""

    def __init__(self, reason: str, *, at_start: bool) -> None:
        super().__init__(reason)
        self.at_start = at_start
        """Whether the member gave nothing yet, so that what was read before it is whole."""


class GzipMembers(io.RawIOBase):
    """See the module; `file` holds the members."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._packed = b""
        """Read from the file and not unpacked yet."""
        self._member: Any = None
        """What unpacks the present member; None between members."""
        self._given = 0
        """Bytes that the present member gave."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Unpack up to `len(buffer)` bytes; 0 at the end of the file. Raises DamagedError, after which reading goes on."""
        while self._member is not None or self._next_member():
            packed = self._packed or self._file.read(_PIECE)
            try:
                data = self._member.decompress(packed, len(buffer))
            except zlib.error as error:
                # The member may end in this very piece: look for the next from here.
                self._packed = packed[1:] if self._given == 0 else packed
                self._find_member()
                raise self._damaged(f"damaged gzip ({error})") from None
            self._given += len(data)
            self._packed = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if self._member.eof:
                self._member = None
            elif not packed and not data:
                raise self._damaged("the file ends in the middle of it")
            if data:
                buffer[: len(data)] = data
                return len(data)
        return 0

    def _damaged(self, reason: str) -> DamagedError:
        self._member = None
        return DamagedError(reason, at_start=self._given == 0)

    def _next_member(self) -> bool:
        """Go to the next member; False at the end of the file."""
        # Some writers pad members with zeros.
        self._packed = self._packed.lstrip(b"\0")
        while not self._packed:
            if not (more := self._file.read(_PIECE)):
                return False
            self._packed = more.lstrip(b"\0")
        self._given = 0
        while len(self._packed) < len(_START) and (more := self._file.read(_PIECE)):
            self._packed += more
        if not self._packed.startswith(_START):
            self._find_member()
            raise self._damaged("no gzip where a member should begin")
        self._member = zlib.decompressobj(wbits=31)
        return True

    def _find_member(self) -> None:
        """Pass over bytes up to what looks like the start of a member, or to the end of the file."""
        while (at := self._packed.find(_START)) < 0:
            more = self._file.read(_PIECE)
            # A start may be cut in two by the pieces.
            self._packed = self._packed[-2:] + more if more else b""
            if not more:
                return
        self._packed = self._packed[at:]
