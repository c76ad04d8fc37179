"""Importing a labelled set: tables in, by a mapping; one labelled segment a text out, or one vote a text and annotator.

    imported = read_import(config)
    imported.faults           # why it may not be written; empty where all is well
    write_import(imported, Path("data/labelled/mine.jsonl"))

read (tables) → map (label_reader) → merge the rows of a text → check. Everything is read before anything is refused, so
that a dry run tells all that is wrong at once. Phone numbers and e-mail addresses are masked later, by the builder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from naba.corpus.dates import parse_date
from naba.dataset.labelled import write_labelled
from naba.errors import DataError
from naba.importing.label_reader import Contradiction, LabelReader, Unmapped, join
from naba.importing.mapping import ImportConfig
from naba.importing.tables import cell, read_table
from naba.paths import find
from naba.records import LabelledSegment, Segment, TopicLabel, Vote
from naba.schema import LabelSchema
from naba.voting.votes import write_votes

_SHOWN_CHARACTERS = 40


@dataclass
class Imported:
    """What an import read."""

    schema: LabelSchema
    rows: int = 0
    skipped: int = 0
    """Rows that the mapping leaves out: of other topics, or without text."""
    repeated: int = 0
    """Rows that say of a text and topic what another row has said."""
    disputed: int = 0
    """Labels left unknown because rows contradict each other, where `conflicts` is "unknown"."""
    unread_dates: int = 0
    items: list[LabelledSegment] = field(default_factory=list)
    """One a text; one a text and annotator where there are votes."""
    annotators: list[str] | None = None
    """Who gave each item's labels; None where the set has no annotator column."""
    unmapped: Sequence[Unmapped] = ()
    problems: dict[str, tuple[int, str]] = field(default_factory=dict)
    """What is wrong with rows, and what to do → how many, and the first."""

    @property
    def texts(self) -> int:
        """How many different texts there are."""
        return len({item.segment.id for item in self.items})

    @property
    def faults(self) -> list[str]:
        """Why this may not be written, a line each."""
        lines = [f"{value}; add it under 'values', as absent or unknown if need be" for value in self.unmapped]
        return lines + [f"{what} ({count:,}; first: {first})" for what, (count, first) in self.problems.items()]

    def output_rows(self) -> list[dict[str, Any]]:
        """The rows as they are written."""
        return [vote.to_row() for vote in self.votes] if self.annotators else [item.to_row() for item in self.items]

    @property
    def votes(self) -> list[Vote]:
        """The items as votes; none where the set has no annotator column."""
        return [Vote(item, name) for item, name in zip(self.items, self.annotators or [], strict=False)]

    def fault(self, what: str, first: str) -> None:
        """Count one more row with something wrong."""
        count, earlier = self.problems.get(what, (0, first))
        self.problems[what] = (count + 1, earlier)


@dataclass
class _Draft:
    """What the rows of one text, by one annotator, have said so far."""

    text: str
    annotator: str | None
    where: str
    fields: dict[str, str | None]
    labels: dict[str, TopicLabel] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    """Topic → where its label was read."""
    disputed: set[str] = field(default_factory=set)
    """Topics whose rows contradict each other."""


def read_import(config: ImportConfig) -> Imported:
    """Read and map all files; what is wrong stands in `faults`.

    Raises:
        ConfigError: the mapping does not fit the label schema. DataError: a file cannot be read, or has not the columns.
    """
    schema = LabelSchema.load(find(config.labels))
    merger = _Merger(config, schema)
    named = config.columns_read()
    for path in config.data:
        missing = set(named)
        last: dict[str, Any] = {}
        for where, last in read_table(path, **config.read.model_dump()):
            missing -= {name for name in missing if name in last or cell(last, name) is not None}
            merger.add(last, where)
        if not last:
            raise DataError(f"{path}: no rows")
        if missing:
            first = next(name for name in named if name in missing)
            raise DataError(f"{path}: no column {first!r}; it has {', '.join(map(repr, last))}")
    result = merger.finish()
    if not result.items and not result.faults:
        raise DataError(f"{', '.join(map(str, config.data))}: every row was left out; nothing to import")
    return result


def write_import(imported: Imported, out: Path) -> int:
    """Write labels, or votes where there are annotators, atomically; returns how many. Raises DataError for a fault."""
    faults = imported.faults
    if faults:
        more = f"; and {len(faults) - 1} more, which --dry-run lists" if len(faults) > 1 else ""
        raise DataError(f"nothing was imported: {faults[0]}{more}")
    return write_votes(out, imported.votes) if imported.annotators else write_labelled(out, imported.items)


def counts_table(imported: Imported) -> Table:
    """Labels per topic and state, for a terminal."""
    table = Table(title="labels")
    states = (*imported.schema.stance_ids, "no stance", "absent", "unknown")
    table.add_column("topic", no_wrap=True)
    for state in states:
        table.add_column(state, justify="right")
    for topic in imported.schema.topic_ids:
        counts = dict.fromkeys(states, 0)
        for item in imported.items:
            label = item.labels[topic]
            known = "absent" if label.present is False else label.stance or "no stance"
            counts["unknown" if label.present is None else known] += 1
        table.add_row(topic, *(f"{counts[state]:,}" for state in states))
    return table


class _Merger:
    """Brings together what the rows of each text say."""

    def __init__(self, config: ImportConfig, schema: LabelSchema) -> None:
        self.config, self.result = config, Imported(schema)
        self.reader = LabelReader(config, schema)
        self.drafts: dict[tuple[str, str | None], _Draft] = {}
        self.text_of_id: dict[str, str] = {}

    def add(self, row: Mapping[str, Any], where: str) -> None:
        """Take one row, or count what is wrong with it."""
        result = self.result
        result.rows += 1
        text = cell(row, self.config.columns.text)
        text = text.strip("\ufeff \t\r\n") if isinstance(text, str) else ""
        if not text:
            if self.config.empty_text == "error":
                result.fault("a row has no text; set empty_text=skip to leave such rows out", where)
            result.skipped += 1
            return
        try:
            labels = self.reader.read(row, where)
        except Contradiction as error:
            result.fault(
                "a stance without presence; set stance_without_presence=ignore to drop it", f"{where}: {error}"
            )
            return
        if labels is None:
            result.skipped += 1
            return
        fields = self._fields(row)
        problem = self._problem(text, fields, where)
        if problem:
            result.fault(*problem)
            return
        annotator = fields.pop("annotator")
        key = (text, annotator if self.config.columns.annotator else None)
        known = key in self.drafts
        draft = self.drafts.setdefault(key, _Draft(text, annotator, where, fields))
        draft.fields |= {name: value for name, value in fields.items() if value and not draft.fields[name]}
        result.repeated += known and all(topic in draft.labels for topic in labels)
        self._merge(draft, labels, where)

    def finish(self) -> Imported:
        """All rows have been taken."""
        drafts, result = list(self.drafts.values()), self.result
        if self.config.conflicts == "error":
            self._check_annotators(drafts)
        result.unmapped = sorted(self.reader.unmapped.values(), key=lambda value: -value.rows)
        result.items = [self._item(draft) for draft in drafts]
        result.annotators = [draft.annotator or "" for draft in drafts] if self.config.columns.annotator else None
        return result

    def _fields(self, row: Mapping[str, Any]) -> dict[str, str | None]:
        """Id, article, date, source, licence and annotator, from the row's columns or the constants."""
        columns, constants = self.config.columns.model_dump(), self.config.constants.model_dump()
        fields: dict[str, str | None] = {}
        for name in ("id", "article_id", "date", "source", "licence", "annotator"):
            value = cell(row, columns[name]) if columns[name] else None
            text = "" if value is None or value != value else str(value).strip()
            fields[name] = text or constants.get(name)
        if fields["date"]:
            fields["date"] = parse_date(fields["date"])
            self.result.unread_dates += fields["date"] is None
        return fields

    def _problem(self, text: str, fields: Mapping[str, str | None], where: str) -> tuple[str, str] | None:
        number = fields["id"]
        if not _encodes(text):
            return "half a character (surrogate) in a text; the file is damaged", where
        if number and self.text_of_id.setdefault(number, text) != text:
            return "one id, two texts; name another column as columns.id, or none", f"{where}: id {number!r}"
        if self.config.columns.annotator and not fields["annotator"]:
            return "a row has no annotator; name one as constants.annotator", where
        return None

    def _merge(self, draft: _Draft, labels: Mapping[str, TopicLabel], where: str) -> None:
        for topic, label in labels.items():
            before = draft.labels.get(topic, TopicLabel(None))
            both = TopicLabel(None) if topic in draft.disputed else join(before, label)
            if both is None and self.config.conflicts == "unknown":
                self.result.disputed += 1
                draft.disputed.add(topic)
                both = TopicLabel(None)
            elif both is None:
                told = _told(draft.text, topic, before, draft.origins[topic], label, where)
                self.result.fault(
                    "rows of one text contradict each other; set conflicts=unknown to leave such labels unknown, or name "
                    "columns.annotator to make each a vote",
                    told,
                )
                continue
            if both != before:
                draft.origins[topic] = where
            draft.labels[topic] = both

    def _check_annotators(self, drafts: Sequence[_Draft]) -> None:
        """With `conflicts: error` annotators may say more than each other, but nothing else."""
        together: dict[tuple[str, str], tuple[TopicLabel, str]] = {}
        for draft in drafts:
            for topic, label in draft.labels.items():
                before, where = together.setdefault((draft.text, topic), (label, draft.where))
                both = join(before, label)
                if both is None:
                    told = _told(draft.text, topic, before, where, label, draft.where)
                    self.result.fault(
                        "annotators contradict each other; set conflicts=vote to keep each one's answer", told
                    )
                else:
                    together[draft.text, topic] = both, where

    def _item(self, draft: _Draft) -> LabelledSegment:
        # Only a topic that the set can name is absent where no row names it; any other nobody looked for.
        absent = self.reader.listed if self.config.long.unlisted == "absent" else ()
        labels = {
            topic: draft.labels.get(topic, TopicLabel(False if topic in absent else None))
            for topic in self.result.schema.topic_ids
        }
        fields = draft.fields
        provenance: dict[str, Any] = {"source": fields["source"]}
        if not self.config.columns.annotator:
            provenance["annotator"] = draft.annotator
        provenance |= {"licence": fields["licence"], "date": fields["date"]}
        if fields["id"]:
            provenance["id"] = fields["id"]
        return LabelledSegment(Segment(fields["article_id"], draft.text), labels, provenance)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _told(text: str, topic: str, one: TopicLabel, here: str, other: TopicLabel, there: str) -> str:
    return f"«{text[:_SHOWN_CHARACTERS]}» {topic}: {_said(one)} at {here}, {_said(other)} at {there}"


def _said(label: TopicLabel) -> str:
    return label.stance or {True: "present", False: "absent", None: "unknown"}[label.present]
