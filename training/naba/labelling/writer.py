"""Labelled articles in files: JSONL with an article a line, CSV and Parquet with a row a segment and topic.

    write_part(Path("part-00000-00000.csv"), articles, schema)
    join_parts(parts, Path("labelled.csv"))

Every file is whole or not there. Parts hold the articles of a shard; joined they are what one writer would have written.
"""

import csv
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from naba.jsonl import atomic_open, dumps
from naba.labelling.csv_cells import text_cells
from naba.labelling.labeller import LabelledArticle
from naba.labelling.rows import article_row, table_columns, table_rows
from naba.schema import LabelSchema

BOM = "\ufeff"
"""At the head of a CSV: without it Excel takes Arabic for something else."""
_INTEGERS = ("start", "end", "windows", "screened", "present")
_FLOATS = ("probability",)


def write_part(path: Path, articles: Iterable[LabelledArticle], schema: LabelSchema) -> None:
    """Write articles into a file of the kind that its ending says.

    Raises DataError where it cannot be written.
    """
    _WRITERS[path.suffix](path, articles, schema)


def join_parts(parts: Sequence[Path], path: Path) -> None:
    """Write the parts, in their order, as one file of their kind. Raises DataError where it cannot be written."""
    if path.suffix.lower() == ".parquet":
        with atomic_open(path) as file, ExitStack() as stack:
            writer = None
            for part in parts:
                table = pq.read_table(part)
                writer = writer or stack.enter_context(
                    pq.ParquetWriter(_bytes_of(file), table.schema, compression="zstd")
                )
                writer.write_table(table)
        return
    with atomic_open(path) as file:
        for number, part in enumerate(parts):
            with part.open(encoding="utf-8", newline="") as lines:
                if number and path.suffix.lower() == ".csv":
                    next(csv.reader(lines), None)  # one header for all
                shutil.copyfileobj(lines, file, 1 << 20)


def _write_jsonl(path: Path, articles: Iterable[LabelledArticle], schema: LabelSchema) -> None:
    with atomic_open(path) as file:
        file.writelines(dumps(article_row(article)) + "\n" for article in articles)


def _write_csv(path: Path, articles: Iterable[LabelledArticle], schema: LabelSchema) -> None:
    with atomic_open(path) as file:
        file.write(BOM)
        table = csv.DictWriter(file, table_columns(schema), lineterminator="\n")
        table.writeheader()
        for article in articles:
            table.writerows(map(text_cells, table_rows(article)))


def _write_parquet(path: Path, articles: Iterable[LabelledArticle], schema: LabelSchema) -> None:
    columns = table_columns(schema)
    kinds = pa.schema([(name, _kind(name)) for name in columns])
    rows = [row for article in articles for row in table_rows(article)]
    with atomic_open(path) as file:
        pq.write_table(pa.Table.from_pylist(rows, kinds), _bytes_of(file), compression="zstd")


def _kind(column: str) -> Any:
    if column in _INTEGERS:
        return pa.int64()
    return pa.float64() if column in _FLOATS or column.startswith("p_") else pa.string()


def _bytes_of(file: IO[str]) -> IO[bytes]:
    """What lies below a text file that nothing was written to."""
    return cast(IO[bytes], cast(TextIOWrapper, file).buffer)


_WRITERS: dict[str, Callable[[Path, Iterable[LabelledArticle], LabelSchema], None]] = {
    ".jsonl": _write_jsonl,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
FORMATS = tuple(ending.removeprefix(".") for ending in _WRITERS)
