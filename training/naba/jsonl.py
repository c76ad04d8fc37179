"""Reading and writing JSONL (UTF-8, one object a line) so that nothing is half-written and every error names its line.

rows = list(read_jsonl(path))
write_jsonl(path, rows)
"""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from naba.errors import DataError


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSONL file (see `read_numbered`)."""
    return (row for _, row in read_numbered(path))


def read_numbered(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number, from 1, and object of each line of a JSONL file; empty lines are passed over.

    Raises DataError naming file and line for a missing file, broken UTF-8, broken JSON or a line that is no object.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a folder; name a JSONL file in it")
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    if path.suffix in (".csv", ".tsv", ".parquet", ".xlsx"):
        raise DataError(f"{path}: is no JSONL; `naba import` makes it of a table")
    try:
        lines = path.open("rb")
    except PermissionError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check its rights") from None
    with lines:
        for number, raw in enumerate(lines, start=1):
            if not raw.strip():
                continue
            yield number, parse_object(raw, f"{path}:{number}")


def parse_object(raw: bytes, where: str) -> dict[str, Any]:
    """Parse one JSON object; `where` stands at the head of the DataError if it is none."""
    try:
        value = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: not UTF-8 (byte {error.start}); convert the file to UTF-8") from None
    except json.JSONDecodeError as error:
        raise DataError(
            f"{where}: not JSON ({error.msg} at column {error.colno}); each line must be one object"
        ) from None
    except ValueError as error:
        raise DataError(f"{where}: not JSON that can be read ({error})") from None
    except RecursionError:
        raise DataError(f"{where}: JSON nested too deeply; each line must be one flat object") from None
    if not isinstance(value, dict):
        raise DataError(f"{where}: a {type(value).__name__}, not an object; each line must be one JSON object")
    return value


def dumps(row: Mapping[str, Any]) -> str:
    """One line of JSON with Arabic kept readable."""
    return json.dumps(row, ensure_ascii=False)


@contextmanager
def atomic_open(path: Path) -> Iterator[IO[str]]:
    """Open a temporary file beside `path`; rename it onto `path` only when the block ends without an error.

    A reader therefore sees the old file or the whole new one. Raises DataError when the folder cannot be written.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files only their owner can read; results are meant to be shared like any other file.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror or error}); check the folder, its rights and the disk"
        ) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows atomically; returns how many."""
    count = 0
    with atomic_open(path) as file:
        for row in rows:
            file.write(dumps(row) + "\n")
            count += 1
    return count


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write one indented JSON document atomically."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_open(path) as file:
        file.write(text)


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON document that is an object. Raises DataError naming the file."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    return parse_object(path.read_bytes(), str(path))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
