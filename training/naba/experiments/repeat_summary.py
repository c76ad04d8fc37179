"""What runs with several seeds, or over folds, come to: mean, deviation, intervals; and how two such experiments differ.

    summary = summarise_predictions(load_predictions(path, schema), schema, test_over_train=0.25)
    comparison = compare_repeats(Path("models/one"), Path("models/other"), schema)
    comparison.differences["pairs.f1"].interval

Mean, deviation and interval are over folds (the seeds of a fold averaged first, for they share its data) or, without
folds, over seeds; beside them stand the pooled scores of all predictions, with an interval over clusters of articles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.dataset.dedupe import components
from naba.errors import ConfigError, DataError
from naba.evaluation.seeds import Summary, summarise
from naba.evaluation.significance import Difference, bootstrap, compare
from naba.experiments.predictions import Predictions, load_predictions
from naba.jsonl import read_json, write_json
from naba.metrics import score
from naba.schema import LabelSchema

SUMMARY_FORMAT = 1
"""Version of summary.json; a reader refuses another."""
SUMMARY, PREDICTIONS = "summary.json", "predictions.jsonl"
_OF_A_CLASS = ("precision", "recall", "f1")
_SUPPORTS = ("segments", "support", "predicted")


@dataclass(frozen=True)
class Comparison:
    """The first experiment against the second, on the segments that both scored."""

    segments: int
    clusters: int
    only_first: int
    """Segments that only the first scored; they are left out."""
    only_second: int
    first: Mapping[str, float | None]
    second: Mapping[str, float | None]
    differences: Mapping[str, Difference]
    """Score → first minus second."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        rows = {
            path: {"first": self.first[path], "second": self.second[path]}
            | asdict(found)
            | {"detectable": found.detectable}
            for path, found in self.differences.items()
        }
        counts = {name: getattr(self, name) for name in ("segments", "clusters", "only_first", "only_second")}
        return counts | {"differences": rows}


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
        `over`, "folds" or "seeds"; `scores`, path → mean, deviation, low, high, count over those that have the score;
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


def compare_repeats(first: Path, second: Path, schema: LabelSchema) -> Comparison:
    """The paired difference of two experiments' pooled scores, first minus second.

    Segments are paired by id; where the numbers of seeds differ, each seed counts as often as makes them equal. Clusters
    are joined where either experiment joined them. Intervals and p tell whether the trained models differ on other
    segments; how far another training would, only the deviation over seeds and folds shows.

    Raises:
        ConfigError: a folder holds no finished `naba repeat`, or one of another label schema.
        DataError: they have no segment in common, or its gold labels differ.
    """
    both = [load_repeats(folder, schema) for folder in (first, second)]
    tables = [_by_segment(predictions) for predictions in both]
    common = [name for name in tables[0] if name in tables[1]]
    if not common:
        raise DataError(f"{first} and {second} have no segment in common; compare experiments on the same data")
    times = lcm(*(len(predictions.seeds) for predictions in both))
    one, two = (
        predictions.pick([number for name in common for number in _repeated(table[name], times)])
        for predictions, table in zip(both, tables, strict=True)
    )
    if not (np.array_equal(one.gold.presence, two.gold.presence) and np.array_equal(one.gold.stance, two.gold.stance)):
        raise DataError(
            f"{first} and {second} were scored against different labels of the same segments; run one again"
        )
    clusters = _joined(one.cluster, two.cluster)
    return Comparison(
        len(common),
        len(np.unique(clusters)),
        len(tables[0]) - len(common),
        len(tables[1]) - len(common),
        scores_of(one, schema),
        scores_of(two, schema),
        compare(one.gold, one.said, two.said, schema, clusters),
    )


def check_comparable(first: Path, second: Path, schema: LabelSchema) -> None:
    """Refuse what `compare_repeats` would refuse of the second experiment, before hours of training of the first.

    Raises:
        ConfigError: the two are one folder, or the second holds no finished `naba repeat`, or one of another label schema.
        DataError: its predictions are damaged.
    """
    if first.resolve() == second.resolve():
        raise ConfigError(f"{second}: is this experiment itself; name the folder of another to compare with")
    load_repeats(second, schema)


def write_comparison(first: Path, second: Path, schema: LabelSchema) -> tuple[Comparison, Path]:
    """`compare_repeats`, written as `compared-with-NAME.json` into the first folder; the comparison and its file."""
    found = compare_repeats(first, second, schema)
    file = first / f"compared-with-{second.resolve().name}.json"
    write_json(file, {"first": str(first), "second": str(second)} | found.to_dict())
    return found, file


def load_repeats(folder: Path, schema: LabelSchema) -> Predictions:
    """The predictions of a finished `naba repeat`.

    Raises ConfigError where the folder holds none of this schema; DataError where its predictions are damaged.
    """
    if not (folder / SUMMARY).is_file():
        raise ConfigError(f"{folder}: no {SUMMARY}; name the folder of a finished 'naba repeat'")
    summary = read_json(folder / SUMMARY)
    if summary.get("format") != SUMMARY_FORMAT:
        raise ConfigError(f"{folder / SUMMARY}: not of this version of naba; run 'naba repeat' again")
    if summary["schema"]["fingerprint"] != schema.fingerprint:
        raise ConfigError(
            f"{folder}: labels other topics or stances than {schema.name!r}, so the two cannot be compared"
        )
    return load_predictions(folder / PREDICTIONS, schema)


def _by_segment(predictions: Predictions) -> dict[str, list[int]]:
    """Segment id → numbers of its predictions, by seed. A segment is scored once a seed."""
    found: dict[str, list[int]] = {}
    for number in np.argsort(predictions.seed, kind="stable").tolist():
        found.setdefault(predictions.ids[number], []).append(number)
    seeds = len(predictions.seeds)
    if any(len(numbers) != seeds for numbers in found.values()):
        raise DataError("predictions: a segment was not scored once with each seed; run 'naba repeat' again")
    return found


def _repeated(numbers: Sequence[int], times: int) -> list[int]:
    return list(numbers) * (times // len(numbers))


def _joined(one: NDArray[np.int64], two: NDArray[np.int64]) -> NDArray[np.int64]:
    """Clusters of N things [N], joined where either of two clusterings joins them."""
    links = []
    for clusters in (one, two):
        _, first, inverse = np.unique(clusters, return_index=True, return_inverse=True)
        links.append(np.stack([first[inverse], np.arange(len(clusters))], axis=1))
    return components(len(one), np.concatenate(links).astype(np.int64))


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
        summary = summarise(values, test_over_train=test_over_train) if values else Summary(0.0, None, None, None, 0)
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
