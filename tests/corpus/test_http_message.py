import gzip
import zlib

import pytest

from naba.corpus.http_message import parse_response
from naba.errors import DataError
from tests.corpus.archive_files import chunked, http

PAGE = "<p>خبر</p>".encode() * 300


def page(body: bytes, limit: int = 100_000, **fields: str) -> bytes:
    response = parse_response(http(body, {name.replace("_", "-"): value for name, value in fields.items()}))
    assert response is not None
    return response.page(limit)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (PAGE, {}),
        (PAGE, {"Content_Encoding": "identity"}),
        (gzip.compress(PAGE), {"Content_Encoding": "gzip"}),
        (gzip.compress(PAGE), {"content_encoding": "X-GZIP"}),
        (zlib.compress(PAGE), {"Content_Encoding": "deflate"}),
        (zlib.compress(PAGE)[2:-4], {"Content_Encoding": "deflate"}),
        (chunked(PAGE), {"Transfer_Encoding": "chunked"}),
        (chunked(gzip.compress(PAGE), 7), {"Transfer_Encoding": "Chunked", "Content_Encoding": "gzip"}),
        # Crawlers unpack and keep the header.
        (PAGE, {"Content_Encoding": "gzip"}),
        (PAGE, {"Transfer_Encoding": "chunked"}),
    ],
)
def test_body_is_given_as_the_server_meant_it(body: bytes, fields: dict[str, str]) -> None:
    assert page(body, **fields) == PAGE


@pytest.mark.parametrize(
    ("body", "fields", "says"),
    [
        (PAGE, {"Content_Encoding": "br"}, "packed as 'br'"),
        (gzip.compress(PAGE)[:-20], {"Content_Encoding": "gzip"}, "cut off"),
        (b"\x1f\x8b\x08 no gzip", {"Content_Encoding": "gzip"}, "damaged"),
        (gzip.compress(b"a" * 10_000_000), {"Content_Encoding": "gzip"}, "unpacks to more than 100,000 bytes"),
        (b"a" * 100_001, {}, "100,001 bytes, longer"),
        (chunked(PAGE)[:-9], {"Transfer_Encoding": "chunked"}, "broken or cut off"),
    ],
)
def test_body_that_cannot_be_had_whole_is_refused(body: bytes, fields: dict[str, str], says: str) -> None:
    with pytest.raises(DataError, match=says):
        page(body, **fields)


def test_header_fields_have_one_spelling_and_may_go_over_lines() -> None:
    response = parse_response(
        b"HTTP/2 200\r\nCONTENT-type : Text/HTML;\r\n  charset='Windows-1256'\r\nContent-Type: x/y\r\n\r\nx"
    )
    assert response is not None
    assert (response.status, response.type, response.encoding, response.body) == (200, "text/html", "cp1256", b"x")


@pytest.mark.parametrize("charset", ["", "no-such", "\x00", "é"])
def test_encoding_that_is_not_known_is_none(charset: str) -> None:
    response = parse_response(http(b"", {"Content-Type": f"text/html; charset={charset}"}))
    assert response is not None
    assert response.encoding is None


@pytest.mark.parametrize("block", [b"", b"\x00\x01 dns answer", b"HTTP/1.1 OK\r\n\r\n"])
def test_what_is_no_response_is_none(block: bytes) -> None:
    assert parse_response(block) is None
