"""`naba compare`: any number of runs on the same labelled segments."""

from pathlib import Path
from typing import Annotated

import typer

from naba.cli.terminal import Bars, Overrides, console, default_config, quiet, say, show


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(help="Run folders, checkpoints in them, or with --mapping any classifiers; two or more."),
    ],
    data: Annotated[list[Path] | None, typer.Option(help="Labelled JSONL; may be repeated.")] = None,
    config: Annotated[Path | None, typer.Option(help="configs/compare.yaml where not given.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="What a classifier's labels mean (YAML).")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the comparison; `comparison` where not given.")] = None,
    allow_leak: Annotated[
        bool, typer.Option("--allow-leak", help="Score segments that a run has met before; marks the comparison.")
    ] = False,
    set_: Overrides = None,
) -> None:
    """Score runs on the same segments and test every pair; writes comparison.json, comparison.md and comparison.html."""
    quiet()
    from naba.config import CompareConfig, load_config
    from naba.evaluation.comparison.compare_runs import compare_runs
    from naba.evaluation.comparison.report import comparison_table, run_notes, run_warnings, verdict, write_comparison
    from naba.evaluation.wording import unmarked

    settings = load_config(
        CompareConfig,
        default_config(config, "compare"),
        set_,
        {"data": data or None, "mapping": mapping, "out": out, "allow_leak": True if allow_leak else None},
    )
    comparison = compare_runs(runs, settings, progress=Bars())
    files = write_comparison(settings.out, comparison)
    console().print(comparison_table(comparison))
    show(verdict(comparison))
    for warning in run_warnings(comparison):
        say(f"naba: warning: {unmarked(warning)}")
    for note in run_notes(comparison):
        show(unmarked(note))
    show("comparison: " + ", ".join(map(str, files)))
