"""`naba keys`: what may stand in the configuration of a command."""

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from naba.cli.terminal import console

if TYPE_CHECKING:
    from naba.config import Config


class Command(StrEnum):
    """A command with a configuration."""

    build = "build"
    import_ = "import"
    pretrain = "pretrain"
    train = "train"
    search = "search"
    evaluate = "evaluate"
    compare = "compare"
    label = "label"


def keys(command: Annotated[Command, typer.Argument(help="The command whose keys are wanted.")]) -> None:
    """List the keys of a command's configuration: defaults, what is allowed, and what they mean."""
    from rich.markup import escape
    from rich.table import Table

    table = Table("key", "default", "meaning", title=f"naba {command.value}: keys for the YAML file and --set")
    for name, default, allowed, meaning in rows(_config(command)):
        table.add_row(name, escape(default), escape(f"{allowed} {meaning}".strip()))
    console().print(table)


def rows(kind: "type[Config]", above: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Dotted key, default, what is allowed and meaning of every key, groups opened."""
    from pydantic import BaseModel
    from pydantic_core import PydanticUndefined

    for name, field in kind.model_fields.items():
        key, group = above + name, field.annotation
        if isinstance(group, type) and issubclass(group, BaseModel):
            yield from rows(group, f"{key}.")  # type: ignore[arg-type]
            continue
        default = field.get_default(call_default_factory=True)
        shown = "(needed)" if default is PydanticUndefined else _shown(default)
        yield key, shown, " ".join(_allowed(field)), " ".join((field.description or "").split())


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _allowed(field: Any) -> Iterator[str]:
    """The values of a choice, as "auto | cpu | cuda.", or the bounds of a number."""
    from typing import Literal, get_args, get_origin

    if get_origin(field.annotation) is Literal:
        yield " | ".join(map(str, get_args(field.annotation))) + "."
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [
        f"{sign} {getattr(part, name):g}"
        for part in field.metadata
        for name, sign in signs.items()
        if hasattr(part, name)
    ]
    if bounds:
        yield ", ".join(bounds) + "."


def _config(command: Command) -> "type[Config]":
    """The command's model; only the module asked for is imported, as some bring the heavy libraries along."""
    if command is Command.pretrain:
        from naba.pretraining.config import PretrainConfig

        return PretrainConfig
    if command is Command.search:
        from naba.experiments.search_space import SearchConfig

        return SearchConfig
    if command is Command.import_:
        from naba.importing.mapping import ImportConfig

        return ImportConfig
    from naba import config

    kinds: dict[Command, type[Config]] = {
        Command.build: config.BuildConfig,
        Command.train: config.TrainConfig,
        Command.evaluate: config.EvaluateConfig,
        Command.compare: config.CompareConfig,
        Command.label: config.LabelConfig,
    }
    return kinds[command]
