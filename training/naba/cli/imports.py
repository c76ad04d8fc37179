"""The command that imports labelled sets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naba.cli.terminal import FAULT, Overrides, Replace, console, say, show

if TYPE_CHECKING:
    from naba.importing.imports import Imported


def import_labelled(
    config: Annotated[Path, typer.Argument(help="What the columns and values mean, for example configs/import.yaml.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count and show what would come out; write nothing.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="The JSONL file to write; `out` of the configuration where not given.")
    ] = None,
    overwrite: Replace = False,
    set_: Overrides = None,
) -> None:
    """Import a labelled set: CSV, TSV, JSONL, Parquet or a datasets folder, by a mapping of its columns and values."""
    from naba.config import load_config
    from naba.errors import ConfigError, DataError
    from naba.importing.imports import counts_table, read_import, write_import
    from naba.importing.mapping import ImportConfig
    from naba.paths import find

    settings = load_config(ImportConfig, find(config), set_, {"out": out})
    file = settings.out
    if file is None and not dry_run:
        raise ConfigError(f"{config}: 'out' is missing; give it in the file or with --out")
    if file is not None and file.exists() and not (overwrite or dry_run):
        raise DataError(f"{file}: is there already; choose another --out, or pass --overwrite to replace it")
    imported = read_import(settings)
    votes = (
        f", votes: {len(imported.items):,}, annotators: {len(set(imported.annotators)):,}"
        if imported.annotators
        else ""
    )
    show(
        f"rows: {imported.rows:,}, repeated: {imported.repeated:,}, left out: {imported.skipped:,}, "
        f"texts: {imported.texts:,}{votes}"
    )
    if imported.disputed:
        show(f"  labels left unknown because rows contradict each other: {imported.disputed:,}")
    if imported.unread_dates:
        show(f"  dates that could not be read, left empty: {imported.unread_dates:,}")
    console().print(counts_table(imported))
    if dry_run or file is None:
        _show_rehearsal(imported)
        return
    count = write_import(imported, file)
    show(f"{count:,} {'votes' if imported.annotators else 'labelled segments'}: {file}")


def _show_rehearsal(imported: "Imported") -> None:
    from naba.jsonl import dumps

    show("the first rows as they would come out:")
    for row in imported.output_rows()[:3]:
        show(dumps(row))
    for fault in imported.faults:
        say(f"naba: {fault}")
    if imported.faults:
        say(f"naba: to mend: {len(imported.faults)}; as it stands nothing would be imported")
        raise typer.Exit(FAULT)
