"""The command line: one function a sub-command. Heavy imports stay inside the functions, so that help is instant.

A user's fault prints one line and exits with 2, as does a labelling job that had to set input aside; a bug shows its
traceback.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from naba.errors import NabaError
from naba.progress import Advance

app = typer.Typer(
    name="naba",
    help="Label segments of Arabic news by topic and stance: build data, train, evaluate, label.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a configuration key; may be repeated.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a run that is already there.")]
FAULT = 2
"""Exit code of a user's fault."""
INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def main() -> None:
    """Entry point of the `naba` command."""
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except NabaError as error:
        _say(f"naba: error: {error}")
        sys.exit(FAULT)
    except (KeyboardInterrupt, typer.Abort):
        _interrupted()
    except SystemExit as end:
        if end.code == INTERRUPTED:  # as Typer passes Ctrl-C on
            _interrupted()
        raise
    except typer.TyperException as error:
        if message := error.format_message():  # empty where the help itself was the answer
            _say(f"naba: error: {message} See naba --help.")
        sys.exit(FAULT)


def _interrupted() -> NoReturn:
    _say("naba: interrupted; the same command goes on with a training, and starts anything else anew")
    sys.exit(INTERRUPTED)


@app.callback(invoke_without_command=True)
def _global(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is being done.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
) -> None:
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    if version:
        from naba import __version__

        _print(f"naba {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        raise typer.BadParameter("a command is missing; see naba --help")


@app.command()
def quickstart(
    config: Annotated[Path, typer.Option(help="The configuration.")] = Path("configs/quickstart.yaml"),
    out: Annotated[Path | None, typer.Option(help="Put all results below this folder.")] = None,
    set_: Overrides = None,
) -> None:
    """Do the whole path on the shipped data: build, train, evaluate, label the seed articles."""
    _quiet()
    from naba.config import QuickstartConfig, load_config
    from naba.paths import find
    from naba.quickstart import run_quickstart

    settings = load_config(QuickstartConfig, find(config), set_, _below(out) if out else None)
    run_quickstart(settings, console=_console(), progress=_Bars())


@app.command()
def build(
    config: Annotated[Path, typer.Argument(help="Configuration, for example configs/build.yaml.")],
    set_: Overrides = None,
) -> None:
    """Build a dataset: labelled sets in; train, validation and test out, with a manifest."""
    from naba.config import BuildConfig, load_config
    from naba.corpus.build import build as build_dataset
    from naba.paths import find

    settings = load_config(BuildConfig, find(config), set_)
    manifest = build_dataset(settings)
    _print(f"{settings.out}: " + ", ".join(f"{count:,} {name}" for name, count in manifest["segments"].items()))
    for reason, count in manifest["dropped"].items():
        if count:
            _print(f"  dropped {count:,}: {reason.replace('_', ' ')}")


@app.command()
def agreement(
    data: Annotated[list[Path], typer.Argument(help="Labelled JSONL whose rows have several readings.")],
    disagreements: Annotated[
        Path | None, typer.Option(help="Write the segments whose readings differ, for adjudication.")
    ] = None,
    labels: Annotated[Path, typer.Option(help="The label schema.")] = Path("configs/labels.yaml"),
) -> None:
    """Measure how far readings of the same segments agree: kappa and alpha per topic, on presence and on stance."""
    from naba.corpus import agreement as module
    from naba.corpus.labelled import load_labelled
    from naba.jsonl import write_jsonl
    from naba.paths import find
    from naba.schema import LabelSchema

    schema = LabelSchema.load(find(labels))
    items = load_labelled(data, schema)
    twice = [item for item in items if len(module.readings_of(item)) > 1]
    if not twice:
        raise NabaError(f"{', '.join(map(str, data))}: no row has two 'readings'; see data/README.md for the format")
    rows = module.agreement([module.readings_of(item) for item in twice], schema)
    _console().print(module.agreement_table(rows, len(twice)))
    if disagreements:
        count = write_jsonl(disagreements, module.disagreements(twice, schema))
        _print(f"{count:,} segments whose readings differ: {disagreements}")


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="Configuration, for example configs/train.yaml.")],
    overwrite: Overwrite = False,
    set_: Overrides = None,
) -> None:
    """Fine-tune an encoder into a run folder; an interrupted run goes on when started again."""
    _quiet()
    from naba.config import TrainConfig, load_config
    from naba.paths import find

    settings = load_config(TrainConfig, find(config), set_)
    from naba.train import train as train_run

    record = train_run(settings, overwrite=overwrite, progress=_Bars())
    scores = record["validation"]
    _print(
        f"{settings.out}: validation pair-F1 {scores['pairs']['f1']:.3f}, topic macro-F1 {scores['topics']['macro_f1'] or 0:.3f}, "
        f"stance macro-F1 {scores['stances']['macro_f1'] or 0:.3f}; {record['seconds']:.0f} s"
    )


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="A run folder.")],
    data: Annotated[list[Path] | None, typer.Option(help="Labelled JSONL; may be repeated.")] = None,
    config: Annotated[Path | None, typer.Option(help="configs/evaluate.yaml where not given.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the report; the run folder where not given.")] = None,
    set_: Overrides = None,
) -> None:
    """Score a run on labelled segments, with baselines beside it; writes report.json and report.md."""
    _quiet()
    from naba.config import EvaluateConfig, load_config
    from naba.evaluation.report import write_report
    from naba.paths import find

    settings = load_config(EvaluateConfig, _default(config, "evaluate"), set_, {"data": data or None})
    from naba.evaluation.evaluate_run import evaluate_run
    from naba.evaluation.report import systems_table

    report = evaluate_run(model, settings, progress=_Bars())
    files = write_report(out or settings.out or find(model), report)
    _console().print(systems_table(report))
    _print("report: " + ", ".join(map(str, files)))


@app.command()
def label(
    paths: Annotated[list[Path], typer.Argument(help="Article files, folders or patterns.")],
    out: Annotated[Path, typer.Option(help="A .jsonl or .csv file, or a folder for both.")],
    model: Annotated[str | None, typer.Option(help="A run folder; the shipped model where not given.")] = None,
    config: Annotated[Path | None, typer.Option(help="configs/label.yaml where not given.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that is already there.")] = False,
    set_: Overrides = None,
) -> None:
    """Label articles: segments with topics, stances and probabilities as JSONL and CSV."""
    _quiet()
    from naba.config import LabelConfig, load_config

    settings = load_config(LabelConfig, _default(config, "label"), set_, {"model": model})
    from naba.labelling.job import label_paths

    totals = label_paths(paths, out, settings, overwrite=overwrite, progress=_Bars())
    _print(f"{totals.articles:,} articles, {totals.segments:,} segments: " + ", ".join(map(str, totals.files)))
    if totals.rejected:
        for rejected in totals.first_rejected:
            _say(f"naba: set aside: {rejected}")
        more = totals.rejected - len(totals.first_rejected)
        _say(
            f"naba: {totals.rejected:,} set aside{f' ({more:,} not shown)' if more else ''}, with reasons in {totals.rejected_file}"
        )
        raise typer.Exit(FAULT)


def _default(config: Path | None, command: str) -> Path | None:
    """The named configuration, else the shipped one, else none: every key has a default."""
    from naba.paths import find

    shipped = find(Path("configs") / f"{command}.yaml")
    return find(config) if config else shipped if shipped.is_file() else None


def _below(out: Path) -> dict[str, Any]:
    """`--out` of the quickstart puts its dataset, run and labels below one folder."""
    return {
        "build.out": out / "dataset",
        "train.train": [out / "dataset" / "train.jsonl"],
        "train.validation": [out / "dataset" / "validation.jsonl"],
        "train.out": out / "model",
        "out": out / "labelled",
    }


def _quiet() -> None:
    """Keep other libraries' bars and advice out of the output; their errors stay."""
    import os
    import warnings

    # The environment is the only switch that works before the heavy imports.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    warnings.filterwarnings("ignore", module="torch")
    for name in ("huggingface_hub", "httpx"):  # their retries are told in one line by the error that follows
        logging.getLogger(name).setLevel(logging.CRITICAL)
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


def _say(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr)  # noqa: T201


def _print(text: str) -> None:
    _console().print(text, highlight=False, markup=False, soft_wrap=True)


class _Bars:
    """Progress bars on a terminal, nothing elsewhere."""

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Advance]:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
            task = bars.add_task(label, total=total, note="")
            yield lambda done, note: bars.update(task, advance=done, note=note)
