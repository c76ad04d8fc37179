"""The form of report.json, typed: what an evaluation writes, and what other programs may rely on.

    report = read_report(Path("models/mine/report.json"))     # checked: formats 2 to 4
    report["systems"]["model"]["scores"]["pairs"]["f1"]
    json_schema()                                             # the same for other programs, as JSON Schema

Format 3 is format 2 with `curves` and `behaviour`, format 4 that with `first_stage`. A key more or less, a share above 1 or
a NaN is an error that names the key's path. The parts: `scores`, `parts` and `first_stage` beside this. The form of
comparison.json, which `naba compare` writes, is here too.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, cast

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic cannot read typing's on Python 3.11

from naba.errors import DataError
from naba.evaluation.stored.first_stage import FirstStage
from naba.evaluation.stored.parts import Behaviour, Curve, Errors, Readings, Slice
from naba.evaluation.stored.scores import (
    Compared,
    Count,
    Difference,
    Interval,
    LeakCounts,
    McNemar,
    SchemaIds,
    Scores,
    System,
    Trust,
    strict,
)
from naba.jsonl import dumps, read_json

READABLE = (2, 3, 4)
"""Formats that can be read."""

AnyNumber = Annotated[float, Field(allow_inf_nan=True)]


@strict
class Report(TypedDict):
    """report.json."""

    format: Literal[2, 3, 4]
    run: str
    """As it was named."""
    mark: NotRequired[str | None]
    """From format 3: name and fingerprint of what its answers follow from; null for a model that is no folder."""
    resamples: NotRequired[Count]
    """From format 3: bootstrap resamples behind every interval."""
    schema: SchemaIds
    data: dict[str, str]
    """Test file → its fingerprint, the first sixteen hex digits of its SHA-256."""
    segments: Count
    distinct_segments: Count
    clusters: Count
    """Articles and near-duplicates that were resampled as wholes."""
    authored: Count
    """Segments that were written for the purpose, not published."""
    train: dict[str, str] | None
    """The run's training files and fingerprints; null where they are not at hand."""
    leaks: LeakCounts
    systems: dict[str, System]
    """"model" is the run; the others are runs by name, and baselines."""
    comparisons: dict[str, Compared]
    """The run minus each other system."""
    readings: Readings | None
    trust: Trust | None
    slices: list[Slice]
    errors: Errors
    history: list[dict[str, AnyNumber | None]] | None
    """The trainer's log: losses and validation scores by step."""
    best_step: int | None
    curves: NotRequired[dict[str, Curve | None] | None]
    """From format 3; null for a system without probabilities, or a topic that all segments have or none."""
    behaviour: NotRequired[Behaviour | None]
    """From format 3; null where the tests were not run."""
    first_stage: NotRequired[dict[str, FirstStage] | None]
    """From format 4, by recall; null for a run without a first stage."""
    date: str
    """UTC, as 2024-03-22T10:00:00Z."""
    commit: str | None
    versions: dict[str, str | None]
    hardware: dict[str, str | int | None]


@strict
class ComparedRun(TypedDict):
    """One of the runs of a comparison."""

    basis: str
    notes: list[str]
    leaks: LeakCounts
    scores: Scores
    intervals: dict[str, Interval | None]
    detectable: dict[str, float | None]


@strict
class ComparedPair(TypedDict):
    """Two of the runs: the first minus the second."""

    first: str
    second: str
    differences: dict[str, Difference]
    """By dotted path; `p_holm` is adjusted for the number of pairs of runs."""
    mcnemar: McNemar


@strict
class Comparison(TypedDict):
    """comparison.json: runs on the same segments, those with the highest pair-F1 first."""

    format: Literal[1]
    schema: SchemaIds
    data: dict[str, str]
    segments: Count
    distinct_segments: Count
    clusters: Count
    authored: Count
    runs: dict[str, ComparedRun]
    differences: list[ComparedPair]
    date: str
    commit: str | None
    versions: dict[str, str | None]
    hardware: dict[str, str | int | None]


_REPORT: TypeAdapter[Report] = TypeAdapter(Report)
_COMPARISON: TypeAdapter[Comparison] = TypeAdapter(Comparison)


def read_report(path: Path) -> Report:
    """Read and check a report.json.

    Raises DataError naming the file, and the path of the first key that is wrong.
    """
    return check_report(read_json(path), str(path))


def check_report(content: Mapping[str, Any], where: str) -> Report:
    """The content as a report, unchanged; tuples count as lists. Raises DataError as `read_report`."""
    version = content.get("format")
    if isinstance(version, int) and version > max(READABLE):
        raise DataError(
            f"{where}: report format {version} is of a newer naba; update naba, which reads up to {max(READABLE)}"
        )
    if version == 1:
        raise DataError(f"{where}: report format 1 lacks most parts; evaluate the run again")
    _validate(_REPORT, content, where, "a report")
    report = cast(Report, content)
    _check_systems(report, where)
    return report


def check_comparison(content: Mapping[str, Any], where: str) -> Comparison:
    """The content as a comparison, unchanged. Raises DataError naming the path of the first key that is wrong."""
    _validate(_COMPARISON, content, where, "a comparison")
    return cast(Comparison, content)


def json_schema(of: Literal["report", "comparison"] = "report") -> dict[str, Any]:
    """The form of report.json or comparison.json as JSON Schema, draft 2020-12, with meanings as descriptions."""
    adapter: TypeAdapter[Any] = _REPORT if of == "report" else _COMPARISON
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | adapter.json_schema()


def _validate(adapter: TypeAdapter[Any], content: Mapping[str, Any], where: str, what: str) -> None:
    try:
        adapter.validate_json(dumps(content))
    except ValidationError as error:
        # A mistyped key is told before the missing one it was meant to be.
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        key = ".".join(map(str, first["loc"])) or "the whole"
        told = {"missing": "is missing", "extra_forbidden": "is unknown"}
        message = told.get(first["type"], first["msg"][0].lower() + first["msg"][1:])
        raise DataError(f"{where}: not {what} as naba writes it: {key}: {message}") from None


def _check_systems(report: Report, where: str) -> None:
    """What types cannot say: that every system is scored or says why not, and on the schema's own topics."""

    def wrong(key: str, what: str) -> DataError:
        return DataError(f"{where}: not a report as naba writes it: systems.{key}: {what}")

    if "scores" not in report["systems"].get("model", {}):
        raise wrong("model.scores", "is missing")
    topics = list(report["schema"]["topics"])
    for name, system in report["systems"].items():
        if "scores" not in system:
            if not system.get("reason"):
                raise wrong(name, "has neither scores nor a reason")
            continue
        for part in ("intervals", "detectable"):
            if part not in system:
                raise wrong(f"{name}.{part}", "is missing")
        if list(system["scores"]["topics"]["per_topic"]) != topics:
            raise wrong(f"{name}.scores.topics.per_topic", "other topics than schema.topics")
