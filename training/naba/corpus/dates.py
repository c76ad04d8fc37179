"""Calendar dates in the forms of Arabic news pages, and the lines that state them.

Months by their Egyptian and Gulf, Levantine, Maghrebi and English names; digits European, Arabic-Indic or Persian.
"""

import re
from datetime import date

from naba.text import plain_digits

_MONTHS = {
    month: number
    for number, names in enumerate(
        [
            "يناير|كانون الثاني|كانون ثاني|كانون ثان|جانفي|january|jan",
            "فبراير|شباط|فيفري|february|feb",
            "مارس|آذار|اذار|march|mar",
            "أبريل|ابريل|إبريل|نيسان|أفريل|افريل|april|apr",
            "مايو|أيار|ايار|ماي|may",
            "يونيو|يونيه|حزيران|جوان|june|jun",
            "يوليو|يوليه|تموز|جويلية|july|jul",
            "أغسطس|اغسطس|آب|اب|أوت|اوت|august|aug",
            "سبتمبر|أيلول|ايلول|september|sep",
            "أكتوبر|اكتوبر|تشرين الأول|تشرين الاول|تشرين أول|october|oct",
            "نوفمبر|تشرين الثاني|تشرين ثاني|تشرين ثان|november|nov",
            "ديسمبر|كانون الأول|كانون الاول|كانون أول|december|dec",
        ],
        start=1,
    )
    for month in names.split("|")
}
MONTH = "|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True))
"""A month's name as a regular expression, longest first."""

_DATES = [
    re.compile(pattern, re.I)
    for pattern in (
        r"(?<!\d)(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?!\d)",
        r"(?<!\d)(?P<d>\d{1,2})[/.\-](?P<m>\d{1,2})[/.\-](?P<y>\d{4})(?!\d)",
        r"(?<!\d)(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})(?!\d)",
        # «7 أكتوبر/تشرين الأول 2023» names the month twice
        rf"(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<n>{MONTH})[\s/،,]+(?:(?:{MONTH})[\s/،,]+)?(?P<y>\d{{4}})(?!\d)",
        rf"(?P<n>{MONTH})\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}})(?!\d)",
    )
]
_YEARS = range(1900, 2100)
"""Of news: 1445 is a year of another calendar."""
_LABEL = "تاريخ النشر|نشر بتاريخ|نُشر بتاريخ|نشر في|تم النشر في|آخر تحديث|اخر تحديث|تاريخ التحديث|تاريخ"
_DATE_LINE = re.compile(rf"[\s\u200e\u200f]*\(?\s*(?:{_LABEL})\s*[::]\s*(?P<rest>.*)$")
_DAY = "السبت|الأحد|الاحد|الإثنين|الاثنين|الثلاثاء|الأربعاء|الاربعاء|الخميس|الجمعة"
_TIME = re.compile(
    rf"(?:[\s،,\-–|]*(?:{_DAY}))?(?:\s*[-–|،]?\s*(?:الساعة\s*:?\s*)?\d{{1,2}}:\d{{2}}(?::\d{{2}})?\s*"
    r"(?:(?:ص|م|صباحا|صباحاً|مساء|مساءً|AM|PM)(?![\u0621-\u064a]))?(?:\s*(?:GMT|UTC))?)?"
)
# All that may follow a date on its line: a second date, times, zones, days, ages. Anything else is the article.
_STAMP_ONLY = re.compile(
    rf"(?:[\s()\[\]|،,.:/\-–+]|\d|(?:st|nd|rd|th|GMT|UTC|AM|PM|{_DAY}|{_LABEL}|{MONTH}|الساعة|بتوقيت|غرينتش|جرينتش|مكة المكرمة|مكة|القدس|"
    r"القاهرة|أبوظبي|بيروت|بغداد|منذ|قبل|ساعة|ساعات|ساعتين|دقيقة|دقائق|دقيقتين|يوم|يومين|أيام|"
    r"صباحاً|صباحا|مساءً|مساء|ص|م)(?![\u0621-\u064aA-Za-z]))*",
    re.I,
)


def parse_date(text: str) -> str | None:
    """The first calendar date in `text` as ISO 8601 (YYYY-MM-DD), or None; days come before months: 10/06 is June."""
    plain = plain_digits(text)
    for match in sorted(_matches(plain), key=lambda found: found.start()):
        parts = match.groupdict()
        month = _MONTHS[parts["n"].lower()] if parts.get("n") else int(parts["m"])
        try:
            day = date(int(parts["y"]), month, int(parts["d"]))
        except ValueError:
            continue
        if day.year in _YEARS:
            return day.isoformat()
    return None


def date_line(line: str) -> tuple[str | None, int] | None:
    """Whether a line opens with a labelled date: the ISO date or None, and where the text after it begins; else None."""
    match = _DATE_LINE.match(line)
    if not match:
        return None
    rest = match["rest"]
    if len(rest) < 200 and _STAMP_ONLY.fullmatch(plain_digits(rest)):
        return parse_date(rest), len(line)
    iso = parse_date(rest[:60])
    if iso is None:
        return None  # «آخر تحديث: مقتل خمسين…»: prose
    plain = plain_digits(rest[:120])
    end = min(found.end() for found in _matches(plain))
    stamp = _TIME.match(plain, end)
    return iso, match.start("rest") + (stamp.end() if stamp else end)


def _matches(plain: str) -> list[re.Match[str]]:
    return [match for pattern in _DATES if (match := pattern.search(plain))]
