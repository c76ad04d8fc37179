"""The words of a field that holds HTML, as feeds and content systems store an article's body.

words_of("<p>قال &quot;لا&quot;</p><p>وأضاف</p>")      # 'قال "لا"\nوأضاف'

Only tags that HTML has count: «<قال>» is text. No parser of whole pages: it would take «<Reuters>» for a tag too, and what
follows an unclosed <script> for a script. Every step is linear in the text's length.
"""

import html
import re
from collections import deque

_BLOCKS = (
    "p|br|div|h[1-6]|[uod]l|li|d[td]|table|t[rdh]|blockquote|fig(?:ure|caption)|section|article|header|footer|hr|pre|aside|main|"
    "nav|html|body|title|form"
)
"""Names of the tags that end a line."""
_UNSEEN = "script|style|template|noscript|head"
_INLINE = f"meta|link|time|button|span|[abiu]|em|strong|small|su[bp]|font|img|picture|video|audio|iframe|{_UNSEEN}"
_BLOCK = re.compile(rf"</?(?:{_BLOCKS})(?:\s[^<>]*)?/?>", re.I)
_TAG = re.compile(rf"</?(?:{_BLOCKS}|{_INLINE})(?:\s[^<>]*)?/?>", re.I)
# In HTML a line break is a space, but a text without paragraphs of its own was stored with line breaks for them.
_PARAGRAPH = re.compile(r"<p(?:\s[^<>]*)?>", re.I)
_OPENS_UNSEEN = re.compile(rf"<({_UNSEEN})(?:\s[^<>]*)?>", re.I)
_DECLARATION = re.compile(r"<!doctype(?:\s[^<>]*)?>|<\?xml(?:\s[^<>]*)?>|<!\[CDATA\[|\]\]>", re.I)
_REFERENCE = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,24}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")


def words_of(text: str) -> str:
    """The text itself, or, where it holds HTML, its words: a line for each block, character references as characters."""
    if not _TAG.search(text) and "<![CDATA[" not in text:
        plain = _characters(text)
        # A feed may have the whole HTML once more as character references.
        return _without_tags(plain) if plain != text and _TAG.search(plain) else plain
    return _characters(_without_tags(text))


def _characters(text: str) -> str:
    return _REFERENCE.sub(lambda found: html.unescape(found.group()), text)


def _without_tags(text: str) -> str:
    text = _without_unseen(_without_comments(_DECLARATION.sub("", text)))
    if _PARAGRAPH.search(text):
        text = re.sub(r"\s", " ", text)
    lines = _TAG.sub("", _BLOCK.sub("\n", text)).split("\n")
    return "\n".join(filter(None, map(str.strip, lines)))


def _without_comments(text: str) -> str:
    """Text without its comments; one that is never closed loses its mark alone."""
    first, *rest = text.split("<!--")
    return first + "".join(part.partition("-->")[2] if "-->" in part else part for part in rest)


def _without_unseen(text: str) -> str:
    """Text without its scripts and styles; of one that is never closed the words stay."""
    kept, place = [], 0
    closing = {name: deque(re.finditer(rf"</{name}\s*>", text, re.I)) for name in _UNSEEN.split("|")}
    for found in _OPENS_UNSEEN.finditer(text):
        if found.start() < place:
            continue
        ends = closing[found[1].lower()]
        while ends and ends[0].start() < found.end():
            ends.popleft()
        if ends:
            kept.append(text[place : found.start()])
            place = ends[0].end()
    return "".join([*kept, text[place:]])
