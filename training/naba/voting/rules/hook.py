"""Python rules: functions that a rule names as `python: hooks.py:function`, for what YAML cannot say.

The file lies in the folder of the rules. The function takes a `RuleText` and returns a vote of the rule (a stance id,
"present", "absent") or None to abstain. It must be pure: the same text, the same vote.
"""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from naba.errors import ConfigError

if TYPE_CHECKING:
    from naba.voting.rules.apply import RuleText

Hook = Callable[["RuleText"], str | None]


def load_hook(folder: Path, reference: str, where: str, modules: dict[Path, ModuleType]) -> Hook:
    """The function that "file.py:function" names.

    Args:
        folder: where the rules lie; the file must lie in it, so that the rules' fingerprint covers it.
        modules: files loaded so far; a new one is added.

    Raises ConfigError naming `where` if the file or function is missing, or the file fails to load.
    """
    name, colon, function = reference.partition(":")
    path = (folder / name).resolve()
    if not colon or not function or path.suffix != ".py":
        raise ConfigError(
            f"{where}: python = {reference!r}: expected file.py:function, for example hooks.py:casualties"
        )
    if path.parent != folder.resolve():
        raise ConfigError(f"{where}: python = {reference!r}: the file must lie in {folder}, beside the rules")
    if path not in modules:
        modules[path] = _load(path, where)
    hook: Any = getattr(modules[path], function, None)
    if not callable(hook):
        known = ", ".join(n for n, v in vars(modules[path]).items() if callable(v) and not n.startswith("_")) or "none"
        raise ConfigError(f"{where}: {path} has no function {function!r}; it has: {known}")
    return hook  # type: ignore[no-any-return]


def call_hook(hook: Hook, text: "RuleText", votes: frozenset[str], where: str) -> str | None:
    """What the hook votes. Raises ConfigError naming `where` if it raises or returns anything but None or one of `votes`."""
    try:
        vote = hook(text)
    except Exception as error:
        raise ConfigError(
            f"{where}: the hook raised {type(error).__name__}: {error} on {text.text[:60]!r}; mend the function"
        ) from error
    if vote is not None and (not isinstance(vote, str) or vote not in votes):
        raise ConfigError(
            f"{where}: the hook returned {vote!r} on {text.text[:60]!r}; expected None or one of {', '.join(sorted(votes))}"
        )
    return vote


def _load(path: Path, where: str) -> ModuleType:
    if not path.is_file():
        raise ConfigError(f"{where}: {path}: no such file; a hook's file lies beside the rules")
    module = ModuleType(f"naba_rules_{path.stem}")
    module.__file__ = str(path)
    try:
        # Compiled afresh each time: a cache of byte code beside the rules could be older than the file.
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    except Exception as error:
        raise ConfigError(
            f"{where}: {path}: cannot be loaded ({type(error).__name__}: {error}); mend the file"
        ) from error
    return module
