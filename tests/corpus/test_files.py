from pathlib import Path

import pytest

from naba.config import ReadConfig
from naba.corpus.files import ENDINGS, STDIN, article_files, ending, holds_records, stem
from naba.corpus.readers import _READERS, read_records
from naba.errors import DataError


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
