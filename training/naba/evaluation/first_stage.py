"""A run behind its first stage (`naba cascade`): what passes of the test set, and what the run's scores lose by it.

    first_stage(Path("models/naba-news"), test, answers)["0.99"]["any_topic"]["recall"]

What does not pass has no topic, whatever the model would say of it. Whether the recall holds that the first stage was made
for, a test set tells only if it has enough clusters with the topic: at recall 0.99 none under 299 can show it.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from naba.cascade.certificate import fewest, measured
from naba.cascade.stage import Cascade, behind, passing, recalls_of
from naba.dataset.labelled import load_labelled
from naba.errors import CheckpointError
from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.intervals import RESAMPLES
from naba.evaluation.significance import compare, holm
from naba.fingerprint import fingerprint
from naba.metrics import score
from naba.paths import find

logger = logging.getLogger(__name__)
SCORE = "pairs.f1"


def first_stage(
    folder: Path | None, test: TestSet, answers: Answers, *, resamples: int = RESAMPLES
) -> dict[str, Any] | None:
    """For each recall that the run's first stage was made for, how it does on the test set.

    Args:
        folder: the run's.
        answers: the run's own, of all segments.

    Returns:
        {recall: `passes` (share of all segments), `needed` (clusters by which the recall could be shown), `any_topic` and
        `topics` {topic: what `measured` gives}, and of the run behind the first stage `pair_f1` and its `difference` to the run
        alone (value, interval, p, and p adjusted for the number of recalls), None where there is no pair to find}. None without
        a first stage, and with a warning for one that cannot be used or was fitted on some of these segments.
    """
    if folder is None:
        return None
    try:
        cascades = [Cascade.load(folder, recall, test.schema) for recall in recalls_of(folder)]
    except CheckpointError as error:
        logger.warning("the first stage is not evaluated: %s", error)
        return None
    if not cascades:
        return None
    if met := len(_fitted_on(cascades[0].data, test) & {item.segment.id for item in test.items}):
        logger.warning("the first stage is not evaluated: it was fitted on %d of these segments", met)
        return None
    scores, present = cascades[0].stage.scores(test.texts), test.gold.presence == 1
    found: dict[str, Any] = {}
    for cascade in cascades:
        passes = passing(scores, cascade.threshold)
        labels = behind(answers.labels, passes)
        compared = compare(test.gold, labels, answers.labels, test.schema, test.clusters, resamples=resamples)
        interval = (difference := compared.get(SCORE)) and difference.interval
        found[str(cascade.recall)] = {
            "passes": float(passes.mean()),
            "needed": fewest(cascade.recall),
            "any_topic": _of(present.any(axis=1), passes, test),
            "topics": {topic: _of(present[:, t], passes, test) for t, topic in enumerate(test.schema.topic_ids)},
            "pair_f1": score(test.gold, labels, test.schema)["pairs"]["f1"] if difference else None,
            "difference": difference
            and {
                "value": difference.value,
                "interval": [interval.low, interval.high] if interval else None,
                "p": difference.p,
            },
        }
    for recall, p in holm({name: one["difference"]["p"] for name, one in found.items() if one["difference"]}).items():
        found[recall]["difference"]["p_holm"] = p
    return found


def _of(positive: Any, passes: Any, test: TestSet) -> dict[str, Any]:
    return measured(np.asarray(passes)[positive], test.clusters[positive])


def _fitted_on(files: Mapping[str, str], test: TestSet) -> set[str]:
    """Ids of the segments in those of the files that are here as they were."""
    here = [path for name, mark in files.items() if (path := find(Path(name))).is_file() and fingerprint(path) == mark]
    return {item.segment.id for item in load_labelled(here, test.schema)} if here else set()
