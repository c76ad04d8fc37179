"""`naba evaluate`: a run against labelled segments, beside baselines and other runs."""

from pathlib import Path
from typing import Annotated

import typer

from naba.cli.terminal import Bars, Overrides, console, default_config, quiet, say, show


def evaluate(
    model: Annotated[str, typer.Argument(help="A run folder, a checkpoint in one, or with --mapping any classifier.")],
    data: Annotated[list[Path] | None, typer.Option(help="Labelled JSONL; may be repeated.")] = None,
    compare: Annotated[
        list[str] | None, typer.Option(help="Another run, on the same segments; may be repeated.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="configs/evaluate.yaml where not given.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="What a classifier's labels mean (YAML).")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the report; the run folder where not given.")] = None,
    no_text: Annotated[bool, typer.Option("--no-text", help="Ids in place of words in the report.")] = False,
    allow_leak: Annotated[
        bool, typer.Option("--allow-leak", help="Score segments that the run has met before; marks the report.")
    ] = False,
    behaviour: Annotated[bool, typer.Option("--behaviour", help="Run the behaviour tests too.")] = False,
    suite: Annotated[Path, typer.Option(help="Folder of the behaviour tests.")] = Path("configs/behaviour"),
    gate: Annotated[
        bool, typer.Option("--gate", help="Run the behaviour tests; exit code 1 if a release needs better.")
    ] = False,
    set_: Overrides = None,
) -> None:
    """Score a run on labelled segments, with baselines and intervals; writes report.json, report.md and report.html."""
    quiet()
    from naba.config import EvaluateConfig, load_config
    from naba.evaluation.behaviour.tables import behaviour_failures, behaviour_table
    from naba.evaluation.report import systems_table, write_report
    from naba.evaluation.wording import notes, unmarked, warnings

    settings = load_config(
        EvaluateConfig,
        default_config(config, "evaluate"),
        set_,
        {
            "data": data or None,
            "compare": compare or None,
            "mapping": mapping,
            "texts": False if no_text else None,
            "allow_leak": True if allow_leak else None,
            "behaviour": suite if behaviour or gate else None,
        },
    )
    from naba.evaluation.evaluate_run import evaluate_run

    report = evaluate_run(model, settings, progress=Bars())
    folder = out or settings.out or _beside(model)
    files = write_report(folder, report)
    console().print(systems_table(report))
    for warning in warnings(report):
        say(f"naba: warning: {unmarked(warning)}")
    for note in notes(report):
        show(unmarked(note))
    if report["behaviour"]:
        console().print(behaviour_table(report["behaviour"]))
        show(behaviour_failures(report["behaviour"], examples=2))
    show("report: " + ", ".join(map(str, files)))
    if gate and (missed := report["behaviour"]["gates_missed"]):
        kinds = [
            f"{kind} {missed[kind][0]:.2f} of {missed[kind][1]:.2f}"
            for kind in report["behaviour"]["kinds"]
            if kind in missed
        ]
        tests = f"{len(missed) - len(kinds)} of {len(report['behaviour']['tests'])} tests"
        say(f"naba: not fit for release, behaviour gates missed: {', '.join([*kinds, tests])}")
        raise typer.Exit(1)


def _beside(model: str) -> Path:
    """The run's own folder; a place of its own for a model of another make, whose folder, or Hub name, is not ours."""
    from naba.paths import find

    folder = find(Path(model))
    ours = any((folder / name).is_file() for name in ("run.json", "decision.json", "trainer_state.json"))
    return folder if ours else Path("evaluation") / Path(model).name
