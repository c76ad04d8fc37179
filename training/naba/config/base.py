"""Reading a configuration: YAML into a pydantic model, changed by `--set key.sub=value`."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from naba.errors import ConfigError


class Config(BaseModel):
    """Base: unknown keys are refused, values are checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


C = TypeVar("C", bound=Config)


def load_config(
    kind: type[C],
    path: Path | None,
    overrides: list[str] | None = None,
    given: Mapping[str, Any] | None = None,
    recorded: Mapping[str, Any] | None = None,
) -> C:
    """Read a configuration file and apply what the command line says.

    Args:
        kind: the model to fill.
        path: the YAML file; None leaves all defaults.
        overrides: `key.sub=value`, the value read as YAML.
        given: "key.sub" → value from options of their own, taken as it is; None means that the option was not used.
        recorded: what stands in place of a file's content.

    Raises ConfigError naming file, key, value and what is allowed.
    """
    content: Any = deepcopy(dict(recorded or {}))
    if path is not None:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except FileNotFoundError:
            raise ConfigError(f"{path}: no such configuration file") from None
        except IsADirectoryError:
            raise ConfigError(f"{path}: is a folder; name a configuration file, such as those in configs/") from None
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(f"{path}: cannot be read ({reason})") from None
        except (yaml.YAMLError, ValueError) as error:  # ValueError: a day that no calendar has
            raise ConfigError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
        if not isinstance(content, dict):
            raise ConfigError(f"{path}: expected keys and values, found a {type(content).__name__}")
    for override in overrides or []:
        _apply(content, override)
    for key, value in (given or {}).items():
        if value is not None:
            _set(content, key, value, f"{key}={value}")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        said = {override.partition("=")[0]: "--set" for override in overrides or []}
        said |= {key: "command line" for key, value in (given or {}).items() if value is not None}
        raise ConfigError(_explain(kind, error, str(path or "configuration"), said)) from None


def _apply(content: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override}: expected key=value, for example --set epochs=2")
    try:
        _set(content, key, yaml.safe_load(value), override)
    except (yaml.YAMLError, ValueError):
        raise ConfigError(f"--set {override}: the value is not YAML; quote it") from None


def _set(content: dict[str, Any], key: str, value: Any, shown: str) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            raise ConfigError(f"--set {shown}: {parent} holds a value, not a group of keys")
    content[last] = value


def _explain(kind: type[Config], error: ValidationError, where: str, said: Mapping[str, str]) -> str:
    """The fault in one line; `where` is what is to be mended unless the key is one of those that were `said` elsewhere."""
    # A mistyped key is told before the missing one it was meant to be.
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in first["loc"])
    named = [name for name in said if f"{key}.".startswith(f"{name}.")]
    where = said[max(named, key=len)] if named else where
    if first["type"] == "extra_forbidden":
        group: Any = kind
        for part in first["loc"][:-1]:  # an item of a list has the list's one type
            group = get_args(group)[0] if isinstance(part, int) else group.model_fields[part].annotation
        return f"{where}: unknown key {key!r}; known: {', '.join(group.model_fields)}"
    if first["type"] == "missing":
        return f"{where}: {key!r} is missing; give it in the file or with --set {key}=…"
    message = first["msg"].removeprefix("Value error, ")
    given = "" if isinstance(first["input"], dict) else f" = {first['input']!r}"
    return f"{where}: {key}{given}: {message}"
