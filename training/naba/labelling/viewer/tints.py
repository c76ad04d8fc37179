"""Colours of topics and signs of stances, by their place in the labels: any number of either.

Eight colours that stay apart for colour-blind eyes (Okabe and Ito 2008, Color Universal Design), then the same ones in
other patterns; a stance is a shape beside its word. What a page says is said in words too: no meaning hangs on a colour.

    topic_styles(3), combination_style("c1", (0, 2)), stance_styles(3)
"""

from collections.abc import Sequence

COLOURS = 8
"""Different colours, --topic-0 to --topic-7 of viewer.css."""
_PATTERNS = (
    "linear-gradient({0}, {0})",
    "repeating-linear-gradient(-45deg, {0} 0 3px, transparent 3px 6px)",
    "repeating-linear-gradient({0} 0 2px, transparent 2px 5px)",
    "repeating-linear-gradient(90deg, {0} 0 2px, transparent 2px 4px)",
)
_SIGNS = "▲▼●◆■★✚✖△▽○◇□☆"
_BAR = 6
"""Pixels of the bar that a topic has at a segment's side; one more parts it from the next."""


def topic_styles(topics: int) -> str:
    """Rules that give the classes t0, t1, … a --fill each."""
    return "".join(f".t{place} {{ --fill: {_fill(place)}; }}\n" for place in range(topics))


def stance_styles(stances: int) -> str:
    """Rules that put a sign before the classes s0, s1, …; a screen reader hears the word alone."""
    signs = [(place, _SIGNS[place % len(_SIGNS)]) for place in range(stances)]
    return "".join(f'.s{place}::before {{ content: "{sign}"; content: "{sign}" / ""; }}\n' for place, sign in signs)


def combination_style(name: str, topics: Sequence[int]) -> str:
    """The rule of a class for segments with these topics: a bar for each at the right, tints that run into each other."""
    bars = [
        f"{_fill(topic)} right {number * (_BAR + 1)}px top / {_BAR}px 100% no-repeat"
        for number, topic in enumerate(topics)
    ]
    tints = [f"color-mix(in srgb, {_colour(topic)} var(--tint), transparent)" for topic in topics]
    layers = ", ".join([*bars, f"linear-gradient(to left, {', '.join(tints if tints[1:] else tints * 2)})"])
    return f".{name} {{ padding-right: calc(0.8rem + {len(topics) * (_BAR + 1)}px); background: {layers}; }}\n"


def _colour(place: int) -> str:
    return f"var(--topic-{place % COLOURS})"


def _fill(place: int) -> str:
    return _PATTERNS[place // COLOURS % len(_PATTERNS)].format(_colour(place))
