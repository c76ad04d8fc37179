"""The ablation's tables from the logits that `run.py` wrote.

    python tests/benchmarks/ablation/table.py data/real/train.jsonl        # writes results.md and results.json here

Decisions are at probability 0.5 and the likeliest stance: no threshold is fitted. Effects are of pair-F1 on the folds'
segments together. Two things are unsure about them. Which segments were scored: a bootstrap over clusters gives the
intervals. How a training happened to end: of the twelve runs' effects most should be nothing but that, which is what
Lenth's (1989, "Quick and easy analysis of unreplicated factorials") pseudo standard error measures; p is by it, adjusted by
Holm. The averages of the weights are paired with the last weights of the same trainings: a t-test over the twelve.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from arms import AVERAGES, OUT, RUNS, SCREENED, TECHNIQUES, design
from run import file_name, test_of
from scipy import sparse, stats

from naba.dataset.clusters import find_clusters
from naba.dataset.labelled import load_labelled
from naba.evaluation.figures import p_value
from naba.evaluation.seeds import summarise
from naba.evaluation.significance import compare, holm
from naba.metrics import Labels, score
from naba.paths import find
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.scores import count, figures
from naba.tfidf import targets

HERE = Path(__file__).parent
SCORE = "pairs.f1"
RESAMPLES = 2000
_OF_RUNS = (("p (Holm)", lambda row: p_value(row["p_holm"])), ("time", lambda row: f"{row['time']:.1f} ×"))
"""Columns of techniques that cost trainings of their own: head, and the cell of a row."""


class Folds:
    """The scored segments of all folds in a row, and the answers of the runs on them."""

    def __init__(self, folder: Path, items: Sequence[LabelledSegment], schema: LabelSchema) -> None:
        self.folder, self.schema = folder, schema
        self.sources = sorted({str(item.provenance["source"]) for item in items})
        self.parts = {source: test_of(items, source) for source in self.sources}
        self.items = [item for source in self.sources for item in self.parts[source]]
        self.gold, self.clusters = targets(self.items, schema), find_clusters(self.items).of

    def answers(self, run: str, seed: int = 1, average: str | None = None) -> Labels | None:
        """Out-of-fold decisions; None where a fold has not been run."""
        files = [self.folder / file_name(run, source, seed, average) for source in self.sources]
        if not all(file.exists() for file in files):
            return None
        presence, stance = [], []
        for file, source in zip(files, self.sources, strict=True):
            found = np.load(file)
            if [item.segment.id for item in self.parts[source]] != found["ids"].tolist():
                raise SystemExit(f"{file}: other segments than the data's; remove it and run again")
            presence.append(found["topic"] > 0)
            stance.append(found["stance"].argmax(-1))
        return Labels(np.concatenate(presence).astype(int), np.concatenate(stance))

    def seconds(self, run: str, seed: int = 1) -> float:
        """Of training, over the folds."""
        files = [self.folder / file_name(run, source, seed) for source in self.sources]
        return sum(float(json.loads(file.with_suffix(".json").read_text())["train_seconds"]) for file in files)

    def value(self, answers: Labels) -> float:
        """Pair-F1."""
        return float(score(self.gold, answers, self.schema)["pairs"]["f1"])

    def resampled(self, runs: Sequence[Labels]) -> Any:
        """Pair-F1 of every run in every resample of the clusters [R, B]."""
        number = int(self.clusters.max()) + 1
        member = sparse.csr_matrix(
            (np.ones(len(self.clusters)), (self.clusters, np.arange(len(self.clusters)))), (number, len(self.clusters))
        )
        weights = np.random.default_rng(0).multinomial(number, np.full(number, 1 / number), size=RESAMPLES)
        found = []
        for answers in runs:
            counts = count(self.gold, answers, self.schema)
            sums = weights @ (member @ counts.matrix())
            found.append(figures(counts.of_matrix(sums), self.schema, whole=counts.total())[SCORE])
        return np.stack(found)


def screened(folds: Folds) -> dict[str, Any]:
    """Effects of the techniques of the design; empty until all its runs are there."""
    runs = {name: folds.answers(name) for name in design()}
    answers = [found for found in runs.values() if found is not None]
    if len(answers) < len(runs):
        return {}
    on = np.array([[name in run.techniques for name in SCREENED] for run in design().values()])  # [R, K]
    contrast = np.where(on, 1 / on.sum(0), -1 / (~on).sum(0)).T  # [K, R]
    values = np.array([folds.value(found) for found in answers])
    effects, drawn = contrast @ values, contrast @ folds.resampled(answers)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
    seconds = np.array([folds.seconds(name) for name in runs])
    p = lenth(effects)
    adjusted = holm(dict(zip(SCREENED, p.tolist(), strict=True)))
    return {
        name: {
            "what": TECHNIQUES[name].what,
            "effect": float(effects[k]),
            "interval": [float(low[k]), float(high[k])],
            "p": float(p[k]),
            "p_holm": adjusted[name],
            "time": float(seconds[on[:, k]].mean() / seconds[~on[:, k]].mean()),
        }
        for k, name in enumerate(SCREENED)
    } | {"": {"runs": dict(zip(runs, values.tolist(), strict=True))}}


def lenth(effects: Any) -> Any:
    """Two-sided p of each effect [K] by Lenth's pseudo standard error, on a third as many degrees of freedom."""
    sizes = np.abs(effects)
    rough = 1.5 * np.median(sizes)
    error = 1.5 * np.median(sizes[sizes < 2.5 * rough])
    return 2 * stats.t.sf(sizes / error, len(effects) / 3)


def averages(folds: Folds) -> dict[str, Any]:
    """What averaged weights gain over the last ones of the same trainings."""
    rows: dict[str, Any] = {}
    for average, what in AVERAGES.items():
        pairs = [(folds.answers(name), folds.answers(name, average=average)) for name in design()]
        gains = [folds.value(other) - folds.value(last) for last, other in pairs if last and other]
        if len(gains) > 2:
            test = stats.ttest_1samp(gains, 0)
            interval = test.confidence_interval()
            rows[average] = {
                "what": what,
                "effect": float(np.mean(gains)),
                "interval": [float(interval.low), float(interval.high)],
                "p": float(test.pvalue),
                "trainings": len(gains),
            }
    return rows


def singles(folds: Folds) -> dict[str, Any]:
    """Techniques that were tried alone, against the run where all is off."""
    plain = folds.answers("plain")
    rows: dict[str, Any] = {}
    for name in RUNS:
        found = None if name in design() else folds.answers(name)
        if plain is None or found is None:
            continue
        difference = compare(folds.gold, found, plain, folds.schema, folds.clusters)[SCORE]
        rows[name] = {
            "what": TECHNIQUES[name].what if name in TECHNIQUES else ", ".join(RUNS[name].techniques),
            "effect": difference.value,
            "interval": [difference.interval.low, difference.interval.high] if difference.interval else None,
            "p": difference.p,
            "time": folds.seconds(name) / folds.seconds("plain"),
        }
    for name, p in holm({name: row["p"] for name, row in rows.items()}).items():
        rows[name]["p_holm"] = p
    return rows


def seeds(folds: Folds) -> dict[str, Any]:
    """Scores of the runs that were made with several seeds."""
    rows = {}
    for name in RUNS:
        runs = [found for seed in range(1, 11) if (found := folds.answers(name, seed)) is not None]
        if len(runs) > 1:
            values = [folds.value(found) for found in runs]
            summary = summarise(values)
            rows[name] = {"runs": values, "mean": summary.mean, "deviation": summary.deviation}
    return rows


def markdown(result: dict[str, Any]) -> str:
    """The tables, the greatest effect first."""
    lines = [
        "# Which training techniques pay",
        "",
        f"`tests/benchmarks/ablation/table.py` wrote this from the runs of `run.py`: out-of-fold answers on {result['segments']:,}",
        "segments, each source answered by models that were trained on the others only. Effects are in pair-F1.",
        "",
    ]
    if result["screened"]:
        rows = {name: row for name, row in result["screened"].items() if name}
        values = result["screened"][""]["runs"]
        lines += [
            f"## Screened together, in {len(values)} runs (pair-F1 {min(values.values()):.3f} to {max(values.values()):.3f})",
            "",
            *_table(rows, *_OF_RUNS),
        ]
    if result["averages"]:
        lines += [
            "## Averages of the weights, on the same trainings",
            "",
            *_table(
                result["averages"],
                ("p", lambda row: p_value(row["p"])),
                ("trainings", lambda row: str(row["trainings"])),
            ),
        ]
    if result["singles"]:
        lines += [
            "## Alone, beside the plain run (one training each: its luck is not in the interval)",
            "",
            *_table(result["singles"], *_OF_RUNS),
        ]
    if result["seeds"]:
        lines += ["## Several seeds (pair-F1)", ""]
        lines += [
            f"- {name}: mean {row['mean']:.3f}, deviation {row['deviation']:.3f} ({', '.join(f'{v:.3f}' for v in row['runs'])})"
            for name, row in result["seeds"].items()
        ]
    return "\n".join([*lines, ""])


def _table(rows: dict[str, Any], *columns: Any) -> list[str]:
    lines = [
        "| technique | effect [95 %] | " + " | ".join(head for head, _ in columns) + " |",
        "|---|---|" + "---|" * len(columns),
    ]
    for name, row in sorted(rows.items(), key=lambda item: -item[1]["effect"]):
        interval = "" if row["interval"] is None else f" [{row['interval'][0]:+.3f}, {row['interval'][1]:+.3f}]"
        cells = [f"**{name}**: {row['what']}", f"{row['effect']:+.3f}{interval}", *(cell(row) for _, cell in columns)]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folder", type=Path, default=OUT)
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    schema = LabelSchema.load(find(Path("configs/labels.yaml")))
    folds = Folds(arguments.folder, load_labelled([arguments.data], schema), schema)
    result = {
        "segments": len(folds.items),
        "screened": screened(folds),
        "averages": averages(folds),
        "singles": singles(folds),
        "seeds": seeds(folds),
    }
    (arguments.out / "results.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (arguments.out / "results.md").write_text(markdown(result), encoding="utf-8")
    print(markdown(result))


if __name__ == "__main__":
    main()
