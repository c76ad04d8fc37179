"""Reading what annotation tools export: JSON lists and JSONL, with every error naming file and place.

for where, row in read_rows(path): expect(row, "doccano", where)
"""

import codecs
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from naba.errors import DataError
from naba.jsonl import parse_object


def read_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield place and object of each entry of a JSON list or JSONL file. Raises DataError where it is neither."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    yield from parse_rows(path.read_bytes(), str(path))


def parse_rows(raw: bytes, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """`read_rows` for bytes already read."""
    if raw.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
        for number, row in enumerate(_parse_list(raw, name), start=1):
            if not isinstance(row, dict):
                raise DataError(
                    f"{name}: entry {number}: a {type(row).__name__}, not an object; is it a tool's export?"
                )
            yield f"{name}: entry {number}", row
        return
    for number, line in enumerate(raw.splitlines(), start=1):
        if line.strip():
            yield f"{name}:{number}", parse_object(line, f"{name}:{number}")


def tool_of(row: Mapping[str, Any]) -> str | None:
    """Which tool wrote a row, by fields that only that tool writes; None where none did."""
    if "annotation_id" in row or ("data" in row and ("annotations" in row or "predictions" in row)):
        return "label-studio"
    if "_server_id" in row or ("fields" in row and "responses" in row):
        return "argilla"
    if "answer" in row or "options" in row:
        return "prodigy"
    return "doccano" if "label" in row else None


def expect(row: Mapping[str, Any], tool: str, where: str) -> None:
    """Raise DataError naming `where` unless `tool` wrote the row."""
    found = tool_of(row)
    if found is None:
        keys = ", ".join(list(row)[:8]) or "no fields"
        raise DataError(
            f"{where}: nothing that {tool} exports (it has {keys}); see the README for the format to choose"
        )
    if found != tool:
        raise DataError(f"{where}: this looks like an export of {found}; import it with --tool {found}")


def mapping(value: Any, what: str, where: str) -> Mapping[str, Any]:
    """The value, if it is an object. Raises DataError naming `where` and `what`."""
    if not isinstance(value, Mapping):
        raise DataError(f"{where}: {what} is a {type(value).__name__}, not an object; is the export damaged?")
    return value


def sequence(value: Any, what: str, where: str) -> list[Any]:
    """The value, if it is a list; none is an empty one. Raises DataError naming `where` and `what`."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise DataError(f"{where}: {what} is a {type(value).__name__}, not a list; is the export damaged?")
    return value


def texts(value: Any, what: str, where: str) -> list[str]:
    """The value, if it is a list of texts. Raises DataError naming `where` and `what`."""
    found = sequence(value, what, where)
    if not all(isinstance(entry, str) for entry in found):
        raise DataError(f"{where}: {what} is no list of texts; is the export damaged?")
    return found


def _parse_list(raw: bytes, name: str) -> list[Any]:
    try:
        value = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: not UTF-8 (byte {error.start}); convert the file to UTF-8") from None
    except json.JSONDecodeError as error:
        raise DataError(
            f"{name}: not JSON ({error.msg} at line {error.lineno}); is the file complete? Export it again"
        ) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}: not JSON that can be read ({error})") from None
    return list(value)
