"""The records that flow through naba, and their form on disk (see the data card for the file format).

Article → Segment → LabelledSegment (data) or Prediction (a model's answer). All are immutable.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from naba.errors import DataError
from naba.schema import UNKNOWN, LabelSchema


@dataclass(frozen=True, slots=True)
class Block:
    """One headline or paragraph: `text[start:end]` of its article, boilerplate left out."""

    kind: str
    """"headline" or "paragraph"."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Article:
    """One news article: the text as read, and where in it the article's own words lie."""

    id: str
    text: str
    """The page or record as decoded; offsets count its characters."""
    blocks: tuple[Block, ...]
    title: str | None = None
    date: str | None = None
    """ISO 8601 day, or None where the article states none."""
    source: str | None = None
    url: str | None = None
    keywords: tuple[str, ...] = ()
    parent_id: str | None = None
    """The article on whose page this one was embedded."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A headline, paragraph or sentence; `article.text[start:end] == text`."""

    article_id: str | None
    text: str
    kind: str = "paragraph"
    start: int | None = None
    """Character offset into the article's text as read; None where the segment came alone."""
    end: int | None = None

    @property
    def id(self) -> str:
        """First twelve hex digits of the SHA-1 of the text: the same words have the same id everywhere."""
        return segment_id(self.text)


def segment_id(text: str) -> str:
    """First twelve hex digits of the SHA-1 of the UTF-8 text."""
    return hashlib.sha1(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class TopicLabel:
    """What a segment says on one topic."""

    present: bool | None
    """None: nobody judged it."""
    stance: str | None = None
    """A stance id where the topic is present; None where it is absent, or nobody judged the stance."""


@dataclass(frozen=True, slots=True)
class LabelledSegment:
    """A segment with labels for every topic of a schema."""

    segment: Segment
    labels: Mapping[str, TopicLabel]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    cluster: str | None = None
    """Near-duplicates share it; a split keeps it on one side."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Other fields of the row, kept as they were (register, conflict, readings …)."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any], schema: LabelSchema, where: str) -> "LabelledSegment":
        """Read one JSONL row; topics missing from `labels` are unknown.

        Raises DataError naming `where` for a missing text, a label outside the schema, or a stance on an absent topic.
        """
        text = row.get("text")
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"{where}: no 'text'; a labelled segment needs its text and 'labels'")
        given = row.get("labels")
        if not isinstance(given, Mapping):
            raise DataError(f"{where}: no 'labels' object; expected {{topic: {{present, stance}}}}")
        for topic in given:
            if topic not in schema.topic_ids:
                raise DataError(
                    f"{where}: topic {topic!r} is not in the label schema; it has {', '.join(schema.topic_ids)}: name data or a schema that fit"
                )
        labels = {topic: _topic_label(given.get(topic), schema, f"{where}: {topic}") for topic in schema.topic_ids}
        if not isinstance(row.get("provenance") or {}, Mapping):
            raise DataError(f"{where}: 'provenance' is no object; expected {{source, annotator, licence, date}}")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"{where}: half a character (surrogate) at character {error.start}; the text is damaged"
            ) from None
        for name in ("article_id", "cluster"):
            if not isinstance(row.get(name), str | int | None):
                raise DataError(f"{where}: {name} = {row[name]!r}; expected text")
        article, cluster = (None if row.get(name) is None else str(row[name]) for name in ("article_id", "cluster"))
        segment = Segment(article, text, row.get("kind", "paragraph"), row.get("start"), row.get("end"))
        provenance = row.get("provenance") or {}
        if row.get("id") not in (None, segment.id) and "id" not in provenance:
            provenance = {**provenance, "id": row["id"]}  # a user's own id is not lost
        if all(type(value) is str for value in provenance.values()):
            provenance = _shared_provenance(tuple(provenance.items()))
        known = {"id", "article_id", "start", "end", "kind", "text", "labels", "provenance", "cluster"}
        extra = {key: value for key, value in row.items() if key not in known}
        return cls(segment, _shared_labels(tuple(labels.items())), provenance, cluster, extra or _NOTHING)

    def to_row(self) -> dict[str, Any]:
        """The JSONL form; `from_row` reads it back."""
        segment = self.segment
        row: dict[str, Any] = {"id": segment.id, "article_id": segment.article_id}
        if segment.start is not None:
            row |= {"start": segment.start, "end": segment.end}
        row |= {"kind": segment.kind, "text": segment.text}
        row["labels"] = {
            topic: {"present": label.present, "stance": label.stance} for topic, label in self.labels.items()
        }
        row["provenance"] = dict(self.provenance)
        if self.cluster is not None:
            row["cluster"] = self.cluster
        return row | dict(self.extra)

    def targets(self, schema: LabelSchema) -> tuple[list[int], list[int]]:
        """Presence (1, 0 or UNKNOWN) and stance (index or UNKNOWN) per topic, in the schema's order."""
        presence, stance = [], []
        for topic in schema.topic_ids:
            label = self.labels[topic]
            presence.append(UNKNOWN if label.present is None else int(label.present))
            stance.append(UNKNOWN if label.stance is None else schema.stance_ids.index(label.stance))
        return presence, stance


@dataclass(frozen=True)
class Vote:
    """What one annotator said of one segment: a person, a rule ("rule:…") or a model ("model:…")."""

    item: LabelledSegment
    """The segment with this annotator's labels; topics it did not judge are unknown."""
    annotator: str
    adjudicated: bool = False
    """The last word: given by an adjudicator who saw the other answers. It wins over every other vote."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any], schema: LabelSchema, where: str) -> "Vote":
        """Read one JSONL row: a labelled segment's, with `annotator` and, where true, `adjudicated`.

        Raises DataError naming `where` for a missing annotator or a row that is no labelled segment.
        """
        annotator, adjudicated = row.get("annotator"), row.get("adjudicated", False)
        if not isinstance(annotator, str) or not annotator:
            raise DataError(f"{where}: no 'annotator'; a vote says who gave it")
        if not isinstance(adjudicated, bool):
            raise DataError(f"{where}: adjudicated = {adjudicated!r}; expected true or false")
        rest = {key: value for key, value in row.items() if key not in ("annotator", "adjudicated")}
        return cls(LabelledSegment.from_row(rest, schema, where), annotator, adjudicated)

    @property
    def by_person(self) -> bool:
        """Whether no rule or model gave it."""
        return not self.annotator.startswith(("rule:", "model:"))

    def to_row(self) -> dict[str, Any]:
        """The JSONL form; `from_row` reads it back."""
        said = {"annotator": self.annotator} | ({"adjudicated": True} if self.adjudicated else {})
        return self.item.to_row() | said


def _topic_label(value: Any, schema: LabelSchema, where: str) -> TopicLabel:
    if value is None:
        return _shared_label(None, None)
    if not isinstance(value, Mapping) or not isinstance(value.get("present"), bool | None):
        raise DataError(f"{where}: expected {{present: true|false|null, stance}}, got {value!r}")
    present, stance = value.get("present"), value.get("stance")
    if stance is not None and stance not in schema.stance_ids:
        raise DataError(f"{where}: stance {stance!r} is not in the label schema; it has {', '.join(schema.stance_ids)}")
    if stance is not None and not present:
        raise DataError(f"{where}: stance {stance!r} on a topic that is not present; an absent topic has stance null")
    return _shared_label(present, stance)


_NOTHING: Mapping[str, Any] = {}


@lru_cache(maxsize=65536)
def _shared_labels(items: tuple[tuple[str, TopicLabel], ...]) -> Mapping[str, TopicLabel]:
    """One object for all segments with the same labels: a million segments have few combinations."""
    return dict(items)


@lru_cache(maxsize=65536)
def _shared_provenance(items: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """The same for provenances, of which an outlet's segments of a day have one."""
    return dict(items)


@cache
def _shared_label(present: bool | None, stance: str | None) -> TopicLabel:
    """The same for a single label."""
    return TopicLabel(present, stance)


@dataclass(frozen=True, slots=True)
class TopicPrediction:
    """A model's answer on one topic."""

    present: bool
    probability: float
    """Calibrated probability in [0, 1] that the segment is about the topic."""
    stance: str | None
    """The likeliest stance; None where the topic is absent."""
    stance_probability: Mapping[str, float]
    """Probability of every stance given that the topic is present; sums to 1."""

    def to_dict(self) -> dict[str, Any]:
        """The form in labelled JSONL; probabilities with four digits."""
        return {
            "present": self.present,
            "probability": round(self.probability, 4),
            "stance": self.stance,
            "stance_probability": {stance: round(value, 4) for stance, value in self.stance_probability.items()},
        }


@dataclass(frozen=True, slots=True)
class Prediction:
    """A model's answer on one segment: topic id → TopicPrediction, for every topic of the schema."""

    text: str
    topics: Mapping[str, TopicPrediction]
    windows: int = 1
    """How many windows the text was cut into because it is longer than the model reads at once."""
    screened: bool = False
    """The first stage of a cascade did not pass it on: the model never read it, every topic counts as absent, and the
    probabilities are the first stage's own (see `naba.labelling.screening`)."""

    def __getitem__(self, topic: str) -> TopicPrediction:
        return self.topics[topic]

    @property
    def present(self) -> dict[str, str]:
        """The present topics with their stances."""
        return {topic: answer.stance for topic, answer in self.topics.items() if answer.present and answer.stance}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        row: dict[str, Any] = {
            "text": self.text,
            "topics": {topic: answer.to_dict() for topic, answer in self.topics.items()},
        }
        row |= {"windows": self.windows} if self.windows > 1 else {}
        return row | ({"screened": True} if self.screened else {})
