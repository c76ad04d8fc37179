"""A report and a comparison with every part in them, of another schema than the shipped one."""

import copy
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.curves import precision_recall
from naba.evaluation.error_analysis import error_analysis
from naba.evaluation.readings import consistency, reading_name
from naba.evaluation.slices import slices
from naba.evaluation.trust import chosen_on_validation, trust
from naba.evaluation.uncertainty import compared, scored
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.scores import Labels

Report = dict[str, Any]
RESAMPLES = 100

BEHAVIOUR = {
    "distinct_texts": 3,
    "given_segments": 1,
    "kinds": {
        "minimum": {"tests": 1, "gates_missed": 1, "cases": 3, "passed": 1, "pass_rate": 0.3333, "mean_test_pass_rate": 0.3333, "at_least": 0.9}
    },
    "gates_missed": {"minimum": [0.3333, 0.9], "other sense": [0.3333, 0.9]},
    "tests": [
        {
            "name": "other sense", "kind": "minimum", "description": "Topic words in another sense.", "cases": 3, "sources": 2,
            "passed": 1, "pass_rate": 0.3333, "at_least": 0.9, "gate_met": False,
            "failures": [
                {"text": {"text": "ذهب الرجل إلى السوق", "expected": {}, "decision": {"gold": "optimistic"}}},
                {"before": {"id": "abc123", "decision": {}}, "after": {"id": "abc124", "decision": {"oil": "pessimistic"}}},
            ],
        }
    ],
}  # fmt: skip


def _answers(test: TestSet, seed: int, noise: float) -> Answers:
    """Probabilities near gold; the farther from it, the more noise."""
    generator = np.random.default_rng(seed)
    topic = np.clip(
        np.where(test.gold.presence == 1, 0.8, 0.2) + generator.normal(0, noise, test.gold.presence.shape), 0.01, 0.99
    )
    right = np.eye(len(test.schema.stance_ids))[np.maximum(test.gold.stance, 0)]
    stance = np.clip(right + generator.normal(0, noise, right.shape) + 0.5, 0.05, None)
    stance /= stance.sum(axis=-1, keepdims=True)
    return Answers(Labels((topic >= 0.5).astype(int), stance.argmax(-1)), topic, stance)


@pytest.fixture(scope="session")
def whole_report(markets: LabelSchema, market_rows: list[dict[str, Any]]) -> Report:
    rows = copy.deepcopy(market_rows)
    for number, row in enumerate(rows):
        present = {topic: label["stance"] for topic, label in row["labels"].items() if label["present"]}
        absent = {topic: None for topic in row["labels"] if topic not in present}
        row |= {
            "article_id": f"article-{number // 2}",
            "provenance": {
                "source": "rare" if number < 6 else "وكالة" if number % 3 else "wire",
                "date": f"2024-0{number // 40 + 1}-02",
            },
            "readings": [present | absent, {**present, **absent, **({"oil": "optimistic"} if number % 9 == 0 else {})}],
        }
    items = [LabelledSegment.from_row(row, markets, f"row {n}") for n, row in enumerate(rows)]
    test = TestSet.of(items, markets)
    answers = {
        "model": _answers(test, 0, 0.28),
        "tfidf": _answers(test, 1, 0.5),
        "models/other": _answers(test, 2, 0.3),
    }
    model = answers["model"]
    found = trust(test, model, _answers(test, 3, 0.3))
    read_twice = consistency(test.items, markets)
    return {
        "format": 3,
        "run": "models/markets",
        "schema": {"name": "markets", "fingerprint": markets.fingerprint, "topics": markets.topic_ids, "stances": markets.stance_ids},
        "data": {"data/markets.jsonl": "0123456789abcdef"},
        "segments": len(items), "distinct_segments": len(items), "clusters": len(np.unique(test.clusters)), "authored": 96,
        "train": {"data/train.jsonl": "fedcba9876543210"},
        "leaks": {"in_training": 7, "in_validation": 0, "dropped": False, "allowed": True},
        "systems": {name: {"basis": "run folder", "notes": []} | scored(test, said, resamples=RESAMPLES) for name, said in answers.items()}
        | {"frozen": {"basis": "an encoder", "seconds": 0.0, "reason": "the run has no encoder"}},
        "comparisons": compared(test, "model", answers, resamples=RESAMPLES),
        "readings": {"name": reading_name(test.items)} | asdict(read_twice) if read_twice else None,
        "curves": precision_recall(test, model, dict.fromkeys(markets.topic_ids, 0.5)),
        "trust": found | {"chosen": chosen_on_validation(test.gold, model, test, model, in_use=dict.fromkeys(markets.topic_ids, 0.5))},
        "slices": [one.to_dict() for one in slices(test, model, resamples=RESAMPLES)],
        "errors": error_analysis(test, model).to_dict(),
        "behaviour": BEHAVIOUR,
        "history": [{"step": 10, "epoch": 0.5, "loss": 1.5}, {"step": 20, "epoch": 1.0, "loss": 1.0, "eval_loss": 1.2, "eval_pair_f1": 0.5}],
        "best_step": 20,
        "date": "2026-01-02T03:04:05Z",
        "commit": "0" * 40,
        "versions": {"naba": "0.1.0", "torch": "2.8.0"},
        "hardware": {"machine": "x86_64", "cpu": "AVX2", "threads": 1, "gpu": None},
    }  # fmt: skip


@pytest.fixture
def report(whole_report: Report) -> Report:
    return copy.deepcopy(whole_report)


@pytest.fixture
def comparison(report: Report) -> Report:
    """Three runs, every pair of them."""
    names = {"model": "models/markets", "tfidf": "models/second", "models/other": "وكالة"}
    runs = {shown: report["systems"][name] | {"leaks": report["leaks"]} for name, shown in names.items()}
    differences = [
        {"first": "models/markets", "second": names[name], **row} for name, row in report["comparisons"].items()
    ]
    differences.append(differences[0] | {"first": "models/second", "second": "وكالة"})
    kept = ("schema", "data", "segments", "distinct_segments", "clusters", "authored", "date", "commit", "versions")
    return {"format": 1, "runs": runs, "differences": differences} | {key: report[key] for key in kept}
