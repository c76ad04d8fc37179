"""What the commands share: options, output, progress bars, exit codes."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from naba.notice import NOTICE
from naba.progress import Advance

Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a configuration key; may be repeated.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a run that is already there.")]
Replace = Annotated[bool, typer.Option("--overwrite", help="Replace an output that is already there.")]
FAULT = 2
"""Exit code of a user's fault."""
PARTLY = 3
"""Exit code where the work was done, but for records that had to be set aside."""
INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def default_config(config: Path | None, command: str) -> Path | None:
    """The named configuration, else the shipped one, else none: every key has a default."""
    from naba.paths import find

    shipped = find(Path("configs") / f"{command}.yaml")
    return find(config) if config else shipped if shipped.is_file() else None


def quiet() -> None:
    """Keep other libraries' bars and advice out of the output; their errors stay."""
    import os
    import warnings

    # The environment is the only switch that works before the heavy imports.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    warnings.filterwarnings("ignore", module="torch")
    # Their retries, and pages that are no HTML, are told in one line by the error that follows.
    for name in ("huggingface_hub", "httpx", "trafilatura", "htmldate"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()


class _Lines(logging.Formatter):
    """A log record as a line of naba's own, and as one of the library's that it comes from."""

    def format(self, record: logging.LogRecord) -> str:
        kind = "" if record.levelno == NOTICE else f"{record.levelname.lower()}: "
        return f"{record.name.partition('.')[0]}: {kind}{super().format(record)}"


def log_to_terminal(*, verbose: bool) -> None:
    """Show warnings and news as plain lines on standard error; verbose: everything, with where it comes from."""
    handler = logging.StreamHandler()
    named = logging.Formatter("%(levelname)s %(name)s: %(message)s")
    handler.setFormatter(named if verbose else _Lines())
    logging.basicConfig(level=logging.INFO if verbose else NOTICE, handlers=[handler])


def console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


def say(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr)  # noqa: T201


def show(text: str) -> None:
    console().print(text, highlight=False, markup=False, soft_wrap=True)


clock = time.monotonic
TELL_EVERY = 60.0
"""Seconds between the lines that stand in a log for a progress bar."""


class Bars:
    """Progress bars on a terminal; elsewhere, as in a scheduler's log, a line on standard error now and then."""

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
        if not console.is_terminal:
            yield _told_now_and_then(label, total, unit)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=console) as bars:
            task = bars.add_task(label, total=total, note="")
            yield lambda done, note: bars.update(task, advance=done, note=note)


def _told_now_and_then(label: str, total: int | None, unit: str) -> Advance:
    begun = told = clock()
    reached = skipped = 0
    works = False

    def advance(done: int, note: str) -> None:
        nonlocal begun, told, reached, skipped, works
        now = clock()
        if note and not works:  # what an earlier start did comes first, without a note, and says nothing of the speed
            works, begun, skipped = True, told, reached
        reached += done
        if now - told < TELL_EVERY:
            return
        told = now
        here = reached - skipped
        left = timedelta(seconds=round((now - begun) * max(0, total - reached) / here)) if total and here else None
        parts = [
            f"{reached:,}{f' of {total:,}' if total else ''} {unit}",
            f"{left} left" if left is not None else "",
            note,
        ]
        say(f"naba: {label}: {', '.join(filter(None, parts))}")

    return advance
