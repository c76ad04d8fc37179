"""From a page of text to articles: title, date, source and keywords out, boilerplate out, embedded articles apart.

The text stays as it was read; an article says by offsets which parts are its own headline and paragraphs, so that
every segment can be found again in the file.

    articles = parse_page("000", text)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from naba.corpus import boilerplate
from naba.corpus.dates import date_line
from naba.records import Article, Block

MAX_HEADLINE_WORDS = 25
"""A first line longer than this is a paragraph."""
_MIN_REPEAT_WORDS = 5
"""A paragraph of this many words that stood in the article before is a page's repeat of its standfirst."""

_LINE = re.compile(r"[^\r\n\u2028\u2029\x0b\x0c\x85]+")


@dataclass
class _Draft:
    """An article being read."""

    blocks: list[Block] = field(default_factory=list)
    title: str | None = None
    date: str | None = None
    source: str | None = None
    agency: str | None = None
    """From the byline; counts as the source where no source line names one."""
    keywords: tuple[str, ...] = ()


def parse_page(
    article_id: str,
    text: str,
    *,
    title: str | None = None,
    date: str | None = None,
    source: str | None = None,
    url: str | None = None,
    keywords: tuple[str, ...] = (),
) -> list[Article]:
    """The page's own article first, then those embedded at its foot, with `parent_id` set and no date but their own.

    Args:
        article_id: id of the page; embedded articles get it with "#2", "#3" … appended.
        text: the page as decoded. Offsets of the blocks count its characters.
        title, date, source, url, keywords: what is known from outside the text; it wins over what the text states.
    """
    drafts = [_Draft(title=title)]
    in_links = skip_link = False
    lines = [(start, end, boilerplate.plain(text[start:end])) for start, end in _lines(text)]
    feet = [number for number, (_, _, line) in enumerate(lines) if _is_foot(line)]
    for number, (start, end, line) in enumerate(lines):
        draft = drafts[-1]
        in_links = in_links and not boilerplate.ends_link_list(line)
        if boilerplate.opens_embedded(line):
            # While the page's foot (source, keywords) is still to come, the mark stands amid the article over one link.
            amid = len(drafts) == 1 and any(foot > number for foot in feet) and not any(foot < number for foot in feet)
            in_links, skip_link = False, amid
            if not amid:
                drafts.append(_Draft())
        elif boilerplate.opens_link_list(line):
            in_links = True
        elif (found := boilerplate.source_line(line)) is not None:
            draft.source = draft.source or found
        elif (words := boilerplate.keywords_line(line)) is not None:
            draft.keywords = draft.keywords or words
        elif in_links or skip_link or boilerplate.is_furniture(line):
            skip_link = False
        else:
            following = text[slice(*lines[number + 1][:2])] if number + 1 < len(lines) else None
            _read_prose(draft, text, start, end, following)
    own = drafts[0]
    own.date, own.source = date or own.date, source or own.source
    own.keywords = keywords or own.keywords
    articles = [_article(article_id, text, own, url, None)]
    for draft in drafts[1:]:
        if draft.blocks:
            articles.append(_article(f"{article_id}#{len(articles) + 1}", text, draft, None, article_id))
    return articles


def _article(article_id: str, text: str, draft: _Draft, url: str | None, parent: str | None) -> Article:
    blocks = _without_tags(_without_repeats(draft.blocks, text), text)
    return Article(
        article_id, text, blocks, draft.title, draft.date, draft.source or draft.agency, url, draft.keywords, parent
    )  # fmt: skip


def _is_foot(plain: str) -> bool:
    return boilerplate.source_line(plain) is not None or boilerplate.keywords_line(plain) is not None


def _without_repeats(blocks: list[Block], text: str) -> list[Block]:
    """The blocks without those whose words stood in the article before."""
    seen: set[str] = set()
    kept = []
    for block in blocks:
        words = text[block.start : block.end].split()
        if len(words) < _MIN_REPEAT_WORDS or " ".join(words) not in seen:
            kept.append(block)
        seen.add(" ".join(words))
    return kept


def _without_tags(blocks: list[Block], text: str) -> tuple[Block, ...]:
    """The blocks without runs of tags: two or more very short lines in a row, after the article has begun."""
    kept: list[Block] = []
    run: list[Block] = []
    for block in blocks:
        if kept and block.kind == "paragraph" and boilerplate.is_tag(text[block.start : block.end]):
            run.append(block)
            continue
        kept += [*(run if len(run) == 1 else []), block]
        run = []
    return (*kept, *(run if len(run) == 1 else []))


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Offsets of the non-empty lines, without the space around them."""
    for match in _LINE.finditer(text):
        content = match.group()
        start = match.start() + len(content) - len(content.lstrip())
        end = match.start() + len(content.rstrip())
        if start < end:
            yield start, end


def _read_prose(draft: _Draft, text: str, start: int, end: int, following: str | None) -> None:
    """Read a line that may be a headline, a date line, or a paragraph with a date, agency or heading glued to it."""
    dated = date_line(text[start:end])
    if dated:
        draft.date = draft.date or dated[0]
        start = _skip_space(text, start + dated[1], end)
        if start == end:
            return
    line = text[start:end]
    byline = boilerplate.byline_end(line)
    words = " ".join(line.split())
    if (
        not draft.blocks
        and not byline
        and (words == draft.title or (draft.title is None and _is_headline(line, following)))
    ):
        draft.title = words
        draft.blocks.append(Block("headline", start, end))
        return
    if byline and not any(block.kind == "paragraph" for block in draft.blocks):
        start, draft.agency = start + byline[0], draft.agency or byline[1]
    if draft.blocks and following is not None and boilerplate.is_caption(boilerplate.plain(text[start:end])):
        return
    glued = boilerplate.glued_heading(text[start:end])
    if glued:
        length, advert = glued
        if not advert:
            draft.blocks.append(Block("headline", start, start + length))
        start += length
    draft.blocks.append(Block("paragraph", start, end))


def _is_headline(line: str, following: str | None) -> bool:
    if following is None or len(line.split()) > MAX_HEADLINE_WORDS:
        return False
    # Headlines may ask or cry out, but do not end in a full stop.
    return date_line(following) is not None or not line.rstrip().endswith((".", '."', ".»", ".”", "؛", "،"))


def _skip_space(text: str, start: int, end: int) -> int:
    while start < end and text[start].isspace():
        start += 1
    return start
