"""The configuration of an import: what the columns and values of somebody's labelled set mean in the label schema.

Two shapes. Wide: a column a topic, or two, one for presence and one for stance. Long: a row a text and topic, with a
column that names the topic. Every value is mapped by the user to a stance, "present", "absent" or "unknown"; naba guesses
none, and an empty cell is unknown, never absent, unless the mapping says so. `naba.importing.label_reader` applies it.
"""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from naba.config import Config
from naba.text import plain_digits

PRESENT, ABSENT, NOT_KNOWN = "present", "absent", "unknown"
SKIP, NO_TOPIC = "skip", "none"
_YAML_BOOLEANS = {True: ("true", "yes", "on"), False: ("false", "no", "off")}


def canonical(value: Any) -> str:
    """A cell as it is compared: trimmed, small letters, 1 and "1.0" alike; "" for an empty one, None and NaN."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = plain_digits(str(value)).strip("\ufeff \t\r\n\v\f\u00a0\u200e\u200f").casefold()
    return re.sub(r"^([+-]?\d+)\.0+$", r"\1", text)


def _canonical_keys(values: Any) -> Any:
    """Keys as cells are compared. YAML reads the words yes, no, on and off as true and false: all of them are meant."""
    if not isinstance(values, Mapping):
        return values
    result: dict[str, Any] = {}
    for key, target in values.items():
        for name in _YAML_BOOLEANS[key] if isinstance(key, bool) else (canonical(key),):
            if result.setdefault(name, target) != target:
                raise ValueError(
                    f"{name!r} is mapped to both {result[name]!r} and {target!r}; spelling and case make no difference"
                )
    return result


Values = Annotated[dict[str, str], BeforeValidator(_canonical_keys)]


class TableFormat(Config):
    """How the files are written."""

    encoding: str = "utf-8"
    """Of the files' text."""
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    """Between the cells of CSV and TSV; a comma and a tab where not given."""
    quoted: bool = True
    """Whether cells of CSV and TSV may stand in double quotes."""
    split: str | None = None
    """The part of a DatasetDict to read; all where not given."""


class ImportColumns(Config):
    """Which column holds what; "a.b" reaches into nested objects. One that is not named is not read."""

    text: str = "text"
    """The segment's text."""
    id: str | None = None
    """The set's own id; kept as `provenance.id`."""
    article_id: str | None = None
    """Segments that share it stay on one side of a split."""
    date: str | None = None
    """The day of publication."""
    source: str | None = None
    """The outlet."""
    licence: str | None = None
    """Of the text."""
    annotator: str | None = None
    """Who gave the row's labels; where it is named, votes are written instead of labels."""


class Constants(Config):
    """What is true of every row, and of those whose column is empty."""

    source: str | None = None
    """The outlet."""
    licence: str | None = None
    """Of the texts."""
    annotator: str | None = None
    """Who gave the labels; where it is named, votes are written instead of labels."""
    date: str | None = None
    """The day of publication."""


class ValueColumn(Config):
    """A column and what its values mean."""

    column: str | None = None
    """Its name."""
    values: Values = Field({})
    """Value → meaning; compared without regard to case and outer spaces. `null` is the empty cell."""
    default: str = NOT_KNOWN
    """Meaning of an empty cell that `values` does not name."""


class Answer(ValueColumn):
    """What a row says of one topic: in one column, or in two, `presence` and `stance`.

    Meanings: present, absent, unknown, or a stance (which is present too).
    """

    presence: ValueColumn = ValueColumn()
    stance: ValueColumn = ValueColumn()

    @model_validator(mode="after")
    def _check(self) -> "Answer":
        if self.column and (self.presence.column or self.stance.column):
            raise ValueError("give 'column', or 'presence' and 'stance', not both")
        if self.stance.column and not self.presence.column:
            raise ValueError("'stance' needs 'presence' beside it; if one column says both, give it as 'column'")
        return self

    def columns(self) -> list[str]:
        """The columns it is read from."""
        return [name for name in (self.column, self.presence.column, self.stance.column) if name]


class WideTopic(Answer):
    """A topic with columns of its own."""

    topic: str


class TopicColumn(Config):
    """The column that names a row's topic."""

    column: str | None = None
    """Its name."""
    values: Values = Field({})
    """Value → topic; "skip": the row is left out; "none": the text was read and the row names no topic."""


class LongShape(Config):
    """A row a text and topic."""

    topic: TopicColumn = TopicColumn()
    answer: Answer = Answer()
    unlisted: Literal["unknown", "absent"] = "unknown"
    """What a topic that `topic.values` names is for a text without a row of it; "absent" where each text was read for all."""


class ImportConfig(Config):
    """`naba import`: a labelled set that people have in, labelled segments or votes out."""

    labels: Path = Path("configs/labels.yaml")
    """The label schema: topics and stances."""
    data: list[Path] = Field(min_length=1)
    """CSV, TSV, JSONL or Parquet files, also .gz, and folders that `datasets` wrote."""
    out: Path | None = None
    """The JSONL file to write."""
    read: TableFormat = TableFormat()
    columns: ImportColumns = ImportColumns()
    constants: Constants = Constants()
    wide: list[WideTopic] = Field([])
    """Topics with columns of their own; or `long`."""
    long: LongShape = LongShape()
    values: Values = Field({})
    """Meanings for every answer column that has no `values` of its own."""
    conflicts: Literal["error", "unknown", "vote"] | None = None
    """Rows of one text that contradict each other: an error; or the label stays unknown; or, where columns.annotator is
    named, each annotator's answer is a vote, as it is there by default."""
    stance_without_presence: Literal["error", "ignore"] = "error"
    """A stance in a row whose presence column does not say present; such sets often fill in a neutral."""
    empty_text: Literal["error", "skip"] = "error"
    """A row without text ends the import, or is left out."""

    @model_validator(mode="after")
    def _check(self) -> "ImportConfig":
        if bool(self.wide) == bool(self.long.topic.column):
            raise ValueError(
                "give one shape: 'wide', a list of topics with their columns, or 'long' with topic.column and answer"
            )
        for answer in self.answers:
            if not answer.columns():
                raise ValueError(f"{answer.topic if isinstance(answer, WideTopic) else 'long.answer'}: names no column")
        topics = [entry.topic for entry in self.wide]
        if len(set(topics)) < len(topics):
            raise ValueError(f"wide: a topic is given twice: {', '.join(topics)}")
        if self.conflicts == "vote" and not self.columns.annotator:
            raise ValueError("conflicts: vote needs columns.annotator, which tells the votes apart")
        return self

    @property
    def answers(self) -> Sequence[Answer]:
        """Where rows give labels: one entry a topic in the wide shape, one in all in the long shape."""
        return self.wide or (self.long.answer,)

    def columns_read(self) -> list[str]:
        """Every column that the mapping names."""
        answers = [name for answer in self.answers for name in answer.columns()]
        return [name for name in (*self.columns.model_dump().values(), self.long.topic.column, *answers) if name]
