"""Filling the slots of sentence templates: `{place}`, and `{place:2}` for another of the same list.

Of all combinations a few are drawn, by a seed made of the template itself: adding a template changes no other's texts.
"""

import math
import random
import re
from collections.abc import Mapping, Sequence

from naba.errors import ConfigError

_SLOT = re.compile(r"\{([^{}]*)\}")


def fill_templates(
    templates: Sequence[str], slots: Mapping[str, Sequence[str]], count: int, where: str
) -> list[tuple[str, ...]]:
    """Fill templates that belong together (before and after) with the same words; at most `count` different fillings.

    Raises ConfigError naming `where` for a slot that has no list, or too short a list.
    """
    places = list(dict.fromkeys(place for template in templates for place in _SLOT.findall(template)))
    lists = [_values(place, slots, where) for place in places]
    combinations = math.prod(map(len, lists))
    if broken := [text for text in templates if set("{}") & set(_SLOT.sub("", text))]:
        raise ConfigError(f"{where}: a brace is open in {broken[0]!r}; a slot is written {{name}} or {{name:2}}")
    generator = random.Random("\n".join(templates))
    filled: dict[tuple[str, ...], None] = {}
    for number in generator.sample(range(combinations), min(combinations, count * 20)):
        words = {}
        for place, values in zip(places, lists, strict=True):
            number, chosen = divmod(number, len(values))
            words[place] = values[chosen]
        if len(filled) < count and _different(words):
            filled[tuple(_SLOT.sub(lambda slot, w=words: w[slot[1]], text) for text in templates)] = None  # type: ignore[misc]
    if not filled:
        raise ConfigError(f"{where}: slots {', '.join(places)} take different words of one list; the list is too short")
    return list(filled)


def _values(place: str, slots: Mapping[str, Sequence[str]], where: str) -> Sequence[str]:
    name = place.partition(":")[0]
    if not slots.get(name):
        raise ConfigError(f"{where}: slot {{{place}}} has no words; known slots: {', '.join(slots) or 'none'}")
    return slots[name]


def _different(words: Mapping[str, str]) -> bool:
    taken = [(place.partition(":")[0], word) for place, word in words.items()]
    return len(set(taken)) == len(taken)
