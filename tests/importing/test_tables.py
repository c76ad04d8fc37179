import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from naba.errors import DataError
from naba.importing.tables import cell, read_table


def rows(path: Path, **how: Any) -> list[dict[str, Any]]:
    return [row for _, row in read_table(path, **how)]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes | str], Path]:
    def write(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write


Write = Callable[[str, bytes | str], Path]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "A.CSV"])
def test_csv_with_byte_order_mark_quotes_and_line_breaks_keeps_its_lines(write: Write, name: str) -> None:
    path = write(name, '\ufefftext,stance\r\n"سطر\nثان، ""قول""",None\r\n\r\nنص,\r\n')
    read = list(read_table(path))
    assert [row for _, row in read] == [
        {"text": 'سطر\nثان، "قول"', "stance": "None"},
        {"text": "نص", "stance": ""},
    ]
    assert [where.rpartition(":")[2] for where, _ in read] == ["2", "5"]  # 1 names, 2 and 3 one row, 4 empty


def test_tsv_and_other_delimiters(write: Write) -> None:
    assert rows(write("a.tsv", "text\ts\nأ, ب\tx\n")) == [{"text": "أ, ب", "s": "x"}]
    assert rows(write("a.csv", "text;s\nأ;x\n"), delimiter=";") == [{"text": "أ", "s": "x"}]


def test_unquoted_tables_keep_their_quotation_marks(write: Write) -> None:
    path = write("a.tsv", 'text\ts\n"قال" الوزير\tx\nنص\ty\n')
    with pytest.raises(DataError, match=r"a.tsv:2: broken CSV.*read.quoted=false"):
        rows(path)
    assert rows(path, quoted=False)[0] == {"text": '"قال" الوزير', "s": "x"}


def test_jsonl_keeps_types_and_line_separators_inside_texts(write: Write) -> None:
    path = write("a.jsonl", '\ufeff{"text": "أ\u2028ب", "n": 1, "s": null}\n\n{"text": "ت", "n": NaN}\n')
    read = rows(path)
    assert read[0] == {"text": "أ\u2028ب", "n": 1, "s": None}
    assert len(read) == 2


@pytest.mark.parametrize("name", ["a.parquet", "a.parquet.gz"])
def test_parquet_plain_and_gzipped(write: Write, tmp_path: Path, name: str) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"text": ["أ", "ب"], "n": [1, None]}), tmp_path / "x")
    assert rows(write(name, (tmp_path / "x").read_bytes())) == [{"text": "أ", "n": 1}, {"text": "ب", "n": None}]


def test_datasets_folders_give_class_names_and_splits(tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=["for", "against"])})
    train = Dataset.from_dict({"text": ["أ", "ب", "ت"], "label": [1, 0, -1]}, features=features)
    DatasetDict({"train": train.select([2, 0]), "test": train.select([1])}).save_to_disk(str(tmp_path / "both"))
    train.save_to_disk(str(tmp_path / "one"))
    assert rows(tmp_path / "one")[0] == {"text": "أ", "label": "against"}
    assert rows(tmp_path / "both") == [
        {"text": "ت", "label": None},  # datasets' -1: no label
        {"text": "أ", "label": "against"},
        {"text": "ب", "label": "for"},
    ]
    assert [where for where, _ in read_table(tmp_path / "both", split="test")] == [f"{tmp_path}/both/test: row 1"]
    with pytest.raises(DataError, match="no split 'dev'; it has train, test"):
        rows(tmp_path / "both", split="dev")
    with pytest.raises(DataError, match=r"leave read\.split out"):
        rows(tmp_path / "one", split="train")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "", "empty"),
        ("a.csv", "text,text\nأ,ب\n", "two columns are called 'text'"),
        ("a.csv", "text,s\nأ\n", "a.csv:2: 1 cells under 2 column names"),
        ("a.csv", "text,s\nأ,ب,ت\n", "a.csv:2: 3 cells under 2"),
        ("a.csv", 'text,s\nأ,ب\n"ت,ث\nج,ح\n', "a.csv:3: broken CSV"),
        ("a.csv", "text\nنص".encode("utf-16"), "UTF-16"),
        ("a.csv", ("text\n" + "هذا نص عربي طويل بما يكفي\n" * 5).encode("cp1256"), "cp1256"),
        ("a.jsonl", '{"text": "أ"}\n[1]\n', "a.jsonl:2: a list, not an object"),
        ("a.jsonl", '{"text": \n', "a.jsonl:1: not JSON"),
        ("a.parquet", "no parquet", "not a Parquet file"),
        ("a.xlsx", "x", "not a table that naba reads"),
    ],
)
def test_what_cannot_be_read_whole_is_an_error_with_its_place(write: Write, name: str, content: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        rows(write(name, content))


def test_missing_files_broken_archives_and_other_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        rows(tmp_path / "none.csv")
    (tmp_path / "a.csv.gz").write_bytes(b"not gzip")
    with pytest.raises(DataError, match="cannot be read"):
        rows(tmp_path / "a.csv.gz")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(json.dumps({"text": "x" * 999}).encode())[:-9])
    with pytest.raises(DataError, match="cannot be read"):
        rows(tmp_path / "cut.jsonl.gz")
    with pytest.raises(DataError, match="save_to_disk"):
        rows(tmp_path)
    (tmp_path / "state.json").write_text("{}")
    with pytest.raises(DataError, match="cannot be read as a datasets folder"):
        rows(tmp_path)
    (tmp_path / "a.csv").write_text("text\nx\n")
    with pytest.raises(DataError, match="names a part of a datasets folder"):
        rows(tmp_path / "a.csv", split="train")


def test_a_dotted_name_reaches_inside_unless_a_column_is_called_so() -> None:
    assert cell({"a": {"b": {"c": 1}}}, "a.b.c") == 1
    assert cell({"a.b": 2, "a": {"b": 1}}, "a.b") == 2
    assert cell({"a": "text"}, "a.b") is None
    assert cell({}, "a.b") is None
