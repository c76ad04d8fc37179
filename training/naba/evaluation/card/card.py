"""The model card of a run in the Hub's format: metadata with the figures of its reports, and sections written from facts.

    path = write_card(Path("models/mine/README.md"), facts, license="apache-2.0")

The figures of a report on authored data, or on segments that the run has met, stand in its section with a warning; the
metadata, where the Hub would show them without one, leaves them out.

Every section stands between `<!-- naba:begin NAME -->` and `<!-- naba:end NAME -->`. Writing the card again replaces what
is between, and the metadata's `model-index`; the rest is its owner's and stays. A section that was taken out stays out;
`naba:begin all` stands for all sections. Where the data of a run is not at hand, as on another machine than it was trained
on, what an earlier card of the same run and reports says of it is kept.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from huggingface_hub.repocard import REGEX_YAML_BLOCK

from naba.errors import ConfigError, DataError
from naba.evaluation.card.facts import RunFacts, data_name
from naba.evaluation.card.sections import SECTIONS, sections
from naba.evaluation.figures import HEADLINE
from naba.jsonl import write_text

ALL = "all"
_ON_DATA = ("data", "limits")
_TASK = ("text-classification", "topic and stance of news segments")
_METRICS = {
    "pairs.f1": ("f1", {"average": "micro"}),
    "topics.macro_f1": ("f1", {"average": "macro"}),
    "stances.macro_f1": ("f1", {"average": "macro"}),
    "exact_match": ("exact_match", None),
}
"""Headline score → its metric's id on the Hub, and arguments."""
_MARKER = re.compile(r"\s*<!--\s*naba:(begin|end)\s+(\S+)\s*-->\s*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]+)?|multilingual")
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]*")


def write_card(
    path: Path,
    facts: RunFacts,
    *,
    languages: Sequence[str] | None = None,
    license: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write the card, or what naba writes of a card that is there.

    Args:
        languages: codes such as "ar"; None: those of the card, or Arabic.
        license: the Hub's id of the weights' licence, such as "apache-2.0"; None: that of the card, or none.
        overwrite: replace a card that is there as a whole.

    Raises:
        ConfigError: a language or licence is not written as the Hub writes it.
        DataError: there is a card without markers, or with broken ones or broken metadata.
    """
    _check(languages, license)
    old = _read(path) if path.is_file() and not overwrite else None
    beside = facts.curve is not None and (path.parent / facts.curve).is_file()
    made = sections(facts if beside else replace(facts, curve=None))
    if old is None:
        body = _fresh(facts.name, made)
    else:
        body = "\n".join(_renewed(old.text.split("\n"), made, _kept(old.text, facts), path))
    data = _metadata(facts, {} if old is None else old.data.to_dict(), languages, license)
    write_text(path, f"---\n{data.to_yaml()}\n---\n{body}")


def _check(languages: Sequence[str] | None, license: str | None) -> None:
    for language in languages or ():
        if not _LANGUAGE.fullmatch(language):
            raise ConfigError(f"--language {language}: expected a code of two or three letters, such as ar")
    if license is not None and not _LICENCE.fullmatch(license):
        raise ConfigError(f"--license {license}: expected the Hub's id of a licence, such as apache-2.0 or cc-by-4.0")


def _read(path: Path) -> ModelCard:
    try:
        text = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the card cannot be read ({error})") from None
    if not any(_MARKER.fullmatch(line) for line in text.split("\n")):
        raise DataError(
            f"{path}: a card without naba's markers, which would be lost; put `<!-- naba:begin {ALL} -->` and `<!-- naba:end {ALL} -->` "
            "where the sections shall stand, or replace it with --overwrite"
        )
    # A card without metadata gets some; huggingface_hub need not tell.
    logging.getLogger("huggingface_hub.repocard").setLevel(logging.ERROR)
    try:
        card = ModelCard(text)
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise DataError(f"{path}: the metadata at its head cannot be read ({' '.join(str(error).split())})") from None
    card.data.to_yaml(original_order=list(_head(text)))  # in the order of the file, for only the text has that
    return card


def _head(text: str) -> dict[str, Any]:
    """The metadata of a card that can be read, in its own order."""
    head = REGEX_YAML_BLOCK.search(text)
    return (yaml.safe_load(head.group(2)) or {}) if head else {}


def _fresh(name: str, made: Mapping[str, Sequence[str]]) -> str:
    head = [
        f"# {name}",
        "",
        "<!-- `naba card` writes anew what is between its markers; what you write outside stays. -->",
        "",
    ]
    return "\n".join([*head, *_blocks(made)])


def _blocks(made: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name, lines in made.items():
        yield from [*_block(name, lines), ""]


def _block(name: str, lines: Sequence[str]) -> list[str]:
    return [f"<!-- naba:begin {name} -->", *lines, f"<!-- naba:end {name} -->"]


def _kept(text: str, facts: RunFacts) -> Sequence[str]:
    """The sections that a card of the same run and reports knows better: those on data that is not at hand."""
    if facts.training is not None and None not in facts.tests:
        return ()
    marks = [*facts.record["data"].values(), facts.record["date"], *(report["date"] for report in facts.reports)]
    return _ON_DATA if all(mark in text for mark in marks) else ()


def _renewed(lines: Sequence[str], made: Mapping[str, Sequence[str]], kept: Sequence[str], path: Path) -> Iterator[str]:
    """The lines of a card with every marked section written anew, but for those that are `kept`."""
    inside: str | None = None
    met: set[str] = set()
    for line in lines:
        marker = _MARKER.fullmatch(line)
        if not marker:
            if inside is None or inside in kept:
                yield line
            continue
        kind, name = marker.groups()
        if name not in (ALL, *SECTIONS):
            raise DataError(f"{path}: naba has no section {name!r}; there are {', '.join((ALL, *SECTIONS))}")
        if kind == "begin" and (inside is not None or name in met):
            where = f"inside section {inside}" if inside else "a second time"
            raise DataError(
                f"{path}: section {name} begins {where}; restore its markers, or replace the card with --overwrite"
            )
        if kind == "end" and name != inside:
            raise DataError(
                f"{path}: section {name} ends but has not begun; restore its markers, or replace the card with --overwrite"
            )
        inside = name if kind == "begin" else None
        if kind == "begin":
            met.add(name)
            yield from list(_blocks(made))[:-1] if name == ALL else [line] if name in kept else _block(name, made[name])
        elif name in kept:
            yield line
    if inside:
        raise DataError(
            f"{path}: section {inside} does not end; restore its markers, or replace the card with --overwrite"
        )


def _metadata(
    facts: RunFacts, old: Mapping[str, Any], languages: Sequence[str] | None, license: str | None
) -> ModelCardData:
    """The metadata: what the card has, the figures anew, and defaults for what it lacks."""
    results = list(_results(facts))
    given: dict[str, Any] = {"language": _one_or_more(languages), "license": license}
    defaults = {
        "language": "ar",
        "library_name": "naba",
        "pipeline_tag": _TASK[0],
        "tags": ["news", "topic", "stance"],
        "base_model": _base_model(facts),
        "metrics": sorted({metric for metric, _ in _METRICS.values()}) if results else None,
    }
    kept = {key: value for key, value in old.items() if key not in ("model-index", "model_name", "eval_results")}
    chosen = {**kept, **{key: value for key, value in given.items() if value is not None}}
    chosen |= {key: value for key, value in defaults.items() if key not in chosen and value is not None}
    data = ModelCardData(eval_results=results or None, model_name=facts.name if results else None, **chosen)
    # Reorders the data's own keys: what was there where it was, then what is new.
    data.to_yaml(original_order=[*old, "language", "license", *defaults])
    return data


def _one_or_more(languages: Sequence[str] | None) -> str | list[str] | None:
    return None if not languages else languages[0] if len(languages) == 1 else list(languages)


def _base_model(facts: RunFacts) -> str | None:
    """The encoder's name on the Hub; None for a folder."""
    encoder = facts.record["config"]["encoder"]
    described = facts.record.get("encoder") or {}
    return encoder if described.get("commit") else None


def _results(facts: RunFacts) -> Iterator[EvalResult]:
    """The run's headline scores, exactly as in those of its reports that say something of new text."""
    for report in facts.reports:
        if report["authored"] or _leaked(report["leaks"]):
            continue
        for path, (metric, arguments) in _METRICS.items():
            value: Any = report["systems"]["model"]["scores"]
            for key in path.split("."):
                value = value[key]
            if value is not None:
                yield EvalResult(
                    task_type=_TASK[0],
                    task_name=_TASK[1],
                    dataset_type=report["schema"]["name"],
                    dataset_name=data_name(report),
                    dataset_revision="+".join(report["data"].values()),
                    metric_type=metric,
                    metric_name=HEADLINE[path],
                    metric_value=value,
                    metric_args=arguments,
                )


def _leaked(leaks: Mapping[str, Any]) -> bool:
    """Whether scored segments may have been met before: leaks were allowed, and it is not known that there are none."""
    dropped = leaks["dropped"] and leaks["in_training"] is not None
    unmet = leaks["in_validation"] == 0 and (leaks["in_training"] == 0 or dropped) and not leaks.get("not_checked")
    return bool(leaks["allowed"]) and not unmet
