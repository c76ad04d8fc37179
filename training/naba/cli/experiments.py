"""Commands that train many times: with several seeds, over folds, and in search of hyper-parameters."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from naba.cli.terminal import Bars, Overrides, Overwrite, console, quiet, show
from naba.errors import ConfigError


def repeat(
    config: Annotated[Path, typer.Argument(help="A configuration of naba train; its out is the folder of all runs.")],
    seeds: Annotated[
        str | None, typer.Option(help="A run with each, of each fold: 1,2,3. The configuration's where not given.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(min=2, help="Cross-validate over this many folds of the training segments.")
    ] = None,
    leave_out: Annotated[
        Literal["source"] | None, typer.Option(help="Cross-validate holding out each source (outlet) in turn.")
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
    quiet()
    from naba.config import TrainConfig, load_config
    from naba.experiments.experiment_tables import comparison_table, runs_table, summary_table
    from naba.experiments.repeat_summary import check_comparable, write_comparison
    from naba.experiments.repeats import RepeatConfig
    from naba.experiments.repeats import repeat as repeat_runs
    from naba.paths import find
    from naba.schema import LabelSchema

    settings = load_config(TrainConfig, find(config), set_)
    given: dict[str, Any] = {
        "seeds": _seeds(seeds) if seeds is not None else [settings.seed],
        "folds": folds,
        "leave_out": leave_out,
        "data": data or None,
    }
    given |= {"split_seed": split_seed, "keep_weights": keep_weights}
    design = load_config(RepeatConfig, None, None, given)
    schema = LabelSchema.load(find(settings.labels))
    if compare:
        check_comparable(settings.out, compare, schema)
    summary = repeat_runs(settings, design, overwrite=overwrite, progress=Bars(), tell=show)
    console().print(runs_table(summary))
    console().print(summary_table(summary))
    for note in summary["notes"]:
        show(f"note: {note}")
    show(f"summary: {settings.out / 'summary.json'}, predictions: {settings.out / 'predictions.jsonl'}")
    if compare:
        found, file = write_comparison(settings.out, compare, schema)
        console().print(comparison_table(found, summary["headline"]))
        if left_out := found.only_first + found.only_second:
            show(f"{left_out:,} segments that only one of the two has scored are left out")
        show(f"comparison: {file}")


def search(
    config: Annotated[Path, typer.Argument(help="Configuration, for example configs/search.yaml.")],
    overwrite: Overwrite = False,
    set_: Overrides = None,
) -> None:
    """Search for the best hyper-parameters with Optuna; a search that was stopped goes on when started again."""
    quiet()
    from naba.config import load_config
    from naba.experiments.experiment_tables import trials_table
    from naba.experiments.search import search as run_search
    from naba.experiments.search_space import SearchConfig
    from naba.paths import find

    settings = load_config(SearchConfig, find(config), set_)
    found = run_search(settings, overwrite=overwrite, progress=Bars(), tell=show)
    console().print(trials_table(found))
    show(f"note: {found['note']}")
    show(f"best: naba train {settings.out / 'best.yaml'}; all trials: {settings.out / 'trials.csv'}")


def _seeds(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"--seeds {text}: expected whole numbers with commas between them, as 1,2,3") from None
