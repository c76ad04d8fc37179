"""`naba export`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from naba.cli.terminal import Bars, Overrides, default_config, quiet, show


def export(
    run: Annotated[str, typer.Argument(help="A run folder.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled segments to compare on; the run's own validation files where not given."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="configs/export.yaml where not given.")] = None,
    set_: Overrides = None,
) -> None:
    """Make a run's int8 form for fast labelling on a CPU; refused where it does not answer as the run does."""
    from naba.config import ExportConfig, load_config

    settings = load_config(ExportConfig, default_config(config, "export"), set_, {"data": data or None})
    quiet()
    from naba.exporting.export import export_run

    record = export_run(run, settings, progress=Bars())
    form = record["forms"]["int8"]
    show(f"{run}/onnx/{form['file']}: {form['bytes'] / 2**20:.1f} MiB; {_told(form['parity'])}")
    if "bfloat16" in record:
        show(f"bfloat16: {_told(record['bfloat16'])}")


def _told(parity: dict[str, Any]) -> str:
    verdict = "" if parity["passed"] else "; not used, as that is too much"
    return (
        f"macro pair-F1 {parity['exported_pair_f1']:.4f} beside {parity['pair_f1']:.4f}, {parity['flipped']:.2%} of the answers "
        f"changed (presence {parity['presence_flipped']:.2%}, stance {parity['stance_flipped']:.2%}), on {parity['segments']:,} segments{verdict}"
    )
