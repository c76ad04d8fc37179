"""`naba label`."""

import signal
import sys
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from naba.cli.terminal import FAULT, PARTLY, Bars, Overrides, Replace, default_config, quiet, say, show

STREAM = Path("-")
"""Standard input among the paths, standard output as --out."""


def label(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Article files, archives, folders or patterns; - reads JSONL from standard input."),
    ],
    out: Annotated[
        Path,
        typer.Option(help="A .jsonl, .csv or .parquet file, a folder of shards, or - for JSONL on standard output."),
    ],
    model: Annotated[str | None, typer.Option(help="A run folder; the shipped model where not given.")] = None,
    runner: Annotated[str | None, typer.Option(help="local, or ray for a cluster.", show_default="local")] = None,
    config: Annotated[Path | None, typer.Option(help="configs/label.yaml where not given.")] = None,
    overwrite: Replace = False,
    set_: Overrides = None,
) -> None:
    """Label articles: segments with topics, stances and probabilities. Stopped, the same command goes on.

    Exit codes: 0 all labelled; 3 labelled, but for records that were set aside; 2 a fault, or nothing could be labelled; 130 stopped.
    """
    quiet()
    from naba.config import LabelConfig, load_config

    settings = load_config(LabelConfig, default_config(config, "label"), set_, {"model": model, "runner": runner})
    # A scheduler's notice of its end is like Ctrl-C: what is done stays, and one line says how to go on.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stdin = sys.stdin.buffer if sys.stdin is not None else None
    if out == STREAM:
        _to_standard_output(paths, settings, stdin)
        return
    from naba.labelling.job import label_paths

    totals = label_paths(paths, out, settings, overwrite=overwrite, progress=Bars(), stdin=stdin)
    if totals.done_before:
        say(f"naba: {out}: was done before, from the same input and model; nothing was left to do")
    files = ", ".join(map(str, totals.files[:3])) + (f" and {len(totals.files) - 3:,} more" if totals.files[3:] else "")
    if not totals.articles and not totals.rejected:
        say("naba: the input holds no record; nothing was there to label")
    show(f"{totals.articles:,} articles, {totals.segments:,} segments: {files or 'no files'}")
    if totals.rejected:
        for rejected in totals.first_rejected:
            say(f"naba: set aside: {rejected}")
        more = totals.rejected - len(totals.first_rejected)
        say(
            f"naba: {totals.rejected:,} set aside{f' ({more:,} not shown)' if more else ''}, with reasons in {totals.rejected_file}"
        )
        raise typer.Exit(PARTLY if totals.articles else FAULT)


def _to_standard_output(paths: list[Path], settings: Any, stdin: IO[bytes] | None) -> None:
    from naba.errors import DataError
    from naba.labelling.job import label_stream

    def line(text: str) -> None:
        sys.stdout.buffer.write(text.encode() + b"\n")
        sys.stdout.buffer.flush()

    try:
        labelled, rejected = label_stream(
            paths, settings, line, say=lambda item: say(f"naba: set aside: {item}"), stdin=stdin
        )
    except BrokenPipeError:  # as `| head` leaves it
        sys.stderr.close()
        raise typer.Exit(0) from None
    except OSError as error:
        raise DataError(f"standard output: cannot be written ({error.strerror or error})") from None
    if rejected:
        raise typer.Exit(PARTLY if labelled else FAULT)
