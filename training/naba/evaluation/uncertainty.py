"""Scores with what is unsure about them: intervals, the smallest difference a test set can show, tests between systems.

part = scored(test, answers)
part["scores"]["pairs"]["f1"], part["intervals"]["pairs.f1"]        # 0.62, [0.55, 0.69]
compared(test, "model", {"model": answers, "tfidf": other})
"""

from collections.abc import Mapping
from typing import Any

from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.intervals import RESAMPLES, bootstrap
from naba.evaluation.significance import alone, compare, detectable_difference, holm, mcnemar
from naba.metrics import score

HEADLINE = ("pairs.f1", "topics.macro_f1", "stances.macro_f1", "exact_match")
"""What systems are compared by."""


def scored(test: TestSet, answers: Answers, *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Any]:
    """`scores` (of `naba.metrics.score`), `intervals` (path → [low, high] at 95 %, or None) and `detectable`.

    `detectable` is, for each headline score, the smallest difference to another system that this test set would most
    likely show, in points of 1; None where it cannot be told.
    """
    intervals = bootstrap(
        test.gold,
        answers.labels,
        test.schema,
        test.clusters,
        probability=answers.topic,
        resamples=resamples,
        seed=seed,
    )
    return {
        "scores": score(test.gold, answers.labels, test.schema, answers.topic),
        "intervals": {path: [found.low, found.high] if found else None for path, found in intervals.items()},
        "detectable": {
            path: detectable_difference(alone(found.error)) if (found := intervals.get(path)) else None
            for path in HEADLINE
        },
    }


def compared(
    test: TestSet, first: str, systems: Mapping[str, Answers], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Any]:
    """One system against each of the others: name → `differences` by headline score, and `mcnemar`.

    A difference holds `value` (the first system's score minus the other's), `interval`, `p` of the randomisation test,
    `p_holm` adjusted for the number of systems, and `detectable`.
    """
    rows: dict[str, Any] = {}
    for name, other in systems.items():
        if name == first:
            continue
        found = compare(
            test.gold,
            systems[first].labels,
            other.labels,
            test.schema,
            test.clusters,
            resamples=resamples,
            seed=seed,
        )
        exactly = mcnemar(test.gold, systems[first].labels, other.labels, test.schema)
        rows[name] = {
            "differences": {
                path: {
                    "value": found[path].value,
                    "interval": [interval.low, interval.high] if (interval := found[path].interval) else None,
                    "p": found[path].p,
                    "detectable": found[path].detectable,
                }
                for path in HEADLINE
                if path in found
            },
            "mcnemar": {"only_first": exactly.only_first, "only_second": exactly.only_second, "p": exactly.p},
        }
    for path in HEADLINE:
        raw = {name: row["differences"][path]["p"] for name, row in rows.items() if path in row["differences"]}
        for name, adjusted in holm(raw).items():
            rows[name]["differences"][path]["p_holm"] = adjusted
    return rows
