"""Commands that train, evaluate and use a model, and the quickstart that does it all."""

from pathlib import Path
from typing import Annotated, Any

import typer

from naba.cli.terminal import FAULT, Bars, Overrides, Overwrite, Replace, console, default_config, quiet, say, show


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
    config: Annotated[Path, typer.Argument(help="Configuration, for example configs/train.yaml.")],
    overwrite: Overwrite = False,
    set_: Overrides = None,
) -> None:
    """Fine-tune an encoder into a run folder; an interrupted run goes on when started again."""
    quiet()
    from naba.config import TrainConfig, load_config
    from naba.paths import find

    settings = load_config(TrainConfig, find(config), set_)
    from naba.finetuning.train import train as train_run

    record = train_run(settings, overwrite=overwrite, progress=Bars())
    scores = record["validation"]
    show(
        f"{settings.out}: validation pair-F1 {scores['pairs']['f1']:.3f}, topic macro-F1 {scores['topics']['macro_f1'] or 0:.3f}, "
        f"stance macro-F1 {scores['stances']['macro_f1'] or 0:.3f}; {record['seconds']:.0f} s"
    )


def evaluate(
    model: Annotated[Path, typer.Argument(help="A run folder.")],
    data: Annotated[list[Path] | None, typer.Option(help="Labelled JSONL; may be repeated.")] = None,
    config: Annotated[Path | None, typer.Option(help="configs/evaluate.yaml where not given.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the report; the run folder where not given.")] = None,
    behaviour: Annotated[
        bool, typer.Option("--behaviour", help="Run the behaviour tests too; writes behaviour.json.")
    ] = False,
    suite: Annotated[Path, typer.Option(help="Folder of the behaviour tests.")] = Path("configs/behaviour"),
    set_: Overrides = None,
) -> None:
    """Score a run on labelled segments, with baselines beside it; writes report.json and report.md."""
    quiet()
    from naba.config import EvaluateConfig, load_config
    from naba.evaluation.report import write_report
    from naba.paths import find

    settings = load_config(EvaluateConfig, default_config(config, "evaluate"), set_, {"data": data or None})
    from naba.evaluation.evaluate_run import evaluate_run
    from naba.evaluation.report import systems_table

    report = evaluate_run(model, settings, progress=Bars())
    folder = out or settings.out or find(model)
    files = write_report(folder, report)
    console().print(systems_table(report))
    if behaviour:
        files.append(_behaviour(model, suite, settings.device, folder))
    show("report: " + ", ".join(map(str, files)))


def _behaviour(model: Path, suite: Path, device: str, folder: Path) -> Path:
    """Run the behaviour tests and show what failed; the texts are the suite's own, so the report may hold them."""
    from naba.evaluation.behaviour.report import behaviour_failures, behaviour_table
    from naba.evaluation.behaviour.suite import load_suite, run_behaviour
    from naba.jsonl import write_json
    from naba.labelling.labeller import Labeller
    from naba.paths import find

    labeller = Labeller.load(find(model), device=device)
    tests = load_suite(find(suite), labeller.schema)
    report = run_behaviour(lambda texts: labeller.label(texts, progress=Bars()), tests, labeller.schema)
    console().print(behaviour_table(report))
    show(behaviour_failures(report, examples=2))
    write_json(folder / "behaviour.json", report.to_dict())
    return folder / "behaviour.json"


def label(
    paths: Annotated[list[Path], typer.Argument(help="Article files, folders or patterns.")],
    out: Annotated[Path, typer.Option(help="A .jsonl or .csv file, or a folder for both.")],
    model: Annotated[str | None, typer.Option(help="A run folder; the shipped model where not given.")] = None,
    config: Annotated[Path | None, typer.Option(help="configs/label.yaml where not given.")] = None,
    overwrite: Replace = False,
    set_: Overrides = None,
) -> None:
    """Label articles: segments with topics, stances and probabilities as JSONL and CSV."""
    quiet()
    from naba.config import LabelConfig, load_config

    settings = load_config(LabelConfig, default_config(config, "label"), set_, {"model": model})
    from naba.labelling.job import label_paths

    totals = label_paths(paths, out, settings, overwrite=overwrite, progress=Bars())
    show(f"{totals.articles:,} articles, {totals.segments:,} segments: " + ", ".join(map(str, totals.files)))
    if totals.rejected:
        for rejected in totals.first_rejected:
            say(f"naba: set aside: {rejected}")
        more = totals.rejected - len(totals.first_rejected)
        say(
            f"naba: {totals.rejected:,} set aside{f' ({more:,} not shown)' if more else ''}, with reasons in {totals.rejected_file}"
        )
        raise typer.Exit(FAULT)


def _below(out: Path) -> dict[str, Any]:
    """`--out` of the quickstart puts its dataset, run and labels below one folder."""
    return {
        "build.out": out / "dataset",
        "train.train": [out / "dataset" / "train.jsonl"],
        "train.validation": [out / "dataset" / "validation.jsonl"],
        "train.out": out / "model",
        "out": out / "labelled",
    }
