from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from naba.config import SplitConfig
from naba.dataset.ledger import Ledger, read_ledger, text_key, write_ledger
from naba.dataset.split import NOWHERE, TEST, TRAIN, VALIDATION
from naba.errors import DataError
from naba.records import LabelledSegment
from naba.schema import LabelSchema


@pytest.fixture
def make(schema: LabelSchema) -> Callable[..., LabelledSegment]:
    def make(text: str, article: str | None = None) -> LabelledSegment:
        return LabelledSegment.from_row({"text": text, "labels": {}, "article_id": article}, schema, "test")

    return make


def test_ledger_knows_a_text_in_any_spelling_and_an_article_by_its_id(
    tmp_path: Path, make: Callable[..., LabelledSegment]
) -> None:
    path = tmp_path / "ledger.jsonl"
    placed = [(make("أكدت الوزيرة ذلك"), TEST), (make("نص آخر", "a"), VALIDATION)]
    write_ledger(path, Ledger(), placed, SplitConfig(validation=0.1))
    ledger = read_ledger(path, SplitConfig(validation=0.3))

    def part(item: LabelledSegment) -> int:
        return ledger.part_of(item, text_key(item.segment.text))

    assert part(make("اكدت  الوزيره ذلك")) == TEST
    assert part(make("النص بعد تحريره", "a")) == VALIDATION
    assert part(make("نص جديد", "b")) == part(make("نص جديد")) == NOWHERE
    assert ledger.knows_article(make("نص جديد", "a"), "x") and not ledger.knows_article(
        make("أكدت الوزيرة ذلك", "b"), "x"
    )


def test_what_was_placed_first_stays(tmp_path: Path, make: Callable[..., LabelledSegment]) -> None:
    path = tmp_path / "ledger.jsonl"
    write_ledger(path, Ledger(), [(make("نص"), TEST)], SplitConfig())
    before = path.read_bytes()
    write_ledger(path, read_ledger(path, SplitConfig()), [(make("نص"), TRAIN)], SplitConfig())
    assert path.read_bytes() == before


def test_no_ledger_is_an_empty_one(tmp_path: Path) -> None:
    assert not read_ledger(tmp_path / "none.jsonl", SplitConfig()).rows


def test_ledger_of_another_split_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write_ledger(path, Ledger(), [], SplitConfig())
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
    write_ledger(path, Ledger(), [], SplitConfig())
    path.write_text(content.replace("{head}", path.read_text().strip()))
    with pytest.raises(DataError, match=message):
        read_ledger(path, SplitConfig())
