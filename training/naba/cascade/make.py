"""`naba cascade`: fits a run's first stage, certifies its thresholds, tries it, and writes it into the run's `cascade/` folder.

    record = make_cascade(Path("models/naba-news"), CascadeConfig(corpus=[Path("archive.jsonl.gz")]))
    record["recalls"]["0.99"]["topics"]["diplomacy"]

A segment passes where its highest topic score reaches one threshold. For each topic the threshold is certified on its own
positives by that very rule, and the lowest of these holds: what is certified is what happens.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.cascade.certificate import CONFIDENCE, Certificate, certify, measured
from naba.cascade.config import CascadeConfig
from naba.cascade.fit import Floats, Ints, Material, calibration, fit_stage, out_of_fold, without_source
from naba.cascade.stage import passing, write_stage
from naba.cascade.trial import Trial
from naba.cascade.unlabelled import Learned, learn
from naba.dataset.labelled import load_labelled
from naba.errors import CheckpointError, ConfigError
from naba.fingerprint import fingerprint
from naba.modelling import checkpoint as checkpoints
from naba.modelling import exported
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.engines import Engine
from naba.modelling.exported import pick_engine, run_fingerprint
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment
from naba.run import environment, training_files
from naba.schema import LabelSchema
from naba.scores import Labels
from naba.tfidf import targets

logger = logging.getLogger(__name__)

FEW = 30
"""A source with fewer certified segments with a topic is not left out in turn: its recall would say nothing."""


def make_cascade(model: str | Path, config: CascadeConfig, *, progress: Progress = SILENT) -> dict[str, Any]:
    """Make the first stage of a run; returns what cascade.json says.

    Raises:
        CheckpointError: no such run, or its folder cannot be written.
        ConfigError: the run's training files are not here, and no others are named.
        DataError: files that cannot be read, or too few labelled segments to fit on.
    """
    folder = find(Path(model))
    checkpoint = checkpoints.load(folder)
    schema = checkpoint.schema
    files = _data(folder, config)
    items = load_labelled(files, schema)
    trial = Trial.of(folder, checkpoint, config, _teacher(checkpoint, folder))
    known = {item.segment.id for item in (*items, *trial.items)}
    learned = learn(checkpoint, trial.engine, config, known, progress=progress)
    material = Material.of(items, learned, schema, checkpoint.normalisation)
    with progress.task("fitting", 2, "steps") as advance:
        scores = out_of_fold(material, config.folds)
        advance(1, "scores of the labelled segments")
        stage = fit_stage(material, np.arange(len(material.groups)))
        advance(1, "the first stage")
    certified = _Certified(items, material, scores, schema)
    levels = {recall: certified.at(recall) for recall in config.recalls}
    record: dict[str, Any] = {
        "run": run_fingerprint(folder),
        "engine": trial.engine.name,
        "normalisation": checkpoint.normalisation,
        "data": {str(path): fingerprint(find(path)) for path in files},
        "unlabelled": {str(path): fingerprint(find(path)) for path in config.unlabelled if find(path).is_file()},
        "segments": {
            "labelled": len(items),
            "certified_on": int(material.certified.sum()),
            "authored": material.authored,
            "labelled_by_the_run": len(learned.texts),
        },
        "topics": _topics(items, material, scores, schema),
        "recalls": {str(recall): level for recall, level in levels.items()},
    }
    certified.leave_sources_out(record["recalls"])
    thresholds = {str(recall): level["threshold"] for recall, level in levels.items()}
    record["corpora"] = {
        str(path): trial.corpus(path, stage, thresholds, set(learned.texts)) for path in config.corpus
    } | _kept(learned, scores[len(items) :], thresholds)
    record["validation"] = trial.scored(stage, thresholds, progress)
    return write_stage(folder, stage, record | {"config": config.model_dump(mode="json")} | environment())


@dataclass(frozen=True)
class _Certified:
    """The positives that recall is certified on, with scores of stages that never saw their clusters."""

    items: Sequence[LabelledSegment]
    material: Material
    scores: Floats  # [N, T]
    schema: LabelSchema

    def at(self, recall: float) -> dict[str, Any]:
        """Threshold and figures of one recall."""
        found = {topic: self._certify(t, recall) for t, topic in enumerate(self.schema.topic_ids)}
        threshold = lowest(found.values())
        passes = passing(self.scores, threshold)
        return {
            "threshold": threshold,
            "confidence": CONFIDENCE,
            "topics": {
                topic: certificate.to_dict() | self._recall(self._positives(t), passes) | {"stances": self._stances(t, passes)}
                for t, (topic, certificate) in enumerate(found.items())
            },
            "any_topic": self._recall(self._any(), passes),
            "passes_of_labelled": round(float(passes[self.material.certified].mean()), 4),
        }  # fmt: skip

    def leave_sources_out(self, levels: Mapping[str, dict[str, Any]]) -> None:
        """Add, for every recall, that of each source by a stage and a threshold made without it."""
        sources = np.array([str(source) for source in self.material.sources], dtype=object)
        positives = self._any()
        for source in sorted({str(one) for one in self.material.sources if one}):
            here = sources == source
            if int((here & positives).sum()) < FEW or not (positives & ~here).any():
                continue
            scores = self.scores.copy()
            scores[here] = without_source(self.material, source)
            for recall, level in levels.items():
                found = [self._certify(t, float(recall), ~here) for t in range(len(self.schema.topic_ids))]
                passes = passing(scores, lowest(found))
                kept = self._recall(positives & here, passes)
                left = level.setdefault("without_source", {})
                left[source] = kept | {
                    "topics": {
                        topic: self._recall(self._positives(t) & here, passes)
                        for t, topic in enumerate(self.schema.topic_ids)
                    },
                    "passes": round(float(passes[here & self.material.certified].mean()), 4),
                    "recall_with_it": self._recall(positives & here, passing(self.scores, level["threshold"]))[
                        "recall"
                    ],
                }

    def _certify(self, topic: int, recall: float, among: NDArray[np.bool_] | None = None) -> Certificate:
        chosen = self._positives(topic) if among is None else self._positives(topic) & among
        return certify(self.scores.max(axis=1)[chosen], self.material.groups[chosen], recall)

    def _positives(self, topic: int) -> NDArray[np.bool_]:
        return np.asarray((self.material.presence[:, topic] == 1) & self.material.certified)

    def _any(self) -> NDArray[np.bool_]:
        return np.asarray((self.material.presence == 1).any(axis=1) & self.material.certified)

    def _recall(self, chosen: NDArray[np.bool_], passes: NDArray[np.bool_]) -> dict[str, Any]:
        return measured(passes[chosen], self.material.groups[chosen])

    def _stances(self, topic: int, passes: NDArray[np.bool_]) -> dict[str, Any]:
        stance = targets(self.items, self.schema).stance[:, topic]
        stance = np.concatenate([stance, np.full(len(passes) - len(stance), -1)])
        return {
            name: self._recall(self._positives(topic) & (stance == s), passes)
            for s, name in enumerate(self.schema.stance_ids)
        }


def lowest(certificates: Any) -> float | None:
    """The threshold that holds for all topics; None, so that everything passes, where it cannot be certified for one."""
    thresholds = [certificate.threshold for certificate in certificates]
    return None if None in thresholds else float(min(thresholds))


def _topics(
    items: Sequence[LabelledSegment], material: Material, scores: Floats, schema: LabelSchema
) -> dict[str, Any]:
    """Of each topic what turns its score into a probability, and the shares of its stances."""
    gold: Labels = targets(items, schema)
    chosen = np.flatnonzero(material.certified)
    topics = {}
    for t, topic in enumerate(schema.topic_ids):
        judged: Ints = gold.stance[:, t][gold.stance[:, t] >= 0]
        counts = np.bincount(judged, minlength=len(schema.stance_ids)) + 1
        slope, offset = calibration(scores[chosen, t], material.presence[chosen, t])
        topics[topic] = {
            "calibration": [round(slope, 6), round(offset, 6)],
            "stances": dict(zip(schema.stance_ids, (counts / counts.sum()).round(4).tolist(), strict=True)),
        }
    return topics


def _kept(learned: Learned, scores: Floats, thresholds: Mapping[str, float | None]) -> dict[str, Any]:
    """Of the segments that the run labelled, by file: how many pass, and how many of those in which it found a topic."""
    files = np.array(learned.files, dtype=object)
    found = {}
    for file in dict.fromkeys(learned.files):
        here = files == file
        passes = {recall: passing(scores[here], threshold) for recall, threshold in thresholds.items()}
        labelled = learned.labelled[here]
        found[f"{file} (labelled by the run)"] = {
            "segments": int(here.sum()),
            "labelled": round(float(labelled.mean()), 4),
            "passes": {recall: round(float(some.mean()), 4) for recall, some in passes.items()},
            "kept": {
                recall: round(float(some[labelled].mean()), 4) if labelled.any() else None
                for recall, some in passes.items()
            },
        }
    return found


def _teacher(checkpoint: Checkpoint, folder: Path) -> Engine:
    """What runs the model that teaches: never the fastest in a trial, for then the first stage would follow from the hour."""
    try:
        return pick_engine(checkpoint, folder, "int8", "cpu")
    except CheckpointError as error:
        if (folder / exported.FOLDER / exported.RECORD).is_file():
            logger.warning("%s; the first stage is made with float32", error)
        return pick_engine(checkpoint, folder, "float32", "cpu")


def _data(folder: Path, config: CascadeConfig) -> list[Path]:
    if config.data:
        return config.data
    files, whole = training_files(folder)
    if not whole:
        raise ConfigError(
            f"{folder}: the run's training files are not all here as they were; name labelled segments with --data"
        )
    return files
