"""Changes of an Arabic text that leave its meaning alone: spelling, digits, punctuation, spacing, numbers.

Each is a pure function of the text and a random generator, so that one seed gives one text. They are what the
invariance tests of `naba.evaluation.behaviour.suite` name under `transform`.

    TRANSFORMATIONS["tatweel"]("هدنة في غزة", random.Random(1))
"""

import random
import re
from collections.abc import Callable, Mapping

Transformation = Callable[[str, random.Random], str]

_LETTER = "\u0621-\u063a\u0641-\u064a"
_WORD = re.compile(f"[{_LETTER}]+")
_VOWELS = "\u064e\u064f\u0650\u0652"  # fatha, damma, kasra, sukun
_SHADDA, _TATWEEL = "\u0651", "\u0640"
_JOINING = re.compile(
    "(?<=[بتثجحخسشصضطظعغفقكلمنهي])(?=[بتثجحخسشصضطظعغفقكمنهيةد])"
)  # lam left out: لا, لله are ligatures
_HAMZA = str.maketrans("أإآ", "ااا")
_ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_PERSIAN_LETTERS = str.maketrans("يك", "یک")
_NUMBER = re.compile(r"(?<![\d.,])\d+(?![\d.,]?\d)")
_YEAR = re.compile(r"(19|20)\d\d")
_RLM = "\u200f"


def _vowelled(share: float) -> Transformation:
    # True vowelling needs a parser; a model that ignores marks must ignore these as well.
    def change(text: str, generator: random.Random) -> str:
        def mark(word: re.Match[str]) -> str:
            marked = ""
            for position, letter in enumerate(word.group()):
                marked += letter
                if letter not in "اآىء" and generator.random() < share:
                    doubled = position > 1 and generator.random() < 0.15
                    marked += (_SHADDA if doubled else "") + generator.choice(_VOWELS[:3] if doubled else _VOWELS)
            return marked

        return _WORD.sub(mark, text)

    return change


def _tatweel(text: str, generator: random.Random) -> str:
    def stretch(word: re.Match[str]) -> str:
        places = [match.start() for match in _JOINING.finditer(word.group())]
        if not places or generator.random() > 0.4:
            return word.group()
        place = generator.choice(places)
        return word.group()[:place] + _TATWEEL * generator.randint(1, 3) + word.group()[place:]

    return _WORD.sub(stretch, text)


def _final(letter: str, other: str) -> Transformation:
    pattern = re.compile(f"(?<=[{_LETTER}]){letter}(?![{_LETTER}])")
    return lambda text, generator: pattern.sub(other, text)


def _translated(table: Mapping[int, int]) -> Transformation:
    return lambda text, generator: text.translate(table)


def _quotes_exchanged(text: str, generator: random.Random) -> str:
    if "«" in text:
        return text.replace("«", '"').replace("»", '"')
    return re.sub('"([^"]*)"', r"«\1»", text)


def _final_stop_exchanged(text: str, generator: random.Random) -> str:
    return text[:-1] if text.endswith(".") else text + "."


def _spaces_widened(text: str, generator: random.Random) -> str:
    return re.sub(" ", lambda _: " " * generator.randint(1, 3), text)


def _direction_marks(text: str, generator: random.Random) -> str:
    return _RLM + re.sub(" ", lambda _: " " + _RLM if generator.random() < 0.3 else " ", text)


def _letters_exchanged(text: str, generator: random.Random) -> str:
    # Only long words: in a short one a slip can make another word, such as a negation.
    words = [match for match in _WORD.finditer(text) if len(match.group()) >= 6]
    if not words:
        return text
    word = generator.choice(words)
    place = word.start() + generator.randint(2, len(word.group()) - 3)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _numbers_changed(text: str, generator: random.Random) -> str:
    # The counted noun's form hangs on the last two digits (ثلاثة جنود، 11 جنديا), so only their like replaces them.
    def change(match: re.Match[str]) -> str:
        digits = match.group()
        if _YEAR.fullmatch(digits):
            return digits
        if len(digits) > 2:
            first = generator.choice([d for d in "123456789" if d != digits[0]])
            return first + "".join(generator.choice("0123456789") for _ in digits[1:-2]) + digits[-2:]
        lowest, highest = (3, 9) if len(digits) == 1 else (11, 99)
        if int(digits) < lowest:
            return digits
        return str(generator.choice([n for n in range(lowest, highest + 1) if n != int(digits)]))

    return _NUMBER.sub(change, text)


TRANSFORMATIONS: dict[str, Transformation] = {
    "diacritics": _vowelled(0.7),
    "sparse_diacritics": _vowelled(0.1),
    "tatweel": _tatweel,
    "hamza_dropped": _translated(_HAMZA),
    "final_yaa_undotted": _final("ي", "ى"),
    "alef_maqsura_dotted": _final("ى", "ي"),
    "taa_marbuta_undotted": _final("ة", "ه"),
    "arabic_indic_digits": _translated(_ARABIC_INDIC),
    "persian_digits": _translated(_PERSIAN),
    "persian_letters": _translated(_PERSIAN_LETTERS),
    "quotes_exchanged": _quotes_exchanged,
    "final_stop_exchanged": _final_stop_exchanged,
    "commas_exchanged": _translated(str.maketrans("،؛", "؛،")),
    "latin_commas": _translated(str.maketrans("،؛", ",;")),
    "commas_dropped": lambda text, generator: re.sub("[،؛]", "", text),
    "spaces_widened": _spaces_widened,
    "direction_marks": _direction_marks,
    "letters_exchanged": _letters_exchanged,
    "numbers_changed": _numbers_changed,
}
"""Name → function of a text and a generator; a text to which it does not apply comes back unchanged."""
