"""The ablation's table from the logits that `run.py` wrote: each arm against the base, on all sources together.

    python tests/benchmarks/ablation/table.py data/real/train.jsonl        # writes results.md and results.json here

Decisions are at probability 0.5 and the likeliest stance: no threshold is fitted. The difference is of pair-F1, with a
bootstrap interval over clusters, and a randomisation test whose p is adjusted for the number of arms (Holm). The base's
own spread over seeds stands below the table: a difference of one run within it means little, whatever its p says.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from run import OUT
from techniques import ARMS

from naba.dataset.clusters import find_clusters
from naba.dataset.labelled import load_labelled
from naba.evaluation.seeds import summarise
from naba.evaluation.significance import compare, holm
from naba.metrics import Labels, score
from naba.paths import find
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.tfidf import targets

HERE = Path(__file__).parent


def answers(folder: Path, items: Sequence[LabelledSegment], seed: int) -> tuple[Labels, float] | None:
    """Out-of-fold decisions on all segments, and the seconds of training; None where a fold is missing."""
    sources = np.array([str(item.provenance["source"]) for item in items])
    topics: dict[int, Any] = {}
    seconds = 0.0
    for source in sorted(set(sources)):
        file = folder / f"{source}-seed-{seed}.npz"
        if not file.exists():
            return None
        found = np.load(file)
        rows = np.flatnonzero(sources == source)
        if [items[row].segment.id for row in rows] != found["ids"].tolist():
            raise SystemExit(f"{file}: other segments than the data's; remove it and run again")
        topics |= {row: (found["topic"][n] > 0, found["stance"][n].argmax(-1)) for n, row in enumerate(rows.tolist())}
        seconds += json.loads(file.with_suffix(".json").read_text())["train_seconds"]
    presence, stance = (np.stack([topics[row][part] for row in range(len(items))]).astype(int) for part in (0, 1))
    return Labels(presence, stance), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folder", type=Path, default=OUT)
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    schema = LabelSchema.load(find(Path("configs/labels.yaml")))
    items = load_labelled([arguments.data], schema)
    gold, clusters = targets(items, schema), find_clusters(items).of
    base = answers(arguments.folder / "base", items, 1)
    if base is None:
        raise SystemExit(f"{arguments.folder}: the base arm is not complete; run tests/benchmarks/ablation/run.py")
    rows: dict[str, dict[str, Any]] = {}
    for name, arm in ARMS.items():
        found = answers(arguments.folder / name, items, 1)
        if found is None:
            continue
        scores = score(gold, found[0], schema)
        rows[name] = {
            "what": arm.what,
            "pair_f1": scores["pairs"]["f1"],
            "topic_macro_f1": scores["topics"]["macro_f1"],
            "stance_macro_f1": scores["stances"]["macro_f1"],
            "train_seconds_over_base": found[1] / base[1],
        }
        if name != "base":
            difference = compare(gold, found[0], base[0], schema, clusters)["pairs.f1"]
            interval = difference.interval
            rows[name] |= {
                "difference": difference.value,
                "interval": [interval.low, interval.high] if interval else None,
                "p": difference.p,
                "detectable": difference.detectable,
            }
    adjusted = holm({name: row["p"] for name, row in rows.items() if "p" in row})
    for name, p in adjusted.items():
        rows[name]["p_holm"] = p
    result = {"segments": len(items), "arms": rows, "seeds": seeds(arguments.folder, items, gold, schema)}
    (arguments.out / "results.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (arguments.out / "results.md").write_text(markdown(result), encoding="utf-8")
    print(markdown(result))


def seeds(folder: Path, items: Sequence[LabelledSegment], gold: Labels, schema: LabelSchema) -> dict[str, Any]:
    """Mean and deviation over seeds of the arms that have several."""
    found = {}
    for name in ARMS:
        runs = [answers(folder / name, items, seed) for seed in range(1, 11)]
        values = [score(gold, run[0], schema)["pairs"]["f1"] for run in runs if run]
        if len(values) > 1:
            summary = summarise(values)
            found[name] = {"runs": values, "mean": summary.mean, "deviation": summary.deviation}
    return found


def markdown(result: dict[str, Any]) -> str:
    """The table, best first."""
    lines = [
        "# Which training techniques pay",
        "",
        f"`{Path('tests/benchmarks/ablation/table.py')}` wrote this from the runs of `run.py`: out-of-fold answers on",
        f"{result['segments']:,} segments, each source answered by a model that was trained on the others only, seed 1.",
        "",
        "| arm | pair-F1 | difference [95 %] | p (Holm) | topic macro-F1 | stance macro-F1 | time |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in sorted(result["arms"].items(), key=lambda item: -item[1]["pair_f1"]):
        change = p = "–"
        if "difference" in row:
            low, high = row["interval"]
            change, p = f"{row['difference']:+.3f} [{low:+.3f}, {high:+.3f}]", f"{row['p_holm']:.3f}"
        lines.append(
            f"| **{name}**: {row['what']} | {row['pair_f1']:.3f} | {change} | {p} | {row['topic_macro_f1']:.3f} "
            f"| {row['stance_macro_f1']:.3f} | {row['train_seconds_over_base']:.1f} |"
        )
    if result["seeds"]:
        lines += ["", "Over seeds (pair-F1):", ""]
        lines += [
            f"- {name}: mean {row['mean']:.3f}, deviation {row['deviation']:.3f} ({', '.join(f'{v:.3f}' for v in row['runs'])})"
            for name, row in result["seeds"].items()
        ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
