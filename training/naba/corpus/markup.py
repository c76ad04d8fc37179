"""The words of a field that holds HTML, as feeds and content systems store an article's body.

words_of("<p>قال &quot;لا&quot;</p><p>وأضاف</p>")      # 'قال "لا"\nوأضاف'
"""

import re
from html.parser import HTMLParser

_BLOCKS = "p|br|div|h[1-6]|[uod]l|li|d[td]|table|t[rdh]|blockquote|fig(?:ure|caption)|section|article|header|footer|hr|pre|aside|main"
"""Names of the tags that end a line."""
_UNSEEN = frozenset(("script", "style", "template", "noscript"))
_INLINE = "span|[abiu]|em|strong|small|su[bp]|font|img|picture|video|audio|iframe|script|style|template|noscript"
# Only tags that HTML has, and named or numbered characters: «<قال>» and «R&D;» are text.
_MARKUP = re.compile(
    rf"</?(?:{_BLOCKS}|{_INLINE})(?:\s[^<>]*)?/?>"
    r"|&(?:amp|lt|gt|quot|apos|nbsp|[lr]aquo|[lr][ds]quo|[nm]dash|hellip|rlm|lrm|zwn?j|#\d{2,6}|#[xX][0-9a-fA-F]{2,5});",
    re.I,
)
_BLOCK = re.compile(_BLOCKS)
_LINES = re.compile(r"[^\S\n]*\n\s*")


def words_of(text: str) -> str:
    """The text itself, or, where it holds HTML, its words: a line for each block, character references as characters."""
    if not _MARKUP.search(text):
        return text
    parser = _Words()
    parser.feed(text)
    parser.close()
    return _LINES.sub("\n", "".join(parser.found)).strip()


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        self._end_line(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end_line(tag)

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        self._end_line(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.found.append(data)

    def _end_line(self, tag: str) -> None:
        if _BLOCK.fullmatch(tag):
            self.found.append("\n")
