"""The furniture of Arabic news pages: date, source and keyword lines, "read also" blocks, bylines, glued adverts.

Pure functions on single lines, used by `naba.corpus.articles`. Digits may be European, Arabic-Indic or Persian.
"""

import re
from datetime import date

from naba.text import plain_digits

_LETTER = "[\u0621-\u063a\u0641-\u064a\u066e-\u06d3]"

_MONTHS = {
    month: number
    for number, names in enumerate(
        # Egyptian and Gulf, Levantine, Maghrebi, and English names.
        [
            "يناير|كانون الثاني|جانفي|january|jan",
            "فبراير|شباط|فيفري|february|feb",
            "مارس|آذار|اذار|march|mar",
            "أبريل|ابريل|إبريل|نيسان|أفريل|افريل|april|apr",
            "مايو|أيار|ايار|ماي|may",
            "يونيو|يونيه|حزيران|جوان|june|jun",
            "يوليو|يوليه|تموز|جويلية|july|jul",
            "أغسطس|اغسطس|آب|أوت|اوت|august|aug",
            "سبتمبر|أيلول|ايلول|september|sep",
            "أكتوبر|اكتوبر|تشرين الأول|تشرين الاول|october|oct",
            "نوفمبر|تشرين الثاني|november|nov",
            "ديسمبر|كانون الأول|كانون الاول|december|dec",
        ],
        start=1,
    )
    for month in names.split("|")
}
_MONTH = "|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True))
_DATES = [
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"),
    re.compile(r"(?P<d>\d{1,2})[/.\-](?P<m>\d{1,2})[/.\-](?P<y>\d{4})"),
    re.compile(r"(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})"),
    re.compile(
        rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<n>{_MONTH})[\s/،,]+(?:(?:{_MONTH})[\s/،,]+)?(?P<y>\d{{4}})", re.I
    ),
    re.compile(rf"(?P<n>{_MONTH})\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}})", re.I),
]

_DATE_LABEL = r"(?:تاريخ النشر|نشر بتاريخ|نُشر بتاريخ|نشر في|تم النشر في|آخر تحديث|اخر تحديث|تاريخ التحديث|تاريخ)"
_DATE_LINE = re.compile(rf"\s*\(?\s*{_DATE_LABEL}\s*[::]\s*(?P<rest>.*)$")
_TIME = r"(?:\s*[-–|،]?\s*(?:الساعة\s*[::]?\s*)?\d{1,2}:\d{2}(?::\d{2})?\s*(?:ص|م|صباحا|صباحاً|مساء|مساءً|AM|PM|GMT)?(?![\u0621-\u064a]))?"
_SOURCE_LINE = re.compile(r"\s*المصدر\s*[::]\s*(?P<value>.*?)\s*$")
_KEYWORDS_LINE = re.compile(
    r"\s*(?:كلمات دلالية|الكلمات الدلالية|كلمات مفتاحية|وسوم|الوسوم)\s*[::]\s*(?P<value>.*?)\s*$"
)
_EMBEDDED = re.compile(r"\s*(?:إقرأ|اقرأ|إقرا|اقرا|أقرأ)\s+(?:أيضا|أيضاً|ايضا|ايضاً|المزيد|كذلك)\s*[::]?\s*$")
_LINK_LIST = re.compile(
    r"\s*(?:مقالات مشابهة|مواضيع ذات صلة|أخبار ذات صلة|اخبار ذات صلة|مقالات ذات صلة|روابط ذات صلة|الأكثر قراءة)\s*[::]?\s*$"
)
_INLINE_LINK = re.compile(r"\s*(?:إقرأ|اقرأ|شاهد|طالع|أقرأ)\s+(?:أيضا|أيضاً|ايضا|ايضاً|المزيد|كذلك)\s*(?:[::|]|\.\.).*$")
_BULLET = re.compile(r"\s*[•●▪■◾·*]\s+")
_MEDIA = re.compile(r"(?:\(|\||\[)\s*(?:فيديو|بالفيديو|صور|شاهد|فيديو وصور|صور وفيديو)\s*[)\]|]?\s*$")
_ADVERT = re.compile(r"\s*(?:إعلان|اعلان|Advertisement)\s*$")
_SENTENCE_END = re.compile("[.!؟?…:؛][\\s»”\"')\\]]*$")

# «القاهرة- معا- », «(CNN)-- », «بغداد/ شبكة أخبار العراق- », «رام الله - وفا - », «غزة/ 12 مايو/ الأناضول/ »
# A place has at most two words: «المقاومة الإسلامية في لبنان - حزب الله -» is the article's own subject.
_PLACE = rf"(?:{_LETTER}+\s?){{1,2}}"
_WORDS = rf"(?:{_LETTER}+\s?){{1,4}}"
_BYLINES = [
    re.compile(r"\s*\((?P<agency>[A-Za-z][A-Za-z .]{1,30}|[\u0621-\u064a .]{2,30})\)\s*(?:--|—|–|-)\s*"),
    re.compile(rf"\s*{_PLACE}\s?[-–—]\s*(?P<agency>{_PLACE})[-–—]\s+"),
    re.compile(rf"\s*{_PLACE}\s?/\s*(?P<agency>{_WORDS})\s*[-–—/:]\s+"),
]

# Verbs that open a paragraph of reported speech; after a glued heading or advert word they show where it ends.
_OPENERS = (
    "وقد|وقال|وقالت|وأضاف|وأضافت|وأكد|وأكدت|وأوضح|وأوضحت|وذكر|وذكرت|وأعلن|وأعلنت|ونقل|ونقلت|وكتب|وكتبت|وأشار|وأشارت|"
    "وشدد|وشددت|وتابع|وتابعت|وأفاد|وأفادت|ويأتي|وتأتي|وجاء|وجاءت|ووفق|وبحسب"
)
_GLUED = re.compile(rf"^(?P<head>[^\n.!؟]*?{_LETTER}{{4}})(?=(?:{_OPENERS})\s)")
_MAX_GLUED_WORDS = 12


def parse_date(text: str) -> str | None:
    """The first calendar date in `text` as ISO 8601 (YYYY-MM-DD), or None; days come before months (10/06/2024 is June)."""
    plain = plain_digits(text)
    found = [match for pattern in _DATES if (match := pattern.search(plain))]
    for match in sorted(found, key=lambda m: m.start()):
        parts = match.groupdict()
        month = _MONTHS[parts["n"].lower()] if parts.get("n") else int(parts["m"])
        try:
            return date(int(parts["y"]), month, int(parts["d"])).isoformat()
        except ValueError:
            continue
    return None


def date_line(line: str) -> tuple[str | None, int] | None:
    """Whether a line opens with a labelled date: (ISO date or None, where the text after the date begins), else None."""
    match = _DATE_LINE.match(line)
    if not match:
        return None
    rest = match["rest"]
    iso = parse_date(rest)
    if iso is None:
        return (None, len(line)) if len(rest.split()) <= 8 else None
    plain = plain_digits(rest)
    end = min(m.end() for pattern in _DATES if (m := pattern.search(plain)))
    stamp = re.compile(_TIME).match(plain, end)
    end = stamp.end() if stamp else end
    # A bracketed second date, a zone or a time alone is still the date line; a sentence after it is the article.
    after = plain[end:]
    if not byline_end(after) and len(re.findall(rf"{_LETTER}{{2,}}", after)) <= 6:
        return iso, len(line)
    return iso, match.start("rest") + end


def source_line(line: str) -> str | None:
    """The value of a «المصدر:» line, else None."""
    match = _SOURCE_LINE.match(line)
    return _clean(match["value"]) if match else None


def keywords_line(line: str) -> str | None:
    """The value of a «كلمات دلالية:» line with Persian letters made Arabic, else None."""
    match = _KEYWORDS_LINE.match(line)
    return _clean(match["value"]) if match else None


def _clean(value: str) -> str:
    return " ".join(value.translate(str.maketrans("یک", "يك")).split())


def opens_embedded(line: str) -> bool:
    """«إقرأ أيضاً:» on a line of its own: another article follows."""
    return bool(_EMBEDDED.match(line))


def opens_link_list(line: str) -> bool:
    """«مقالات مشابهة» and its like: only links follow."""
    return bool(_LINK_LIST.match(line))


def is_link(line: str) -> bool:
    """A bullet, an inline "read also", an advert word, or another story's caption ending in a media mark."""
    return any(pattern.match(line) for pattern in (_BULLET, _INLINE_LINK, _ADVERT))


def is_caption(line: str) -> bool:
    """A headline of another story amid the body: ends in «(فيديو)», «|صور» or the like, and not as a sentence does."""
    return bool(_MEDIA.search(line))


def ends_sentence(line: str) -> bool:
    """Whether the line ends as prose does."""
    return bool(_SENTENCE_END.search(line.rstrip()))


def byline_end(line: str) -> tuple[int, str] | None:
    """Where the text after an agency line begins, and the agency; None where the paragraph opens with its own words."""
    for pattern in _BYLINES:
        match = pattern.match(line)
        if match and match.end() < len(line):
            return match.end(), _clean(match["agency"])
    return None


def glued_heading(paragraph: str) -> tuple[int, bool] | None:
    """Where a heading or advert word glued to the paragraph's first word ends, and whether it is an advert.

    «إعلانوكتب ترامب» → (5, True); «أنجزوا الاتفاقوقد نقلت» → (14, False); None where nothing is glued.
    """
    match = _GLUED.match(paragraph)
    if not match or len(match["head"].split()) > _MAX_GLUED_WORDS:
        return None
    return match.end("head"), bool(_ADVERT.match(match["head"]))
