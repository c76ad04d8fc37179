"""A run against labelled segments it has not seen: scores with intervals, beside baselines and other runs.

    report = evaluate_run("models/mine", EvaluateConfig(data=[Path("data/seed-gold.jsonl")]))

Load (systems) → refuse what the run has met before (leaks) → answers of run, other runs, baselines → the parts of the
report: uncertainty, curves, trust, slices, error analysis, behaviour tests. Tables and pages are made from the report
alone (report, page).
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from naba.calibration import Decision
from naba.config import EvaluateConfig
from naba.dataset.labelled import load_labelled
from naba.errors import DataError
from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.baselines import ALL, FAST, Baseline, run_baselines
from naba.evaluation.behaviour.suite import BehaviourSuite, load_suite, run_behaviour
from naba.evaluation.curves import precision_recall
from naba.evaluation.embeddings import EncoderSource
from naba.evaluation.error_analysis import error_analysis
from naba.evaluation.leaks import Leaks, find_leaks
from naba.evaluation.material import Material
from naba.evaluation.readings import READERS, consistency
from naba.evaluation.slices import slices
from naba.evaluation.system import System
from naba.evaluation.systems import load_system
from naba.evaluation.trust import chosen_on_validation, trust
from naba.evaluation.uncertainty import compared, scored
from naba.fingerprint import fingerprint
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.infer import score_texts
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment
from naba.run import environment
from naba.scores import Labels

REPORT_FORMAT = 3
BEHAVIOUR_EXAMPLES = 10
"""Failing cases of each behaviour test that a report shows."""
MODEL = "model"
"""The name of the evaluated run among the systems of a report."""
_BASELINES = {"all": ALL, "fast": FAST, "none": ()}


def evaluate_run(model: str | Path, config: EvaluateConfig, *, progress: Progress = SILENT) -> dict[str, Any]:
    """Evaluate one run; returns the content of report.json.

    Args:
        model: a run folder, a checkpoint inside one, or with `config.mapping` any text classifier.

    Raises:
        CheckpointError: it cannot be loaded.
        ConfigError: the behaviour tests cannot be read, or ask for topics that it has no answer for.
        DataError: the data cannot be read, has other topics or stances, or holds what the run was trained or chosen on.
    """
    system = load_system(model, mapping=config.mapping, device=config.device, batch_size=config.batch_size)
    schema = system.source_schema
    items = load_labelled(config.data, schema)
    known = Material.of(system, train=config.train, validation=config.validation)
    leaks = find_leaks(items, known.training, known.validation)
    _refuse(leaks, items, config)
    suite = load_suite(find(config.behaviour), schema) if config.behaviour else None
    test = system.scored_on(TestSet.of(leaks.unseen if config.drop_seen else items, schema))
    answers = {MODEL: system.answers(test.texts, progress=progress)}
    described: dict[str, dict[str, Any]] = {MODEL: {"basis": system.description, "notes": list(system.notes)}}
    for name in config.compare:
        other = load_system(name, device=config.device, batch_size=config.batch_size)
        answers[name] = _same_topics(other, system).answers(test.texts, progress=progress)
        described[name] = {"basis": other.description, "notes": list(other.notes)}
    for baseline in _baselines(system, test, known, config, progress):
        described[baseline.name] = {"basis": baseline.basis, "seconds": round(baseline.seconds, 2)}
        if baseline.answers is None:
            described[baseline.name]["reason"] = baseline.reason
        else:
            answers[baseline.name] = baseline.answers
    read_twice = consistency(test.items, test.schema)
    return {
        "format": REPORT_FORMAT,
        "run": str(model),
        "schema": {
            "name": test.schema.name,
            "fingerprint": test.schema.fingerprint,
            "topics": test.schema.topic_ids,
            "stances": test.schema.stance_ids,
        },
        "data": {str(path): fingerprint(find(path)) for path in config.data},
        "segments": len(test.items),
        "distinct_segments": len({item.segment.id for item in test.items}),
        "clusters": len(np.unique(test.clusters)),
        "authored": sum(bool(item.provenance.get("authored")) for item in test.items),
        "train": {str(path): fingerprint(path) for path in known.files} or None,
        "leaks": {
            "in_training": leaks.in_training,
            "in_validation": leaks.in_validation,
            "dropped": config.drop_seen,
            "allowed": config.allow_leak,
        },
        "systems": {
            name: part | (scored(test, answers[name], resamples=config.resamples) if name in answers else {})
            for name, part in described.items()
        },
        "comparisons": compared(test, MODEL, answers, resamples=config.resamples),
        "readings": {"name": READERS} | asdict(read_twice) if read_twice else None,
        "curves": precision_recall(test, answers[MODEL], system.thresholds),
        "trust": _trust(system, test, answers[MODEL], known, config, progress),
        "slices": [
            one.to_dict()
            for one in slices(test, answers[MODEL], fields=config.slice_fields, resamples=config.resamples)
        ],
        "errors": error_analysis(test, answers[MODEL], show=config.shown).to_dict(texts=config.texts),
        "behaviour": _behaviour(system, suite, progress),
        "history": system.record.get("history"),
        "best_step": system.record.get("best_step"),
    } | environment()


def _refuse(leaks: Leaks, items: Sequence[LabelledSegment], config: EvaluateConfig) -> None:
    where = ", ".join(map(str, config.data))
    if config.drop_seen and not leaks.unseen:
        raise DataError(f"{where}: every segment shares an article or text with the training data")
    if leaks.in_validation and not config.allow_leak:
        raise DataError(
            f"{where}: {leaks.in_validation} of {len(items)} segments are in the run's validation set, on which its checkpoint and "
            "thresholds were chosen; give other data, or --allow-leak for a report that says so"
        )
    if leaks.in_training and not (config.drop_seen or config.allow_leak):
        raise DataError(
            f"{where}: {leaks.in_training} of {len(items)} segments share an article or text with the run's training data; leave "
            "them out with --set drop_seen=true, or give --allow-leak for a report that says so"
        )


def _same_topics(other: System, system: System) -> System:
    if other.schema.fingerprint != system.schema.fingerprint:
        raise DataError(f"{other.name}: has other topics or stances than {system.name}; they cannot be compared")
    return other


def _baselines(
    system: System, test: TestSet, known: Material, config: EvaluateConfig, progress: Progress
) -> list[Baseline]:
    encoder = config.encoder or system.encoder
    source = None
    if encoder:
        source = EncoderSource(encoder, system.normalisation, system.max_tokens, config.device, cache=config.cache)
    return run_baselines(
        _BASELINES[config.baselines],
        test.texts,
        test.schema,
        train=known.training,
        rules=config.rules,
        encoder=source,
        progress=progress,
    )


def _trust(
    system: System, test: TestSet, answers: Answers, known: Material, config: EvaluateConfig, progress: Progress
) -> dict[str, Any] | None:
    """Calibration, and what validation recommends; None for a system whose probabilities are not ours to judge."""
    if system.checkpoint is None:
        return None
    found = trust(test, answers, _uncalibrated(system.checkpoint, test.texts, config.batch_size, progress))
    if not known.validation:
        return found | {"chosen": None}
    validation = TestSet.of(known.validation, test.schema)
    there = system.answers(validation.texts, progress=progress)
    return found | {"chosen": chosen_on_validation(validation, there, test, answers, target=config.target_error)}


def _behaviour(system: System, suite: BehaviourSuite | None, progress: Progress) -> dict[str, Any] | None:
    if suite is None:
        return None
    found = run_behaviour(lambda texts: system.decisions(texts, progress=progress), suite, system.schema)
    return found.to_dict(examples=BEHAVIOUR_EXAMPLES)


def _uncalibrated(checkpoint: Checkpoint, texts: Sequence[str], batch_size: int, progress: Progress) -> Answers:
    scores = score_texts(checkpoint, texts, batch_size=batch_size, progress=progress)
    topic, stance = Decision({}).probabilities(scores.topic, scores.stance, checkpoint.schema)
    return Answers(Labels((topic >= 0.5).astype(int), stance.argmax(-1)), topic, stance)
