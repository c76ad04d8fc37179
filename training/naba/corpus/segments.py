"""From an article to segments with exact offsets: paragraphs, and the sentences of long paragraphs.

Length is counted in words, so that the labelled data's offsets do not depend on any tokenizer; what a model cannot read
at once it windows itself.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from naba.records import Article, Segment

MAX_WORDS = 90

_WORD = re.compile(r"\S+")
_ARABIC = re.compile("[\u0621-\u063a\u0641-\u064a\ufb50-\ufdff\ufe70-\ufefc]")
# The end of a sentence: its mark, closing quotes or brackets, then a space or, where the space was lost, an Arabic
# letter or an opening quote («الجاري.وتأتي»). A point between digits or Latin letters (2.5, U.N.) ends nothing.
_END = re.compile('(?:[.!؟?…]+["”»’)\\]]*)(?=\\s|$|[\u0621-\u063a\u0641-\u064a«“"])')
# «د. أحمد», «أ.ف.ب», «U.N.»: a point after a single letter.
_INITIAL = re.compile("(?:^|[\\s.(«])(?:[\u0621-\u064a]|[A-Za-z]{1,2})\\.$")
_CLAUSE_ENDS = "؛;،,:"
_OPENING = dict(zip("«“([", "»”)]", strict=True))
_CLOSING = {closing: opening for opening, closing in _OPENING.items()}
_MIN_SENTENCE_WORDS = 4
"""A shorter sentence stays with the one before it."""


def segment_article(article: Article, max_words: int = MAX_WORDS) -> list[Segment]:
    """The article's segments in reading order.

    For each, `article.text[segment.start:segment.end] == segment.text`, it has at most `max_words` words, and it holds
    no boilerplate. A title that is not part of the text comes first, without offsets.
    """
    segments = []
    if (
        article.title
        and not any(block.kind == "headline" for block in article.blocks[:1])
        and article.parent_id is None
    ):
        for start, end in split_paragraph(article.title, 0, len(article.title), max_words):
            segments.append(Segment(article.id, article.title[start:end], "headline"))
    for block in article.blocks:
        for start, end in split_paragraph(article.text, block.start, block.end, max_words):
            segments.append(Segment(article.id, article.text[start:end], block.kind, start, end))
    return segments


def split_paragraph(text: str, start: int, end: int, max_words: int = MAX_WORDS) -> Iterator[tuple[int, int]]:
    """Offsets of the pieces of `text[start:end]`: itself where it fits, else its sentences, else their clauses.

    A quotation is kept whole where sentence and quotation fit `max_words`. Pieces without an Arabic letter are dropped.
    """
    span = _trim(text, start, end)
    if span is None:
        return
    if _words(text, *span) <= max_words:
        pieces = [span]
    else:
        pieces = [
            piece for sentence in _sentences(text, *span, max_words) for piece in _fit(text, *sentence, max_words)
        ]
    for piece in pieces:
        if _ARABIC.search(text, *piece):
            yield piece


def _sentences(text: str, start: int, end: int, max_words: int) -> list[tuple[int, int]]:
    """Sentences as spans without the space around them; ends inside a quotation are used only where it is too long."""
    whole = _cut(text, start, end, _outside_quotations(text, start, [match.end() for match in _ends(text, start, end)]))
    spans = []
    for span in whole:
        if _words(text, *span) > max_words:
            spans += _cut(text, *span, [match.end() for match in _ends(text, *span)])
        else:
            spans.append(span)
    return _join_short(text, spans, max_words)


def _ends(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    for match in _END.finditer(text, start, end):
        mark = text[match.start() : match.start() + 1]
        if mark == "." and _INITIAL.search(text, max(start, match.start() - 4), match.start() + 1):
            continue
        if match.end() < end:
            yield match


def _outside_quotations(text: str, start: int, ends: list[int]) -> list[int]:
    """The ends that lie outside quotations and brackets, found in one pass over the text."""
    outside, depth, straight = [], dict.fromkeys(_OPENING, 0), False
    position = start
    for end in ends:
        for character in text[position:end]:
            if character == '"':
                straight = not straight
            elif character in depth:
                depth[character] += 1
            elif character in _CLOSING:
                depth[_CLOSING[character]] = max(0, depth[_CLOSING[character]] - 1)
        position = end
        if not straight and not any(depth.values()):
            outside.append(end)
    return outside


def _cut(text: str, start: int, end: int, cuts: list[int]) -> list[tuple[int, int]]:
    bounds = [start, *cuts, end]
    spans = (_trim(text, a, b) for a, b in pairwise(bounds))
    return [span for span in spans if span]


def _join_short(text: str, spans: list[tuple[int, int]], max_words: int) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for span in spans:
        short = _words(text, *span) < _MIN_SENTENCE_WORDS
        if joined and short and _words(text, joined[-1][0], span[1]) <= max_words:
            joined[-1] = (joined[-1][0], span[1])
        else:
            joined.append(span)
    return joined


def _fit(text: str, start: int, end: int, max_words: int) -> Iterator[tuple[int, int]]:
    """Cut one over-long sentence at its last clause end that fits, or, where there is none, after `max_words` words."""
    words = [match.span() for match in _WORD.finditer(text, start, end)]
    first = 0
    while len(words) - first > max_words:
        # A cut in the first half, or just before the end, would leave a stump.
        half = max_words // 2
        last = first + min(max_words, max(half, len(words) - first - half))
        clauses = [w for w in range(first + half, last) if text[words[w][1] - 1] in _CLAUSE_ENDS]
        cut = clauses[-1] + 1 if clauses else last
        yield words[first][0], words[cut - 1][1]
        first = cut
    yield words[first][0], end


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None


def _words(text: str, start: int, end: int) -> int:
    return sum(1 for _ in _WORD.finditer(text, start, end))
