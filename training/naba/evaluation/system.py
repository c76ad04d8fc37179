"""What is evaluated, whatever its kind: it has topics and stances, and answers for texts (`naba.evaluation.systems` loads one).

test = system.scored_on(TestSet.of(items, system.source_schema))
answers = narrow(system.answers(test.texts), system.schema, test.schema)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from naba.errors import DataError
from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.label_mapping import narrow_schema
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.infer import Scorer
from naba.progress import SILENT, Progress
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Labels

Answer = Callable[[Sequence[str], Progress], Answers]


@dataclass(frozen=True)
class System:
    """What is evaluated."""

    name: str
    """As the user named it."""
    kind: Literal["run", "checkpoint", "classifier"]
    description: str
    """One line for the report."""
    schema: LabelSchema
    """Topics that it has answers for; the T of its answers."""
    source_schema: LabelSchema
    """Topics of the data it is scored on; more than `schema` has where a mapping covers a part."""
    answer: Answer
    thresholds: Mapping[str, float | None]
    """Topic → the probability from which it says the topic is present; None where it goes by the likeliest."""
    notes: tuple[str, ...] = ()
    """What a reader of its scores has to know."""
    stances: NDArray[np.bool_] | None = None  # [T, S]
    """Which stances it can say; None: all."""
    normalisation: str = "standard-1"
    max_tokens: int = 192
    record: Mapping[str, Any] = field(default_factory=dict)
    """run.json or train.json: what it was trained from and on; empty where that is not known."""
    folder: Path | None = None
    """The run folder, also where its exported form is what answers; None for anything else."""
    checkpoint: Checkpoint | None = None
    """The loaded model of a run or checkpoint."""
    scorer: Scorer | None = None
    """What gives the raw scores of a run or checkpoint."""

    def released(self) -> "System":
        """The same without its weights, so that another can be loaded: neither its model nor the function that holds it."""
        return replace(self, checkpoint=None, scorer=None, answer=_released)

    def decisions(self, texts: Sequence[str], *, progress: Progress = SILENT) -> list[dict[str, str | None]]:
        """Of each text the topics that it says are present, with their stances; None for a stance it has no word for."""
        said = self.answers(texts, progress=progress).labels
        topics, stances = self.schema.topic_ids, dict(enumerate(self.schema.stance_ids))
        return [
            {topics[t]: stances.get(int(chosen[t])) for t in np.flatnonzero(present == 1)}
            for present, chosen in zip(said.presence, said.stance, strict=True)
        ]

    def answers(self, texts: Sequence[str], *, progress: Progress = SILENT) -> Answers:
        """Its answers for texts, in their order."""
        return self.answer(texts, progress)

    @property
    def encoder(self) -> str | None:
        """The encoder that it was fine-tuned from, or, where that was a fine-tuned run itself, that one's; None if not known."""
        config, known = self.record.get("config"), self.record.get("encoder")
        if isinstance(known, Mapping) and known.get("base"):
            return str(known["base"])
        return config.get("encoder") if isinstance(config, Mapping) else None

    def scored_on(self, test: TestSet) -> TestSet:
        """The test set without what it has no answer for, which nobody judged then: neither right nor wrong.

        What it is compared with is scored on the same, by `narrow`. Several systems narrow a test set one after another.

        Raises:
            DataError: the test set has other topics or stances, or none that it answers for.
        """
        given = test.schema
        if given.stance_ids != self.source_schema.stance_ids or set(given.topic_ids) - set(
            self.source_schema.topic_ids
        ):
            raise DataError(f"{self.name}: made for other topics or stances than the test set's, {given.name!r}")
        kept = [t for t, topic in enumerate(given.topic_ids) if topic in self.schema.topic_ids]
        if not kept:
            raise DataError(f"{self.name}: answers for none of the topics {', '.join(given.topic_ids)}")
        if len(kept) == len(given.topic_ids) and self.stances is None:
            return test
        schema = narrow_schema(given, [given.topic_ids[t] for t in kept])
        presence, stance = test.gold.presence[:, kept], test.gold.stance[:, kept]
        if self.stances is not None:
            said = self.stances[[self.schema.topic_ids.index(topic) for topic in schema.topic_ids]]  # [T, S]
            can = said[np.arange(len(kept)), np.maximum(stance, 0)]  # [N, T]
            stance = np.where(can, stance, UNKNOWN)
        return replace(test, gold=Labels(presence, stance), schema=schema)


def _released(texts: Sequence[str], progress: Progress) -> Answers:
    raise RuntimeError("the run's weights were released")


def narrow(answers: Answers, schema: LabelSchema, to: LabelSchema) -> Answers:
    """Answers on the topics of `schema` as answers on those of `to`, which are some of them."""
    kept = [schema.topic_ids.index(topic) for topic in to.topic_ids]
    topic, stance = (None if part is None else part[:, kept] for part in (answers.topic, answers.stance))
    return Answers(Labels(answers.labels.presence[:, kept], answers.labels.stance[:, kept]), topic, stance)
