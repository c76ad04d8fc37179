"""A labelling rule as it stands in YAML, and the checks that need no text.

- id: diplomacy-rejects-talks
  topic: diplomacy            # the file's `topic` where not given
  vote: oppose                # a stance id of the schema (implies presence), present, absent
  find: [refusal, [talks, ceasefire]]   # lexicons in this order; an inner list: any of them
  within: 5
  unless: [condition]
  note: 'rejects, obstructs it (codebook, table of stances)'
  example: ترفض الحركة أي مفاوضات جديدة
"""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field, model_validator

from naba.config import Config
from naba.schema import LabelSchema

PRESENT, ABSENT = "present", "absent"
Scope = Literal["abstain", "ignore", "only"]


class Rule(Config):
    """What to find, under which conditions, and what to vote then."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    topic: str | None = None
    vote: str | None = None
    """A stance id, "present" or "absent"; not given where `python` votes."""
    find: list[str | list[str]] = Field([])
    """Lexicons that occur in this order in one sentence; for an inner list any of its lexicons will do."""
    within: int = Field(6, ge=1, le=60)
    """Each find begins at most this many words after the last word of the one before; 1: they are neighbours."""
    also: list[str | list[str]] = Field([])
    """Lexicons that must occur anywhere in the segment."""
    unless: list[str] = Field([])
    """The rule abstains where one of these lexicons occurs anywhere."""
    without: list[str] = Field([])
    """In place of `find`: the rule votes where none of these lexicons occurs."""
    first_words: int | None = Field(None, ge=1)
    """The find must begin within this many words from the segment's start: the main clause comes first."""
    min_words: int = Field(1, ge=1)
    max_words: int | None = Field(None, ge=1)
    """Length of the segment in words."""
    negated: Scope | None = None
    """What to do with a find in the reach of لم، لن، لا، عدم and the like: pass over it (abstain), take it all the same
    (ignore), take only such (only). None: abstain where the rule votes a stance, ignore where it votes present or absent
    (a ceasefire denied is still diplomacy) or asks a Python function."""
    hypothetical: Scope | None = None
    """The same for إذا، لو، ربما، في حال and the like."""
    quoted: Literal["any", "outside", "inside"] = "any"
    """Whether a find may, must not or must stand between quotation marks."""
    python: str | None = None
    """file.py:function in the folder of the rules; it is asked where the conditions above hold."""
    note: str = Field(min_length=1)
    """Why: which row of the codebook the rule comes from."""
    example: str | None = None
    """A sentence that the rule fires on."""
    counterexample: str | None = None
    """A sentence that it must not fire on."""

    @model_validator(mode="after")
    def _check(self) -> "Rule":
        if bool(self.find) == bool(self.without) and not (self.python and not self.find):
            raise ValueError("a rule has either 'find' or 'without' (with 'python' it may have neither)")
        if (self.vote is None) == (self.python is None):
            raise ValueError("a rule has either 'vote' or 'python', whose function votes")
        if self.without and self.vote != ABSENT:
            raise ValueError(f"'without' is for rules that vote {ABSENT!r}; use 'unless' beside 'find'")
        if self.max_words is not None and self.max_words < self.min_words:
            raise ValueError(f"max_words = {self.max_words} is below min_words = {self.min_words}")
        if any(not group for group in (*self.find, *self.also)):
            raise ValueError("an inner list or name under 'find' or 'also' is empty")
        return self

    def scope(self, given: Scope | None) -> Scope:
        """What `negated` or `hypothetical` means for this rule where it is not given."""
        if given is not None:
            return given
        return "ignore" if self.vote in (None, PRESENT, ABSENT) else "abstain"

    def lexicons(self) -> Iterable[str]:
        """Every lexicon that the rule names."""
        for group in (*self.find, *self.also):
            yield from (group,) if isinstance(group, str) else group
        yield from self.unless
        yield from self.without


def votes_of(schema: LabelSchema) -> frozenset[str]:
    """What a rule may vote under this schema."""
    return frozenset((*schema.stance_ids, PRESENT, ABSENT))
