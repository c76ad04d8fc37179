"""Where annotators differ: the list for an adjudicator, and the decisions back as votes that win.

    write_jsonl(path, disagreements(items, schema))      # a person fills in `labels` of the topics `at_issue`
    votes = adjudicated_votes(load_labelled([path], schema), path.name)

Between `naba agreement --disagreements` and `naba resolve --adjudicated`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from naba.errors import SchemaError
from naba.records import LabelledSegment, TopicLabel, Vote
from naba.schema import LabelSchema
from naba.voting.agreement import Reading

_UNKNOWN = TopicLabel(None)


def readings_of(item: LabelledSegment) -> Sequence[Reading]:
    """The readings that stand in a labelled row; none where it was read once."""
    readings = item.extra.get("readings")
    return [reading for reading in readings if isinstance(reading, Mapping)] if isinstance(readings, list) else []


def votes_of(item: LabelledSegment, schema: LabelSchema) -> list[Vote]:
    """What a row says of who said what: a vote's row is one vote, a labelled row one a reading ("reading-1", …).

    A labelled row that was read once gives none. Raises DataError or SchemaError naming the segment.
    """
    where = f"segment {item.segment.id}"
    if "annotator" in item.extra:
        return [Vote.from_row(item.to_row(), schema, where)]
    votes = []
    for number, reading in enumerate(readings_of(item), start=1):
        try:
            schema.check(reading)
        except SchemaError as error:
            raise SchemaError(f"{where}: reading {number}: {error}") from None
        labels = dict.fromkeys(schema.topic_ids, _UNKNOWN) | {
            topic: TopicLabel(stance is not None, stance) for topic, stance in reading.items()
        }
        votes.append(Vote(replace(item, labels=labels), f"reading-{number}"))
    return votes


def disagreements(items: Iterable[LabelledSegment], schema: LabelSchema) -> Iterator[dict[str, Any]]:
    """The segments on which annotators differ, as rows for an adjudicator.

    `at_issue` names the topics, `answers` has each annotator's labels by name. `labels` is for the adjudicator to set: a
    labelled row's own as they stand, else what the annotators agree on, null at issue. A topic that was adjudicated
    already is not at issue, and someone who did not judge a topic or its stance differs from nobody.
    """
    cases: dict[str, _Case] = {}
    for item in items:
        case = cases.setdefault(item.segment.id, _Case(item))
        case.add(votes_of(item, schema), item, schema)
    for case in cases.values():
        topics = case.at_issue(schema)
        if topics:
            answers = {
                name: {topic: {"present": label.present, "stance": label.stance} for topic, label in labels.items()}
                for name, labels in case.answers.items()
            }
            yield {"at_issue": topics, "answers": answers} | case.row(schema)


def adjudicated_votes(items: Iterable[LabelledSegment], adjudicator: str) -> list[Vote]:
    """Labelled rows as the last word on every topic whose label is not null; where `at_issue` names topics, on these."""
    votes = []
    for item in items:
        issue = item.extra.get("at_issue")
        labels = {
            topic: label if not isinstance(issue, list) or topic in issue else _UNKNOWN
            for topic, label in item.labels.items()
        }
        if any(label.present is not None for label in labels.values()):
            votes.append(Vote(replace(item, labels=labels), adjudicator, adjudicated=True))
    return votes


def undecided(items: Iterable[LabelledSegment]) -> int:
    """How many rows of an adjudicator's list still have no label on a topic at issue."""
    count = 0
    for item in items:
        topics = item.extra.get("at_issue")
        named = topics if isinstance(topics, list) else []
        count += any(item.labels.get(topic, _UNKNOWN).present is None for topic in named if isinstance(topic, str))
    return count


@dataclass
class _Case:
    """What is known of one segment."""

    item: LabelledSegment
    """The row to show: a labelled one before a vote's."""
    labelled: bool = False
    answers: dict[str, dict[str, TopicLabel]] = field(default_factory=dict)
    """Annotator → topic → label; an annotator's later answer replaces the earlier one."""
    settled: set[str] = field(default_factory=set)
    """Topics that were adjudicated."""

    def add(self, votes: Sequence[Vote], item: LabelledSegment, schema: LabelSchema) -> None:
        if "annotator" not in item.extra:
            self.item, self.labelled = item, True
        for vote in votes:
            judged = {topic: label for topic, label in vote.item.labels.items() if label.present is not None}
            if vote.adjudicated:
                self.settled |= set(judged)
            else:
                self.answers.setdefault(vote.annotator, {}).update(judged)

    def at_issue(self, schema: LabelSchema) -> list[str]:
        return [
            topic
            for topic in schema.topic_ids
            if topic not in self.settled and (len(self._presences(topic)) > 1 or len(self._stances(topic)) > 1)
        ]

    def row(self, schema: LabelSchema) -> dict[str, Any]:
        item = self.item
        if not self.labelled:
            extra = {key: value for key, value in item.extra.items() if key not in ("annotator", "adjudicated")}
            item = replace(item, labels={topic: self._agreed(topic) for topic in schema.topic_ids}, extra=extra)
        return item.to_row()

    def _agreed(self, topic: str) -> TopicLabel:
        presences, stances = self._presences(topic), self._stances(topic)
        if len(presences) != 1 or len(stances) > 1:
            return _UNKNOWN
        return TopicLabel(next(iter(presences)), next(iter(stances), None))

    def _presences(self, topic: str) -> set[bool]:
        given = (labels[topic].present for labels in self.answers.values() if topic in labels)
        return {present for present in given if present is not None}

    def _stances(self, topic: str) -> set[str]:
        given = (labels[topic].stance for labels in self.answers.values() if topic in labels)
        return {stance for stance in given if stance is not None}
