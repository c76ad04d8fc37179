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

from naba.evaluation.figures import HEADLINE, NONE, bracketed, figure, met, p_value, score_at, with_interval
from naba.evaluation.markdown_table import escaped, table
from naba.evaluation.wording import (
    ALPHA,
    INDEPENDENT,
    authored_warnings,
    independent,
    leak_notes,
    leak_warnings,
    no_mcnemar,
    none_can_hold,
)
from naba.jsonl import write_json, write_text

_NAME = "comparison"


def write_comparison(folder: Path, comparison: Mapping[str, Any]) -> list[Path]:
    """Write comparison.json, .md and .html into `folder`; returns their paths."""
    from naba.evaluation.page.render import html_comparison

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
    score = comparison["runs"][best]["scores"]["pairs"]["f1"]
    found = [
        pair["differences"]["pairs.f1"] | pair
        for pair in comparison["differences"]
        if pair["first"] == best and "pairs.f1" in pair["differences"]
    ]
    if score is None or not found:
        return "No (topic, stance) pair can be scored here, so that no run is the best; see the other scores."
    holds = [one["second"] for one in found if one["p_holm"] < ALPHA]
    open_ = [one["second"] for one in found if one["p_holm"] >= ALPHA]
    if not holds:
        told = f"it cannot be told apart from any other run's (Holm-adjusted p ≥ {ALPHA})"
    elif not open_:
        told = f"the difference to every other run holds (Holm-adjusted p < {ALPHA})"
    else:
        told = f"the difference holds (Holm-adjusted p < {ALPHA}) to {_listed(holds)}, but not to {_listed(open_)}"
    limit = _limit(comparison, found) if open_ else None
    return f"{best} has the highest pair-F1, {figure(score)}: {told}." + (f" {limit}" if limit else "")


def _limit(comparison: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> str | None:
    """What this test set cannot show of the differences `found`; None where that cannot be told."""
    nothing = none_can_hold(comparison["clusters"], len(comparison["differences"]))
    unseen = max((one["detectable"] for one in found if one["detectable"] is not None), default=None)
    if nothing or unseen is None:
        return nothing
    return f"Differences under {100 * unseen:.1f} points may go unseen here (80 % power)."


def run_warnings(comparison: Mapping[str, Any]) -> list[str]:
    """What makes the scores other than they look, as lines of a list: for all runs, then run by run."""
    lines = authored_warnings(comparison["authored"])
    for name, part in comparison["runs"].items():
        lines += [f"- {name}: {line[2:]}" for line in leak_warnings(part["leaks"])]
    return lines


def run_notes(comparison: Mapping[str, Any]) -> list[str]:
    """What a reader of the scores has to know of each run, as lines of a list."""
    return [
        f"- {name}: {line}"
        for name, part in comparison["runs"].items()
        for line in (*(line[2:] for line in leak_notes(part["leaks"])), *part["notes"])
    ]


def markdown(comparison: Mapping[str, Any]) -> str:
    """The comparison as Markdown: warnings, the runs, every pair of them, then classes side by side."""
    runs = comparison["runs"]
    lines = [f"# Comparison of {len(runs)} runs", ""]
    lines += map(escaped, (*run_warnings(comparison), *run_notes(comparison)))
    lines += [
        f"- data: {escaped(', '.join(comparison['data']))}: {comparison['segments']} segments, {comparison['distinct_segments']} "
        f"distinct, in {comparison['clusters']} clusters of articles and near-duplicates; all runs are scored on these",
        f"- commit {comparison['commit']}, {comparison['date']}, torch {comparison['versions']['torch']}",
        "",
        escaped(verdict(comparison)),
        "",
    ]
    rows = [[name, part["basis"], *(with_interval(part, path) for path in HEADLINE)] for name, part in runs.items()]
    lines += table(["run", "what it is", *HEADLINE.values()], rows)
    lines += ["Intervals are 95 %, over resampled clusters.", "", *_differences(comparison), *_classes(comparison)]
    return "\n".join(lines)


def _differences(comparison: Mapping[str, Any]) -> Iterator[str]:
    """Every pair and headline score, and who alone is right where."""
    rows = [
        [
            f"{pair['first']} − {pair['second']}",
            name,
            f"{found['value']:+.3f}",
            bracketed(found["interval"]) or NONE,
            p_value(found["p"]),
            p_value(found["p_holm"]),
            "yes" if found["p_holm"] < ALPHA else "no",
            figure(found["detectable"]),
        ]
        for pair in comparison["differences"]
        for path, name in HEADLINE.items()
        if (found := pair["differences"].get(path))
    ]
    number = len(comparison["differences"])
    yield from ["## Differences", ""]
    if rows:
        yield from [
            f"p is of a paired randomisation test that swaps whole clusters, adjusted (Holm) over the {number} pairs of runs, each "
            f"score for itself; a difference holds where the adjusted p is below {ALPHA}. Smaller differences than “detectable "
            "from” may go unseen (80 % power).",
            "",
        ]
        head = ["first − second", "score", "difference", "95 %", "p", "p (Holm)", "holds", "detectable from"]
        yield from table(head, rows)
    else:
        yield from ["No score that the runs are compared by can be told here, so that no difference can be tested.", ""]
    tested = independent(comparison)
    yield from ["Segments that one run alone has wholly right:", ""]
    yield from table(
        ["first", "second", "only first", "only second", *([f"p (McNemar, {INDEPENDENT})"] if tested else [])],
        [
            [pair["first"], pair["second"], str(found["only_first"]), str(found["only_second"])]
            + ([p_value(found["p"])] if tested else [])
            for pair in comparison["differences"]
            for found in [pair["mcnemar"]]
        ],
    )
    if told := no_mcnemar(comparison):
        yield from [told, ""]


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
    """A row a class: its support, and each run's F1 with its interval; a dash where it was neither there nor said."""
    rows = []
    for names in classes:
        path = path_of(*names)
        scores = [score_at(part["scores"], path) for part in runs.values()]
        support = max(one["support"] for one in scores)
        shown = zip(runs.values(), scores, strict=True)
        cells = [with_interval(part, f"{path}.f1") if met(one) else NONE for part, one in shown]
        rows.append([*names, str(support), *cells])
    return table([*head, "support", *runs], rows)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
