"""What runs with several seeds, or over folds, come to: mean, deviation, intervals.

    summary = summarise_predictions(load_predictions(path, schema), schema, test_over_train=0.25)
    summary["scores"]["pairs.f1"]["mean"]

Mean, deviation and interval are over folds (the seeds of a fold averaged first, for they share its data) or, without
folds, over seeds; beside them stand the pooled scores of all predictions, with an interval over clusters of articles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from naba.evaluation.intervals import bootstrap
from naba.evaluation.seeds import Summary, summarise
from naba.experiments.predictions import Predictions
from naba.metrics import score
from naba.schema import LabelSchema

_OF_A_CLASS = ("precision", "recall", "f1")
_SUPPORTS = ("segments", "support", "predicted")


def headline(schema: LabelSchema) -> dict[str, str]:
    """The scores to look at first: path in `naba.metrics.score` → name."""
    names = {"pairs.f1": "pair F1", "topics.macro_f1": "topic macro-F1", "stances.macro_f1": "stance macro-F1"}
    names |= {f"topics.per_topic.{topic}.f1": f"{topic}: topic" for topic in schema.topic_ids}
    return names | {f"stances.per_topic.{topic}.macro_f1": f"{topic}: stance" for topic in schema.topic_ids}


def scores_of(predictions: Predictions, schema: LabelSchema) -> dict[str, float | None]:
    """Every score by its path; None where it cannot be told, as of a class without an example."""
    return _flat(score(predictions.gold, predictions.said, schema))


def summarise_predictions(
    predictions: Predictions, schema: LabelSchema, *, test_over_train: float = 0.0
) -> dict[str, Any]:
    """What the predictions come to.

    Args:
        test_over_train: for folds, see `naba.evaluation.seeds.summarise`.

    Returns:
        `over`, "folds" or "seeds"; `scores`, path → mean, deviation, low, high, count, cut over those that have the score;
        `over_seeds`, the same over the pooled scores of each seed, where there are folds and several seeds; `pooled`,
        path → value, low, high, error over all predictions.
    """
    by_seed = [scores_of(predictions.where(seed=seed), schema) for seed in predictions.seeds]
    folds = [fold for fold in predictions.folds if fold is not None]
    found: dict[str, Any] = {"over": "folds" if folds else "seeds"}
    if folds:
        found["scores"] = _summaries(
            [_mean_over_seeds(predictions.where(fold=fold), schema) for fold in folds], test_over_train
        )
        found["over_seeds"] = _summaries(by_seed) if len(by_seed) > 1 else None
    else:
        found["scores"], found["over_seeds"] = _summaries(by_seed), None
    intervals = bootstrap(predictions.gold, predictions.said, schema, predictions.cluster)
    found["pooled"] = {
        path: {"value": value, "low": None, "high": None, "error": None}
        | (asdict(interval) if value is not None and (interval := intervals.get(path)) else {})
        for path, value in scores_of(predictions, schema).items()
    }
    return found


def _mean_over_seeds(predictions: Predictions, schema: LabelSchema) -> dict[str, float | None]:
    rows = [scores_of(predictions.where(seed=seed), schema) for seed in predictions.seeds]
    return {path: None if value is None else _mean([row[path] for row in rows]) for path, value in rows[0].items()}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _summaries(rows: Sequence[Mapping[str, float | None]], test_over_train: float = 0.0) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in rows[0]:
        values = [value for row in rows if (value := row[path]) is not None]
        summary = (
            summarise(values, test_over_train=test_over_train) if values else Summary(0.0, None, None, None, 0, False)
        )
        found[path] = asdict(summary) | ({} if values else {"mean": None})
    return found


def _flat(scores: Mapping[str, Any], above: str = "") -> dict[str, float | None]:
    """Scores by dotted path without the counts; precision, recall and F1 of a class without an example are None."""
    found: dict[str, float | None] = {}
    for name, value in scores.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{above}{name}.")
        elif name not in _SUPPORTS:
            absent = name in _OF_A_CLASS and scores.get("support") == 0
            found[f"{above}{name}"] = None if absent else value
    return found
