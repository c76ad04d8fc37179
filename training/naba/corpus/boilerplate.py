"""The furniture of Arabic news pages: date, source and keyword lines, "read also" marks, bylines, glued headings.

Pure functions on single lines, used by `naba.corpus.articles`. Those that take a *plain* line want it from `plain()`:
without diacritics, tatweel, direction marks and Persian letters, so that «إقرأ أيضًا» and «إقرأ أیضاً» are the same mark.
Dates are in `naba.corpus.dates`.
"""

import re

from naba.corpus.dates import MONTH
from naba.text import normaliser, plain_digits

_NORMALISE = normaliser("standard-1")
_LETTER = "[\u0621-\u063a\u0641-\u064a\u066e-\u06d3]"

_SOURCE_LINE = re.compile(r"المصدر ?[::] ?(?P<value>.*)$")
_KEYWORDS_LINE = re.compile(r"(?:كلمات دلالية|الكلمات الدلالية|كلمات مفتاحية|وسوم|الوسوم) ?[::] ?(?P<value>.*)$")
_READ_ALSO = r"(?:إقرأ|اقرأ|إقرا|اقرا|أقرأ) (?:أيضا|ايضا|المزيد|كذلك)"
_EMBEDDED = re.compile(rf"{_READ_ALSO} ?(?:[::…]|\.\.+)?$")
_INLINE_LINK = re.compile(rf"(?:{_READ_ALSO}|(?:شاهد|طالع) (?:أيضا|ايضا)) ?(?:[::|]|\.\.) ?.+$")
_LINK_LIST = re.compile(
    r"(?:مقالات مشابهة|مواضيع ذات صلة|أخبار ذات صلة|اخبار ذات صلة|مقالات ذات صلة|روابط ذات صلة|الأكثر قراءة) ?[::]?$"
)
_BULLET = re.compile(r"[•●▪■◾·*]\s+")
_MEDIA = re.compile(r"(?:\(|\||\[) ?(?:فيديو|بالفيديو|صور|شاهد|فيديو وصور|صور وفيديو) ?[)\]|]?$")
_ADVERT = re.compile(r"(?:إعلان|اعلان|Advertisement)$")
# What a page's template leaves between the texts: time stamps of a news ticker, buttons, the copyright line.
_STAMP = re.compile(
    rf"(?:اليوم|أمس|الأمس|قبل قليل|\d{{1,2}} (?:{MONTH})(?: \d{{4}})?)? ?(?:[-–|،]? ?\d{{1,2}}:\d{{2}}(?: ?[صم])?)?$"
)
_BUTTON = re.compile(
    r"(?:تصفح المزيد|اقرأ المزيد|إقرأ المزيد|شاهد المزيد|المزيد|اقرأ للكاتب|العناوين|شارك|طباعة|جميع الحقوق محفوظة.{0,40}) ?[:.]?$"
)
_SENTENCE_END = re.compile("[.!؟?…:؛][\\s»”\"')\\]]*$")
_MAX_SOURCE_WORDS = 8
_PLAIN_REACH = 600
"""Longer lines are prose."""

_AGENCIES = (
    "رويترز|أ ف ب|أ\\.ف\\.ب|أف ب|فرانس برس|الأناضول|وفا|معا|سانا|واس|وام|قنا|بترا|واج|وات|بنا|كونا|سونا|سبأ|أ ش أ|أ\\.ش\\.أ|"
    "سبوتنيك|نوفوستي|تاس|شينخوا|د ب أ|د\\.ب\\.أ|أ ب|أسوشيتد برس|أسوشييتد برس|إرنا|تسنيم|مهر|فارس|الجزيرة|العربية|"
    "العربي الجديد|«?الشرق الأوسط»?|«?القدس العربي»?|وكالات|الوكالات|CNN|BBC|AFP|DW|UPI|INA|واع|السومرية نيوز"
)
_OUTLET = "(?:وكالة|شبكة|صحيفة|قناة|موقع|مراسل|أخبار)"
_PLACE = rf"{_LETTER}+(?:\s{_LETTER}+)?"
_LONG_PLACE = rf"{_LETTER}+(?:[\s،]+{_LETTER}+){{0,4}}"
_WORDS = rf"{_LETTER}+(?:\s{_LETTER}+){{0,3}}"
_DASH = "[-–—]"
_BYLINES = [
    re.compile(pattern)
    for pattern in (
        # (CNN)--   (وكالات) -   واشنطن (رويترز) -   القدس - (أ ف ب) -
        rf"\s*\((?P<agency>[A-Za-z][A-Za-z .]{{1,30}}|[\u0621-\u064a .]{{2,30}})\)\s*{_DASH}{{1,2}}\s*",
        rf"\s*{_LONG_PLACE}\s*{_DASH}?\s*\((?P<agency>{_AGENCIES}|[A-Z]{{2,5}})\)\s*{_DASH}{{1,2}}\s*",
        # القاهرة- معا-   with no space before the dashes any agency; a parenthesis of the sentence has one
        rf"\s*{_PLACE}{_DASH}\s*(?P<agency>{_PLACE}){_DASH}\s+",
        rf"\s*{_PLACE}\s*{_DASH}\s*(?P<agency>{_AGENCIES})\s*(?:{_DASH}|:)\s+",
        # بغداد/ شبكة أخبار العراق-   غزة/ 12 مايو/ الأناضول/
        rf"\s*{_PLACE}\s?/\s*(?:\d{{1,2}}\s+(?:{MONTH})\s*/\s*)?(?P<agency>{_AGENCIES}|{_OUTLET}\s{_WORDS})\s*(?:{_DASH}|/|:)\s+",
    )
]
_BYLINE_REACH = 120
"""A byline stands within the first characters; a longer look would cost time on long lines and find nothing."""

_SAYING = "قال|أضاف|أكد|أوضح|ذكر|أعلن|نقل|كتب|أشار|شدد|أفاد|حذر|لفت"
# What opens a paragraph of reported speech; after a glued heading or advert word it shows where that ends.
_OPENER = rf"و(?:قد\s(?:{_SAYING})ت?|(?:{_SAYING})ت?|تابعت?|[يت]أتي|جاءت?|وفق|بحسب)\s"
_GLUED_ADVERT = re.compile(rf"(?P<head>إعلان)(?={_OPENER})")
_GLUED_HEADING = re.compile(rf"(?<={_LETTER}{{5}})(?={_OPENER})")
_NO_HEADING = re.compile(r"و|.*[.!؟،]|\S+$")
_MAX_GLUED_WORDS = 12


def plain(line: str) -> str:
    """The line as marks are compared; of a long paragraph head and tail, which are all that tells a mark."""
    return _NORMALISE(line if len(line) <= _PLAIN_REACH else f"{line[:100]} {line[-60:]}")


def source_line(plain: str) -> str | None:
    """The value of a «المصدر:» line, else None; a longer sentence that begins so is prose."""
    match = _SOURCE_LINE.match(plain)
    return match["value"] if match and len(match["value"].split()) <= _MAX_SOURCE_WORDS else None


def keywords_line(plain: str) -> tuple[str, ...] | None:
    """The keywords of a «كلمات دلالية:» line, else None."""
    match = _KEYWORDS_LINE.match(plain)
    return split_keywords(match["value"]) if match else None


def split_keywords(value: str) -> tuple[str, ...]:
    """Keywords set apart by commas, semicolons or bars; where there are none, by spaces."""
    parts = re.split(r"[،,;؛|]", value)
    return tuple(part.strip() for part in (parts if len(parts) > 1 else value.split()) if part.strip())


def opens_embedded(plain: str) -> bool:
    """«إقرأ أيضاً:» on a line of its own: another article, or a link to one, follows."""
    return bool(_EMBEDDED.match(plain))


def opens_link_list(plain: str) -> bool:
    """«مقالات مشابهة» and its like: links follow."""
    return bool(_LINK_LIST.match(plain))


def ends_link_list(plain: str) -> bool:
    """Whether a line below «مقالات مشابهة» is prose again: no bullet, and a whole sentence."""
    return not _BULLET.match(plain) and plain.endswith((".", '."', ".»", ".”")) and len(plain.split()) >= 8


def is_furniture(plain: str) -> bool:
    """An inline "read also", an advert word, a button, or a bare time stamp."""
    return any(pattern.match(plain) for pattern in (_INLINE_LINK, _ADVERT, _BUTTON, _STAMP))


def is_tag(line: str) -> bool:
    """Whether a line could be one of a page's tags: a few words that end as no sentence does."""
    return len(line.split()) <= 4 and not ends_sentence(line)


def is_caption(plain: str) -> bool:
    """A headline of another story amid the body: ends in «(فيديو)», «|صور» or the like."""
    return bool(_MEDIA.search(plain[-30:]))


def ends_sentence(line: str) -> bool:
    """Whether the line ends as prose does."""
    return bool(_SENTENCE_END.search(line[-20:].rstrip()))


def byline_end(line: str) -> tuple[int, str] | None:
    """Where the text after an agency line begins, and the agency; None where the paragraph opens with its own words."""
    head = plain_digits(line[:_BYLINE_REACH])
    for pattern in _BYLINES:
        match = pattern.match(head)
        if match and match.end() < len(line):
            return match.end(), " ".join(match["agency"].split())
    return None


def glued_heading(paragraph: str) -> tuple[int, bool] | None:
    """Where a heading or advert word glued to the paragraph's first word ends, and whether it is an advert.

    «إعلانوكتب ترامب» → (5, True); «ترامب: أنجزوا الاتفاقوقد نقلت» → (21, False); None where nothing is glued.
    """
    head = paragraph[: 2 * _BYLINE_REACH]
    if match := _GLUED_ADVERT.match(head):
        return match.end("head"), True
    match = _GLUED_HEADING.search(head)
    if match is None or _NO_HEADING.match(head[: match.end()]) or len(head[: match.end()].split()) > _MAX_GLUED_WORDS:
        return None
    return match.end(), False
