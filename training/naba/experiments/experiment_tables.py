"""Tables of experiments, for a terminal and as Markdown: `naba repeat`, its comparison with another, and `naba search`.

sheet = summary_sheet(summary)
console.print(sheet.for_terminal())
lines = sheet.as_markdown()
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from naba.evaluation.markdown_table import table as markdown_table
from naba.evaluation.seeds import FEWEST
from naba.evaluation.significance import holm
from naba.experiments.repeat_comparison import ALPHA, Comparison, at_odds
from naba.experiments.wording import counted

_RUN_COLUMNS = {"pairs.f1": "pair F1", "topics.macro_f1": "topic macro-F1", "stances.macro_f1": "stance macro-F1"}


@dataclass(frozen=True)
class Sheet:
    """A table with what is said above and below it."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str | None = None
    foot: Sequence[str] = ()
    """A line each."""

    def for_terminal(self) -> Table:
        """A table whose first column is never cut, and which fits in 80 characters."""
        table = Table(title=self._text(self.title), box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        table.caption, table.caption_justify = self._text("\n".join(self.foot)), "left"
        for number, name in enumerate(self.head):
            table.add_column(name, no_wrap=number == 0, overflow="fold")
        for row in self.rows:
            table.add_row(*map(Text, row))
        return table

    def as_markdown(self) -> list[str]:
        """The same as lines."""
        title = [f"{self.title[0].upper()}{self.title[1:]}:", ""] if self.title else []
        foot = [*(f"- {line}" for line in self.foot), ""] if self.foot else []
        return [*title, *markdown_table(self.head, self.rows), *foot]

    @staticmethod
    def _text(content: str | None) -> Text | None:
        """Without markup: names of sources and labels are the user's."""
        return Text(content) if content else None


def runs_sheet(summary: Mapping[str, Any]) -> Sheet:
    """A row a run."""
    folds = summary["folds"]
    head = ["run", *(["held out"] if folds else []), "trained on", "scored", *_RUN_COLUMNS.values()]
    rows = []
    for run in summary["runs"]:
        held_out = [folds[run["fold"]]["holds_out"]] if folds else []
        sizes = [f"{run['segments'][part]:,}" for part in ("train", "scored")]
        rows.append([run["run"], *held_out, *sizes, *(_figure(run["scores"][path]) for path in _RUN_COLUMNS)])
    return Sheet(head, rows)


def summary_sheet(summary: Mapping[str, Any]) -> Sheet:
    """A row a score: mean, deviation and interval over folds or seeds, and the pooled score with its interval."""
    title = (
        f"{counted(summary['segments'], 'segment')} in {counted(summary['clusters'], 'cluster')} of articles; mean, deviation "
        f"and interval over {_over(summary)}, and all predictions pooled"
    )
    rows = []
    for path, name in summary["headline"].items():
        found, pooled = summary["scores"][path], summary["pooled"][path]
        missing = f" ({found['count']} of {_runs(summary)})" if 0 < found["count"] < _runs(summary) else ""
        row = [_figure(found["mean"]) + missing, _figure(found["deviation"]), _interval(found)]
        rows.append([name, *row, _figure(pooled["value"]), _interval(pooled)])
    head = ["score", "mean", "dev.", "95 % interval", "pooled", "95 % interval"]
    return Sheet(head, rows, title, list(_summary_foot(summary)))


def comparison_sheet(comparison: Comparison, headline: Mapping[str, str]) -> Sheet:
    """A row a score: both experiments, their difference, its interval, p, and p adjusted for so many scores (Holm)."""
    title = f"compared on {counted(comparison.segments, 'segment')} in {counted(comparison.clusters, 'cluster')} of articles"
    found = {path: comparison.differences[path] for path in headline if path in comparison.differences}
    adjusted = holm({path: difference.p for path, difference in found.items()})
    rows = []
    for path, difference in found.items():
        ends = difference.interval
        interval = f"{ends.low:+.3f}…{ends.high:+.3f}" if ends else "–"
        both = [_figure(scores[path]) for scores in (comparison.first, comparison.second)]
        chances = [_chance(difference.p) + "†" * at_odds(difference), _chance(adjusted[path])]
        rows.append([headline[path], *both, f"{difference.value:+.3f}", interval, *chances])
    foot = [
        f"p, the test to go by: the two experiments' answers are swapped on whole clusters. Holm: p adjusted for the "
        f"{counted(len(found), 'score')} of this table.",
        "95 % interval, by another method: a bootstrap over whole clusters.",
        "Neither knows how far another training would differ: see the deviation over seeds and folds.",
    ]
    if any(map(at_odds, found.values())):
        foot.append(
            f"† interval and p disagree at {ALPHA:g}: go by p. Too few clusters tell the two apart for the bootstrap, whose "
            "interval is then too narrow."
        )
    return Sheet(["score", "this", "other", "diff.", "95 % interval", "p", "Holm"], rows, title, foot)


def trials_sheet(found: Mapping[str, Any]) -> Sheet:
    """A row a trial, the best first."""
    keys = list(found["config"]["space"])
    ranked = sorted(found["trials"], key=lambda row: -1.0 if row["value"] is None else row["value"], reverse=True)
    rows = [
        [str(row["number"]), _figure(row["value"])]
        + [_figure_of(row["values"].get(key)) for key in keys]
        + [row["state"]]
        for row in ranked
    ]
    return Sheet(["trial", found["config"]["objective"], *keys, "state"], rows)


def _summary_foot(summary: Mapping[str, Any]) -> Iterator[str]:
    """Where the intervals come from, why there are none, and how far seeds differ."""
    shown = [summary["scores"][path] for path in summary["headline"]]
    if any(found["low"] is not None for found in shown):
        shared = ", widened because folds share training data (Nadeau and Bengio 2003)" if summary["folds"] else ""
        yield f"Interval of the mean: Student's t over {_over(summary)}{shared}."
    if any(found["cut"] for found in shown):
        yield "Where it would pass 0 or 1, it ends there: no score lies beyond."
    if any(0 < found["count"] < FEWEST for found in shown):
        yield f"No interval of the mean of fewer than {FEWEST} values, which say more themselves: see the runs."
    if any(found["low"] is None and found["count"] >= FEWEST for found in shown):
        yield "No interval where all values are the same, which is no certainty."
    yield "Interval of the pooled score: bootstrap over whole clusters of articles."
    if by_seed := summary["over_seeds"]:
        said = [f"{name} {_figure(by_seed[path]['deviation'])}" for path, name in _RUN_COLUMNS.items()]
        yield f"Deviation of the pooled scores over {by_seed['pairs.f1']['count']} seeds: {', '.join(said)}."


def _runs(summary: Mapping[str, Any]) -> int:
    """Over how many folds or seeds the mean is."""
    return len(summary["folds"] or {run["seed"] for run in summary["runs"]})


def _over(summary: Mapping[str, Any]) -> str:
    """As "5 folds"."""
    return counted(_runs(summary), summary["over"].removesuffix("s"))


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _chance(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _figure_of(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _interval(found: Mapping[str, Any]) -> str:
    return "–" if found["low"] is None else f"{found['low']:.3f}…{found['high']:.3f}"
