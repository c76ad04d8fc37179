"""A run behind its first stage (`naba cascade`): what passes of the test set, what is lost, and whether the recall holds.

    first_stage(Path("models/naba-news"), test, answers)["0.99"]["recall"]

What does not pass has no topic, whatever the model would say of it.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from naba.cascade.certificate import measured
from naba.cascade.stage import Cascade, recalls_of
from naba.errors import CheckpointError
from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.intervals import RESAMPLES
from naba.evaluation.significance import compare
from naba.metrics import score
from naba.scores import Labels

logger = logging.getLogger(__name__)
SCORE = "pairs.f1"


def first_stage(
    folder: Path | None, test: TestSet, answers: Answers, *, resamples: int = RESAMPLES
) -> dict[str, Any] | None:
    """For each recall that the run's first stage was made for, how it does on the test set; None without a first stage.

    Args:
        folder: the run's.
        answers: the run's own, of all segments.

    Returns:
        {recall: `passes` (share of all segments), `any_topic` and `topics` {topic: segments, recall, one-sided 95 % bound}, and
        of the run behind the first stage `pair_f1` and its `difference` to the run alone (value, interval, p), None where
        there is no pair to find}.
    """
    if folder is None or not (recalls := recalls_of(folder)):
        return None
    found = {}
    for recall in recalls:
        try:
            passes = Cascade.load(folder, recall, test.schema).passes(test.texts)
        except CheckpointError as error:
            logger.warning("the first stage is not evaluated: %s", error)
            return None
        present = test.gold.presence == 1
        behind = Labels(answers.labels.presence * passes[:, None], answers.labels.stance)
        difference = compare(test.gold, behind, answers.labels, test.schema, test.clusters, resamples=resamples).get(
            SCORE
        )
        found[str(recall)] = {
            "passes": float(passes.mean()),
            "any_topic": _of(present.any(axis=1), passes, test),
            "topics": {topic: _of(present[:, t], passes, test) for t, topic in enumerate(test.schema.topic_ids)},
            "pair_f1": score(test.gold, behind, test.schema)["pairs"]["f1"] if difference else None,
            "difference": difference
            and {
                "value": difference.value,
                "interval": [difference.interval.low, difference.interval.high] if difference.interval else None,
                "p": difference.p,
            },
        }
    return found


def _of(positive: Any, passes: Any, test: TestSet) -> dict[str, Any]:
    return measured(np.asarray(passes)[positive], test.clusters[positive])
