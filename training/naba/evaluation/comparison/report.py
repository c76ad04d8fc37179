"""A comparison of runs as files: comparison.json whole, comparison.md to read, comparison.html to look at; and as a table.

Everything here is made from the comparison alone, so that a stored comparison.json can be rendered again.

    write_comparison(Path("comparison"), comparison)
    comparison_table(comparison); verdict(comparison)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from naba.evaluation.report import HEADLINE, figure, score_at, table, warnings, with_interval
from naba.jsonl import write_json, write_text

ALPHA = 0.05
"""A difference holds where its adjusted p-value is below."""
_NAME = "comparison"
_MET_NOTHING = {"in_training": 0, "in_validation": 0, "dropped": False, "allowed": False}


def write_comparison(folder: Path, comparison: Mapping[str, Any]) -> list[Path]:
    """Write comparison.json, .md and .html into `folder`; returns their paths."""
    from naba.evaluation.page import html_comparison

    paths = [folder / f"{_NAME}.{kind}" for kind in ("json", "md", "html")]
    write_json(paths[0], comparison)
    write_text(paths[1], markdown(comparison))
    write_text(paths[2], html_comparison(comparison))
    return paths


def comparison_table(comparison: Mapping[str, Any]) -> Table:
    """The runs side by side for a terminal of 80 columns: each score above its interval."""
    title = f"{len(comparison['runs'])} runs on {comparison['segments']} segments, with 95 % intervals"
    shown = Table(title=title, box=box.SIMPLE_HEAD, show_lines=True)
    shown.add_column("run", overflow="fold", min_width=12)
    for name in HEADLINE.values():
        shown.add_column(name, justify="right", min_width=11)
    for name, part in comparison["runs"].items():
        cells = (with_interval(part, path) for path in HEADLINE)
        shown.add_row(Text(name), *(Text(cell.replace(" [", "\n[", 1).replace(", ", " ")) for cell in cells))
    return shown


def verdict(comparison: Mapping[str, Any]) -> str:
    """Whether the run with the highest pair-F1 is better than the others, in words."""
    best = next(iter(comparison["runs"]))
    found = [pair["differences"]["pairs.f1"] | pair for pair in comparison["differences"] if pair["first"] == best]
    holds = [one["second"] for one in found if one["p_holm"] < ALPHA]
    open_ = [one["second"] for one in found if one["p_holm"] >= ALPHA]
    score = figure(comparison["runs"][best]["scores"]["pairs"]["f1"])
    if not holds:
        told = f"it cannot be told apart from any other run's (Holm-adjusted p ≥ {ALPHA})"
    elif not open_:
        told = f"the difference to every other run holds (Holm-adjusted p < {ALPHA})"
    else:
        told = f"the difference holds (Holm-adjusted p < {ALPHA}) to {_listed(holds)}, but not to {_listed(open_)}"
    return " ".join([f"{best} has the highest pair-F1, {score}: {told}.", *_limits(comparison, found if open_ else ())])


def _limits(comparison: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What this test set cannot show of the differences `found`."""
    # As naba.evaluation.significance.smallest_p, which would bring SciPy along.
    smallest, pairs = 2.0 ** (1 - comparison["clusters"]), len(comparison["differences"])
    if found and smallest * pairs >= ALPHA:
        yield (
            f"With {comparison['clusters']} clusters p cannot fall below {smallest:.3f}, so that of {pairs} pairs none can hold: "
            "compare fewer runs, or on more articles."
        )
    unseen = max((one["detectable"] for one in found if one["detectable"] is not None), default=None)
    if unseen is not None:
        yield f"Differences under {100 * unseen:.1f} points may go unseen here."


def run_warnings(comparison: Mapping[str, Any]) -> list[str]:
    """What makes the scores other than they look, as lines of a list: for all runs, then run by run."""
    lines = warnings({"leaks": _MET_NOTHING, "authored": comparison["authored"]})
    for name, part in comparison["runs"].items():
        lines += [f"- {name}: {line[2:]}" for line in warnings({"leaks": part["leaks"], "authored": 0})]
        lines += [f"- {name}: {note}" for note in part["notes"]]
    return lines


def markdown(comparison: Mapping[str, Any]) -> str:
    """The comparison as Markdown: warnings, the runs, every pair of them, then classes side by side."""
    runs = comparison["runs"]
    lines = [f"# Comparison of {len(runs)} runs", "", *run_warnings(comparison)]
    lines += [
        f"- data: {', '.join(comparison['data'])}: {comparison['segments']} segments, {comparison['distinct_segments']} "
        f"distinct, in {comparison['clusters']} clusters of articles and near-duplicates; all runs are scored on these",
        f"- commit {comparison['commit']}, {comparison['date']}, torch {comparison['versions']['torch']}",
        "",
        verdict(comparison),
        "",
    ]
    rows = [[name, part["basis"], *(with_interval(part, path) for path in HEADLINE)] for name, part in runs.items()]
    lines += table(["run", "what it is", *HEADLINE.values()], rows)
    lines += ["Intervals are 95 %, over resampled clusters.", "", *_differences(comparison), *_classes(comparison)]
    return "\n".join(lines)


def _differences(comparison: Mapping[str, Any]) -> Iterator[str]:
    """Every pair and headline score, and who alone is right where."""
    rows = []
    for pair in comparison["differences"]:
        for path, name in HEADLINE.items():
            if found := pair["differences"].get(path):
                low, high = found["interval"] or (None, None)
                rows.append(
                    [
                        f"{pair['first']} − {pair['second']}",
                        name,
                        f"{found['value']:+.3f}",
                        f"[{figure(low)}, {figure(high)}]" if found["interval"] else "–",
                        figure(found["p"]),
                        figure(found["p_holm"]),
                        "yes" if found["p_holm"] < ALPHA else "no",
                    ]
                )
    number = len(comparison["differences"])
    yield from ["## Differences", ""]
    yield from [
        f"p is of a paired randomisation test that swaps whole clusters, adjusted (Holm) over the {number} pairs of runs, each "
        f"score for itself; a difference holds where the adjusted p is below {ALPHA}.",
        "",
    ]
    yield from table(["first − second", "score", "difference", "95 %", "p", "p (Holm)", "holds"], rows)
    yield from ["Segments that one run alone has wholly right:", ""]
    yield from table(
        ["first", "second", "only first", "only second", "p (McNemar)"],
        [
            [
                pair["first"],
                pair["second"],
                *(str(pair["mcnemar"][key]) for key in ("only_first", "only_second")),
                figure(pair["mcnemar"]["p"]),
            ]
            for pair in comparison["differences"]
        ],
    )


def _classes(comparison: Mapping[str, Any]) -> Iterator[str]:
    """Scores of topics, stances and pairs, a column a run."""
    runs, topics, stances = comparison["runs"], comparison["schema"]["topics"], comparison["schema"]["stances"]
    yield from ["## Topics, F1", ""]
    yield from _side_by_side(runs, ["topic"], [[topic] for topic in topics], lambda topic: f"topics.per_topic.{topic}")
    yield from ["## Stances given the gold topic, F1", ""]
    both = [[topic, stance] for topic in topics for stance in stances]
    yield from _side_by_side(
        runs,
        ["topic", "stance"],
        both,
        lambda topic, stance: f"stances.per_topic.{topic}.stances.{stance}",
    )
    yield from ["## (topic, stance) pairs end to end, F1", ""]
    yield from _side_by_side(runs, ["topic", "stance"], both, lambda topic, stance: f"pairs.per_pair.{topic}.{stance}")


def _side_by_side(
    runs: Mapping[str, Any], head: Sequence[str], classes: Sequence[Sequence[str]], path_of: Callable[..., str]
) -> list[str]:
    """A row a class: its support, and each run's F1 with its interval; a dash where there is nothing to find."""
    rows = []
    for names in classes:
        path = path_of(*names)
        support = max(score_at(part["scores"], f"{path}.support") for part in runs.values())
        cells = [with_interval(part, f"{path}.f1") if support else "–" for part in runs.values()]
        rows.append([*names, str(support), *cells])
    return table([*head, "support", *runs], rows)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
