"""Which answers are wrong, how, and where: tables of confusion, and single mistakes in their context.

Mistakes are shown by segment id, with the segments of the same article beside them; the words stand apart in `texts`, so
that a report can be written without any.

    found = error_analysis(test, answers)
    found.most_confident[0]            # Mistake(place, topic, kind, gold, said, probability, readings)
    found.to_dict(texts=False)         # ids only
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from naba.dataset.suspects import Suspect, find_suspects
from naba.errors import DataError, NabaError
from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.mistakes import (
    KINDS,
    NOT_JUDGED,
    RIGHT,
    Codes,
    Confusion,
    Kind,
    TopicConfusion,
    answer_codes,
    answer_names,
    confusions,
    kind_shares,
    mistake_kinds,
    said_codes,
    topic_confusion,
)
from naba.evaluation.readings import WhereReadersDiffer, readers_differ, reading_codes, where_readers_differ
from naba.records import LabelledSegment, TopicLabel
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Floats
from naba.tfidf import Probabilities

Cell = tuple[int, int]
"""Numbers of a segment and a topic."""

SHOWN = 50
"""Most mistakes, and most suspected labels, that are shown one by one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a segment stands."""

    id: str
    article: str | None
    number: int | None
    """From 1, among the article's segments in the test set; None for a segment that came alone."""
    of: int | None
    previous: str | None
    """Id of the segment of the same article before it in the test set."""
    next: str | None


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong answer."""

    place: Place
    topic: str
    kind: str
    """One of `mistakes.KINDS`."""
    gold: str
    said: str
    probability: float | None
    """That the system gave its answer: to absence, to presence, or, where only the stance is wrong, to the stance."""
    readings: tuple[str, ...]
    """What each reading said; empty where the segment was not read more than once."""


@dataclass(frozen=True, slots=True)
class SuspectedLabel:
    """A gold label that the system's probabilities speak against: a suspect, for a person to read."""

    place: Place
    topic: str
    question: str
    """"presence" or "stance"."""
    given: str
    suggested: str
    score: float
    """0 (surely wrong) to 1 (surely right), see `naba.dataset.suspects`."""
    readings: tuple[str, ...]


@dataclass(frozen=True)
class ErrorAnalysis:
    """A system's mistakes on a test set."""

    segments: int
    answers: int
    """(segment, topic) pairs that gold knows."""
    mistakes: int
    kinds: Sequence[Kind]
    confusions: Sequence[Confusion]
    topic_confusion: TopicConfusion
    most_confident: Sequence[Mistake] | None
    """The surest first; None for a system without probabilities."""
    where_readers_differ: WhereReadersDiffer | None
    """None where no segment was read twice."""
    on_differing: Sequence[Mistake]
    """Mistakes where the readings differ too, the surest first."""
    suspects: Sequence[SuspectedLabel] | None
    """The least likely label first; None where they were not looked for, or cannot be."""
    suspected: int | None
    """How many there are, shown or not."""
    why_no_suspects: str | None
    texts: Mapping[str, str]
    """Segment id → words, of all segments shown and of their neighbours."""

    def to_dict(self, *, texts: bool = True) -> dict[str, Any]:
        """Plain values for JSON; without `texts` no word of the data is in them."""
        found = asdict(self)
        words = found.pop("texts")
        return found | {"texts": [{"id": name, "text": text} for name, text in words.items()] if texts else None}


def error_analysis(test: TestSet, answers: Answers, *, show: int = SHOWN, suspects: bool = True) -> ErrorAnalysis:
    """All of it for one system.

    Args:
        show: so many single mistakes, and so many suspected labels, at most. suspects: look for label errors, which needs
            probabilities and cleanlab; the system must not have been trained on the test set.

    Raises:
        DataError: there is no segment, or the lengths differ. SchemaError: a reading does not fit the schema.
    """
    _check(test, answers, show)
    cells = _Cells.of(test, answers)
    wrong, judged = cells.kinds != RIGHT, cells.truth != NOT_JUDGED
    surest = [] if answers.topic is None else cells.surest(wrong, show)
    disputed = cells.surest(wrong & readers_differ(cells.readings)[1], show)
    found, why = _suspects(test, answers) if suspects else (None, "not looked for")
    suspected = (found or [])[:show]
    places = _places(test.items, [row for row, _ in surest + disputed] + [one.number for one in suspected])
    return ErrorAnalysis(
        segments=len(test.items),
        answers=int(judged.sum()),
        mistakes=int(wrong.sum()),
        kinds=kind_shares(test.gold, answers.labels, test.schema),
        confusions=confusions(test.gold, answers.labels, test.schema),
        topic_confusion=topic_confusion(test.gold, answers.labels, test.schema),
        most_confident=None if answers.topic is None else [cells.mistake(*cell, places) for cell in surest],
        where_readers_differ=where_readers_differ(cells.readings, cells.kinds, judged, cells.said, test.schema),
        on_differing=[cells.mistake(*cell, places) for cell in disputed],
        suspects=None if found is None else [cells.suspect(one, places) for one in suspected],
        suspected=None if found is None else len(found),
        why_no_suspects=why,
        texts=_texts(test.items, places),
    )


@dataclass(frozen=True)
class _Cells:
    """Every (segment, topic): gold, answer, kind of mistake, probability, readings."""

    schema: LabelSchema
    truth: Codes  # [N, T]
    said: Codes  # [N, T]
    kinds: Codes  # [N, T]
    probability: Floats  # [N, T]
    """Of what is wrong in the answer; NaN where the system gives none."""
    readings: Codes  # [N, T, R]

    @classmethod
    def of(cls, test: TestSet, answers: Answers) -> "_Cells":
        schema, labels = test.schema, answers.labels
        kinds = mistake_kinds(test.gold, labels, schema)
        said = said_codes(labels, schema)
        probability = _probability(answers, kinds, said)
        return cls(schema, answer_codes(test.gold, schema), said, kinds, probability, reading_codes(test.items, schema))

    def surest(self, chosen: Any, show: int) -> list[Cell]:
        """The chosen cells [N, T] of the highest probability; of equal ones, the first."""
        rows, topics = np.nonzero(chosen)
        order = np.argsort(-self.probability[rows, topics], kind="stable")[:show]  # NaN comes last
        return list(zip(rows[order].tolist(), topics[order].tolist(), strict=True))

    def mistake(self, row: int, topic: int, places: Mapping[int, Place]) -> Mistake:
        names, probability = answer_names(self.schema), float(self.probability[row, topic])
        return Mistake(
            places[row],
            self.schema.topic_ids[topic],
            KINDS[self.kinds[row, topic]],
            names[self.truth[row, topic]],
            names[self.said[row, topic]],
            None if np.isnan(probability) else round(probability, 4),
            self._read(row, topic),
        )

    def suspect(self, one: Suspect, places: Mapping[int, Place]) -> SuspectedLabel:
        readings = self._read(one.number, self.schema.topic_ids.index(one.topic))
        return SuspectedLabel(
            places[one.number], one.topic, one.question, one.given, one.suggested, one.score, readings
        )

    def _read(self, row: int, topic: int) -> tuple[str, ...]:
        codes, names = self.readings[row, topic].tolist(), answer_names(self.schema)
        return tuple(names[code] for code in codes if code != NOT_JUDGED)


def _probability(answers: Answers, kinds: Codes, said: Codes) -> Floats:
    """What the system gave each answer [N, T]: its presence or absence, and where only the stance is wrong, the stance."""
    found = np.full(said.shape, np.nan)
    if answers.topic is not None:
        absent = KINDS.index("topic_missed")
        found = np.where(kinds == absent, 1 - answers.topic, answers.topic)
    stances = kinds > KINDS.index("topic_invented")
    if answers.stance is None:
        return np.where(stances, np.nan, found)
    place = np.minimum(said, answers.stance.shape[-1] - 1)[..., None].astype(np.int64)
    stance = np.take_along_axis(answers.stance, place, axis=-1)[..., 0]  # [N, T]
    return np.where(stances, np.where(said < answers.stance.shape[-1], stance, np.nan), found)


def _suspects(test: TestSet, answers: Answers) -> tuple[list[Suspect] | None, str | None]:
    """The suspected labels, or why there are none to be had: an evaluation goes on without them, and says so."""
    if answers.topic is None:
        return None, "the system gives no probabilities"
    stance = answers.stance
    if stance is None:
        stance = np.full((*answers.topic.shape, len(test.schema.stance_ids)), np.nan)
    try:
        return find_suspects(_as_scored(test), Probabilities(answers.topic, stance), test.schema), None
    except NabaError as error:  # cleanlab is not installed
        return None, str(error)


def _as_scored(test: TestSet) -> list[LabelledSegment]:
    """The segments with gold for labels: what the evaluation has set aside is unknown."""
    topics, stances = test.schema.topic_ids, dict(enumerate(test.schema.stance_ids))
    return [
        replace(
            item,
            labels={
                topic: TopicLabel(
                    None if there == UNKNOWN else bool(there), stances.get(stance) if there == 1 else None
                )
                for topic, there, stance in zip(topics, presence, stance_codes, strict=True)
            },
        )
        for item, presence, stance_codes in zip(
            test.items, test.gold.presence.tolist(), test.gold.stance.tolist(), strict=True
        )
    ]


def _places(items: Sequence[LabelledSegment], rows: Sequence[int]) -> dict[int, Place]:
    """Row number → where the segment stands; by offset where the data has them, else in the order of the file."""
    wanted = {items[row].segment.article_id for row in rows}
    members: dict[str, list[int]] = defaultdict(list)
    for row, item in enumerate(items):
        if item.segment.article_id is not None and item.segment.article_id in wanted:
            members[item.segment.article_id].append(row)
    for of_article in members.values():
        of_article.sort(key=lambda row: (start if isinstance(start := items[row].segment.start, int) else 0, row))
    return {row: _place(items, row, members.get(items[row].segment.article_id or "")) for row in dict.fromkeys(rows)}


def _place(items: Sequence[LabelledSegment], row: int, members: Sequence[int] | None) -> Place:
    segment = items[row].segment
    if members is None:
        return Place(segment.id, segment.article_id, None, None, None, None)
    number = members.index(row)
    around = [items[other].segment.id for other in members[max(0, number - 1) : number + 2]]
    before = around[0] if number else None
    after = around[-1] if number + 1 < len(members) else None
    return Place(segment.id, segment.article_id, number + 1, len(members), before, after)


def _texts(items: Sequence[LabelledSegment], places: Mapping[int, Place]) -> dict[str, str]:
    """The words of the segments and of their neighbours, by id."""
    wanted = {name: None for place in places.values() for name in (place.id, place.previous, place.next) if name}
    articles = {place.article for place in places.values()}
    found = {items[row].segment.id: items[row].segment.text for row in places}
    for item in items:
        if item.segment.article_id in articles and item.segment.article_id is not None:
            found[item.segment.id] = item.segment.text
    return {name: found[name] for name in wanted}


def _check(test: TestSet, answers: Answers, show: int) -> None:
    shape, stances = test.gold.presence.shape, len(test.schema.stance_ids)
    parts = (answers.labels.presence, answers.labels.stance, answers.topic, answers.stance)
    fit = all(part is None or part.shape in (shape, (*shape, stances)) for part in parts)
    if not fit or not len(test.items):
        given = ", ".join("none" if part is None else str(part.shape) for part in parts)
        raise DataError(f"answers of shapes {given} for gold of {shape}: give one for each of at least one segment")
    if show < 0:
        raise DataError(f"show = {show}: expected a number of mistakes, from 0")
