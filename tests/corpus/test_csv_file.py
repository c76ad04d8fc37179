"""CSV whose quotation marks make no sense: what is set aside, and that the records around it are read."""

import gzip
from pathlib import Path

import pytest

from naba.config import ReadConfig
from naba.corpus import csv_file
from naba.corpus.readers import Rejected, count_records, read_articles
from naba.records import Article

READ = ReadConfig()


def read(path: Path, text: str | bytes, config: ReadConfig = READ) -> tuple[list[str], list[tuple[int | None, str]]]:
    """Texts of the articles, and number and reason of what was set aside; counting must agree."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = list(read_articles([path], config))
    assert count_records("a", path, config) == len(found)
    rejected = [(item.line, item.reason) for item in found if isinstance(item, Rejected)]
    return [item.text for item in found if isinstance(item, Article)], rejected


def lines_of(rejected: list[tuple[int | None, str]]) -> list[tuple[int | None, int]]:
    return [(number, int(reason.rsplit(", ", 1)[1].split()[0].replace(",", ""))) for number, reason in rejected]


def test_quotation_that_is_never_closed_takes_no_record_into_another(tmp_path: Path) -> None:
    texts, rejected = read(tmp_path / "a.csv", 'id,text\n1,نص أول\n2,"نص ثان بلا نهاية\n3,نص ثالث\n4,"نص رابع"\n')
    assert texts == ["نص أول", "نص ثالث", "نص رابع"]
    assert lines_of(rejected) == [(2, 1)]


@pytest.mark.parametrize(
    "broken",
    [
        '2,"قال "نعم" ومضى\nإلى بيته"',
        '2,"قال "نعم" ومضى\nإلى بيته\nفي المدينة"',
        '2,"قال "نعم" ومضى\nإلى المدينة","2024-01-05"',  # a tail with as many cells as a row
        '2,"قال "نعم","ومضى"\n"إلى بيته',
    ],
)
def test_tail_of_a_broken_record_is_no_article(tmp_path: Path, broken: str) -> None:
    text = f'id,text\n1,نص أول\n{broken}\n3,"نص ثالث\nفي سطرين"\n4,"قال ""نعم"" ومضى"\n'
    texts, rejected = read(tmp_path / "a.csv", text)
    assert texts == ["نص أول", "نص ثالث\nفي سطرين", 'قال "نعم" ومضى']
    assert lines_of(rejected) == [(2, broken.count("\n") + 1)]


def test_two_broken_records_in_a_row_cost_two(tmp_path: Path) -> None:
    texts, rejected = read(tmp_path / "a.csv", 'id,text\n1,"نص "أ" أول\n2,"نص "ب" ثان\n3,نص ثالث\n')
    assert texts == ["نص ثالث"]
    assert sum(count for _, count in lines_of(rejected)) == 2


def test_of_a_single_column_only_a_quoted_row_begins_anew(tmp_path: Path) -> None:
    texts, rejected = read(tmp_path / "a.csv", 'text\n"نص "أ" أول\nوتتمة النص\nوأخرى"\n"نص ثان"\nنص ثالث\n')
    assert texts == ["نص ثان", "نص ثالث"]
    assert lines_of(rejected) == [(1, 3)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_that_is_too_long_behind_an_open_quotation_costs_itself(tmp_path: Path, end: str) -> None:
    config = ReadConfig(max_characters=1000)
    rows = ["id,text", "1,نص أول", '2,"نص ثان بلا نهاية', "3,نص ثالث", "4," + "ب" * 1_100_000, "5,نص خامس", "6,نص سادس"]
    texts, rejected = read(tmp_path / "a.csv", end.join([*rows, ""]), config)
    assert texts == ["نص أول", "نص ثالث", "نص خامس", "نص سادس"]
    assert [number for number, _ in rejected] == [2, 4]


def test_damage_behind_an_open_quotation_costs_no_record_before_it(tmp_path: Path) -> None:
    rows = ["id,text", "1,نص أول", '2,"نص ثان بلا نهاية', *(f"{number},نص رقم {number}" for number in range(3, 600))]
    whole = "\n".join(rows).encode()
    texts, rejected = read(tmp_path / "a.csv", whole + b"\n600,\xff\xfe\n601,\xd9\x86\xd8\xb5\n")
    assert len(texts) == 599 and texts[-1] == "نص"
    assert [number for number, _ in rejected] == [2, 600] and "bytes that are not UTF-8" in rejected[1][1]
    packed = gzip.compress(whole)
    texts, rejected = read(tmp_path / "b.csv.gz", packed[: len(packed) - 200])
    assert len(texts) > 100 and len(rejected) == 2


def test_many_broken_rows_take_no_longer_than_their_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "REACH", 500)
    read_lines = 0
    step = csv_file._Lines.__next__

    def counted(lines: csv_file._Lines) -> str:
        nonlocal read_lines
        read_lines += 1
        return step(lines)

    monkeypatch.setattr(csv_file._Lines, "__next__", counted)
    texts, rejected = read(tmp_path / "a.csv", "id,text\n" + 'نص","نص\n' * 2000 + "1,نص\n")
    assert texts == ["نص"]
    assert sum(count for _, count in lines_of(rejected)) == 2000
    assert read_lines < 2000 * 2 * 100  # twice, for counting; each line a row of at most 500 characters
