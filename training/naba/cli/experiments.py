"""Commands that train many times: with several seeds, over folds, and in search of hyper-parameters."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from naba.cli.terminal import Bars, Overrides, Overwrite, console, quiet, show


def repeat(
    config: Annotated[Path, typer.Argument(help="A configuration of naba train; its out is the folder of all runs.")],
    seeds: Annotated[
        str | None, typer.Option(help="A run with each, of each fold: 1,2,3. The configuration's where not given.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=2, help="Cross-validate over this many folds of the training segments; its validation is not used."
        ),
    ] = None,
    leave_out: Annotated[
        Literal["source"] | None,
        typer.Option(
            help="Cross-validate holding out each source (outlet) in turn; those with fewer than 50 segments together."
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Without folds: labelled JSONL to score the runs on; validation where not given."),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="Folder of another finished repeat: test whether the two differ.")
    ] = None,
    keep_weights: Annotated[
        bool | None,
        typer.Option(
            "--keep-weights/--no-keep-weights", help="Keep every run's weights; by default without folds only."
        ),
    ] = None,
    split_seed: Annotated[int, typer.Option(min=0, help="Of the draw of the folds; the same for all seeds.")] = 1,
    overwrite: Overwrite = False,
    set_: Overrides = None,
) -> None:
    """Train with several seeds or over cross-validation folds: mean, deviation, intervals; started again, it goes on."""
    from naba.config import TrainConfig, load_config
    from naba.experiments.repeat_design import RepeatConfig, check_inputs, seeds_of
    from naba.paths import find

    chosen = seeds_of(seeds) if seeds is not None else None
    given: dict[str, Any] = {"folds": folds, "leave_out": leave_out, "data": data or None}
    given |= {"split_seed": split_seed, "keep_weights": keep_weights}
    design = load_config(RepeatConfig, None, None, given | {"seeds": chosen})
    settings = load_config(TrainConfig, find(config), set_)
    if chosen is None:
        design = load_config(RepeatConfig, None, None, given | {"seeds": [settings.seed]})
    check_inputs(settings, design, compare)

    quiet()
    from naba.experiments.experiment_tables import comparison_sheet, runs_sheet, summary_sheet
    from naba.experiments.repeat_comparison import write_comparison
    from naba.experiments.repeat_report import write_comparison_report
    from naba.experiments.repeats import repeat as repeat_runs
    from naba.experiments.wording import counted
    from naba.schema import LabelSchema

    out = settings.out
    summary = repeat_runs(settings, design, overwrite=overwrite, compare=compare, progress=Bars(), tell=show)
    console().print(runs_sheet(summary).for_terminal())
    console().print(summary_sheet(summary).for_terminal())
    for note in summary["notes"]:
        show(f"note: {note}")
    show(f"report: {out / 'repeat.md'}, all scores: {out / 'summary.json'}, predictions: {out / 'predictions.jsonl'}")
    if compare:
        found, file = write_comparison(out, compare, LabelSchema.load(find(settings.labels)))
        report = write_comparison_report(file, found, summary, out, compare)
        console().print(comparison_sheet(found, summary["headline"]).for_terminal())
        if left_out := found.only_first + found.only_second:
            show(f"left out, for only one of the two has scored them: {counted(left_out, 'segment')}")
        show(f"comparison: {report}, all scores: {file}")


def search(
    config: Annotated[Path, typer.Argument(help="Configuration, for example configs/search.yaml.")],
    overwrite: Overwrite = False,
    set_: Overrides = None,
) -> None:
    """Search for the best hyper-parameters with Optuna; a search that was stopped goes on when started again."""
    from naba.config import load_config
    from naba.experiments.data_marks import check_files, training_paths
    from naba.experiments.search_space import SearchConfig
    from naba.paths import find

    settings = load_config(SearchConfig, find(config), set_)
    base = settings.check()
    check_files([*training_paths(base), *base.validation])

    quiet()
    from naba.experiments.experiment_tables import trials_sheet
    from naba.experiments.search import search as run_search

    found = run_search(settings, overwrite=overwrite, progress=Bars(), tell=show)
    console().print(trials_sheet(found).for_terminal())
    show(f"note: {found['note']}")
    trials = f"all trials: {settings.out / 'trials.csv'}"
    show(f"best: naba train {settings.out / 'best.yaml'}; {trials}" if found["best"] else trials)
