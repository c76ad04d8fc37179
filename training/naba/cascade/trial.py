"""The first stage tried out: what passes of a corpus, and what the run's scores lose by it.

trial = Trial.of(folder, checkpoint, config, engine)
trial.corpus(Path("archive.jsonl.gz"), stage, {"0.99": -1.2}, without=set())
trial.scored(stage, {"0.99": -1.2}, SILENT)
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from naba.cascade.config import CascadeConfig
from naba.cascade.stage import LinearStage, behind, passing
from naba.cascade.unlabelled import corpus_texts
from naba.dataset.labelled import load_labelled
from naba.errors import DataError
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.engines import Engine
from naba.modelling.infer import Scorer
from naba.paths import find
from naba.progress import Progress
from naba.records import LabelledSegment
from naba.run import validation_files
from naba.scores import Labels, count, figures
from naba.tfidf import targets

Thresholds = Mapping[str, float | None]
"""Recall → threshold; None: everything passes."""


@dataclass(frozen=True)
class Trial:
    """A run with what its first stage is tried on."""

    checkpoint: Checkpoint
    engine: Engine
    config: CascadeConfig
    items: Sequence[LabelledSegment]
    """Validation; empty where the run's files are not here and no others are named."""

    @classmethod
    def of(cls, folder: Path, checkpoint: Checkpoint, config: CascadeConfig, engine: Engine) -> "Trial":
        """Load what the run is scored on. Raises DataError for a file that is named and cannot be read."""
        files = config.validation or _recorded(folder)
        return cls(checkpoint, engine, config, load_labelled(files, checkpoint.schema) if files else [])

    def corpus(self, path: Path, stage: LinearStage, thresholds: Thresholds, without: Set[str]) -> dict[str, Any]:
        """Share of a corpus's segments that pass; texts of `without` are left out. Raises DataError if nothing is left."""
        articles, texts = corpus_texts(path, self.config, without)
        if not texts:
            raise DataError(f"{path}: no segment that the first stage was not taught with; name more articles")
        scores = stage.scores(texts)
        return {
            "articles": articles,
            "segments": len(texts),
            "passes": {
                recall: round(float(passing(scores, threshold).mean()), 4) for recall, threshold in thresholds.items()
            },
        }

    def scored(self, stage: LinearStage, thresholds: Thresholds, progress: Progress) -> dict[str, Any] | None:
        """Pair-F1 of the run alone and behind the first stage, and the latter's recall; None without validation."""
        if not self.items:
            return None
        schema, decision = self.checkpoint.schema, self.checkpoint.decision
        texts = [item.segment.text for item in self.items]
        raw = Scorer(self.checkpoint, self.engine).score(texts, progress=progress)
        alone = decision.labels(*decision.probabilities(raw.topic, raw.stance, schema), schema)
        gold, first = targets(self.items, schema), stage.scores(texts)
        positive = (gold.presence == 1).any(axis=1)
        found: dict[str, Any] = {"segments": len(texts), "with_a_topic": int(positive.sum())} | _f1(gold, alone, self)
        for recall, threshold in thresholds.items():
            passes = passing(first, threshold)
            found[recall] = _f1(gold, behind(alone, passes), self) | {
                "passes": round(float(passes.mean()), 4),
                "recall": round(float(passes[positive].mean()), 4) if positive.any() else None,
            }
        return found


def _f1(gold: Labels, said: Labels, trial: Trial) -> dict[str, float]:
    scores = figures(count(gold, said, trial.checkpoint.schema).total(), trial.checkpoint.schema)
    names = {"pair_f1": "pairs.f1", "macro_pair_f1": "pairs.macro_f1"}
    return {name: round(float(np.nan_to_num(scores[path])), 4) for name, path in names.items()}


def _recorded(folder: Path) -> list[Path]:
    """The run's validation files, if all are here."""
    files = validation_files(folder)
    return files if all(find(path).is_file() for path in files) else []
