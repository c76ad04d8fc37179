"""What all annotation tools share: tasks out (segment and suggestions), answers back (votes).

A task carries the whole row of its segment but the labels, as one JSON string that no tool looks into: databases reorder
keys, data frames turn numbers into floats, and a string comes back as it went. The labels stay at home, so that nobody
sees the answers; they are shown only where they are given as a suggestion. A text that stands in several places is one
task that carries all their rows: it is asked once, and each place gets its vote.

    tasks = make_tasks(load_segments([path], schema), votes)      # a tool's `write` puts them into its files
    imported = collect(label_studio.read([export], schema))       # a tool's `read` yields Answer and LeftOut
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from naba.annotation.answers import Labels
from naba.errors import DataError
from naba.jsonl import read_numbered
from naba.paths import find
from naba.records import LabelledSegment, Prediction, Segment, TopicLabel, Vote
from naba.schema import LabelSchema

CARRIED = "naba"
"""The field of a task that holds what `pack` makes."""
SKIPPED, DRAFT, EMPTY, UNANSWERED = "skipped", "draft", "empty answer", "unanswered"
CONTRADICTORY, SUPERSEDED = "contradictory", "answered again later"
_NOT_CARRIED = ("text", "labels")


@dataclass(frozen=True)
class Suggestion:
    """What a model, a rule or a person said of a segment, shown to the annotator as a pre-annotation."""

    voter: str
    labels: Labels
    """For every topic of the schema; nothing is suggested for unknown ones."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Topic → probability in [0, 1] of that answer; empty where the voter gives none."""

    @property
    def score(self) -> float | None:
        """The probability of the answer it is least sure of; None where the voter gives none."""
        return min(self.scores.values(), default=None)

    @classmethod
    def from_prediction(cls, voter: str, prediction: Prediction) -> "Suggestion":
        """A model's answer with the probability of each topic's answer (present: topic times stance)."""
        labels, scores = {}, {}
        for topic, answer in prediction.topics.items():
            labels[topic] = TopicLabel(answer.present, answer.stance)
            sure = answer.probability if answer.present else 1 - answer.probability
            sure *= answer.stance_probability[answer.stance] if answer.stance else 1
            scores[topic] = round(min(max(sure, 0.0), 1.0), 4)
        return cls(voter, labels, scores)


@dataclass(frozen=True)
class Task:
    """A text to annotate, with the suggestions in the order in which they are to be offered."""

    items: tuple[LabelledSegment, ...]
    """The segments that say it, one or more."""
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def segment(self) -> Segment:
        """The first segment that says it."""
        return self.items[0].segment


@dataclass(frozen=True)
class Answer:
    """One annotator's submitted answer to one task."""

    items: tuple[LabelledSegment, ...]
    """The task's segments with the labels that the answer gives."""
    user: str
    """The annotator's name where the user maps none: an e-mail address or user name, else "tool:id"."""
    user_ids: tuple[str, ...]
    """What the tool calls the annotator: keys under which a map may name them."""
    where: str
    time: str | None = None
    """When it was given, so that later sorts after earlier; None where the tool does not say."""


@dataclass(frozen=True)
class LeftOut:
    """Something in an export that is no answer, and why."""

    reason: str
    where: str


@dataclass(frozen=True)
class Imported:
    """The votes of an export, and what was no vote."""

    votes: list[Vote]
    left_out: Mapping[str, list[str]]
    """Reason → where, in the order of the export."""


def load_segments(paths: Sequence[Path], schema: LabelSchema) -> list[LabelledSegment]:
    """Read segments to annotate; unlike `load_labelled`, rows without labels are welcome: all their topics are unknown.

    Raises DataError naming file and line for a broken row or a vote.
    """
    items: list[LabelledSegment] = []
    for path in map(find, paths):
        for line, row in read_numbered(path):
            where = f"{path}:{line}"
            if "annotator" in row or "adjudicated" in row:
                raise DataError(f"{where}: a vote, not a segment; give votes with --suggestions, and segments here")
            given = {} if row.get("labels") is None else row["labels"]
            items.append(LabelledSegment.from_row({**row, "labels": given}, schema, where))
    if not items:
        raise DataError(f"{', '.join(map(str, paths)) or 'no file given'}: no segments")
    return items


def make_tasks(items: Iterable[LabelledSegment], votes: Iterable[Vote] = ()) -> list[Task]:
    """One task a text, in order of first appearance, with the votes on it as suggestions.

    Votes on other texts are passed over; of one voter's several votes the last counts; what knows nothing suggests nothing.
    """
    by_text: dict[str, list[LabelledSegment]] = {}
    for item in items:
        by_text.setdefault(item.segment.id, []).append(item)
    given: dict[str, dict[str, Suggestion]] = {segment: {} for segment in by_text}
    for vote in votes:
        labels = vote.item.labels
        if vote.item.segment.id in given and any(label.present is not None for label in labels.values()):
            given[vote.item.segment.id][vote.annotator] = Suggestion(vote.annotator, labels)
    return [Task(tuple(same), tuple(given[segment].values())) for segment, same in by_text.items()]


def pack(task: Task, schema: LabelSchema) -> str:
    """What a task carries: its segments' rows without text and labels, and which schema it was exported with."""
    rows = [{key: value for key, value in item.to_row().items() if key not in _NOT_CARRIED} for item in task.items]
    carried = {"schema": schema.fingerprint, "schema_name": schema.name, "rows": rows}
    try:
        return json.dumps(carried, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise DataError(f"segment {task.segment.id}: NaN or Infinity in a field; other tools cannot read it") from None


def unpack(
    carried: Any, text: Any, labels: Labels, schema: LabelSchema, where: str, **extra: Any
) -> tuple[LabelledSegment, ...]:
    """The segments that a task carries, with an annotator's labels.

    Args:
        extra: further fields for each; those that are None or empty are left away.

    Raises DataError naming `where` for a task that naba did not make, another schema, or a text changed since.
    """
    try:
        content = json.loads(carried)
        rows, fingerprint, name = [dict(row) for row in content["rows"]], content["schema"], content["schema_name"]
        first = rows[0]["id"]
    except (ValueError, TypeError, LookupError, RecursionError):
        raise DataError(
            f"{where}: no task that naba exported (no sound {CARRIED!r} field); import only what came from naba's tasks"
        ) from None
    if fingerprint != schema.fingerprint:
        raise DataError(
            f"{where}: exported with the label schema {name!r}, whose topics or stances are not those of {schema.name!r}; "
            "name it with --labels"
        )
    said = {topic: {"present": label.present, "stance": label.stance} for topic, label in labels.items()}
    given = {key: value for key, value in extra.items() if value not in (None, {}, [])}
    items = tuple(
        LabelledSegment.from_row({**row, **given, "text": text, "labels": said}, schema, where) for row in rows
    )
    if items[0].segment.id != first:
        raise DataError(f"{where}: the text is not the one exported (segment {first}); it was changed since")
    return items


def collect(found: Iterable[Answer | LeftOut], names: Mapping[str, str], *, adjudicated: bool = False) -> Imported:
    """Votes of each annotator on each task's segments; of several answers the last counts: by time, else by order in the export.

    Args:
        names: what the tool calls an annotator → the name in the votes.
        adjudicated: mark the votes as the last word.
    """
    left_out: dict[str, list[str]] = {}
    last: dict[tuple[str, str], Answer] = {}
    for answer in found:
        if isinstance(answer, LeftOut):
            left_out.setdefault(answer.reason, []).append(answer.where)
            continue
        name = next((names[known] for known in answer.user_ids if known in names), answer.user)
        if name.startswith(("model:", "rule:")):
            raise DataError(f"{answer.where}: a person named {name!r}; that marks models and rules: map it to a name")
        key = (answer.items[0].segment.id, name)
        before = last.get(key)
        if before is None:
            last[key] = answer
            continue
        older = before.time is not None and answer.time is not None and answer.time < before.time
        left_out.setdefault(SUPERSEDED, []).append(answer.where if older else before.where)
        last[key] = before if older else answer
    votes = [Vote(item, name, adjudicated) for (_, name), answer in last.items() for item in answer.items]
    return Imported(votes, left_out)


def load_names(path: Path) -> dict[str, str]:
    """Read a YAML map of the tool's user id → annotator's name. Raises DataError naming the file."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path}: cannot be read ({' '.join(str(error).split())})") from None
    if not isinstance(content, Mapping) or not all(isinstance(name, str) and name for name in content.values()):
        raise DataError(f"{path}: expected lines of `user id: name`, each name a text; quote numbers")
    return {str(known): name for known, name in content.items()}
