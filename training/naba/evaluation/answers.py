"""What a system says of the test segments: the one form in which every part of an evaluation takes answers.

answers = Answers(labels, topic_probability, stance_probability)
test = TestSet.of(load_labelled([path], schema), schema)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from naba.dataset.clusters import find_clusters
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.scores import Floats, Ints, Labels
from naba.tfidf import targets


@dataclass(frozen=True)
class Answers:
    """One system's answers on N segments."""

    labels: Labels
    """Decisions; the stance is given for every topic, also absent ones."""
    topic: Floats | None = None  # [N, T]
    """Probability that the topic is present; None for a system that has none."""
    stance: Floats | None = None  # [N, T, S]
    """Probability of each stance given the topic; None for a system that has none."""


@dataclass(frozen=True)
class TestSet:
    """The N segments that systems are scored on."""

    __test__ = False  # not a class of tests, whatever its name

    items: Sequence[LabelledSegment]
    gold: Labels
    clusters: Ints  # [N]
    """Segments of one article or near-duplicate cluster share a number: they are resampled together."""
    schema: LabelSchema

    @classmethod
    def of(cls, items: Sequence[LabelledSegment], schema: LabelSchema) -> "TestSet":
        """Gold labels and clusters of labelled segments."""
        return cls(items, targets(items, schema), find_clusters(items).of, schema)

    @property
    def texts(self) -> list[str]:
        """The segments' texts as they came."""
        return [item.segment.text for item in self.items]
