"""Commands that train, evaluate and use a model, and the quickstart that does it all."""

from pathlib import Path
from typing import Annotated, Any

import typer

from naba.cli.launched import bars, is_first, one_voice
from naba.cli.terminal import Bars, Overrides, Overwrite, console, quiet, show


def quickstart(
    config: Annotated[Path, typer.Option(help="The configuration.")] = Path("configs/quickstart.yaml"),
    out: Annotated[Path | None, typer.Option(help="Put all results below this folder.")] = None,
    set_: Overrides = None,
) -> None:
    """Do the whole path on the shipped data: build, train, evaluate, label the seed articles."""
    quiet()
    from naba.config import QuickstartConfig, load_config
    from naba.paths import find
    from naba.quickstart import run_quickstart

    settings = load_config(QuickstartConfig, find(config), set_, _below(out) if out else None)
    run_quickstart(settings, console=console(), progress=Bars())


def train(
    config: Annotated[Path | None, typer.Argument(help="Configuration, for example configs/train.yaml.")] = None,
    from_run: Annotated[
        Path | None, typer.Option(help="A run folder to train again as it records, instead of CONFIG.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder; what CONFIG names where not given.")] = None,
    overwrite: Overwrite = False,
    set_: Overrides = None,
) -> None:
    """Fine-tune an encoder into a run folder; an interrupted run goes on when started again."""
    if (config is None) == (from_run is None):
        raise typer.BadParameter("give a CONFIG, or --from-run with a run folder.")
    from naba.config import TrainConfig, load_config
    from naba.errors import ConfigError
    from naba.finetuning.inputs import check_inputs
    from naba.finetuning.run_folder import check_free
    from naba.paths import find

    with one_voice():
        before = None
        if from_run is None:
            file = find(config or Path())
            if (file / "run.json").is_file() or (file / "train.json").is_file():
                raise ConfigError(f"{config}: a run folder, not a configuration; `--from-run {config}` trains it again")
            settings = load_config(TrainConfig, file, set_, {"out": out})
        else:
            from naba.finetuning.from_run import RecordedRun

            before = RecordedRun.read(from_run, set_ or [])
            settings = before.config(out)
        check_inputs(settings)
        check_free(settings.out, overwrite=overwrite)
        quiet()  # only now: it takes seconds, and so does what follows
        from naba.finetuning.train import train as train_run

        record = train_run(settings, overwrite=overwrite, progress=bars(), repeats=before)
    if is_first():
        scores = record["validation"]
        show(
            f"{settings.out}: validation pair-F1 {scores['pairs']['f1']:.3f}, topic macro-F1 {scores['topics']['macro_f1'] or 0:.3f}, "
            f"stance macro-F1 {scores['stances']['macro_f1'] or 0:.3f}; {_kept(record)}; {record['seconds']:.0f} s"
        )
        if record["steps"] < record["planned_steps"]:
            scorings = "scoring" if settings.patience == 1 else f"{settings.patience} scorings in a row"
            show(
                f"{settings.out}: stopped early, at step {record['steps']:,} of {record['planned_steps']:,}: {scorings} "
                f"without a better pair-F1 (patience={settings.patience})"
            )


def _kept(record: dict[str, Any]) -> str:
    """Which checkpoint the run holds."""
    return f"checkpoint of step {record['best_step']:,} of {record['planned_steps']:,}"


def _below(out: Path) -> dict[str, Any]:
    """`--out` of the quickstart puts its dataset, run and labels below one folder."""
    return {
        "build.out": out / "dataset",
        "train.train": [out / "dataset" / "train.jsonl"],
        "train.validation": [out / "dataset" / "validation.jsonl"],
        "train.out": out / "model",
        "out": out / "labelled",
    }
