"""Files that are one article: plain text and HTML.

articles = html_page("000", html, ReadConfig())
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from naba.config import ReadConfig
from naba.corpus.article_file import ArticleFile
from naba.corpus.articles import parse_page
from naba.corpus.dates import parse_date
from naba.corpus.decode import check_text, decode
from naba.corpus.rejected import Record, attempt
from naba.errors import DataError
from naba.records import Article

# A letter as such or as a character reference: U+0600 to U+06FF, and the presentation forms.
_ARABIC_IN_HTML = re.compile(
    "[\u0620-\u06ff\ufb50-\ufefc]|&#(?:1[5-7][0-9]{2}|6[45][0-9]{3}|[xX]0*(?:6|[fF][bBcCdDeE])[0-9a-fA-F]{2});?"
)

_WITH_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.I)
_BARE_HOST = re.compile(r"www\.[^/\s@]+(?:/|$)|(?:[a-z0-9-]+\.)+[a-z]{2,}/", re.I)


def read_text(file: ArticleFile, config: ReadConfig) -> Iterator[Record]:
    """The one article of a text file."""
    yield lambda: attempt(
        file.where, None, lambda: page(file.name, decode(file.read_article(config), config.encoding), config)
    )


def read_html(file: ArticleFile, config: ReadConfig) -> Iterator[Record]:
    """The one article of an HTML file."""
    yield lambda: attempt(file.where, None, lambda: _html_file(file, config))


def _html_file(file: ArticleFile, config: ReadConfig) -> list[Article]:
    data = file.read_article(config)
    # The page's own declaration tells its encoding unless the user names one.
    return html_page(file.name, data if detects_encoding(config) else decode(data, config.encoding), config)


def detects_encoding(config: ReadConfig) -> bool:
    """Whether the user leaves it to each HTML page to tell its encoding."""
    return config.encoding == ReadConfig().encoding


def html_page(name: str, html: bytes | str, config: ReadConfig, *, url: str | None = None) -> list[Article]:
    """The article of an HTML page: headline, day, outlet and text; menus and notices left out.

    Args:
        name: id of the article.
        html: the page; bytes where its encoding is to be found in it.
        config: how to read.
        url: its address where that is known; else the one that the page states.

    Raises DataError for a page without an article that can be labelled.
    """
    import trafilatura

    if not _may_be_arabic(html):
        raise DataError("no Arabic letter in this page; naba labels Arabic text")
    # Without its extensive search, which takes the year of a copyright line for the article's date.
    dates = {"original_date": True, "extensive_search": False}
    try:
        document = trafilatura.bare_extraction(
            html, include_comments=False, with_metadata=True, date_extraction_params=dates
        )
    except Exception as error:
        # It fails on a few malformed pages, in ways of its own; one page in a crawl must not stop the others.
        raise DataError(f"HTML that cannot be parsed ({type(error).__name__}: {error})") from error
    if document is None or not document.text:
        raise DataError("no article text found in this HTML page")
    date = parse_date(document.date) if document.date else None
    return page(
        name, document.text, config, title=document.title, date=date, source=document.sitename, url=url or document.url
    )  # fmt: skip


def page(name: str, text: str, config: ReadConfig, **known: Any) -> list[Article]:
    """The article of a page of text and those embedded in it; `known` as in `parse_page`.

    Where nothing names the outlet, neither the record nor the text, the host of the page's address stands for it.

    Raises DataError for a text that cannot be labelled.
    """
    check_text(text, min_arabic=config.min_arabic, max_characters=config.max_characters)
    articles = parse_page(name, text, **known)
    if articles[0].source is None:
        articles[0] = replace(articles[0], source=_host(articles[0].url))
    if not articles[0].blocks and not articles[0].title and len(articles) == 1:
        raise DataError("no headline and no paragraph besides boilerplate")
    return articles


def _host(url: str | None) -> str | None:
    address = url or ""
    if not _WITH_SCHEME.match(address):
        # «www.example.com/1» would count as a path; «news/1.html» and «mailto:…» name no host.
        address = f"//{address}" if _BARE_HOST.match(address) else ""
    try:
        host = urlsplit(address).hostname
    except ValueError:  # an address that is none
        return None
    return host.removeprefix("www.") if host else None


def _may_be_arabic(html: bytes | str) -> bool:
    """False where parsing is vain, as on nearly all pages of a crawl of the whole web."""
    if isinstance(html, bytes):
        try:
            html = html.decode()
        except UnicodeDecodeError:
            return True
    return _ARABIC_IN_HTML.search(html) is not None
