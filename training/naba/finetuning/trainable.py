"""Whether a dataset can teach anything: found out before hours are spent on it."""

import logging
from collections import Counter
from collections.abc import Sequence

from naba.errors import DataError
from naba.records import LabelledSegment
from naba.schema import LabelSchema

logger = logging.getLogger(__name__)


def check_trainable(
    training: Sequence[LabelledSegment], validation: Sequence[LabelledSegment], schema: LabelSchema
) -> None:
    """Refuse data without any known topic; warn of topics and stances that training never shows.

    Raises DataError naming which part knows nothing.
    """
    for name, items in (("train", training), ("validation", validation)):
        if not any(label.present is not None for item in items for label in item.labels.values()):
            raise DataError(f"{name}: no topic of any segment is known; give labelled segments, see data/README.md")
    if not any(label.present for item in validation for label in item.labels.values()):
        raise DataError("validation: no topic is present in any segment; the best checkpoint cannot be chosen by it")
    seen = Counter((topic, label.stance) for item in training for topic, label in item.labels.items() if label.present)
    missing = [
        f"{topic}: {stance}" for topic in schema.topic_ids for stance in schema.stance_ids if not seen[topic, stance]
    ]
    if missing:
        logger.warning("train: no example of %s; the model will not learn to answer so", ", ".join(missing))
