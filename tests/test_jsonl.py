from pathlib import Path

import pytest

from naba.errors import DataError
from naba.jsonl import atomic_open, read_jsonl, write_jsonl


def test_rows_survive_a_round_trip_with_arabic_readable(tmp_path: Path) -> None:
    rows = [{"نص": "خبر", "n": 1}, {"نص": "سطر\nثان", "n": 2}]
    assert write_jsonl(tmp_path / "a.jsonl", rows) == 2
    assert "خبر" in (tmp_path / "a.jsonl").read_text(encoding="utf-8")
    assert list(read_jsonl(tmp_path / "a.jsonl")) == rows


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"a": 1}\n{"a": \n', ":2: not JSON"),
        (b"{}\n[1]\n", ":2: a list, not an object"),
        (b"{}\n\xff\n", ":2: not UTF-8"),
        (b"[" * 200_000, "nested too deeply|not JSON"),
        (b'{"n": ' + b"9" * 5000 + b"}", ":1: not JSON that can be read"),
    ],
)
def test_broken_line_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=says):
        list(read_jsonl(path))


def test_failed_write_leaves_the_old_file_and_no_debris(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_open(path) as file:
        file.write("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_unwritable_folder_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_jsonl(tmp_path / "file" / "a.jsonl", [])
