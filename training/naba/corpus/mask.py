"""Phone numbers and e-mail addresses are masked on the way into a dataset, character for character.

Letters and digits become `*` and `#`; the length stays, so that every offset into the article stays true.

    mask("للتواصل: +216 71 123 456")   # "للتواصل: +### ## ### ###"
"""

import re

_DIGIT = "0-9٠-٩۰-۹"
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# A number dialled abroad (+ or 00, then 8 to 15 digits: ITU-T E.164), or nine digits and more without a break: amounts
# of that size are written with separators or in words.
_PHONE = re.compile(
    rf"(?<![{_DIGIT}\w.,])(?:\+|00|٠٠)[ -]?\(?[{_DIGIT}](?:[ ().-]{{0,2}}[{_DIGIT}]){{7,14}}(?![{_DIGIT}])"
    rf"|(?<![{_DIGIT}.,٫٬])[{_DIGIT}]{{9,}}(?![.,٫٬]?[{_DIGIT}])"
)
# After a word that announces them, local numbers of six digits and more.
_LOCAL = rf"(?:\+ ?)?\(?[{_DIGIT}#](?:[ ().-]{{0,2}}[{_DIGIT}#]){{5,14}}"
_ANNOUNCED = re.compile(
    rf"((?:هاتف|الهاتف|هاتفي|تليفون|تلفون|موبايل|جوال|الجوال|واتساب|واتس اب|فاكس|الفاكس|محمول|للاتصال|للتواصل|"
    rf"(?:الاتصال|التواصل) (?:على|عبر|بـ|ب))(?:\s+(?:على|عبر|رقم|الرقم|الأرقام|الارقام|التالية|الآتية|بالرقم))*\s*:?\s*)"
    rf"({_LOCAL}(?:\s*(?:/|،|,|أو|و|-)?\s*{_LOCAL})*)(?![{_DIGIT}])"
)
_ANY_DIGIT = re.compile(rf"[{_DIGIT}]")
_ANY_LETTER = re.compile(r"[A-Za-z0-9]")


def mask(text: str) -> str:
    """The text with phone numbers and e-mail addresses masked; as long as before."""
    if "@" in text:
        text = _EMAIL.sub(lambda match: _ANY_LETTER.sub("*", match.group()), text)
    before = ""
    while text != before:  # a masked number may lead to the next one
        before = text
        text = _ANNOUNCED.sub(lambda match: match.group(1) + _ANY_DIGIT.sub("#", match.group(2)), text)
        text = _PHONE.sub(lambda match: _ANY_DIGIT.sub("#", match.group()), text)
    return text
