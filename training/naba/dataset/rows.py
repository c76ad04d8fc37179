"""Rows of a dataset brought to one shape, so that `datasets.load_dataset` reads them as they are.

JSON rows of a set differ: one has `readings`, the next a `confidence`, in the third a date is null. Readers that guess
the columns from the first rows fail at a later one. Here every row gets every field, null where it has none, and the
fields are declared in the form of a dataset card's `dataset_info`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_WIDER = {frozenset(("int64", "float64")): "float64", frozenset(("date32", "string")): "string"}
"""What holds both of two types."""
_SCALARS = {bool: "bool", int: "int64", float: "float64", str: "string"}


@dataclass(frozen=True)
class SameFields:
    """Rows with the same fields throughout."""

    rows: list[list[dict[str, Any]]]
    """For each part its rows."""
    features: list[dict[str, Any]]
    """The fields, as `dataset_info.features` of a dataset card has them."""


def same_fields(parts: Sequence[Sequence[Mapping[str, Any]]]) -> SameFields:
    """Give all rows all fields, in the order of first appearance; a field whose values are of several types becomes JSON text."""
    shape: dict[str, Any] = {}
    for part in parts:
        for row in part:
            shape = _join(shape, _shape(row))
    rows = [[{name: _fit(row.get(name), inner) for name, inner in shape.items()} for row in part] for part in parts]
    return SameFields(rows, _features(shape))


def _shape(value: Any) -> Any:
    """None for null, a name for a scalar, a mapping for an object, a list of one for a list, "json" for a mixture."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {name: _shape(inner) for name, inner in value.items()} if value else None
    if isinstance(value, list | tuple):
        inner = None
        for item in value:
            inner = _join(inner, _shape(item))
        return "json" if inner == "json" else [inner]
    if isinstance(value, str) and _DAY.fullmatch(value):
        return "date32"  # readers take an ISO day for a moment, and write midnight behind it
    return _SCALARS.get(type(value), "json")


def _join(one: Any, other: Any) -> Any:
    if one is None or other is None or one == other:
        return other if one is None else one
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: _join(one.get(name), other.get(name)) for name in {**one, **other}}
    if isinstance(one, list) and isinstance(other, list):
        inner = _join(one[0], other[0])
        return "json" if inner == "json" else [inner]
    return _WIDER.get(frozenset((str(one), str(other))), "json")


def _fit(value: Any, shape: Any) -> Any:
    if value is None:
        return None
    if shape == "json":
        return json.dumps(value, ensure_ascii=False)
    if isinstance(shape, dict):
        return {name: _fit(value.get(name), inner) for name, inner in shape.items()}
    if isinstance(shape, list):
        return [_fit(item, shape[0]) for item in value]
    if shape == "float64":
        return float(value)
    return value if value != {} else None


def _features(shape: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name} | _feature(inner) for name, inner in shape.items()]


def _feature(shape: Any) -> dict[str, Any]:
    if isinstance(shape, dict):
        return {"struct": _features(shape)}
    if isinstance(shape, list):
        inner = _feature(shape[0])
        return {"list": inner["struct"] if "struct" in inner else inner.get("dtype", inner)}
    return {"dtype": "string" if shape in (None, "json") else shape}
