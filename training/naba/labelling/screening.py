"""The answer for a text that a cascade's first stage did not pass on: the model never read it.

    screened(text, verdict, place, schema)     # Prediction(screened=True), no topic present

Nothing in it comes from the model. A topic's `probability` is the first stage's own estimate, calibrated on the labelled
segments that the stage was made from; `stance_probability` is how often a present topic has each stance there, the same for
every text, as the first stage knows nothing else of stances. `screened` says so wherever the answer is written.
"""

from naba.cascade.stage import Verdict
from naba.records import Prediction, TopicPrediction
from naba.schema import LabelSchema


def screened(text: str, verdict: Verdict, place: int, schema: LabelSchema) -> Prediction:
    """The answer for text number `place` of a verdict: every topic absent."""
    answers = {
        topic: TopicPrediction(
            False,
            float(verdict.probability[place, t]),
            None,
            dict(zip(schema.stance_ids, verdict.stance[t].tolist(), strict=True)),
        )
        for t, topic in enumerate(schema.topic_ids)
    }
    return Prediction(text, answers, screened=True)
