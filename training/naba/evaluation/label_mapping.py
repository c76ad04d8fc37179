"""What the labels of somebody else's text classifier mean in the label schema, as a user's YAML says it.

    mapping = load_config(MappingConfig, Path("configs/mappings/example.yaml"))
    label_map = LabelMap.of(mapping, ["Politics", "Sport", "Conflict"], schema, "somebody/news")
    label_map.schema                # the topics that the classifier has an answer for
    label_map.answers(logits)       # naba.evaluation.answers.Answers

naba guesses no meaning. What the mapping does not cover the classifier was never asked: such topics and stances are not
answered, which is neither absent nor wrong, and take no part in its scores (`System.scored_on`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from naba.calibration import sigmoid, softmax
from naba.config import Config
from naba.errors import ConfigError
from naba.evaluation.answers import Answers
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Floats, Ints, Labels

NO_TOPIC = "none"
_SHOWN = 12
"""Most labels that an error lists."""

Share = Annotated[float, Field(gt=0, lt=1)]


class Meaning(Config):
    """What one label says: a topic, a topic with its stance, or none of the schema's topics."""

    topic: str | None
    stance: str | None = None


def _meaning(value: Any) -> Any:
    """`none` and a topic's id are short forms."""
    if isinstance(value, str):
        return {"topic": None if value == NO_TOPIC else value}
    if isinstance(value, Mapping) and "topic" in value and set(value) <= {"topic", "stance"} and value["topic"]:
        return value
    raise ValueError(f"expected a topic, {{topic: …, stance: …}}, or {NO_TOPIC} for a label that is no topic")


def _label_names(value: Any) -> Any:
    """Labels may be named by numbers; a yes or no that YAML has read as true or false could be either spelling."""
    if not isinstance(value, Mapping):
        return value
    for name in value:
        if isinstance(name, bool):
            raise ValueError(f"a label is named {name}: quote it, for YAML reads yes, no, on and off as true and false")
    return {str(name): meaning for name, meaning in value.items()}


class MappingConfig(Config):
    """A text classifier's labels in a label schema."""

    labels: Path = Path("configs/labels.yaml")
    problem: Literal["single", "multi"]
    """single: the labels exclude each other (softmax); multi: each stands for itself (sigmoid)."""
    meanings: Annotated[dict[str, Annotated[Meaning, BeforeValidator(_meaning)]], BeforeValidator(_label_names)]
    """Label, as the model's config.json names it → what it means. Labels of one meaning are taken together."""
    unlisted: Literal["error", "none"] = "error"
    """Labels of the model that `meanings` lacks: a mistake, or none of the topics."""
    threshold: Share | None = None
    """Probability from which a topic is present. None: 0.5 in multi; in single the likeliest answer, and it alone."""
    thresholds: dict[str, Share] = Field({})
    """Topic → its own threshold."""
    normalisation: str = "standard-1"
    max_tokens: int = Field(192, ge=16)
    """Longer texts are cut, as such classifiers are used."""


@dataclass(frozen=True)
class LabelMap:
    """A mapping applied to the K labels of one classifier."""

    schema: LabelSchema
    """The label schema with the mapped topics only, T of them."""
    topic: Ints  # [K]
    """Index of each label's topic; -1 for none."""
    stance: Ints  # [K]
    """Index of each label's stance; UNKNOWN where it says none."""
    problem: Literal["single", "multi"]
    thresholds: Floats  # [T]
    """NaN: the likeliest answer."""

    @classmethod
    def of(cls, mapping: MappingConfig, labels: Sequence[str], schema: LabelSchema, model: str) -> "LabelMap":
        """Check a mapping against a classifier's labels, in the order of its logits, and the whole label schema.

        Raises ConfigError naming label or topic, what is allowed, and the model.
        """
        _check_labels(mapping, labels, model)
        meanings = [mapping.meanings.get(label, Meaning(topic=None)) for label in labels]
        for label, meaning in zip(labels, meanings, strict=True):
            _check_meaning(label, meaning, schema)
        mapped = [topic for topic in schema.topics if topic.id in {meaning.topic for meaning in meanings}]
        if not mapped:
            raise ConfigError(f"{model}: the mapping gives no label a topic; map one to {', '.join(schema.topic_ids)}")
        ids = [topic.id for topic in mapped]
        if stray := sorted(set(mapping.thresholds) - set(ids)):
            raise ConfigError(f"thresholds.{stray[0]}: no label means this topic; mapped are {', '.join(ids)}")
        default = mapping.threshold or (0.5 if mapping.problem == "multi" else np.nan)
        return cls(
            schema if len(mapped) == len(schema.topics) else narrow_schema(schema, ids),
            np.array([ids.index(meaning.topic) if meaning.topic else -1 for meaning in meanings]),
            np.array([schema.stance_ids.index(meaning.stance) if meaning.stance else UNKNOWN for meaning in meanings]),
            mapping.problem,
            np.array([mapping.thresholds.get(topic, default) for topic in ids]),
        )

    @property
    def stances(self) -> NDArray[np.bool_]:
        """Which stances of which topics the classifier can say [T, S]."""
        found = np.zeros((len(self.schema.topic_ids), len(self.schema.stance_ids)), dtype=bool)
        says = self.stance != UNKNOWN
        found[self.topic[says], self.stance[says]] = True
        return found

    @property
    def decided_at(self) -> dict[str, float | None]:
        """Topic → the probability from which it counts as present; None where the likeliest answer counts."""
        return {
            topic: None if np.isnan(threshold) else float(threshold)
            for topic, threshold in zip(self.schema.topic_ids, self.thresholds, strict=True)
        }

    def answers(self, logits: Floats) -> Answers:
        """Answers from raw scores [N, K]; the stance is UNKNOWN where no label says one."""
        probability = softmax(logits) if self.problem == "single" else sigmoid(logits)
        topic = self._topics(probability)
        present = np.where(np.isnan(self.thresholds), self._likeliest(probability, topic), topic >= self.thresholds)
        can = self.stances
        stance = self._stances(probability)
        chosen = np.where(can.any(axis=1), stance.argmax(-1), UNKNOWN)
        return Answers(Labels(present.astype(int), chosen), topic, stance if can.any() else None)

    def _topics(self, probability: Floats) -> Floats:
        """Probability of each topic [N, T]: labels that exclude each other add up, of others the surest counts.

        Where labels that are not exclusive name a topic both alone and with stances, the one alone decides, as in the
        layout that naba's plain head is saved in.
        """
        found = np.zeros((len(probability), len(self.schema.topic_ids)))
        for t in range(found.shape[1]):
            own = self.topic == t
            if self.problem == "single":
                found[:, t] = probability[:, own].sum(axis=1)
            else:
                alone = own & (self.stance == UNKNOWN)
                found[:, t] = probability[:, alone if alone.any() else own].max(axis=1)
        return found

    def _likeliest(self, probability: Floats, topic: Floats) -> NDArray[np.bool_]:
        """Whether a topic is the likeliest answer [N, T]: likelier than each other, and than each label of no topic."""
        none = probability[:, self.topic < 0].max(axis=1, initial=0.0)
        first = np.arange(topic.shape[1]) == topic.argmax(axis=1)[:, None]
        return np.asarray(first & (topic > none[:, None]))

    def _stances(self, probability: Floats) -> Floats:
        """Probability of each stance given the topic [N, T, S]; equal where no label says any."""
        topics, stances = len(self.schema.topic_ids), len(self.schema.stance_ids)
        found = np.zeros((len(probability), topics, stances))
        for k in np.flatnonzero(self.stance != UNKNOWN):
            place = (slice(None), self.topic[k], self.stance[k])
            both = (found[place], probability[:, k])
            found[place] = sum(both) if self.problem == "single" else np.maximum(*both)
        total = found.sum(axis=-1, keepdims=True)
        return np.asarray(np.divide(found, total, out=np.full_like(found, 1 / stances), where=total > 0))


def narrow_schema(schema: LabelSchema, topics: Sequence[str]) -> LabelSchema:
    """The schema with these of its topics, without its examples, which are of all."""
    content = schema.model_dump(mode="json")
    kept = [topic for topic in content["topics"] if topic["id"] in topics]
    return LabelSchema.parse(content | {"topics": kept, "examples": []}, schema.name)


def _check_labels(mapping: MappingConfig, labels: Sequence[str], model: str) -> None:
    shown = ", ".join(labels[:_SHOWN]) + (f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else "")
    if len(set(labels)) < len(labels):
        raise ConfigError(f"{model}: two of its labels have one name ({shown}); it cannot be mapped")
    if stray := [name for name in mapping.meanings if name not in labels]:
        raise ConfigError(f"meanings.{stray[0]}: {model} has no such label; it has {shown}")
    missing = [name for name in labels if name not in mapping.meanings]
    if missing and mapping.unlisted == "error":
        raise ConfigError(
            f"meanings: the label {missing[0]!r} of {model} is missing; give it a topic or {NO_TOPIC}, or all that are not "
            "listed with unlisted: none"
        )
    if mapping.problem == "single" and len(labels) == 1:
        raise ConfigError(f"problem = 'single', but {model} has one label, {labels[0]}; set problem: multi")


def _check_meaning(label: str, meaning: Meaning, schema: LabelSchema) -> None:
    for value, kind, known in (
        (meaning.topic, "topic", schema.topic_ids),
        (meaning.stance, "stance", schema.stance_ids),
    ):
        if value is not None and value not in known:
            raise ConfigError(
                f"meanings.{label}: {kind} {value!r} is not in the label schema {schema.name!r}; it has {', '.join(known)}"
            )
