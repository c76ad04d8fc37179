"""The form of behaviour tests in YAML: each file holds a kind, slots, base sentences and named tests.

Slots and base sentences are shared by all files of a folder; `naba.evaluation.behaviour.suite` makes cases of them.
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from naba.config import Config
from naba.evaluation.behaviour.perturb import TRANSFORMATIONS

Kind = Literal["invariance", "direction", "minimum"]
Labels = dict[str, str]
"""Topic id → stance id; topics not named are absent."""

_FOR_CASES = {"slots", "fill", "labels", "before_labels", "after_labels"}


class Base(Config):
    """A sentence that every invariance test changes."""

    text: str = Field(min_length=1)
    labels: Labels
    """What the label definitions say of it."""


class CaseTemplate(Config):
    """A text, or two to compare; a text alone stands for `{text: …}`. `{slot}` is filled from the lists of slots."""

    text: str | None = None
    before: str | None = None
    after: str | None = None
    labels: Labels | None = None
    """Expected of `text`; the test's where not given."""
    before_labels: Labels | None = None
    after_labels: Labels | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"text": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check(self) -> "CaseTemplate":
        if bool(self.text) == bool(self.before and self.after) or (self.text and (self.before or self.after)):
            raise ValueError("a case has either 'text', or 'before' and 'after'")
        return self


class BehaviourTest(Config):
    """One named test."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Kind | None = None
    """The file's where not given."""
    description: str = Field(min_length=1)
    at_least: float | None = Field(None, ge=0, le=1)
    """Share of cases that a released model has to pass; the file's where not given."""
    transform: str | None = None
    """Invariance: how every base sentence is changed, by name."""
    swap: list[list[str]] = Field([])
    """Invariance: groups of names, of one gender and number each, that change places."""
    append: list[str] = Field([])
    """Invariance: one of these follows every base sentence."""
    prepend: list[str] = Field([])
    """Invariance: one of these goes before every base sentence."""
    repeats: int = Field(1, ge=1, le=20)
    """How often each base sentence is changed, each time by another draw."""
    bases: bool = False
    """Minimum: the base sentences as they stand, with their own labels, are the cases."""
    cases: list[CaseTemplate] = Field([])
    slots: dict[str, list[str]] = Field({})
    """Words for the slots of this test alone."""
    fill: int = Field(4, ge=1, le=200)
    """How many texts a template with slots gives at most."""
    labels: Labels | None = None
    before_labels: Labels | None = None
    after_labels: Labels | None = None
    topics: list[str] = Field([])
    """The topics that are judged; all where not given."""

    @model_validator(mode="after")
    def _check(self) -> "BehaviourTest":
        if self.transform is not None and self.transform not in TRANSFORMATIONS:
            raise ValueError(f"transform {self.transform!r} is unknown; known: {', '.join(TRANSFORMATIONS)}")
        if any(len(set(group)) != len(group) or len(group) < 2 for group in self.swap):
            raise ValueError("a group under 'swap' needs two names or more, each once")
        ways = [name for name in ("transform", "swap", "append", "prepend", "bases", "cases") if getattr(self, name)]
        if len(ways) != 1:
            raise ValueError(
                f"test {self.name!r} takes its cases from one of transform, swap, append, prepend, bases, cases; "
                f"it has {' and '.join(ways) or 'none'}"
            )
        idle = _FOR_CASES & self.model_fields_set if not self.cases else {"repeats"} & self.model_fields_set
        if idle:
            raise ValueError(f"test {self.name!r} makes its cases by {ways[0]}, so {sorted(idle)[0]!r} says nothing")
        return self

    @property
    def changes_bases(self) -> bool:
        """Whether the cases are made by changing the base sentences."""
        return bool(self.transform or self.swap or self.append or self.prepend)


class BehaviourFile(Config):
    """One YAML file of a folder of behaviour tests."""

    kind: Kind | None = None
    at_least: float = Field(0.0, ge=0, le=1)
    """Share of cases of each test that a released model has to pass."""
    kind_at_least: float | None = Field(None, ge=0, le=1)
    """The same of all cases of the file's kind together."""
    slots: dict[str, list[str]] = Field({})
    bases: list[Base] = Field([])
    tests: list[BehaviourTest] = Field([])
