"""Web pages as a crawler stored them (WARC), and their plain text as Common Crawl hands it out (WET).

Pages are the responses with status 200 whose type is HTML or plain text, and the conversions to plain text; other
records are passed over. The date of an article is the one that its page states, never that of the crawl.

    for parse in read_warc(file, ReadConfig()):
        articles = parse()
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial

from naba.config import ReadConfig
from naba.corpus.article_file import ArticleFile
from naba.corpus.decode import decode
from naba.corpus.http_message import HttpResponse, parse_response
from naba.corpus.pages import detects_encoding, html_page, page
from naba.corpus.rejected import Record, attempt, rejecting
from naba.corpus.warc_records import WarcRecord, warc_records
from naba.errors import DataError
from naba.records import Article

_PLAIN = "text/plain"
_TYPES = ("text/html", "application/xhtml+xml", _PLAIN)
_ARABIC_ENCODINGS = ("utf-8", "cp1256", "iso8859-6", "utf-16", "utf-16-le", "utf-16-be", "mac-arabic", "cp720", "cp864")
"""Python's names of those that can hold Arabic. Of a server that names another, the page itself knows better."""


def read_warc(file: ArticleFile, config: ReadConfig) -> Iterator[Record]:
    """The pages of a WARC or WET file, gzipped or not, in order; their numbers count its records of all types."""
    with file.raw() as raw:
        for number, record in warc_records(raw, file.size, _longest_page(config) + 1_000_000, _wanted):
            if isinstance(record, DataError):
                yield rejecting(file.where, record, number)
            else:
                name = record.headers.get("warc-record-id", "").strip("<>") or f"{file.name}:{number}"
                yield partial(attempt, file.where, number, partial(_articles, name, record, config))


def _longest_page(config: ReadConfig) -> int:
    return 4 * config.max_characters


def _wanted(headers: Mapping[str, str], head: bytes) -> bool:
    if headers.get("warc-type") == "conversion":
        return headers.get("content-type", "").partition(";")[0].strip().lower() == _PLAIN
    response = parse_response(head) if headers.get("warc-type") == "response" else None
    return response is not None and response.status == 200 and _type(response, headers) in _TYPES


def _type(response: HttpResponse, headers: Mapping[str, str]) -> str:
    return response.type or headers.get("warc-identified-payload-type", "").lower()


def _articles(name: str, record: WarcRecord, config: ReadConfig) -> list[Article]:
    headers = record.headers
    if "warc-truncated" in headers:
        raise DataError(
            f"the crawler stored only the head of this page (WARC-Truncated: {headers['warc-truncated'][:40]})"
        )
    if "warc-segment-number" in headers:
        raise DataError("split over several records (WARC-Segment-Number), which naba does not put together")
    url = headers.get("warc-target-uri", "").strip("<>") or None
    response = parse_response(record.block)
    if response is None:
        return page(name, decode(record.block, config.encoding), config, url=url)
    data = response.page(_longest_page(config))
    text = _decoded(data, response.encoding, config)
    if _type(response, headers) == _PLAIN:
        return page(name, text if isinstance(text, str) else decode(text), config, url=url)
    return html_page(name, text, config, url=url)


def _decoded(data: bytes, encoding: str | None, config: ReadConfig) -> bytes | str:
    """The page as text where the user or the server tells its encoding; else as it is."""
    if not detects_encoding(config):
        return decode(data, config.encoding)
    if encoding in _ARABIC_ENCODINGS:
        # A server may be wrong about it; then the encoding is found in the page, as in a file.
        with suppress(UnicodeDecodeError):
            return data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    return data
