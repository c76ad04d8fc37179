"""Building a dataset: labelled sets in; train, validation and test out, with a manifest that says what was done.

Whatever overlaps the test data is dropped from the rest; an article, a given `cluster` and near-duplicates stay on one
side of the split. The finished parts are checked for leakage, and the certificate stands in the manifest. Placement depends on the cluster's name and the seed alone, so adding unrelated rows moves none.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from naba.config import BuildConfig
from naba.corpus.dedupe import components, find_near_duplicates
from naba.corpus.labelled import load_labelled, write_labelled
from naba.corpus.leakage import certificate, stock_text, without_overlap
from naba.errors import DataError
from naba.jsonl import write_json
from naba.paths import find
from naba.records import LabelledSegment
from naba.run import fingerprint
from naba.schema import LabelSchema
from naba.text import normaliser

_NORMALISE = normaliser("standard-1")


def build(config: BuildConfig) -> dict[str, Any]:
    """Build the dataset in `config.out`; returns the manifest, which is written last.

    Raises:
        DataError: nothing is left for training or validation, two parts share what they must not, or a file cannot be
            read or written.
    """
    schema = LabelSchema.load(find(config.labels))
    pool = load_labelled(config.train, schema)
    validation = load_labelled(config.validation, schema) if config.validation else []
    test = load_labelled(config.test, schema) if config.test else []
    pool, repeated = _distinct(pool)
    texts = (item.segment.text for item in (*pool, *validation, *test))
    stock = stock_text(texts, config.overlap_words)
    before = len(pool), len(validation)
    validation = without_overlap(validation, test, config.overlap_words, stock)
    train = without_overlap(pool, [*validation, *test], config.overlap_words, stock)
    clusters = clusters_of(train)
    if not config.validation:
        train, validation = split(train, clusters, config.validation_share, config.seed)
        before = before[0] - len(validation), len(validation)
        train = without_overlap(train, validation, config.overlap_words, stock)
    parts = {"train": train, "validation": validation, "test": test}
    for name in ("train", "validation"):
        if not parts[name]:
            raise DataError(f"{config.out}: no segment is left for {name}; give more data or another validation_share")
    leakage = certificate(parts, config.overlap_words, stock)
    _remove_earlier_build(config.out, parts)
    for name, items in parts.items():
        if items:
            write_labelled(config.out / f"{name}.jsonl", items)
    manifest = {
        "schema": {"name": schema.name, "fingerprint": schema.fingerprint},
        "config": config.model_dump(mode="json"),
        "inputs": {str(path): fingerprint(find(path)) for path in (*config.train, *config.validation, *config.test)},
        "dropped": {
            "repeated_text": repeated,
            "train_overlapping_held_out": before[0] - len(train),
            "validation_overlapping_test": before[1] - len(validation),
        },
        "near_duplicates": {"clusters": len(set(clusters)), "largest": Counter(clusters).most_common(1)[0][1]},
        "leakage": leakage,
        "segments": {name: len(items) for name, items in parts.items()},
        "labels": {name: label_counts(items, schema) for name, items in parts.items()},
        "files": {f"{name}.jsonl": fingerprint(config.out / f"{name}.jsonl") for name, items in parts.items() if items},
    }
    write_json(config.out / "manifest.json", manifest)
    return manifest


def _remove_earlier_build(out: Path, names: Iterable[str]) -> None:
    """Files that this build may not write; the manifest, which says that the rest is whole, goes first."""
    try:
        for stale in ("manifest.json", *(f"{name}.jsonl" for name in names)):
            (out / stale).unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror}); choose another 'out'") from None


def split(
    items: Sequence[LabelledSegment], clusters: Sequence[str], share: float, seed: int
) -> tuple[list[LabelledSegment], list[LabelledSegment]]:
    """Train and validation, about `share` of the clusters in the latter; a cluster stays whole."""
    sides: tuple[list[LabelledSegment], list[LabelledSegment]] = ([], [])
    for item, cluster in zip(items, clusters, strict=True):
        digest = hashlib.sha256(f"{seed}:{cluster}".encode()).digest()
        sides[int.from_bytes(digest[:8]) < share * 2**64].append(item)
    return sides


def clusters_of(items: Sequence[LabelledSegment]) -> list[str]:
    """For each item the name of what must stay together: its article, its given cluster, and all their near-duplicates."""
    near = find_near_duplicates([item.segment.text for item in items]).clusters.tolist()
    groups: dict[tuple[str, object], int] = {}
    links = [
        (number, groups.setdefault(key, number))
        for number, item in enumerate(items)
        for key in (("cluster", item.cluster), ("article", item.segment.article_id), ("near", near[number]))
        if key[1] is not None
    ]
    first = components(len(items), np.array(links, dtype=np.int64).reshape(-1, 2))
    return [items[number].cluster or items[number].segment.id for number in first.tolist()]


def label_counts(items: Sequence[LabelledSegment], schema: LabelSchema) -> dict[str, Any]:
    """Segments per topic and stance; "none": segments known to have no topic."""
    counts = {topic: dict.fromkeys(schema.stance_ids, 0) for topic in schema.topic_ids}
    for item in items:
        for topic, label in item.labels.items():
            if label.present and label.stance:
                counts[topic][label.stance] += 1
    none = sum(all(label.present is False for label in item.labels.values()) for item in items)
    sizes = Counter(sum(bool(label.present) for label in item.labels.values()) for item in items)
    return counts | {"none": none, "several_topics": sum(n for size, n in sizes.items() if size > 1)}


def _distinct(items: Sequence[LabelledSegment]) -> tuple[list[LabelledSegment], int]:
    """The first of each text, spacing and spelling marks aside, and how many repeats were dropped."""
    first = {_NORMALISE(item.segment.text): item for item in reversed(items)}
    kept = [item for item in items if first[_NORMALISE(item.segment.text)] is item]
    return kept, len(items) - len(kept)
