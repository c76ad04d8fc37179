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
from naba.errors import ConfigError, DataError
from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.baselines import ALL, FAST, Baseline, run_baselines
from naba.evaluation.behaviour.suite import BehaviourSuite, load_suite, run_behaviour
from naba.evaluation.curves import precision_recall
from naba.evaluation.embeddings import EncoderSource
from naba.evaluation.error_analysis import error_analysis
from naba.evaluation.first_stage import first_stage
from naba.evaluation.leaks import LeakSearch, find_leaks, refuse, unseen_by_all
from naba.evaluation.material import Material
from naba.evaluation.readings import consistency, reading_name
from naba.evaluation.slices import slices
from naba.evaluation.system import System
from naba.evaluation.systems import decided, load_system
from naba.evaluation.trust import chosen_on_validation, trust
from naba.evaluation.uncertainty import compared, scored
from naba.fingerprint import fingerprint, run_mark
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.run import environment
from naba.tfidf import targets

REPORT_FORMAT = 4
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
    suite = _suite(config, system)
    items = load_labelled(config.data, schema)
    known = Material.of(system, train=config.train, validation=config.validation)
    others = _others(system, config)
    leaks = {MODEL: find_leaks(items, known)}
    search = LeakSearch(items)
    leaks |= {name: search.of(other) for name, other in others.items()}
    where = ", ".join(map(str, config.data))
    refuse(leaks, items, where, drop_seen=config.drop_seen, allow_leak=config.allow_leak)
    test = system.scored_on(TestSet.of(unseen_by_all(leaks, items) if config.drop_seen else items, schema))
    answers, uncalibrated = _answers(system, test.texts, config, progress)
    said = {MODEL: answers} | {
        name: _load(other.name, config).answers(test.texts, progress=progress) for name, other in others.items()
    }
    described: dict[str, dict[str, Any]] = {
        name: {"basis": one.description, "notes": list(one.notes)} for name, one in {MODEL: system, **others}.items()
    }
    if known.files and not known.own:
        described[MODEL]["notes"].append(
            "The baselines were fitted on files that were named, not on the run's own training data: they may be better or worse "
            "off than the run was."
        )
    for name in others:
        described[name]["leaks"] = leaks[name].to_dict(dropped=config.drop_seen, allowed=config.allow_leak)
    for baseline in _baselines(system, test, known, config, progress):
        described[baseline.name] = {"basis": baseline.basis, "seconds": round(baseline.seconds, 2)}
        if baseline.answers is None:
            described[baseline.name]["reason"] = baseline.reason
        else:
            said[baseline.name] = baseline.answers
    read_twice = consistency(test.items, test.schema)
    return {
        "format": REPORT_FORMAT,
        "run": str(model),
        "mark": _mark(model),
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
        "leaks": leaks[MODEL].to_dict(dropped=config.drop_seen, allowed=config.allow_leak),
        "resamples": config.resamples,
        "systems": {
            name: part | (_scored(system, test, said[name], config) if name in said else {})
            for name, part in described.items()
        },
        "comparisons": compared(test, MODEL, said, resamples=config.resamples),
        "readings": {"name": reading_name(test.items)} | asdict(read_twice) if read_twice else None,
        "curves": precision_recall(test, answers, system.thresholds),
        "trust": _trust(system, test, answers, uncalibrated, known, config, progress),
        "first_stage": first_stage(system.folder, test, answers, resamples=config.resamples),
        "slices": [
            one.to_dict() for one in slices(test, answers, fields=config.slice_fields, resamples=config.resamples)
        ],
        "errors": error_analysis(test, answers, show=config.shown).to_dict(texts=config.texts),
        "behaviour": _behaviour(system, suite, progress),
        "history": system.record.get("history"),
        "best_step": system.record.get("best_step"),
    } | environment()


def _suite(config: EvaluateConfig, system: System) -> BehaviourSuite | None:
    if config.behaviour is None:
        return None
    suite = load_suite(find(config.behaviour), system.source_schema)
    if system.schema.fingerprint != system.source_schema.fingerprint:
        raise ConfigError(
            f"{system.name}: has no answer for some of the topics that the behaviour tests are about; leave out --behaviour"
        )
    return suite


def _others(system: System, config: EvaluateConfig) -> dict[str, System]:
    """The other runs by the name they have in the report, which is never that of the run itself or a baseline.

    Without their weights: they are loaded again one after the other, to answer.
    """
    found: dict[str, System] = {}
    for given in config.compare:
        name = f"./{given}" if given in (MODEL, *ALL) else given
        if name in found:
            raise ConfigError(f"--compare {given}: is given twice; name every run once")
        found[name] = _load(given, config).released()
        if found[name].schema.fingerprint != system.schema.fingerprint:
            raise DataError(f"{given}: has other topics or stances than {system.name}; they cannot be compared")
    return found


def _load(model: str, config: EvaluateConfig) -> System:
    return load_system(model, device=config.device, batch_size=config.batch_size)


def _answers(
    system: System, texts: Sequence[str], config: EvaluateConfig, progress: Progress
) -> tuple[Answers, Answers | None]:
    """The run's answers, and the same pass's without its temperatures and thresholds, where it has such."""
    if system.checkpoint is None or system.scorer is None:
        return system.answers(texts, progress=progress), None
    scores = system.scorer.score(texts, progress=progress)
    decisions = (system.checkpoint.decision, Decision({}))
    fitted, plain = (decided(scores, decision, system.schema) for decision in decisions)
    return fitted, plain


def _scored(system: System, test: TestSet, answers: Answers, config: EvaluateConfig) -> dict[str, Any]:
    """Scores and intervals; no exact match where a stance cannot be said: only segments without a topic would count."""
    found = scored(test, answers, resamples=config.resamples)
    if system.stances is not None:
        found["scores"]["exact_match"] = found["intervals"]["exact_match"] = found["detectable"]["exact_match"] = None
    return found


def _mark(model: str | Path) -> str | None:
    """What tells the run from all others; None for a model that is not in a folder here."""
    folder = find(Path(model))
    return run_mark(folder) if folder.is_dir() else None


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
        train=known.fitted_on,
        rules=config.rules,
        encoder=source,
        progress=progress,
    )


def _trust(
    system: System,
    test: TestSet,
    answers: Answers,
    uncalibrated: Answers | None,
    known: Material,
    config: EvaluateConfig,
    progress: Progress,
) -> dict[str, Any] | None:
    """Calibration, and what validation recommends; None for a system whose probabilities are not ours to judge."""
    if uncalibrated is None:
        return None
    found = trust(test, answers, uncalibrated)
    if not known.chosen_on:
        return found | {"chosen": None}
    gold = targets(known.chosen_on, test.schema)
    there = system.answers([item.segment.text for item in known.chosen_on], progress=progress)
    in_use = {topic: value for topic, value in system.thresholds.items() if value is not None}
    chosen = chosen_on_validation(gold, there, test, answers, in_use=in_use, target=config.target_error)
    return found | {"chosen": chosen}


def _behaviour(system: System, suite: BehaviourSuite | None, progress: Progress) -> dict[str, Any] | None:
    if suite is None:
        return None
    found = run_behaviour(lambda texts: system.decisions(texts, progress=progress), suite, system.schema)
    return found.to_dict(examples=BEHAVIOUR_EXAMPLES)
