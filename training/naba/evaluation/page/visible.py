"""Foreign text made safe to look at: characters that steer how other text is shown are shown themselves.

An override of the writing direction (U+202E) can make a page read as what it does not say, a null character is no HTML,
and half a surrogate pair cannot be written to a file. Joiners and the plain marks of direction stay: Arabic and Persian
need them.

    visible("a\\u202eb")     # "a⟦U+202E⟧b"
"""

import re

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and newline
    "\u2028-\u202e\u2060-\u206f"  # separators, embeddings, overrides, isolates, invisible operators
    "\ufeff\ufff9-\uffff\ud800-\udfff"  # byte order mark, annotations, no characters, halves of pairs
    "\U000e0000-\U000e0fff]"  # tags
)


def visible(text: str) -> str:
    """The text with each such character as its number, "⟦U+202E⟧"; carriage returns are left out."""
    return _STEERING.sub(lambda found: f"⟦U+{ord(found[0]):04X}⟧", text.replace("\r", ""))


def cut(text: str, characters: int) -> str:
    """At most so many characters, with an ellipsis for the rest."""
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"
