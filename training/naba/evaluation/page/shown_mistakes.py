"""Single mistakes and suspected labels as a page shows them: in their context, cut to a length that can be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from naba.evaluation.figures import figure
from naba.evaluation.page.visible import cut
from naba.evaluation.report_tables import kind_name


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the data a page shows."""

    mistakes: int
    """Of each list."""
    characters: int
    """Of a segment; its neighbours get a quarter."""


@dataclass(frozen=True, slots=True)
class ShownMistake:
    """One answer in its context."""

    id: str
    where: str
    """The article, and which of its segments."""
    topic: str
    kind: str
    gold: str
    said: str
    probability: str
    readings: str
    text: str | None
    """None in a report without texts."""
    before: str | None
    after: str | None


def mistakes(errors: Mapping[str, Any], name: str, limits: Limits) -> list[ShownMistake]:
    """One list of the error analysis: `most_confident`, `on_differing` or `suspects`; empty where the report has none."""
    texts = {one["id"]: one["text"] for one in errors["texts"] or []}
    found: Sequence[Mapping[str, Any]] = errors[name] or []
    return [_shown(one, texts, limits.characters) for one in found[: limits.mistakes]]


def _shown(one: Mapping[str, Any], texts: Mapping[str, str], characters: int) -> ShownMistake:
    place = one["place"]
    suspect = "suggested" in one
    where = ""
    if place["article"] is not None:
        where = f"{place['article']}, segment {place['number']} of {place['of']} in the data"
    return ShownMistake(
        id=place["id"],
        where=where,
        topic=one["topic"],
        kind=one["question"] if suspect else kind_name(one["kind"]),
        gold=one["given"] if suspect else one["gold"],
        said=one["suggested"] if suspect else one["said"],
        probability=figure(one["score"] if suspect else one["probability"]),
        readings=", ".join(one["readings"]),
        text=_cut(texts.get(place["id"]), characters),
        before=_cut(texts.get(place["previous"]), characters // 4),
        after=_cut(texts.get(place["next"]), characters // 4),
    )


def _cut(text: str | None, characters: int) -> str | None:
    return None if text is None else cut(text, characters)
