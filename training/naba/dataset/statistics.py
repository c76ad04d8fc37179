"""Counts of a dataset for its manifest and card: labels by part, source and month, and what is rare or one-sided."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from naba.records import LabelledSegment
from naba.schema import LabelSchema

UNSTATED = "not stated"
_DATE = slice(0, 7)  # year and month of an ISO date


def describe_parts(parts: Mapping[str, Sequence[LabelledSegment]], schema: LabelSchema) -> dict[str, Any]:
    """Counts by part, and of all parts together by source, by month, and which licences and annotators there are."""
    everything = [item for items in parts.values() for item in items]

    def values(key: str, items: Iterable[LabelledSegment]) -> dict[str, int]:
        return dict(sorted(Counter(str(item.provenance.get(key) or UNSTATED) for item in items).items()))

    return {
        "labels": {name: label_counts(items, schema) for name, items in parts.items() if items},
        "sources": _grouped(everything, schema, "source", slice(None)),
        "months": _grouped(everything, schema, "date", _DATE),
        "licences": values("licence", everything),
        "annotators": values("annotator", filter(_judged, everything)),
        "authored": sum(bool(item.provenance.get("authored")) for item in everything),
    }


def label_counts(items: Iterable[LabelledSegment], schema: LabelSchema) -> dict[str, Any]:
    """Segments per topic and stance, also of unknown stance; "no topic": segments known to have none.

    What is counted beside the topics has a space in its name, which no topic's id has.
    """
    items = list(items)
    counts = {topic: dict.fromkeys(schema.stance_ids, 0) for topic in schema.topic_ids}
    unstated = dict.fromkeys(schema.topic_ids, 0)
    for item in items:
        for topic, label in item.labels.items():
            if label.present and label.stance:
                counts[topic][label.stance] += 1
            elif label.present:
                unstated[topic] += 1
    none = sum(all(label.present is False for label in item.labels.values()) for item in items)
    sizes = Counter(sum(bool(label.present) for label in item.labels.values()) for item in items)
    return counts | {
        "no stance": unstated,
        "no topic": none,
        "several topics": sum(n for size, n in sizes.items() if size > 1),
    }


def _grouped(items: Sequence[LabelledSegment], schema: LabelSchema, key: str, part: slice) -> dict[str, Any]:
    groups: dict[str, list[LabelledSegment]] = defaultdict(list)
    for item in items:
        value = item.provenance.get(key)
        groups[str(value)[part] if value else UNSTATED].append(item)
    return {
        name: {"all segments": len(groups[name]), "judged segments": sum(map(_judged, groups[name]))}
        | label_counts(groups[name], schema)
        for name in sorted(groups)
    }


def _judged(item: LabelledSegment) -> bool:
    return any(label.present is not None for label in item.labels.values())
