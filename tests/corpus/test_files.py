import json
from pathlib import Path

import pytest

from naba.config import ReadConfig
from naba.corpus.files import ENDINGS, STDIN, article_files, ending, holds_records, printable, stem
from naba.corpus.readers import _READERS, Rejected, count_records, read_articles, read_records
from naba.errors import DataError
from naba.notice import NOTICE
from naba.records import Article


def test_every_ending_has_a_reader() -> None:
    assert set(_READERS) == set(ENDINGS)


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("a.TXT", ".txt", "a"),
        ("x/b.JSONL.GZ", ".jsonl.gz", "x/b"),
        ("CC-NEWS-2024.warc.gz", ".warc.gz", "CC-NEWS-2024"),
        ("CC-MAIN.warc.wet.gz", ".wet.gz", "CC-MAIN.warc"),
        ("v1.2/archive", "", "v1.2/archive"),
        ("خبر.html.gz", ".html.gz", "خبر"),
    ],
)
def test_ending_and_stem_are_apart(path: str, kind: str, name: str) -> None:
    assert (ending(Path(path)), stem(Path(path))) == (kind, name)


@pytest.mark.parametrize(
    ("name", "many"),
    [("a.txt", False), ("a.html.gz", False), ("a.csv", True), ("a.zip", True), ("a.wet.gz", True), ("-", True)],
)
def test_files_that_hold_many_articles_are_told_from_those_that_are_one(name: str, many: bool) -> None:
    assert holds_records(Path(name)) is many


def test_files_that_differ_only_in_their_ending_have_ids_of_their_own(tmp_path: Path) -> None:
    for name in ("a.txt", "a.html", "b.txt"):
        (tmp_path / name).touch()
    assert [name for name, _ in article_files([tmp_path])] == [f"{tmp_path}/a.html", f"{tmp_path}/a.txt", "b"]


def test_standard_input_is_named_alone_and_only_where_it_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    assert article_files([STDIN], stdin=True) == [("stdin", STDIN)]
    with pytest.raises(DataError, match="standard input cannot be read here"):
        article_files([STDIN])
    for others in ([tmp_path / "a.txt"], [STDIN]):
        with pytest.raises(DataError, match="read alone"):
            article_files([STDIN, *others], stdin=True)


def test_files_of_other_kinds_in_a_folder_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.txt", "b.pdf", "c.PDF", "d", "README.md", ".hidden"):
        (tmp_path / name).write_text("نص", encoding="utf-8")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    caplog.set_level(NOTICE)
    assert [path.name for _, path in article_files([tmp_path])] == ["a.txt"]
    (said,) = (record.getMessage() for record in caplog.records)
    assert (
        said == f"{tmp_path}: files that cannot be read as articles were left out: 2 .pdf, 1 .txt, 1 without an ending"
    )


def test_unknown_ending_is_told_with_those_that_are_known(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").touch()
    with pytest.raises(DataError, match=r"does not read \.tar\.gz; it reads \.txt, .*\.warc\.gz.*\.zip"):
        article_files([tmp_path / "a.tar.gz"])


def test_file_that_vanishes_after_it_was_listed_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    ((name, path),) = article_files([tmp_path])
    path.unlink()
    assert (
        str(next(iter(read_records(name, path, ReadConfig())))[0])
        == f"{path}: cannot be read (No such file or directory)"
    )


FOREIGN = "\udcce\udcc8\udcd1"
"""«خبر» in cp1256, as a file system of UTF-8 names it."""


def test_name_that_is_not_utf8_is_escaped_wherever_it_is_written(tmp_path: Path) -> None:
    folder = tmp_path / f"{FOREIGN}-1"
    folder.mkdir()
    (folder / f"{FOREIGN}.txt").write_text("قال الوزير إن المحادثات مستمرة.", encoding="utf-8")
    (folder / f"{FOREIGN}.jsonl").write_text("[]\n", encoding="utf-8")
    (folder / f"{FOREIGN}-empty.csv").touch()
    found = list(read_articles([tmp_path], ReadConfig()))
    assert {type(item).__name__ for item in found} == {"Article", "Rejected"}
    for item in found:
        json.dumps(item.id if isinstance(item, Article) else item.to_dict(), ensure_ascii=False).encode()
    ids = [item.id for item in found if isinstance(item, Article)]
    assert ids == [f"{tmp_path}/\\udcce\\udcc8\\udcd1-1/\\udcce\\udcc8\\udcd1.txt"]
    assert all("/\\udcce\\udcc8\\udcd1-1/" in item.path for item in found if isinstance(item, Rejected))
    files = article_files([folder / f"{FOREIGN}.txt"])
    assert files == [("\\udcce\\udcc8\\udcd1", folder / f"{FOREIGN}.txt")]  # it can still be opened
    assert count_records(*files[0], ReadConfig()) == 1


def test_names_in_arabic_stay_as_they_are_and_controls_are_shown() -> None:
    for name in ("خبر عاجل", "می\u200cشود", "خبر\u200f 1", "a\\b"):
        assert printable(name) == name
    assert printable("a\nb\x1b[0m\u202e") == "a\\nb\\x1b[0m\\u202e"


@pytest.mark.usefixtures("no_entry")
def test_folder_that_may_be_listed_but_not_entered_is_told(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "a.txt").touch()
    for given in (tmp_path, tmp_path / "closed", tmp_path / "closed" / "a.txt"):
        with pytest.raises(DataError, match=r"a\.txt: cannot be read \(Permission denied\); check"):
            article_files([given])


def test_name_longer_than_any_files_is_no_such_file() -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        article_files([Path("/tmp") / ("خ" * 300 + ".txt")])
