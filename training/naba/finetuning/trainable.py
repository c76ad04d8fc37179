"""Whether a dataset can teach anything, and validation judge it: found out before hours are spent on it."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from naba.errors import DataError
from naba.records import LabelledSegment
from naba.schema import LabelSchema

logger = logging.getLogger(__name__)


def check_trainable(
    training: Sequence[LabelledSegment], validation: Sequence[LabelledSegment], schema: LabelSchema
) -> None:
    """Refuse data without any known topic; warn of what training never shows and of what validation cannot judge.

    Raises DataError naming which part knows nothing.
    """
    for name, items in (("train", training), ("validation", validation)):
        if not any(label.present is not None for item in items for label in item.labels.values()):
            raise DataError(f"{name}: no topic of any segment is known; give labelled segments, see data/README.md")
    if not any(label.present for item in validation for label in item.labels.values()):
        raise DataError("validation: no topic is present in any segment; the best checkpoint cannot be chosen by it")
    for name, items, advice in (
        ("train", training, "the model cannot learn what no row shows"),
        ("validation", validation, "its scores do not tell how well the model does there"),
    ):
        for lack in _lacks(items, schema):
            logger.warning("%s: %s; %s", name, lack, advice)


def check_apart(
    training: Sequence[LabelledSegment], validation: Sequence[LabelledSegment], *, allow_leak: bool = False
) -> None:
    """Refuse segments of validation that are trained on; warn of articles and clusters that stand on both sides.

    Only what is exactly the same is looked for: `naba build` and `naba evaluate` look for near-duplicates too.

    Args:
        allow_leak: warn in place of refusing.

    Raises DataError saying how many segments are on both sides.
    """
    if texts := _shared(training, validation, lambda item: item.segment.id):
        told = f"segments of validation that are in train too: {texts:,} of {len(validation):,}"
        if not allow_leak:
            raise DataError(
                f"{told}. Checkpoint and thresholds would be chosen on what the model has learnt by heart; remove them from "
                "one side (`naba build` splits so that nothing is shared), or set allow_leak=true"
            )
        logger.warning("%s (allow_leak); the scores say nothing of other text", told)
        return
    for what, key in _GROUPS.items():
        if shared := _shared(training, validation, key):
            logger.warning(
                "segments of validation from %s that train has segments of too: %d of %d; the scores are too high "
                "(`naba build` splits so that nothing is shared)",
                what,
                shared,
                len(validation),
            )


_GROUPS: dict[str, Callable[[LabelledSegment], str | None]] = {
    "an article": lambda item: item.segment.article_id,
    "a cluster": lambda item: item.cluster,
}


def _shared(
    training: Sequence[LabelledSegment],
    validation: Sequence[LabelledSegment],
    key: Callable[[LabelledSegment], str | None],
) -> int:
    """How many segments of validation have a key that one of training has."""
    trained = {key(item) for item in training} - {None}
    return sum(key(item) in trained for item in validation)


def _lacks(items: Sequence[LabelledSegment], schema: LabelSchema) -> Iterator[str]:
    """What no row shows, in words; a kind of lack at a time."""
    presence = Counter((topic, label.present) for item in items for topic, label in item.labels.items())
    stances = Counter((topic, label.stance) for item in items for topic, label in item.labels.items() if label.present)
    unknown = [topic for topic in schema.topic_ids if not presence[topic, True] + presence[topic, False]]
    known = [topic for topic in schema.topic_ids if topic not in unknown]
    never = [topic for topic in known if not presence[topic, True]]
    always = [topic for topic in known if not presence[topic, False]]
    missing = [
        f"{topic}: {stance}"
        for topic in known
        if topic not in never
        for stance in schema.stance_ids
        if not stances[topic, stance]
    ]
    for topics, lack in ((unknown, "unknown in every row"), (never, "present in no row"), (always, "absent in no row")):
        if topics:
            yield f"{', '.join(topics)} {'is' if len(topics) == 1 else 'are'} {lack}"
    if missing:
        yield f"no example of {', '.join(missing)}"
