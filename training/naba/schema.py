"""The label schema: the only owner of topics, stances, their order and their encoding as numbers.

Everything that knows a label asks the schema, so that a user's own topics and stances work along the whole path.

    schema = LabelSchema.load(Path("configs/labels.yaml"))
    schema.topic_ids, schema.stance_ids   # the order of every T and S axis
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from naba.errors import SchemaError

UNKNOWN = -100
"""Target of a label that nobody judged: takes no part in loss or metrics (PyTorch's `ignore_index`)."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stance(_Strict):
    """A position that a segment can convey towards a topic's target."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name_ar: str
    name_en: str


class Example(_Strict):
    """A segment with its labels: topic id → stance id; topics not named are absent."""

    text: str
    labels: dict[str, str]


class Topic(_Strict):
    """What a segment can be about, and towards what its stance is taken."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name_ar: str
    name_en: str
    definition: str
    target: str
    not_this: str = ""
    typical: list[str] = []
    stances: dict[str, str]
    """Stance id → what that stance means for this topic."""


class LabelSchema(_Strict):
    """Topics (any number a segment, also none) and stances (exactly one for each topic that is present)."""

    name: str
    topics: list[Topic] = Field(min_length=1)
    stances: list[Stance] = Field(min_length=2)
    examples: list[Example] = []

    @classmethod
    def load(cls, path: Path) -> "LabelSchema":
        """Read a schema from YAML. Raises SchemaError naming the file and the key that is wrong."""
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SchemaError(f"{path}: the label schema cannot be read ({reason}); name one under 'labels'") from None
        except yaml.YAMLError as error:
            raise SchemaError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
        return cls.parse(content, str(path))

    @classmethod
    def parse(cls, content: Any, where: str) -> "LabelSchema":
        """Build a schema from loaded YAML or JSON; `where` names the origin in the SchemaError."""
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"]) or "the file"
            raise SchemaError(f"{where}: label schema, {key}: {first['msg'].removeprefix('Value error, ')}") from None

    @model_validator(mode="after")
    def _check(self) -> "LabelSchema":
        for kind, ids in (("topic", self.topic_ids), ("stance", self.stance_ids)):
            if len(set(ids)) != len(ids):
                raise ValueError(f"a {kind} id is given twice: {ids}")
        for topic in self.topics:
            if set(topic.stances) != set(self.stance_ids):
                raise ValueError(
                    f"topic {topic.id} defines the stances {list(topic.stances)}, not {list(self.stance_ids)}"
                )
        for example in self.examples:
            try:
                self.check(example.labels)
            except SchemaError as error:
                raise ValueError(str(error)) from None
        return self

    @cached_property
    def topic_ids(self) -> tuple[str, ...]:
        """Topic ids in the order of every `T` axis."""
        return tuple(topic.id for topic in self.topics)

    @cached_property
    def stance_ids(self) -> tuple[str, ...]:
        """Stance ids in the order of every `S` axis."""
        return tuple(stance.id for stance in self.stances)

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hex digits that change when ids or their order change; names and definitions may be reworded."""
        ids = json.dumps([self.topic_ids, self.stance_ids])
        return hashlib.sha256(ids.encode()).hexdigest()[:12]

    def check(self, labels: Mapping[str, str | None]) -> None:
        """Raise SchemaError when a topic or stance is not of this schema."""
        for topic, stance in labels.items():
            if topic not in self.topic_ids:
                raise SchemaError(
                    f"topic {topic!r} is not in the label schema {self.name!r}; it has {', '.join(self.topic_ids)}"
                )
            if stance is not None and stance not in self.stance_ids:
                raise SchemaError(
                    f"stance {stance!r} is not in the label schema {self.name!r}; it has {', '.join(self.stance_ids)}"
                )
