"""What a search found, as files: trials.json, trials.csv, and best.yaml, a configuration for `naba train`.

Where no trial scored above 0 none is the best: which of them comes first is chance, and there is no best.yaml.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from naba.experiments.search_space import SearchConfig
from naba.experiments.wording import counted
from naba.jsonl import write_json, write_text

TRIALS_FORMAT = 1
"""Version of trials.json."""
_NOTHING = {
    "pair_f1": "No trial got a (topic, stance) pair of the validation data right",
    "topic_macro_f1": "No trial got a topic of the validation data right",
    "stance_macro_f1": "No trial got a stance of the validation data right",
}
_STATES = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}


def write_results(config: SearchConfig, trials: Sequence[Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write the three files; returns the content of trials.json.

    Args:
        trials: Optuna's, ended, in order.
        facts: what else a reader must know: data, versions, hardware.
    """
    rows = [_row(number, trial) for number, trial in enumerate(trials)]
    scored = [row for row in rows if row["state"] == "finished"]
    above = [row for row in scored if row["value"] > 0]
    best = max(above, key=lambda row: row["value"], default=None)  # the first of equal ones
    ties = sum(row["value"] == best["value"] for row in scored) if best else 0
    note = optimism(len(scored), ties) if best else nothing(config.objective, len(scored))
    found = {
        "format": TRIALS_FORMAT,
        "config": config.model_dump(mode="json"),
        "trials": rows,
        "best": {key: best[key] for key in ("number", "value", "values")} if best else None,
        "note": note,
    } | dict(facts)
    write_json(config.out / "trials.json", found)
    write_text(config.out / "trials.csv", _table(rows, list(config.space)))
    if best:
        chosen = config.trial(best["values"], config.out / "best").model_dump(mode="json")
        said = yaml.safe_dump(chosen, sort_keys=False, allow_unicode=True)
        head = f"# The best of {len(scored)} trials of naba search: {config.objective} {best['value']:.3f} on validation.\n"
        write_text(config.out / "best.yaml", f"{head}# {note}\n{said}")
    return found


def optimism(finished: int, ties: int = 1) -> str:
    """What the best score is worth; `ties`: how many trials have it."""
    measure = "Measure it again, with naba repeat over folds or naba evaluate on a test set."
    shared = f" {ties} trials share the best score, of which the first was taken." if ties > 1 else ""
    if finished == 1:
        return f"A single trial was finished: nothing was compared. {measure}"
    return f"The best of {finished} scores on one validation set is optimistic: luck was chosen too.{shared} {measure}"


def nothing(objective: str, finished: int) -> str:
    """Why there is no best trial."""
    if not finished:
        return "No trial is finished yet."
    return (
        f"{_NOTHING[objective]} ({counted(finished, 'finished trial')}, {objective} 0): there is no best one, and no "
        "best.yaml. Train longer (epochs), give more data, or search other values."
    )


def _row(number: int, trial: Any) -> dict[str, Any]:
    return {
        "number": number,
        "state": _STATES[trial.state.name],
        "value": trial.value if trial.state.name == "COMPLETE" else None,
        "values": dict(sorted(trial.params.items())),
        "evaluations": [value for _, value in sorted(trial.intermediate_values.items())],
        "seconds": round(trial.duration.total_seconds(), 1),
        "reason": trial.user_attrs.get("reason"),
    }


def _table(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> str:
    """As CSV, a row a trial."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["number", "state", "value", *keys, "seconds", "reason"])
    for row in rows:
        values = [row["values"].get(key) for key in keys]
        table.writerow([row["number"], row["state"], row["value"], *values, row["seconds"], row["reason"]])
    return file.getvalue()
