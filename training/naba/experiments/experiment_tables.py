"""Tables of experiments for a terminal: `naba repeat`, its comparison with another, and `naba search`."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from naba.evaluation.significance import holm
from naba.experiments.repeat_summary import Comparison

_RUN_COLUMNS = {"pairs.f1": "pair F1", "topics.macro_f1": "topic macro-F1", "stances.macro_f1": "stance macro-F1"}


def runs_table(summary: Mapping[str, Any]) -> Table:
    """A row a run."""
    folds = summary["folds"]
    table = _table("run", *(["held out"] if folds else []), "trained on", "scored", *_RUN_COLUMNS.values())
    for run in summary["runs"]:
        held_out = [folds[run["fold"]]["holds_out"]] if folds else []
        sizes = [f"{run['segments'][part]:,}" for part in ("train", "scored")]
        table.add_row(run["run"], *held_out, *sizes, *(_figure(run["scores"][path]) for path in _RUN_COLUMNS))
    return table


def summary_table(summary: Mapping[str, Any]) -> Table:
    """A row a score: mean, deviation and interval over folds or seeds, and the pooled score with its interval."""
    over, by_seed = summary["over"], summary["over_seeds"]
    title = (
        f"{summary['segments']:,} segments in {summary['clusters']:,} clusters of articles; mean, deviation and interval "
        f"over {_runs(summary)} {over}, and all predictions pooled"
    )
    table = _table("score", "mean", "dev.", "95 % interval", "pooled", "95 % interval", title=title)
    for path, name in summary["headline"].items():
        found, pooled = summary["scores"][path], summary["pooled"][path]
        missing = f" ({found['count']} of {_runs(summary)})" if 0 < found["count"] < _runs(summary) else ""
        row = [_figure(found["mean"]) + missing, _figure(found["deviation"]), _interval(found)]
        table.add_row(name, *row, _figure(pooled["value"]), _interval(pooled))
    if by_seed:
        said = [f"{name} {_figure(by_seed[path]['deviation'])}" for path, name in _RUN_COLUMNS.items()]
        table.caption = f"deviation of the pooled scores over {by_seed['pairs.f1']['count']} seeds: {', '.join(said)}"
    return table


def comparison_table(comparison: Comparison, headline: Mapping[str, str]) -> Table:
    """A row a score: both experiments, their difference, its interval, p, and p adjusted for so many scores (Holm)."""
    title = f"compared on {comparison.segments:,} segments in {comparison.clusters:,} clusters of articles"
    table = _table("score", "this", "other", "diff.", "95 % interval", "p", "Holm", title=title)
    found = {path: comparison.differences[path] for path in headline if path in comparison.differences}
    adjusted = holm({path: difference.p for path, difference in found.items()})
    for path, difference in found.items():
        ends = difference.interval
        interval = f"{ends.low:+.3f}…{ends.high:+.3f}" if ends else "–"
        both = [_figure(scores[path]) for scores in (comparison.first, comparison.second)]
        row = [*both, f"{difference.value:+.3f}", interval, _chance(difference.p), _chance(adjusted[path])]
        table.add_row(headline[path], *row)
    return table


def trials_table(found: Mapping[str, Any]) -> Table:
    """A row a trial, the best first."""
    keys = list(found["config"]["space"])
    table = _table("trial", found["config"]["objective"], *keys, "state")
    ranked = sorted(found["trials"], key=lambda row: -1.0 if row["value"] is None else row["value"], reverse=True)
    for row in ranked:
        values = [_figure_of(row["values"].get(key)) for key in keys]
        table.add_row(str(row["number"]), _figure(row["value"]), *values, row["state"])
    return table


def _table(first: str, *others: str, title: str | None = None) -> Table:
    """A table whose first column is never cut, and which fits in 80 characters."""
    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, overflow="fold")
    return table


def _runs(summary: Mapping[str, Any]) -> int:
    """Over how many folds or seeds the mean is."""
    return len(summary["folds"] or {run["seed"] for run in summary["runs"]})


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _chance(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _figure_of(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _interval(found: Mapping[str, Any]) -> str:
    return "–" if found["low"] is None else f"{found['low']:.3f}…{found['high']:.3f}"
