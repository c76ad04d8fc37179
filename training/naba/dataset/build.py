"""Building a dataset: articles, votes and labelled sets in; train, validation and test out, with a card and a manifest.

    manifest = build(BuildConfig(train=[…], test=[…], out=Path("data/built/mine")))

gather (material) → place (placement, ledger) → check (leakage) → write. The same input, configuration, seed and ledger give
the same bytes, whether or not the build was stopped on the way. The manifest is written last: where it stands, all is there.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from naba.config import BuildConfig
from naba.corpus.files import article_files
from naba.dataset.card import CONFIGS, write_card
from naba.dataset.inflation import inflation
from naba.dataset.leakage import certificate, stock_text
from naba.dataset.ledger import read_ledger, write_ledger
from naba.dataset.material import KINDS, READ, UNLABELLED, Material, gather
from naba.dataset.placement import Placement, place
from naba.dataset.rows import same_fields
from naba.dataset.split import NOWHERE, PARTS, TRAIN
from naba.dataset.statistics import describe_parts
from naba.errors import DataError, NabaError
from naba.fingerprint import fingerprint, fingerprint_files
from naba.jsonl import write_json, write_jsonl, write_text
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.voting.adjudication import votes_of
from naba.voting.agreement import agreement_of, segments_in_common
from naba.voting.vote_table import VoteTable
from naba.voting.voters import Model

_FILES = (*PARTS, "unlabelled")
_WRITTEN = (*(f"{name}.jsonl" for name in (*_FILES, "set_aside", "rejected")), "README.md")
"""What a build writes anew, besides manifest and ledger."""
_MARK = ".naba-build"
"""Tells a folder that a build has begun to write from one that holds somebody's own files."""


def build(config: BuildConfig, *, model: Model | None = None, progress: Progress = SILENT) -> dict[str, Any]:
    """Build the dataset in `config.out`; returns the manifest, with how many segments the ledger placed.

    Args:
        config: what to build of what.
        model: answers for `config.model`, as `Labeller.label` gives them.
        progress: told of the articles read.

    Raises:
        DataError: nothing is left for training or validation, two parts share what they must not, or a file cannot be
            read or written.
        ConfigError: a labelling rule is wrong.
    """
    schema = LabelSchema.load(find(config.labels))
    ledger_path = config.ledger or config.out / "ledger.jsonl"
    ledger = read_ledger(ledger_path, config.split)
    _check_out(config)
    material = gather(config, schema, model, ledger, progress=progress)
    texts = (item.segment.text for item, repeat in zip(material.items, material.repeats, strict=True) if not repeat)
    stock = stock_text(texts, config.overlap_words)  # each text once: copies in full are no stock text
    placement = place(material, ledger, config, schema, stock)
    parts = _parts(material, placement)
    for name in ("train", "validation"):
        if not parts[name]:
            raise DataError(f"{config.out}: no segment is left for {name}{_why(material, placement, config)}")
    together = {**parts, "train": [*parts["train"], *parts["unlabelled"]]}
    leakage = certificate({name: together[name] for name in PARTS}, config.overlap_words, stock)
    manifest = _manifest(config, schema, material, placement, parts) | {"leakage": leakage}
    _remove_earlier_build(config.out)  # all that can fail for its content has been done
    features = {name: _write(config.out, names, parts) for name, names in CONFIGS.items()}
    _write_notes(config.out, material, placement)
    write_ledger(ledger_path, ledger, _placed(material, placement), config.split)
    write_card(config.out / "README.md", manifest, schema, features)
    names = [path.name for path in sorted(config.out.glob("[!.]*")) if path.is_file()]
    manifest["files"] = {name: fingerprint(config.out / name) for name in names}
    write_json(config.out / "manifest.json", manifest)
    # Not in the file: a build that is repeated finds everything in the ledger, and is to give the same bytes.
    return manifest | {"ledger": {"known": placement.known, "new": int(material.to_place().sum()) - placement.known}}


def _parts(material: Material, placement: Placement) -> dict[str, list[LabelledSegment]]:
    """Part → its segments with their cluster's name; "unlabelled": training text without a label."""
    parts: dict[str, list[LabelledSegment]] = {name: [] for name in _FILES}
    for number in np.flatnonzero(placement.part != NOWHERE).tolist():
        bare = material.kind[number] == UNLABELLED
        parts["unlabelled" if bare else PARTS[placement.part[number]]].append(placement.named(number))
    return parts


def _write(
    out: Path, names: Sequence[str], parts: Mapping[str, Sequence[LabelledSegment]]
) -> Sequence[Mapping[str, Any]]:
    """Write the parts of one of the dataset's configurations; returns the fields of their rows."""
    names = [name for name in names if parts[name]]
    fields = same_fields([[item.to_row() for item in parts[name]] for name in names])
    for name, rows in zip(names, fields.rows, strict=True):
        write_jsonl(out / f"{name}.jsonl", rows)
    return fields.features


def _placed(material: Material, placement: Placement) -> Iterable[tuple[LabelledSegment, int]]:
    """What the ledger is to remember: not files given as a part, which say so themselves, and not clusters that nobody
    has read, which train for want of a reader and may be held out once they have one."""
    read = placement.highest(np.where(material.kind == READ, TRAIN, NOWHERE)) != NOWHERE
    decided = read[placement.clusters.of] | (placement.drawn != TRAIN)
    for number in np.flatnonzero((placement.drawn != NOWHERE) & (material.given == NOWHERE) & decided).tolist():
        yield material.items[number], int(placement.drawn[number])


def _why(material: Material, placement: Placement, config: BuildConfig) -> str:
    """What to do about an empty part."""
    reasons = _set_aside(placement)
    told = "; ".join(f"{count:,} segments: {reason}" for reason, count in reasons.items())
    if not (material.kind == READ).any() and not config.split.weak_held_out:
        return (
            ": all labels come from rules or models, which are no test; add labelled segments under 'train' or "
            "'validation', or set split.weak_held_out"
        )
    return f"; give more data or another split.validation{f' ({told})' if told else ''}"


def _set_aside(placement: Placement) -> dict[str, int]:
    return dict(sorted(Counter(filter(None, placement.reasons)).items()))


def _write_notes(out: Path, material: Material, placement: Placement) -> None:
    """What is not in the dataset, and why: segments by id, and articles that could not be read."""
    write_jsonl(
        out / "set_aside.jsonl",
        (
            {
                "id": item.segment.id,
                "article_id": item.segment.article_id,
                "source": item.provenance.get("source"),
                "kind": KINDS[kind],
                "reason": reason,
            }
            for item, kind, reason in zip(material.items, material.kind, placement.reasons, strict=True)
            if reason
        ),
    )
    if material.harvest:
        write_jsonl(out / "rejected.jsonl", material.harvest.rejected)


def _manifest(
    config: BuildConfig,
    schema: LabelSchema,
    material: Material,
    placement: Placement,
    parts: Mapping[str, Sequence[LabelledSegment]],
) -> dict[str, Any]:
    clusters, read = placement.clusters, material.harvest
    eligible = (material.given == NOWHERE) & (material.kind <= (UNLABELLED - 1 if config.split.weak_held_out else READ))
    numbers = np.flatnonzero(eligible)
    flattery = None
    if config.inflation and len(numbers):
        items = [material.items[number] for number in numbers.tolist()]
        flattery = inflation(items, clusters.of[numbers], material.repeats[numbers], schema, config.seed)
    return {
        "name": config.name or config.out.name,
        "schema": {"name": schema.name, "fingerprint": schema.fingerprint},
        "config": config.model_dump(mode="json"),
        "inputs": _inputs(config),
        "articles": {"read": read.articles, "rejected": len(read.rejected)} if read else None,
        "voters": list(material.voters),
        "unreadable_dates": material.undated,
        "set_aside": _set_aside(placement),
        "near_duplicates": {
            "articles": clusters.articles,
            "clusters": clusters.count,
            "duplicate_ratio": round(clusters.duplicate_ratio, 4),
            "stock_shingles": clusters.stock_shingles,
            "largest": list(clusters.largest),
        },
        "naive_split": flattery,
        "segments": {name: len(parts[name]) for name in _FILES},
        "agreement": _agreement(material, schema),
        "weak": sum(bool(item.extra.get("weak")) for item in parts[PARTS[TRAIN]]),
    } | describe_parts(parts, schema)


def _agreement(material: Material, schema: LabelSchema) -> dict[str, Any]:
    """How far people's votes agree, and the readings of the labelled files; null where nothing was judged twice."""
    readings = [vote for item in material.items for vote in votes_of(item, schema)]
    found: dict[str, Any] = {}
    for name, votes in (("votes", material.people), ("readings", readings)):
        table, _ = VoteTable.from_votes(votes, schema)
        try:
            rows = agreement_of(table, schema) if segments_in_common(table) else None
            found[name] = rows and [asdict(row) for row in rows]
        except NabaError as error:
            found[name] = f"not measured: {error}"
    return found


def _inputs(config: BuildConfig) -> dict[str, str]:
    found = {str(path): fingerprint(find(path)) for path in _given(config)}
    found[str(config.labels)] = fingerprint(find(config.labels))
    if config.rules:
        found[str(config.rules)] = fingerprint_files(sorted(find(config.rules).glob("*.*")))
    for source in config.articles:
        found[str(source.path)] = fingerprint_files(path for _, path in article_files([source.path]))
    return found


def _given(config: BuildConfig) -> tuple[Path, ...]:
    return (*config.train, *config.validation, *config.test, *config.votes, *config.adjudicated)


def _check_out(config: BuildConfig) -> None:
    """Refuse to write over what naba did not build, and over the build's own input; claim the folder otherwise."""
    out = config.out
    ours = [out / name for name in _WRITTEN]
    inputs = {find(path).resolve() for path in _given(config)}
    if mixed := [path for path in ours if path.resolve() in inputs]:
        raise DataError(f"{mixed[0]}: is input and would be written over; choose another 'out'")
    for source in config.articles:
        if inside := [path for _, path in article_files([source.path]) if path.resolve().is_relative_to(out.resolve())]:
            raise DataError(f"{inside[0]}: an article file in 'out', where the build writes; choose another 'out'")
    foreign = [path for path in ours if path.exists()]
    built = any((out / name).exists() for name in (_MARK, "manifest.json", "ledger.jsonl"))
    if foreign and not built:
        raise DataError(f"{foreign[0]}: not written by naba build, which would replace it; choose another 'out'")
    write_text(out / _MARK, "naba build writes this folder\n")


def _remove_earlier_build(out: Path) -> None:
    """Files that this build may not write; the manifest, which says that the rest is whole, goes first."""
    try:
        for stale in ("manifest.json", *_WRITTEN):
            (out / stale).unlink(missing_ok=True)
        for cut in out.glob(".*.tmp"):  # what a killed build was writing
            cut.unlink()
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror}); choose another 'out'") from None
