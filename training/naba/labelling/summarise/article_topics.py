"""What an article says as a whole: its topics, the stance that most of their segments hold, and which segments those are.

for found in article_topics(row):
    found.topic, found.share, found.stances, found.dominant, found.confidence
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from naba.labelling.labelled_row import LabelledRow, RowSegment


@dataclass(frozen=True, slots=True)
class ArticleTopic:
    """A topic that at least one segment of an article has."""

    topic: str
    segments: int
    """Segments with the topic."""
    share: float
    """Their share of the article's segments."""
    stances: Mapping[str, int]
    """Stance → segments; stances that none holds are left out. Never netted."""
    dominant: tuple[str, ...]
    """The stance that most of these segments hold; several, in the schema's order, where they tie."""
    confidence: float | None
    """Mean over the topic's segments of the probability of the dominant stance; None where stances tie.

    So it falls both where the model is unsure and where segments hold other stances.
    """
    evidence: tuple[RowSegment, ...]
    """The segments that hold the dominant stance, or one of those that tie, in the article's order."""


def article_topics(row: LabelledRow) -> list[ArticleTopic]:
    """The topics of an article, in the schema's order; none where no segment has any."""
    with_topic: dict[str, list[RowSegment]] = {topic: [] for segment in row.segments[:1] for topic in segment.topics}
    for segment in row.segments:
        for topic, answer in segment.topics.items():
            if answer.present:
                with_topic[topic].append(segment)
    return [_article_topic(topic, members, len(row.segments)) for topic, members in with_topic.items() if members]


def _article_topic(topic: str, members: list[RowSegment], of: int) -> ArticleTopic:
    answers = [segment.topics[topic] for segment in members]
    stances = Counter(answer.stance for answer in answers if answer.stance is not None)
    most = max(stances.values())
    dominant = tuple(stance for stance in answers[0].stance_probability if stances[stance] == most)
    confidence = None
    if len(dominant) == 1:
        confidence = sum(answer.stance_probability[dominant[0]] for answer in answers) / len(answers)
    evidence = tuple(segment for segment in members if segment.topics[topic].stance in dominant)
    return ArticleTopic(topic, len(members), len(members) / of, dict(stances), dominant, confidence, evidence)
