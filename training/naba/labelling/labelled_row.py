"""One line of labelled output as a checked record (see `naba.labelling.labelled_files`, which reads whole files).

row = RowReader().read(json.loads(line), "labelled.jsonl:1")
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from naba.errors import DataError
from naba.records import TopicPrediction


@dataclass(frozen=True, slots=True)
class RowSegment:
    """A segment with the model's answers."""

    id: str
    start: int | None
    """Character offset in the article's text as read; None where the output has none."""
    end: int | None
    kind: str
    """"headline", "paragraph" or "sentence"."""
    text: str
    windows: int
    """How many windows the model read it in; 1 for all but very long ones."""
    topics: Mapping[str, TopicPrediction]
    """Every topic, present or not, in the order of the first row."""
    screened: bool = False
    """A cascade's first stage did not pass it on: the model never read it, and the probabilities are the first stage's."""


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """An article with its labelled segments."""

    id: str
    parent_id: str | None
    """The article on whose page this one was embedded."""
    title: str | None
    date: str | None
    """ISO 8601 day; None where the article states none."""
    source: str | None
    url: str | None
    segments: tuple[RowSegment, ...]
    where: str
    """File and line."""


class RowReader:
    """Checks rows one after another; topics and stances are those of the first row that has a segment."""

    def __init__(self) -> None:
        self.topics: tuple[str, ...] = ()
        self.stances: tuple[str, ...] = ()
        self._first = ""

    def read(self, row: Mapping[str, Any], where: str) -> LabelledRow:
        """One row. Raises DataError, beginning with `where`, for one that is no labelled article or of other labels."""
        given = row.get("segments")
        if not isinstance(given, list):
            raise DataError(f"{where}: {_no_output(row)}")
        return LabelledRow(
            id=_needed(row, "id", where),
            parent_id=_text(row, "parent_id", where),
            title=_text(row, "title", where),
            date=_day(row, where),
            source=_text(row, "source", where),
            url=_text(row, "url", where),
            segments=tuple(self._segment(one, f"{where}: segment {n}") for n, one in enumerate(given, start=1)),
            where=where,
        )

    def _segment(self, given: Any, where: str) -> RowSegment:
        if not isinstance(given, Mapping) or not isinstance(given.get("topics"), Mapping):
            raise DataError(f"{where}: no 'topics' object; not labelled yet? `naba label` writes them")
        windows = given.get("windows", 1)
        if type(windows) is not int or windows < 1:
            raise DataError(f"{where}: windows = {windows!r}; expected a whole number from 1")
        screened = given.get("screened", False)
        if not isinstance(screened, bool):
            raise DataError(f"{where}: screened = {screened!r}; expected true or false")
        return RowSegment(
            id=_needed(given, "id", where),
            start=_offset(given, "start", where),
            end=_offset(given, "end", where),
            kind=_text(given, "kind", where) or "paragraph",
            text=_needed(given, "text", where),
            windows=windows,
            topics=self._answers(given["topics"], where),
            screened=screened,
        )

    def _answers(self, given: Mapping[str, Any], where: str) -> dict[str, TopicPrediction]:
        if not self.topics:
            self._learn(given, where)
        if given.keys() != set(self.topics):
            raise DataError(
                f"{where}: topics {_listed(given)}, but {self._first} has {_listed(self.topics)}; "
                "read output of one label schema at a time"
            )
        return {topic: self._answer(given[topic], f"{where}: {topic}") for topic in self.topics}

    def _learn(self, given: Mapping[str, Any], where: str) -> None:
        """Take the first segment's topics and stances for all."""
        stances = next((one.get("stance_probability") for one in given.values() if isinstance(one, Mapping)), None)
        if not isinstance(stances, Mapping) or not stances:
            raise DataError(f"{where}: no topic with its 'stance_probability'; this is no output of `naba label`")
        self.topics, self.stances, self._first = tuple(given), tuple(stances), where

    def _answer(self, given: Any, where: str) -> TopicPrediction:
        if not isinstance(given, Mapping) or not isinstance(given.get("present"), bool):
            raise DataError(f"{where}: expected {{present, probability, stance, stance_probability}}")
        shares = given.get("stance_probability")
        if not isinstance(shares, Mapping) or shares.keys() != set(self.stances):
            raise DataError(
                f"{where}: stance_probability of {_listed(shares) if isinstance(shares, Mapping) else repr(shares)}, "
                f"but {self._first} has {_listed(self.stances)}; read output of one label schema at a time"
            )
        present, stance = given["present"], given.get("stance")
        if present != (stance is not None) or (present and stance not in self.stances):
            raise DataError(
                f"{where}: present = {present} with stance = {stance!r}; a present topic has one of "
                f"{_listed(self.stances)}, an absent one null"
            )
        return TopicPrediction(
            present,
            _probability(given.get("probability"), f"{where}: probability"),
            stance,
            {one: _probability(shares[one], f"{where}: stance_probability of {one}") for one in self.stances},
        )


def _no_output(row: Mapping[str, Any]) -> str:
    """What a row without segments is, and what to do."""
    if "labels" in row:
        return "a labelled segment of a data set, not output of `naba label`; name what that wrote"
    if "reason" in row and "path" in row:
        return "input that `naba label` set aside, not its output; name the labelled JSONL"
    if "topics" in row:
        return "a single labelled text, not an article with segments; name what `naba label` wrote"
    if any(isinstance(value, str) and len(value) > 40 for value in row.values()):
        return "an article that is not labelled; label it with `naba label`, and name what that writes"
    return "no 'segments' list; this is no output of `naba label`"


def _needed(row: Mapping[str, Any], key: str, where: str) -> str:
    value = _text(row, key, where)
    if value is None:
        raise DataError(f"{where}: no {key!r}; this is no output of `naba label`")
    return value


def _text(row: Mapping[str, Any], key: str, where: str) -> str | None:
    value = row.get(key)
    if value is not None:
        if not isinstance(value, str):
            raise DataError(f"{where}: {key} = {value!r}; expected text")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise DataError(f"{where}: {key}: half a character (surrogate); the text is damaged") from None
    return value


def _day(row: Mapping[str, Any], where: str) -> str | None:
    value = _text(row, "date", where)
    if not value:
        return None
    try:
        return datetime.fromisoformat(value).date().isoformat()
    except ValueError:
        raise DataError(f"{where}: date = {value!r}; expected a day as 2024-05-31, or null") from None


def _offset(row: Mapping[str, Any], key: str, where: str) -> int | None:
    value = row.get(key)
    if value is not None and (type(value) is not int or value < 0):
        raise DataError(f"{where}: {key} = {value!r}; expected a whole number from 0, or null")
    return value


def _probability(value: Any, where: str) -> float:
    if type(value) not in (float, int) or not 0 <= value <= 1:
        raise DataError(f"{where} = {value!r}; expected a number from 0 to 1")
    return float(value)


def _listed(names: Mapping[str, Any] | Sequence[str]) -> str:
    return ", ".join(map(str, names)) or "none"
