from datetime import date
from pathlib import Path

import pytest

from naba.config import SplitConfig
from naba.dataset.ledger import read_ledger, write_ledger
from naba.errors import DataError

PLACED = {"b": "test", "a": "train"}


def test_ledger_comes_back_sorted_whatever_the_shares(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write_ledger(path, PLACED, SplitConfig(validation=0.1))
    assert read_ledger(path, SplitConfig(validation=0.3)) == PLACED
    assert [line[:9] for line in path.read_text().splitlines()[1:]] == ['{"id": "a', '{"id": "b']


def test_no_ledger_is_an_empty_one(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "none.jsonl", SplitConfig()) == {}


def test_ledger_of_another_split_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write_ledger(path, PLACED, SplitConfig())
    with pytest.raises(DataError, match="written for another split"):
        read_ledger(path, SplitConfig(method="time", test_from=date(2024, 1, 1)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not a ledger"),
        ('{"id": "a", "part": "train"}\n', "not a ledger"),
        ("{head}\n" + '{"id": "a", "part": "dev"}\n', "ledger.jsonl:2: expected id and part"),
        ("{head}\n" + '{"part": "train"}\n', "ledger.jsonl:2: expected id and part"),
        ("{head}\n{\n", "ledger.jsonl:2: not JSON"),
    ],
)
def test_file_that_is_no_ledger_names_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "ledger.jsonl"
    write_ledger(path, {}, SplitConfig())
    path.write_text(content.replace("{head}", path.read_text().strip()))
    with pytest.raises(DataError, match=message):
        read_ledger(path, SplitConfig())
