"""What a search found, as files: trials.json, trials.csv, and best.yaml, a configuration for `naba train`."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from naba.experiments.search_space import SearchConfig
from naba.jsonl import write_json, write_text

TRIALS_FORMAT = 1
"""Version of trials.json."""
_STATES = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}


def write_results(config: SearchConfig, trials: Sequence[Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write the three files; returns the content of trials.json.

    Args:
        trials: Optuna's, ended, in order.
        facts: what else a reader must know: data, versions, hardware.
    """
    rows = [_row(number, trial) for number, trial in enumerate(trials)]
    scored = [row for row in rows if row["state"] == "finished"]
    best = max(scored, key=lambda row: row["value"], default=None)  # the first of equal ones
    note = optimism(len(scored))
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


def optimism(finished: int) -> str:
    """What the best score is worth."""
    return (
        f"The best of {finished} scores on one validation set is optimistic: luck was chosen too. Measure it anew, with "
        "naba repeat over folds or naba evaluate on a test set."
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
