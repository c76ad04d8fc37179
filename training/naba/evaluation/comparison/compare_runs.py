"""Any number of runs on the same labelled segments: scores with intervals side by side, every pair tested.

    comparison = compare_runs(["models/a", "models/b"], CompareConfig(data=[Path("data/seed-gold.jsonl")]))

All runs are scored on the same segments, so that what one of them has met before is refused, or left out, for all. Each
run is loaded twice: first for what it may be scored on, then for its answers; one is in memory at a time.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from naba.config import CompareConfig
from naba.dataset.labelled import load_labelled
from naba.errors import ConfigError, DataError
from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.leaks import Leaks, LeakSearch, refuse, unseen_by_all
from naba.evaluation.significance import holm
from naba.evaluation.system import System, narrow
from naba.evaluation.systems import load_system
from naba.evaluation.uncertainty import HEADLINE, compared, scored
from naba.fingerprint import fingerprint
from naba.jsonl import read_json
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment
from naba.run import environment
from naba.schema import LabelSchema

COMPARISON_FORMAT = 1
_SWAPS_A_PAIR = 40
"""p is at least 1 / (1 + swaps), and Holm multiplies the smallest by the number of pairs: with 40 swaps for each it can
still fall below 0.025."""
_WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class _Run:
    """One of the runs, without its weights."""

    model: str
    """As the user named it."""
    system: System
    leaks: Leaks
    weights: str | None
    """Fingerprint of its weights; None where they are not one file here."""


def compare_runs(models: Sequence[str | Path], config: CompareConfig, *, progress: Progress = SILENT) -> dict[str, Any]:
    """Score runs on the same segments and test every pair; returns the content of comparison.json.

    p-values are adjusted (Holm) for the number of pairs, each score for itself.

    Args:
        models: two or more run folders, checkpoints inside them, or with `config.mapping` text classifiers.

    Raises:
        CheckpointError: one of them cannot be loaded.
        ConfigError: fewer than two are given, or one of them twice, or a mapping that none of them needs.
        DataError: the data cannot be read, the runs have different topics or stances, or one has met the data before.
    """
    names = run_names(models)
    if config.mapping is not None and all(_of_naba(find(Path(model))) for model in names.values()):
        raise ConfigError(f"mapping = {config.mapping}: all of these are runs of naba, which need none; leave it out")
    runs, items = _survey(names, config, progress)
    schema = next(iter(runs.values())).system.source_schema
    leaks = {name: run.leaks for name, run in runs.items()}
    where = ", ".join(map(str, config.data))
    refuse(leaks, items, where, drop_seen=config.drop_seen, allow_leak=config.allow_leak)
    test = TestSet.of(unseen_by_all(leaks, items) if config.drop_seen else items, schema)
    for run in runs.values():
        test = run.system.scored_on(test)
    answers = {name: _answers(run, test, config, progress) for name, run in runs.items()}
    parts = {name: scored(test, answers[name], resamples=config.resamples) for name in runs}
    order = sorted(runs, key=lambda name: -parts[name]["scores"]["pairs"]["f1"])
    return {
        "format": COMPARISON_FORMAT,
        "schema": {
            "name": test.schema.name,
            "fingerprint": test.schema.fingerprint,
            "topics": list(test.schema.topic_ids),
            "stances": list(test.schema.stance_ids),
        },
        "data": {str(path): fingerprint(find(path)) for path in config.data},
        "segments": len(test.items),
        "distinct_segments": len({item.segment.id for item in test.items}),
        "clusters": len(np.unique(test.clusters)),
        "authored": sum(bool(item.provenance.get("authored")) for item in test.items),
        "runs": {name: _described(runs[name], runs, config) | parts[name] for name in order},
        "differences": _differences(test, {name: answers[name] for name in order}, config.resamples, progress),
    } | environment()


def run_names(models: Sequence[str | Path]) -> dict[str, str]:
    """A short name for each model → the model as it was given: its folder's, with as much before it as tells them apart.

    Raises ConfigError for fewer than two models, or one that is given twice.
    """
    given = [str(model) for model in models]
    if len(given) < 2:
        raise ConfigError("give two runs or more to compare; for one alone there is `naba evaluate`")
    places = [str(found.resolve()) if (found := find(Path(model))).exists() else model for model in given]
    twice = [model for model, count in Counter(places).items() if count > 1]
    if twice:
        raise ConfigError(f"{given[places.index(twice[0])]}: is given twice; name every run once")
    # A checkpoint's number alone says nothing, and the folder `checkpoints` never does.
    parts = [[part for part in Path(place).parts if part != "checkpoints"] for place in places]
    depth = {number: 2 if path[-1].startswith("checkpoint-") else 1 for number, path in enumerate(parts)}
    while True:
        names = ["/".join(path[-depth[number] :]) for number, path in enumerate(parts)]
        clashing = [number for number, name in enumerate(names) if names.count(name) > 1]
        if not any(depth[number] < len(parts[number]) for number in clashing):
            break
        for number in clashing:
            depth[number] += 1
    return dict(zip(names, given, strict=True)) if not clashing else dict(zip(given, given, strict=True))


def _survey(
    names: Mapping[str, str], config: CompareConfig, progress: Progress
) -> tuple[dict[str, _Run], list[LabelledSegment]]:
    """What each run is and has met before, and the segments of the data."""
    runs: dict[str, _Run] = {}
    items: list[LabelledSegment] = []
    schema: LabelSchema | None = None
    with progress.task("what the runs have met", len(names), "runs") as advance:
        for name, model in names.items():
            system = _load(model, config).released()
            if schema is None:
                schema = system.source_schema
                items = load_labelled(config.data, schema)
                search = LeakSearch(items)
            elif system.source_schema.fingerprint != schema.fingerprint:
                first = next(iter(names.values()))
                raise DataError(f"{model}: has other topics or stances than {first}; they cannot be compared")
            weights = find(Path(model)) / _WEIGHTS
            mark = fingerprint(weights) if weights.is_file() else None
            runs[name] = _Run(model, system, search.of(system), mark)
            advance(1, name)
    return runs, items


def _load(model: str, config: CompareConfig) -> System:
    mapping = None if config.mapping is None or _of_naba(find(Path(model))) else config.mapping
    return load_system(model, mapping=mapping, device=config.device, batch_size=config.batch_size)


def _of_naba(folder: Path) -> bool:
    """Whether a folder is a run or a checkpoint of naba, which needs no mapping."""
    if not folder.is_dir():
        return False
    if any((above / "train.json").is_file() for above in (folder, *folder.resolve().parents[:2])):
        return True
    config = folder / "config.json"
    return config.is_file() and "naba" in read_json(config)


def _answers(run: _Run, test: TestSet, config: CompareConfig, progress: Progress) -> Answers:
    system = _load(run.model, config)
    return narrow(system.answers(test.texts, progress=progress), system.schema, test.schema)


def _described(run: _Run, runs: Mapping[str, _Run], config: CompareConfig) -> dict[str, Any]:
    """`basis`, `notes` and `leaks` of one run."""
    notes = list(run.system.notes)
    same = [name for name, other in runs.items() if other is not run and run.weights and other.weights == run.weights]
    if same:
        notes.append(f"It has the same weights as {', '.join(same)}.")
    return {
        "basis": run.system.description,
        "notes": notes,
        "leaks": run.leaks.to_dict(dropped=config.drop_seen, allowed=config.allow_leak),
    }


def _differences(
    test: TestSet, answers: Mapping[str, Answers], resamples: int, progress: Progress
) -> list[dict[str, Any]]:
    """Every pair of runs, the better one first, with p-values adjusted for the number of pairs."""
    pairs = list(combinations(answers, 2))
    resamples = max(resamples, _SWAPS_A_PAIR * len(pairs))
    rows = []
    with progress.task("testing differences", len(pairs), "pairs") as advance:
        for first, second in pairs:
            both = {name: answers[name] for name in (first, second)}
            found = compared(test, first, both, resamples=resamples)[second]
            rows.append({"first": first, "second": second, **found})
            advance(1, "")
    for path in HEADLINE:
        differences = {str(number): row["differences"].get(path) for number, row in enumerate(rows)}
        adjusted = holm({number: found["p"] for number, found in differences.items() if found})
        for number, p in adjusted.items():
            rows[int(number)]["differences"][path]["p_holm"] = p
    return rows
