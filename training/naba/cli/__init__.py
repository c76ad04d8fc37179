"""The command line: a module a group of commands. Heavy imports stay inside the functions, so that help is instant.

A user's fault prints one line and exits with 2, as does a labelling job that had to set input aside; a bug shows its
traceback.
"""

import sys
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from naba.cli import (
    annotation,
    card,
    cascade,
    compare,
    data,
    evaluate,
    experiments,
    export,
    imports,
    keys,
    label,
    model,
    pretrain,
    pseudo,
    rejoin,
    render,
    resolve,
    rules,
    select,
    summarise,
)
from naba.cli import show as show_page
from naba.cli.terminal import FAULT, INTERRUPTED, log_to_terminal, say, show
from naba.errors import NabaError

app = typer.Typer(
    name="naba",
    help="Label segments of Arabic news by topic and stance: build data, train, evaluate, label.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
_COMMANDS: dict[str, Callable[..., None]] = {  # in the order of the work
    "quickstart": model.quickstart,
    "import": imports.import_labelled,
    "rules": rules.rules,
    "select": select.select,
    "agreement": resolve.agreement,
    "resolve": resolve.resolve,
    "rejoin": rejoin.rejoin,
    "build": data.build,
    "suspects": select.suspects,
    "pretrain": pretrain.pretrain,
    "train": model.train,
    "repeat": experiments.repeat,
    "search": experiments.search,
    "pseudo-label": pseudo.pseudo_label,
    "evaluate": evaluate.evaluate,
    "compare": compare.compare,
    "card": card.card,
    "render": render.render,
    "export": export.export,
    "cascade": cascade.cascade,
    "label": label.label,
    "show": show_page.show,
    "summarise": summarise.summarise,
    "keys": keys.keys,
}
for name, command in _COMMANDS.items():
    app.command(name)(command)
app.add_typer(annotation.app, name="annotation")


def command_names() -> list[list[str]]:
    """The words of every command, as ["annotation", "export"]."""

    def names(group: typer.Typer) -> list[str]:
        return [str(command.name or getattr(command.callback, "__name__", "")) for command in group.registered_commands]

    single = [[name] for name in names(app)]
    grouped = [
        [str(group.name), name] for group in app.registered_groups for name in names(group.typer_instance or app)
    ]
    return single + grouped


def main() -> None:
    """Entry point of the `naba` command."""
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except NabaError as error:
        say(f"naba: error: {error}")
        sys.exit(FAULT)
    except (KeyboardInterrupt, typer.Abort):
        _interrupted()
    except SystemExit as end:
        if end.code == INTERRUPTED:  # as Typer passes Ctrl-C on
            _interrupted()
        raise
    except typer.TyperException as error:
        if message := error.format_message():  # empty where the help itself was the answer
            say(f"naba: error: {message} See naba --help.")
        sys.exit(FAULT)


def _interrupted() -> NoReturn:
    say(
        "naba: interrupted; whatever trains, builds or labels goes on where it stopped when the same command is given, and anything else starts anew"
    )
    sys.exit(INTERRUPTED)


@app.callback(invoke_without_command=True)
def _global(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is being done.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
) -> None:
    log_to_terminal(verbose=verbose)
    if version:
        from naba import __version__

        show(f"naba {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        raise typer.BadParameter("a command is missing; see naba --help")
