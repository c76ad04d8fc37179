"""A run against labelled segments it has not seen, with the baselines beside it.

report = evaluate_run(Path("models/mine"), EvaluateConfig(data=[Path("data/seed-gold.jsonl")]))
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from naba.config import EvaluateConfig
from naba.dataset.labelled import load_labelled
from naba.dataset.leakage import stock_text, without_overlap
from naba.errors import DataError
from naba.evaluation.baselines import majority, targets, tfidf
from naba.fingerprint import fingerprint
from naba.metrics import Labels, score
from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.device import pick_device
from naba.modelling.infer import score_texts
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment
from naba.run import environment, training_files

REPORT_FORMAT = 1
OVERLAP_WORDS = 13
"""A test segment that shares a run of this many words with training counts as seen."""


def evaluate_run(model: Path, config: EvaluateConfig, *, progress: Progress = SILENT) -> dict[str, Any]:
    """Score one run; returns the content of report.json.

    The baselines need training data: `config.train`, or what the run's own run.json names if it is still there with
    the same content. Segments of the test data that the training data holds too are counted in the report.

    Raises:
        CheckpointError: the run cannot be loaded. DataError: the data cannot be read, or has other topics or stances.
    """
    checkpoint = checkpoints.load(model)
    checkpoint.model.to(pick_device(config.device))
    schema = checkpoint.schema
    test = load_labelled(config.data, schema)
    training_files = [find(path) for path in config.train] or _files_of_run(find(model))
    training = load_labelled(training_files, schema) if training_files else []
    unseen = _unseen(test, training)
    seen, test = len(test) - len(unseen), unseen if config.drop_seen else test
    if not test:
        raise DataError(
            f"{', '.join(map(str, config.data))}: every segment shares an article or text with the training data"
        )
    texts = [item.segment.text for item in test]
    gold = targets(test, schema)
    systems = {"model": score(gold, predict(checkpoint, texts, config.batch_size, progress), schema)}
    if training:
        systems["tfidf"] = score(gold, tfidf(training, texts, schema), schema)
        systems["majority"] = score(gold, majority(targets(training, schema), len(test), schema), schema)
    return {
        "format": REPORT_FORMAT,
        "run": str(model),
        "schema": {
            "name": schema.name,
            "fingerprint": schema.fingerprint,
            "topics": schema.topic_ids,
            "stances": schema.stance_ids,
        },
        "data": {str(path): fingerprint(find(path)) for path in config.data},
        "segments": len(test),
        "distinct_segments": len({item.segment.id for item in test}),
        "train": {str(path): fingerprint(path) for path in training_files} or None,
        "seen_in_training": seen if training else None,
        "seen_dropped": config.drop_seen,
        "authored": sum(bool(item.provenance.get("authored")) for item in test),
        "systems": systems,
    } | environment()


def predict(checkpoint: Checkpoint, texts: Sequence[str], batch_size: int = 32, progress: Progress = SILENT) -> Labels:
    """The model's decisions on texts: presence [N, T] and, for every topic, the likeliest stance [N, T]."""
    scores = score_texts(checkpoint, texts, batch_size=batch_size, progress=progress)
    probability, _ = checkpoint.decision.probabilities(scores.topic, scores.stance, checkpoint.schema)
    present = probability >= checkpoint.decision.thresholds(checkpoint.schema)
    return Labels(present.astype(int), np.asarray(scores.stance.argmax(-1)))


def _unseen(test: Sequence[LabelledSegment], training: Sequence[LabelledSegment]) -> list[LabelledSegment]:
    """The test segments that share no article, cluster, run of OVERLAP_WORDS words or fifth of their text with training."""
    stock = stock_text((item.segment.text for item in (*test, *training)), OVERLAP_WORDS)
    return without_overlap(test, training, OVERLAP_WORDS, stock)


def _files_of_run(model: Path) -> list[Path]:
    """The training files of a run, if all are still there unchanged: a baseline of a part would be no baseline."""
    files, all_there = training_files(model)
    return files if all_there else []
