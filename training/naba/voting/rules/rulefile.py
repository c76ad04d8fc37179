"""Reading a folder of rules: YAML in, checked lexicons and rules out, every fault told with file and rule.

Lexicons are shared by all files of the folder. A file holds `topic` (of its rules, where they name none), `lexicons`
and `rules`.
"""

import difflib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from naba.config import Config
from naba.errors import ConfigError
from naba.schema import LabelSchema
from naba.voting.rules.hook import Hook, load_hook
from naba.voting.rules.lexicon import Lexicon
from naba.voting.rules.rule import Rule, votes_of

_KEYS = ("topic", "lexicons", "rules")
_C = TypeVar("_C", bound=Config)


@dataclass(frozen=True)
class LoadedRule:
    """A rule, where it stands, and the function it asks."""

    rule: Rule
    topic: str
    where: str
    hook: Hook | None


@dataclass(frozen=True)
class RuleFolder:
    """What the files of a folder hold together."""

    lexicons: dict[str, Lexicon]
    lexicon_files: dict[str, Path]
    rules: list[LoadedRule]
    """In order of file and place."""


def load_folder(folder: Path, schema: LabelSchema) -> RuleFolder:
    """Read and check every file of a folder. Raises ConfigError naming file, rule and what to do."""
    taken = {"present", "absent"} & set(schema.stance_ids)
    if taken:
        raise ConfigError(f"{folder}: the schema has a stance {taken.pop()!r}, which is a rule's own word; rename it")
    files = {path: _read(path) for path in rule_files(folder) if path.suffix != ".py"}
    lexicons: dict[str, Lexicon] = {}
    places: dict[str, Path] = {}
    for path, content in files.items():
        for name, value in _group(content, "lexicons", dict, path).items():
            where = f"{path}: lexicon {name!r}"
            if not isinstance(name, str):
                raise ConfigError(f"{where}: a name is text; quote it (YAML reads no, yes, on, off as true or false)")
            if name in lexicons:
                raise ConfigError(f"{where} is defined in {places[name]} too; rename one")
            lexicons[name], places[name] = _parse(Lexicon, value, where), path
    rules: dict[str, LoadedRule] = {}
    modules: dict[Path, ModuleType] = {}
    for path, content in files.items():
        for number, value in enumerate(_group(content, "rules", list, path), start=1):
            loaded = _rule(value, content.get("topic"), f"{path}: rule {number}", path, schema, modules)
            if loaded.rule.id in rules:
                raise ConfigError(
                    f"{loaded.where}: the id is given twice (also {rules[loaded.rule.id].where}); rename one"
                )
            for name in loaded.rule.lexicons():
                if name not in lexicons:
                    raise ConfigError(
                        f"{loaded.where}: lexicon {name!r} is not defined in {folder}{_nearest(name, lexicons)}"
                    )
            rules[loaded.rule.id] = loaded
    if not rules:
        raise ConfigError(f"{folder}: no rules; write some in a .yaml file there")
    return RuleFolder(lexicons, places, list(rules.values()))


def rule_files(folder: Path) -> list[Path]:
    """The YAML and Python files directly in the folder, by name. Raises ConfigError where there is no folder."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; name the folder of the rules")
    return sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml", ".py") and path.is_file())


class _UniqueKeys(yaml.SafeLoader):
    """PyYAML lets a second key of the same name silently replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # a list as a key: the parent class refuses it
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), _UniqueKeys)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); rules are UTF-8 text") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: a {type(content).__name__}; expected the keys {', '.join(_KEYS)}")
    for key in content:
        if key not in _KEYS:
            raise ConfigError(f"{path}: unknown key {key!r}; known: {', '.join(_KEYS)}")
    return content


def _group(content: Mapping[str, Any], key: str, kind: type, path: Path) -> Any:
    value = content.get(key)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        wanted = "name: {words, verbs}" if kind is dict else "a list of rules, each beginning with '- id:'"
        raise ConfigError(f"{path}: {key} is a {type(value).__name__}; expected {wanted}")
    return value


def _rule(
    value: Any, topic: Any, where: str, path: Path, schema: LabelSchema, modules: dict[Path, ModuleType]
) -> LoadedRule:
    if isinstance(value, dict) and isinstance(value.get("id"), str):
        where = f"{path}: rule {value['id']!r}"
    rule = _parse(Rule, value, where)
    topic = rule.topic if rule.topic is not None else topic
    if topic not in schema.topic_ids:
        given = "no topic is given" if topic is None else f"topic = {topic!r} is not in the label schema"
        raise ConfigError(f"{where}: {given}; it has {', '.join(schema.topic_ids)}{_nearest(topic, schema.topic_ids)}")
    votes = votes_of(schema)
    if rule.vote is not None and rule.vote not in votes:
        raise ConfigError(
            f"{where}: vote = {rule.vote!r}; expected one of {', '.join(sorted(votes))}{_nearest(rule.vote, votes)}"
        )
    hook = load_hook(path.parent, rule.python, where, modules) if rule.python else None
    return LoadedRule(rule, topic, where, hook)


def _parse(kind: type[_C], value: Any, where: str) -> _C:
    """Validate one lexicon or rule. Raises ConfigError with the first fault; a mistyped key comes before a missing one."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: a {type(value).__name__}; expected keys and values")
    known = [field.alias or name for name, field in kind.model_fields.items()]
    for key in value:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}; known: {', '.join(known)}{_nearest(key, known)}")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        told = first["msg"].removeprefix("Value error, ")
        if first["type"] == "missing":
            told = "is missing"
        elif place:
            told = f"= {first['input']!r}: {told}"
        hint = ""
        if isinstance(first["input"], bool):
            hint = "; quote it: YAML reads no, yes, on, off as true or false"
        elif isinstance(first["input"], int | float) and "string" in told:
            hint = "; quote it: YAML reads it as a number"
        raise ConfigError(f"{where}: {place + ' ' if place else ''}{told}{hint}") from None


def _nearest(name: Any, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
