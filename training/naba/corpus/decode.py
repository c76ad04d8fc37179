"""Bytes to text that can be labelled: encoding, control characters, script and size, each refused with a reason.

Every function raises DataError; `naba.corpus.readers` turns it into a rejected record with file and line.
"""

import re

from naba.errors import DataError

_ARABIC_LETTER = re.compile("[\u0620-\u064a\u066e-\u06d3\ufb50-\ufdff\ufe70-\ufefc]")
_OTHER_LETTER = re.compile(r"[^\W\d_\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufefc]")
# Letters that Arabic does not have. News copy typed on a Persian keyboard has ی and ک, which are not among them.
_PERSIAN_OR_URDU = re.compile("[پچژگٹڈڑںےھ]")
MAX_FOREIGN = 0.01
"""Share of such letters above which a text counts as Persian or Urdu; foreign names give Arabic a few."""
# An override shows a reader other words than the model reads. Plain direction marks and isolates are common and harmless.
_SURROGATE = re.compile("[\ud800-\udfff]")
_OVERRIDE = re.compile("[\u202d\u202e]")


def decode(data: bytes, encoding: str = "utf-8") -> str:
    """Decode a file or record; a UTF-8 byte-order mark is dropped.

    Raises DataError that says which encoding it looks like and how to convert it.
    """
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        if data.startswith((b"\xff\xfe", b"\xfe\xff")) or _looks_utf16(data):
            raise DataError("encoded as UTF-16, not UTF-8; convert it (iconv -f UTF-16 -t UTF-8)")
        encoding = "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8-sig" and _looks_windows_1256(data):
            hint = "it looks like Windows-1256; convert it (iconv -f WINDOWS-1256 -t UTF-8) or set read.encoding=cp1256"
        else:
            hint = "the file is damaged, or in another encoding; convert it to UTF-8"
        raise DataError(f"not {encoding.removesuffix('-sig').upper()} at byte {error.start}; {hint}") from None


def check_text(text: str, *, min_arabic: float, max_characters: int) -> None:
    """Refuse what cannot be labelled.

    Args:
        text: the decoded article.
        min_arabic: least share of Arabic among the letters, in [0, 1].
        max_characters: longest article.

    Raises DataError for an empty or overlong text, NUL bytes, bidirectional overrides, or another script.
    """
    if not text.strip():
        raise DataError("empty; there is nothing to label")
    if len(text) > max_characters:
        raise DataError(
            f"{len(text):,} characters, more than read.max_characters = {max_characters:,}; split it into articles"
        )
    if "\x00" in text:
        raise DataError(f"NUL byte at character {text.index(chr(0))}; this is no text file, or a damaged one")
    surrogate = _SURROGATE.search(text)
    if surrogate:
        raise DataError(f"half a character (surrogate) at character {surrogate.start()}; the text was cut or damaged")
    override = _OVERRIDE.search(text)
    if override:
        raise DataError(
            f"bidirectional override U+{ord(override.group()):04X} at character {override.start()}: readers would see other "
            "words than the model; remove it"
        )
    arabic = len(_ARABIC_LETTER.findall(text))
    foreign = len(_PERSIAN_OR_URDU.findall(text))
    if foreign > max(1, MAX_FOREIGN * arabic):  # one may stand in a name of the shortest text
        raise DataError(f"{foreign:,} letters of Persian or Urdu (پ چ ژ گ ٹ …); naba labels Arabic text")
    letters = arabic + len(_OTHER_LETTER.findall(text))
    if letters == 0 or arabic / letters < min_arabic:
        share = arabic / letters if letters else 0
        raise DataError(
            f"{share:.0%} of its letters are Arabic, fewer than read.min_arabic = {min_arabic:.0%}; naba labels Arabic text"
        )


def _looks_utf16(data: bytes) -> bool:
    """Arabic in UTF-16 without a mark has the high byte 06 in every second place, which UTF-8 text never has."""
    sample = data[:2000]
    return len(sample) >= 20 and max(sample[0::2].count(6), sample[1::2].count(6)) > len(sample) // 5


def _looks_windows_1256(data: bytes) -> bool:
    """Whether it reads as Arabic in Windows-1256 and not, but for some broken bytes, in UTF-8."""
    as_utf8, as_windows = (data[:20000].decode(encoding, errors="ignore") for encoding in ("utf-8", "cp1256"))
    return not _mostly_arabic(as_utf8) and _mostly_arabic(as_windows)


def _mostly_arabic(text: str) -> bool:
    return 2 * len(_ARABIC_LETTER.findall(text)) > sum(character.isalpha() for character in text)
