"""Tables that people keep labels in, as one stream of rows: CSV, TSV, JSONL, Parquet, and folders of `datasets`.

    for where, row in read_table(Path("labels.csv")):
        ...  # where: "labels.csv:2"

Every file may be gzipped. Unlike articles, of which a broken one is set aside, a table that cannot be read whole is an
error: half a labelled set is not the set. Pandas is not used: it reads the words "None" and "NA" as missing.
"""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from naba.corpus.decode import decode
from naba.corpus.files import ending
from naba.errors import DataError
from naba.jsonl import parse_object
from naba.paths import find

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
"""Of the files; each also with ".gz"."""
_ROWS_AT_ONCE = 1000
_LONGEST_CELL = 50_000_000  # characters

Rows = Iterator[tuple[str, dict[str, Any]]]


def read_table(
    path: Path, *, encoding: str = "utf-8", delimiter: str | None = None, quoted: bool = True, split: str | None = None
) -> Rows:
    """Yield where each row stands and its cells: text in CSV and TSV, values elsewhere; None where a cell is missing.

    Args:
        path: a file, or a folder written by `save_to_disk`, of a `Dataset` or `DatasetDict`.
        encoding: of CSV, TSV and JSONL.
        delimiter: between cells; a tab in .tsv and a comma in .csv where None.
        quoted: whether a cell may stand in double quotes.
        split: of a `DatasetDict`; None: all of them, in their order.

    Raises DataError naming file and line for whatever cannot be read whole.
    """
    path = find(path)
    if path.is_dir():
        yield from _read_folder(path, split)
        return
    if not path.is_file():
        raise DataError(f"{path}: no such file or folder")
    kind = ending(path).removesuffix(".gz")
    if kind not in ENDINGS:
        raise DataError(
            f"{path}: not a table that naba reads; it reads {', '.join(ENDINGS)}, also .gz, and datasets folders"
        )
    if split:
        raise DataError(f"{path}: read.split = {split!r} names a part of a datasets folder; this is a file")
    data = _bytes(path)
    if kind == ".parquet":
        yield from _read_parquet(path, data)
        return
    try:
        text = decode(data, encoding)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    if kind in (".csv", ".tsv"):
        yield from _read_csv(path, text, delimiter or ("\t" if kind == ".tsv" else ","), quoted)
    else:
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield f"{path}:{number}", parse_object(line.encode(), f"{path}:{number}")


def _bytes(path: Path) -> bytes:
    try:
        if path.suffix.lower() != ".gz":
            return path.read_bytes()
        with gzip.open(path) as file:
            return file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None


def _read_csv(path: Path, text: str, delimiter: str, quoted: bool) -> Rows:
    csv.field_size_limit(_LONGEST_CELL)
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    # Strict, or a quotation mark that is never closed would swallow the rest of the file into one cell.
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True)
    line = 1
    try:
        header = next(rows, [])
        names = [name.strip() for name in header]
        if not any(names):
            raise DataError(f"{path}: empty; the first line must name the columns")
        repeated = [name for name, after in pairwise(sorted(names)) if name == after]
        if repeated:
            raise DataError(f"{path}: two columns are called {repeated[0]!r}; rename one")
        line = rows.line_num + 1
        for cells in rows:
            if cells and len(cells) != len(names):
                raise DataError(
                    f"{path}:{line}: {len(cells)} cells under {len(names)} column names; quote cells that hold {delimiter!r} or "
                    "line breaks, or set read.delimiter"
                )
            if cells:
                yield f"{path}:{line}", dict(zip(names, cells, strict=True))
            line = rows.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}:{line}: broken CSV ({error}); double the quotation marks inside quoted cells, or set read.quoted=false "
            "where none are quoted"
        ) from None


def _read_parquet(path: Path, data: bytes) -> Rows:
    import pyarrow
    import pyarrow.parquet

    try:
        number = 0
        for batch in pyarrow.parquet.ParquetFile(io.BytesIO(data)).iter_batches(batch_size=_ROWS_AT_ONCE):
            for row in batch.to_pylist():
                number += 1
                yield f"{path}: row {number}", row
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a Parquet file that can be read ({str(error).splitlines()[0]})") from None


def _read_folder(path: Path, split: str | None) -> Rows:
    if not any((path / name).is_file() for name in ("state.json", "dataset_dict.json")):
        raise DataError(f"{path}: no folder written by datasets' save_to_disk; name the table files in it one by one")
    import datasets
    import pyarrow

    try:
        loaded = datasets.load_from_disk(str(path))
    except (OSError, ValueError, KeyError, json.JSONDecodeError, pyarrow.ArrowException) as error:
        raise DataError(f"{path}: cannot be read as a datasets folder ({' '.join(str(error).split())[:160]})") from None
    parts = dict(loaded) if isinstance(loaded, datasets.DatasetDict) else {"": loaded}
    if split is not None and split not in parts:
        known = ", ".join(filter(None, parts)) or "no splits: leave read.split out"
        raise DataError(f"{path}: no split {split!r}; it has {known}")
    for name, part in parts.items():
        if split in (None, name):
            yield from _read_part(f"{path}/{name}" if name else str(path), part)


def _read_part(where: str, part: Any) -> Rows:
    import datasets

    named = {column: f for column, f in part.features.items() if isinstance(f, datasets.ClassLabel)}
    # As Arrow, or images and sound in columns that nobody asked for would be decoded.
    arrow = part.with_format("arrow")
    for start in range(0, len(part), _ROWS_AT_ONCE):
        for offset, row in enumerate(arrow[start : start + _ROWS_AT_ONCE].to_pylist()):
            yield f"{where}: row {start + offset + 1}", row | {c: _class_name(f, row[c]) for c, f in named.items()}


def _class_name(feature: Any, value: Any) -> Any:
    """The name of a class; None for -1, which `datasets` writes where a label is missing."""
    return None if value is None or value < 0 else feature.int2str(value)


def cell(row: Mapping[str, Any], column: str) -> Any:
    """A row's cell; "labels.stance" reaches into nested objects. None where there is none."""
    if column in row or "." not in column:
        return row.get(column)
    first, _, rest = column.partition(".")
    inner = row.get(first)
    return cell(inner, rest) if isinstance(inner, Mapping) else None
