"""What a model card is made from: a run folder, its reports, and its data where that is still at hand.

facts = gather(Path("models/mine"), [Path("models/mine/report.json")])
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from naba.calibration import Decision
from naba.dataset.labelled import load_labelled
from naba.dataset.statistics import describe_parts
from naba.errors import CheckpointError, DataError
from naba.evaluation.stored.report import read_report
from naba.fingerprint import DECIDING, fingerprint, run_mark
from naba.jsonl import read_json
from naba.paths import find
from naba.run import CURVE, training_files
from naba.schema import LabelSchema

_LONGEST = 80
_REVERSING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F))
"""Characters that turn the direction of what follows them."""


@dataclass(frozen=True)
class RunFacts:
    """What a card is made from."""

    name: str
    schema: LabelSchema
    decision: Decision
    max_tokens: int
    record: Mapping[str, Any]
    """run.json."""
    reports: Sequence[Mapping[str, Any]]
    """Report by report, checked; none for a run that was not evaluated."""
    training: Mapping[str, Any] | None
    """`naba.dataset.statistics.describe_parts` of the training segments; None where they are not at hand."""
    tests: Sequence[Mapping[str, Any] | None]
    """The same of each report's test segments."""
    curve: str | None = None
    """The name of the picture of the learning curve, where it stands beside the card."""


def gather(folder: Path, reports: Sequence[Path] | None = None) -> RunFacts:
    """The facts about a finished run.

    Args:
        folder: the run folder.
        reports: report.json files, or folders that hold one; None: those in the run folder and below its `reports`.

    Raises:
        CheckpointError: the folder is no finished run of naba. DataError: a report cannot be read, or is of another run.
    """
    for name in ("config.json", "decision.json", "run.json"):
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder}: {name} is missing; a card is made for a finished run of naba")
    record = _record(folder / "run.json")
    try:
        part = read_json(folder / "config.json")["naba"]
        schema, max_tokens = LabelSchema.parse(part["schema"], str(folder / "config.json")), int(part["max_tokens"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{folder}/config.json: not as naba writes it ({error})") from None
    paths = _found(folder) if reports is None else [path / "report.json" if path.is_dir() else path for path in reports]
    read = [_of_run(path, folder, record, schema) for path in paths]
    marks = [tuple(report["data"].values()) for report in read]
    for number, mark in enumerate(marks):
        if mark in marks[:number]:
            raise DataError(f"{paths[number]}: a second report on the same data; name the one to use with --report")
    files, whole = training_files(folder)
    return RunFacts(
        folder.resolve().name,
        schema,
        Decision.from_dict(read_json(folder / "decision.json"), schema),
        max_tokens,
        record,
        read,
        _described("training", files, schema) if whole else None,
        [_described("test", _unchanged(report), schema) for report in read],
        CURVE if (folder / CURVE).is_file() else None,
    )


def plain(value: object) -> str:
    """A name from outside in one short line that means nothing to Markdown, HTML or the card's markers."""
    name = " ".join(str(value).translate(_REVERSING).split())
    name = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
    return words(name).replace("`", "'")


def data_name(report: Mapping[str, Any]) -> str:
    """The names of a report's data files."""
    return " + ".join(path.replace("\\", "/").rpartition("/")[2] for path in report["data"])


def words(text: str) -> str:
    """A text of the label schema in one line that means nothing to HTML or the card's markers."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")


def _record(path: Path) -> dict[str, Any]:
    """run.json, after a look whether all is there that a card tells."""
    record = read_json(path)
    needed = {
        "": (
            "config",
            "data",
            "segments",
            "validation",
            "best_step",
            "seconds",
            "date",
            "commit",
            "versions",
            "hardware",
        ),
        "config": ("encoder", "train", "seed"),
        "segments": ("train", "validation"),
        "validation": ("topics", "stances", "pairs"),
    }
    for part, keys in needed.items():
        found = record[part] if part else record
        for key in keys:
            if not isinstance(found, Mapping) or key not in found:
                raise CheckpointError(f"{path}: not as naba writes it: {f'{part}.' if part else ''}{key}: is missing")
    return record


def _found(folder: Path) -> list[Path]:
    """The reports that a run folder holds."""
    return [path for path in (folder / "report.json", *sorted(folder.glob("reports/*/report.json"))) if path.is_file()]


def _of_run(path: Path, folder: Path, record: Mapping[str, Any], schema: LabelSchema) -> Mapping[str, Any]:
    """A report, after a look whether it is of this run."""
    report = read_report(path)
    if report["schema"]["fingerprint"] != schema.fingerprint:
        raise DataError(f"{path}: is of a run with other topics or stances; evaluate this run")
    if not _same_run(report, folder, record):
        raise DataError(f"{path}: is of another run, or of this one before it was trained anew; evaluate this run")
    return report


def _same_run(report: Mapping[str, Any], folder: Path, record: Mapping[str, Any]) -> bool:
    """Whether a report is of the run in `folder`: made from the same files, whatever the folder is called.

    A report of before format 3 has no mark of them, and without weights there is nothing to compare it with: then by the
    run's whole learning curve; and of a run without one by the folder's name.
    """
    mark = report.get("mark")
    if mark and all((folder / name).is_file() for name in DECIDING):
        return _files(mark) == _files(run_mark(folder))
    if report["history"] is None and record.get("history") is None:
        named: str = report["run"].replace("\\", "/").rstrip("/").rpartition("/")[2]
        return named == folder.resolve().name
    return json.dumps(report["history"], sort_keys=True) == json.dumps(record.get("history"), sort_keys=True)


def _files(mark: str) -> str:
    """The part of a run's mark that stands for its files, not its name."""
    return mark.rpartition("@")[2]


def _unchanged(report: Mapping[str, Any]) -> list[Path]:
    """The report's data files; none unless all are there as they were."""
    files = {find(Path(path)): mark for path, mark in report["data"].items()}
    return list(files) if all(file.is_file() and fingerprint(file) == mark for file, mark in files.items()) else []


def _described(name: str, files: Sequence[Path], schema: LabelSchema) -> dict[str, Any] | None:
    return describe_parts({name: load_labelled(files, schema)}, schema) if files else None
