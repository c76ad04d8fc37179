"""An HTTP response as a crawler stored it: status, header fields, and the page without its transport.

message = parse_response(block)
html = message.page(limit=20_000_000) if message.status == 200 else None
"""

import codecs
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from naba.errors import DataError

_STATUS = re.compile(rb"HTTP/[0-9.]+[ \t]+([0-9]{3})\b")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';,]+)""", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True)
class HttpResponse:
    """What a server answered."""

    status: int
    fields: Mapping[str, str]
    """Names in small letters; of a field that stands twice, the first."""
    body: bytes
    """As it was sent: perhaps in chunks, perhaps packed."""

    @property
    def type(self) -> str:
        """Such as "text/html"; empty where the server named none."""
        return self.fields.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def encoding(self) -> str | None:
        """Python's name of the text encoding that the server named; None where it named none that is known."""
        named = _CHARSET.search(self.fields.get("content-type", ""))
        try:
            return codecs.lookup(named[1]).name if named else None
        except (LookupError, ValueError):
            return None

    def page(self, limit: int) -> bytes:
        """The body without its chunks and unpacked.

        Crawlers differ in what they undo before they store: a header that promises chunks or a packed body is not
        believed where the body has neither.

        Raises DataError for a broken body, a way of packing that is not known, or more than `limit` bytes.
        """
        chunked = self.fields.get("transfer-encoding", "").strip().lower() == "chunked"
        body = _without_chunks(self.body) if chunked else self.body
        packing = self.fields.get("content-encoding", "").strip().lower()
        if packing in ("gzip", "x-gzip"):
            body = _unpacked(body, 31, limit) if body.startswith(b"\x1f\x8b") else body
        elif packing == "deflate":
            # Servers send it with and without the zlib header, whose first byte is 0x78.
            body = _unpacked(body, 15 if body.startswith(b"\x78") else -15, limit)
        elif packing not in ("", "identity", "none", "utf-8"):
            raise DataError(f"packed as {packing[:40]!r} (Content-Encoding), which naba cannot unpack")
        if len(body) > limit:
            raise DataError(f"{len(body):,} bytes, longer than an article may be")
        return body


def parse_response(block: bytes) -> HttpResponse | None:
    """Read a stored response; None if it is none over HTTP."""
    status = _STATUS.match(block)
    if status is None:
        return None
    end = _END_OF_HEADER.search(block)
    head, body = (block[: end.start()], block[end.end() :]) if end else (block, b"")
    return HttpResponse(int(status[1]), parse_fields(head.partition(b"\n")[2]), body)


def parse_fields(lines: bytes) -> dict[str, str]:
    """Header fields, names in small letters; of a field that stands twice, the first."""
    try:
        text = lines.decode()
    except UnicodeDecodeError:
        text = lines.decode("latin-1")
    fields: dict[str, str] = {}
    for line in re.sub(r"\r?\n[ \t]+", " ", text).split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _without_chunks(body: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while chunk := _CHUNK.match(body, at):
        start, size = chunk.end(), int(chunk[1], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(body[start : start + size])
        at = start + size
        at += 2 if body.startswith(b"\r\n", at) else body.startswith(b"\n", at)
    if not parts:
        return body
    raise DataError("its chunks (Transfer-Encoding) are broken or cut off")


def _unpacked(body: bytes, wbits: int, limit: int) -> bytes:
    member = zlib.decompressobj(wbits)
    try:
        page = member.decompress(body, limit + 1)
    except zlib.error as error:
        raise DataError(f"its packed body (Content-Encoding) is damaged ({error})") from None
    if len(page) > limit:
        raise DataError(f"unpacks to more than {limit:,} bytes, longer than an article may be")
    if not member.eof:
        raise DataError("its packed body (Content-Encoding) is cut off")
    return page
