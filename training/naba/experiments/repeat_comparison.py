"""How two experiments of `naba repeat` differ on the segments that both scored; and whether they can be compared at all.

comparison = compare_repeats(Path("models/one"), Path("models/other"), schema)
comparison.differences["pairs.f1"].p
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.dataset.dedupe import components
from naba.errors import DataError
from naba.evaluation.significance import Difference, compare
from naba.experiments.predictions import Predictions, load_predictions
from naba.experiments.repeat_files import PREDICTIONS, read_summary
from naba.experiments.repeat_summary import scores_of
from naba.jsonl import write_json
from naba.metrics import Labels
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.tfidf import targets

ALPHA = 0.05
"""The level of p at which the 95 % interval should leave 0 out."""
METHODS = {
    "p": "paired approximate randomisation test: the two experiments' answers are swapped on whole clusters",
    "interval": "95 %, percentile bootstrap of the paired difference over whole clusters",
}
"""Where a figure of the comparison comes from."""


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
        return counts | {"methods": METHODS, "differences": rows}


def at_odds(difference: Difference) -> bool:
    """Whether interval and p tell different things: 0 is in the one where the other sees a difference, or the reverse."""
    ends = difference.interval
    return ends is not None and (ends.low <= 0 <= ends.high) != (difference.p >= ALPHA)


def compare_repeats(first: Path, second: Path, schema: LabelSchema) -> Comparison:
    """The paired difference of two experiments' pooled scores, first minus second.

    Segments are paired by id; where the numbers of seeds differ, each seed counts as often as makes them equal. Clusters
    are joined where either experiment joined them. Intervals and p tell whether the trained models differ on other
    segments; how far another training would, only the deviation over seeds and folds shows.

    p is the test to go by: it is exact however few clusters tell the two apart (Noreen 1989). The interval is of another
    method, the bootstrap, which is then too narrow: where 4 of 30 clusters differ, all in favour of one, 2 of the 2⁴ ways to
    swap them give as large a difference, and p is 0.125; but only (26/30)³⁰ = 1.4 % of the resamples hold none of the 4, so
    that the 95 % interval leaves 0 out. `at_odds` finds such scores.

    Raises:
        ConfigError: a folder holds no finished `naba repeat`, or one of another label schema.
        DataError: they have no segment in common, or its gold labels differ.
    """
    both = [load_repeats(folder, schema) for folder in (first, second)]
    tables = [_by_segment(predictions) for predictions in both]
    common = _common(tables[0], tables[1], first, second)
    times = lcm(*(len(predictions.seeds) for predictions in both))
    one, two = (
        predictions.pick([number for name in common for number in _repeated(table[name], times)])
        for predictions, table in zip(both, tables, strict=True)
    )
    _check_gold(one.gold, two.gold, first, second)
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


def check_comparable(
    scored: Sequence[LabelledSegment], first: Path, second: Path, schema: LabelSchema
) -> tuple[int, int, int]:
    """Refuse what `compare_repeats` would refuse of the second experiment, before hours of training of the first.

    Args:
        scored: the segments that the first experiment will be scored on.

    Returns:
        How many segments both score, only the first, only the second.

    Raises:
        ConfigError: the second folder holds no finished `naba repeat`, or one of another label schema.
        DataError: its predictions are damaged; the two have no segment in common, or its gold labels differ.
    """
    other = load_repeats(second, schema)
    numbers = {
        scored[number].segment.id: number for number in reversed(range(len(scored)))
    }  # of a text twice the first
    table = _by_segment(other)
    common = _common(numbers, table, first, second)
    _check_gold(
        targets([scored[numbers[name]] for name in common], schema),
        other.pick([table[name][0] for name in common]).gold,
        first,
        second,
    )
    return len(common), len(numbers) - len(common), len(table) - len(common)


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
    read_summary(folder, schema)
    return load_predictions(folder / PREDICTIONS, schema)


def _common(one: Mapping[str, Any], two: Mapping[str, Any], first: Path, second: Path) -> list[str]:
    """The ids in both, in the order of the first."""
    if common := [name for name in one if name in two]:
        return common
    raise DataError(f"{first} and {second} have no segment in common; compare experiments on the same data")


def _check_gold(one: Labels, two: Labels, first: Path, second: Path) -> None:
    differing = (one.presence != two.presence).any(axis=1) | (one.stance != two.stance).any(axis=1)
    if differing.any():
        raise DataError(
            f"{first} and {second} are scored against different labels of the same segments; run one of them again"
        )


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
