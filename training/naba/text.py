"""Normalisation of Arabic text for a model: pure, versioned, one preset per family of encoders.

A run stores the preset's name; text is normalised the same way in training, evaluation and labelling. Only what the
model sees is normalised: segments keep the article's own characters, so that offsets stay exact.
"""

import re
from collections.abc import Callable
from html import unescape

from naba.errors import ConfigError

# Marks that change only the display: zero-width and bidirectional controls, byte-order mark, soft hyphen.
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# Persian and Urdu keyboard letters that stand for Arabic ones in news copy.
_LETTERS = str.maketrans({"ی": "ي", "ې": "ي", "ک": "ك", "گ": "ك", "ہ": "ه", "ۀ": "ه", "ۃ": "ة", "ھ": "ه"})
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_DIACRITICS = re.compile("[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]")
_SPELLINGS = (("أ", "ا"), ("إ", "ا"), ("آ", "ا"), ("ٱ", "ا"), ("ؤ", "و"), ("ئ", "ي"), ("ى", "ي"), ("ة", "ه"))
_TATWEEL = "\u0640"
_SPACES = re.compile(r"\s+")
# AraBERT's preprocessing sets digits and punctuation off by spaces (aub-mind/arabert, preprocess.py, v02).
_ARABERT_TOUCHING = re.compile(r"([^0-9\u0621-\u063a\u0641-\u066c\u0671-\u0675a-zA-Z\[\] ])")
_ARABERT_LETTER = r"[a-zA-Z\u0621-\u063a\u0641-\u066c\u0671-\u0675]"
_ARABERT_TURN = re.compile(rf"(?<=\d)(?={_ARABERT_LETTER})|(?<={_ARABERT_LETTER})(?=\d)")
# From version 2 on wholly as there: digits part from Arabic letters only, what its vocabulary lacks becomes a space.
_ARABERT_SET_OFF = re.compile(r"([^0-9A-Za-z\u0621-\u063a\u0641-\u064a\[\] ])")
_ARABERT_ARABIC_TURN = re.compile(r"(?<=\d)(?=[\u0621-\u063a\u0641-\u064a])|(?<=[\u0621-\u063a\u0641-\u064a])(?=\d)")
_ARABERT_UNKNOWN = re.compile(
    r"[^0-9A-Za-z\u0621-\u063a\u0641-\u066c\u0671-\u0674 \[\]!\"#$%'()*+,.:;<=>?@\\^_`{|}~·«»،؛؟٪ۚ“”‘’–—…-]"
)
_MARKUP = re.compile("<[^>]*>")
_ELONGATED = re.compile(r"(\D)\1{2,}")
# A bare address such as example.com/x counts; it starts where no longer one could, so that long strings cost no more.
_LINK = re.compile(r"(?:https?://|www\.)\S+|(?<![\w@.-])[A-Za-z0-9][A-Za-z0-9@._-]*\.[a-z]{2,6}\b(?:/\S*)?")
_EMAIL = re.compile(r"(?<!\S)[^\s@]+@\S+")
_MENTION = re.compile(r"@\w+")
_HASHTAG = re.compile(r"#\w+")


def plain_digits(text: str) -> str:
    """Arabic-Indic and Persian digits as 0-9; every other character, and the length, unchanged."""
    return text.translate(_DIGITS)


def _standard(text: str) -> str:
    text = _INVISIBLE.sub("", text).translate(_LETTERS).translate(_DIGITS)
    text = _DIACRITICS.sub("", text).replace(_TATWEEL, "")
    return _SPACES.sub(" ", text).strip()


def fold_spelling(text: str) -> str:
    """Letters that outlets write one for the other as one: hamzas on their seats, taa marbuta and haa, alef maqsura and
    yaa. For comparing texts, never for a model."""
    for letter, plain in _SPELLINGS:  # five times faster here than str.translate
        text = text.replace(letter, plain)
    return text


def _arabert_v02(text: str) -> str:
    text = _standard(text).replace("/", "-")
    text = _ARABERT_TURN.sub(" ", _ARABERT_TOUCHING.sub(r" \1 ", text))
    return _SPACES.sub(" ", text).strip()


def _arabert_v02_2(text: str) -> str:
    """AraBERT v02 whole, also links, addresses, mentions, markup and elongated words (aub-mind/arabert, preprocess.py)."""
    text = unescape(text)
    end = text.rfind(">") + 1  # beyond the last tag a search for one would never end
    text = _standard(_MARKUP.sub(" ", text[:end]) + text[end:])
    text = _MENTION.sub(" [مستخدم] ", _EMAIL.sub(" [بريد] ", _LINK.sub(" [رابط] ", text)))
    text = _ELONGATED.sub(r"\1\1", text).replace("/", "-")
    text = _ARABERT_ARABIC_TURN.sub(" ", _ARABERT_SET_OFF.sub(r" \1 ", text))
    return _SPACES.sub(" ", _ARABERT_UNKNOWN.sub(" ", text)).strip()


def _arbert(text: str) -> str:
    """ARBERT and MARBERT: links, mentions and hashtags as words (Abdul-Mageed et al. 2021, section 2)."""
    text = _HASHTAG.sub(" HASHTAG ", _MENTION.sub(" USER ", _LINK.sub(" URL ", _standard(text))))
    return _SPACES.sub(" ", text).strip()


PRESETS: dict[str, Callable[[str], str]] = {
    "standard-1": _standard,
    "arabert-v02-1": _arabert_v02,
    "arabert-v02-2": _arabert_v02_2,
    "arbert-1": _arbert,
}
"""Preset name, ending in its version → function. A changed behaviour is a new name, never an edit."""


def normaliser(preset: str) -> Callable[[str], str]:
    """The function of a preset. Raises ConfigError for an unknown name."""
    if preset not in PRESETS:
        raise ConfigError(f"normalisation preset {preset!r} is unknown; known: {', '.join(PRESETS)}")
    return PRESETS[preset]
