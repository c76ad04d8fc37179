"""The labels that a row of somebody's table gives, by the mapping of its columns and values.

reader = LabelReader(config, schema)
labels = reader.read(row, "file.csv:2")      # topic → TopicLabel
reader.unmapped                              # values that the mapping does not name
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from naba.errors import ConfigError, DataError
from naba.importing.mapping import (
    ABSENT,
    NO_TOPIC,
    NOT_KNOWN,
    PRESENT,
    SKIP,
    Answer,
    ImportConfig,
    ValueColumn,
    canonical,
)
from naba.importing.tables import cell
from naba.records import TopicLabel
from naba.schema import LabelSchema


@dataclass
class Unmapped:
    """A value that the mapping does not name."""

    column: str
    value: str
    first: str
    """Where it stands first."""
    nearest: str | None
    """The known value that is most like it."""
    rows: int = 0

    def __str__(self) -> str:
        shown = repr(self.value) if self.value else "the empty cell (null)"
        hint = f"; nearest known: {self.nearest!r}" if self.nearest else ""
        return f"column {self.column!r}: {shown} is not mapped (rows: {self.rows:,}, first: {self.first}){hint}"


class Contradiction(Exception):  # noqa: N818 - raised and caught within the import, never a user's error by itself
    """A row that gives a stance for a topic that it does not call present."""


class LabelReader:
    """Reads the labels of rows by a mapping, and keeps count of the values that it does not name."""

    def __init__(self, config: ImportConfig, schema: LabelSchema) -> None:
        """Raises ConfigError where the mapping names topics or meanings that are not in the schema."""
        self.config = config
        self.unmapped: dict[tuple[str, str], Unmapped] = {}
        topics, stances = schema.topic_ids, schema.stance_ids
        _check_names(("wide.topic", entry.topic, topics) for entry in config.wide)
        _check_names(
            ("long.topic.values", topic, (*topics, SKIP, NO_TOPIC)) for topic in config.long.topic.values.values()
        )
        states = (PRESENT, ABSENT, NOT_KNOWN)
        if both := {*states} & {*stances} or {SKIP, NO_TOPIC} & {*topics}:
            raise ConfigError(
                f"{schema.name}: {', '.join(both)} is a word of the mapping too; rename it in the label schema"
            )
        for answer in config.answers:
            for part, allowed in (
                (answer, (*states, *stances)), (answer.presence, states), (answer.stance, (NOT_KNOWN, *stances))
            ):  # fmt: skip
                if part.column:
                    meanings = (part.values or config.values).values()
                    _check_names((f"values of column {part.column!r}", m, allowed) for m in (*meanings, part.default))
        self.listed = [t for t in topics if t in config.long.topic.values.values()]

    def read(self, row: Mapping[str, Any], where: str) -> dict[str, TopicLabel] | None:
        """The labels that a row gives, topic → label; None where the row is to be left out.

        Raises:
            Contradiction: a stance without presence, and these are not to be ignored. DataError: a cell that is a list.
        """
        if self.config.wide:
            return {entry.topic: self._answer(entry, row, where) for entry in self.config.wide}
        column = self.config.long.topic
        topic = self._meaning(column.column or "", column.values, None, row, where)
        if topic is None or topic == SKIP:
            return None
        return {} if topic == NO_TOPIC else {topic: self._answer(self.config.long.answer, row, where)}

    def _answer(self, answer: Answer, row: Mapping[str, Any], where: str) -> TopicLabel:
        if answer.column:
            return _label(self._column(answer, row, where))
        there = _label(self._column(answer.presence, row, where))
        stance = self._column(answer.stance, row, where) if answer.stance.column else NOT_KNOWN
        if stance == NOT_KNOWN:
            return there
        if not there.present:
            if self.config.stance_without_presence == "error":
                raise Contradiction(
                    f"{stance!r} in {answer.stance.column!r}, not present in {answer.presence.column!r}"
                )
            return there
        return TopicLabel(True, stance)

    def _column(self, part: ValueColumn, row: Mapping[str, Any], where: str) -> str:
        values = part.values or self.config.values
        return self._meaning(part.column or "", values, part.default, row, where) or NOT_KNOWN

    def _meaning(
        self, column: str, values: Mapping[str, str], default: str | None, row: Mapping[str, Any], where: str
    ) -> str | None:
        given = cell(row, column)
        if isinstance(given, list | dict):
            raise DataError(
                f"{where}: column {column!r} holds a {type(given).__name__}, not one value; name one inside it as a.b"
            )
        value = canonical(given)
        if value in values:
            return values[value]
        if value == "" and default is not None:
            return default
        shown = "" if value == "" else str(given).strip()
        near = get_close_matches(value, [known for known in values if known], n=1, cutoff=0.5)
        found = self.unmapped.setdefault((column, value), Unmapped(column, shown, where, near[0] if near else None))
        found.rows += 1
        return None


def join(one: TopicLabel, other: TopicLabel) -> TopicLabel | None:
    """What two rows say together: the more that either knows; None where they contradict each other."""
    if one.present is None or other.present is None:
        return other if one.present is None else one
    if one.present != other.present or (one.stance and other.stance and one.stance != other.stance):
        return None
    return one if one.stance else other


def _label(meaning: str) -> TopicLabel:
    if meaning in (ABSENT, NOT_KNOWN):
        return TopicLabel(False if meaning == ABSENT else None)
    return TopicLabel(True, None if meaning == PRESENT else meaning)


def _check_names(entries: Iterable[tuple[str, str, tuple[str, ...]]]) -> None:
    for key, name, allowed in entries:
        if name not in allowed:
            raise ConfigError(
                f"{key}: {name!r} is none of {', '.join(allowed)}; mend the mapping, or name another label schema"
            )
