import gzip
import random
import zipfile
from pathlib import Path

import pytest

from naba.config import ReadConfig
from naba.corpus.readers import Rejected, read_articles, read_records
from naba.records import Article
from tests.corpus.archive_files import BODY, html, http, packed, parquet, records, warc_record, zip_file


def read(path: Path, config: ReadConfig | None = None) -> list[Article | Rejected]:
    return list(read_articles([path], config or ReadConfig()))


def ids(items: list[Article | Rejected]) -> list[str]:
    return [item.id for item in items if isinstance(item, Article)]


def test_archive_gives_the_articles_of_the_folder_it_was_made_of(tmp_path: Path, root: Path) -> None:
    files = {
        "أخبار/خبر.txt": BODY.encode(),
        "أخبار/صفحة.html": html(),
        "b.csv": f"text,title\n{BODY},عنوان\n".encode(),
        "b2.parquet": parquet(BODY, BODY + " أمس"),
        "c.jsonl.gz": gzip.compress(records(BODY, "not Arabic", BODY)),
        "d.warc.gz": packed(warc_record(http(html()))),
        "e.txt.gz": gzip.compress(BODY.encode()),
    } | {f"seeds/{seed.name}": seed.read_bytes() for seed in (root / "seeds").glob("*.txt")}
    for name, content in files.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(content)
    shuffled = list(files.items())
    random.Random(0).shuffle(shuffled)
    zip_file(tmp_path / "x.zip", dict(shuffled))
    plain, zipped = read(tmp_path / "folder"), read(tmp_path / "x.zip")
    assert (
        len(plain) == 19  # 2 pages, 1 + 2 + 3 records, 1 crawled page, 1 packed page, and 9 articles in the 5 seeds
    )  # 2 + 1 + 2 + 3 (one of them rejected) + 1 + 1, and the 8 pages… see the count of seeds below
    assert [
        (i.text, i.title, i.date, i.source, i.url, i.blocks) if isinstance(i, Article) else i.reason for i in plain
    ] == [(i.text, i.title, i.date, i.source, i.url, i.blocks) if isinstance(i, Article) else i.reason for i in zipped]
    own = [name for name in ids(plain) if not name.startswith("urn:")]
    assert [name for name in ids(zipped) if not name.startswith("urn:")] == [f"x/{name}" for name in own]
    assert [str(item) for item in zipped if isinstance(item, Rejected)] == [
        f"{tmp_path}/x.zip/c.jsonl.gz:2: 0% of its letters are Arabic, fewer than read.min_arabic = 50%; naba labels Arabic text"
    ]


def test_furniture_of_the_archive_and_files_of_other_kinds_are_left_out(tmp_path: Path) -> None:
    files = {
        "__MACOSX/._a.txt": b"x",
        ".hidden/b.txt": b"x",
        "d/.c.txt": b"x",
        "photo.jpg": b"x",
        "./d//a.txt": BODY,
        "d/": b"",
    }
    assert ids(read(zip_file(tmp_path / "x.zip", files))) == ["x/d/a"]


def test_members_that_differ_only_in_their_ending_have_ids_of_their_own(tmp_path: Path) -> None:
    files = {"a.html": html(), "a.txt": BODY, "t.csv": f"text\n{BODY}\n", "t.jsonl": records(BODY)}
    assert ids(read(zip_file(tmp_path / "x.zip", files))) == ["x/a.html", "x/a.txt", "x/t.csv:1", "x/t.jsonl:1"]


def test_archive_without_articles_says_what_is_read(tmp_path: Path) -> None:
    (item,) = read(zip_file(tmp_path / "x.zip", {"photo.jpg": b"x", "__MACOSX/a.txt": b"x"}))
    assert "no article files in this archive; naba reads .txt, " in str(item)


def test_names_that_do_not_say_that_they_are_utf8_are_read_as_such(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "x.zip", {"خبر.txt": BODY})
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):  # the high byte of the flags
        data[data.index(mark) + at] &= ~0x08
    path.write_bytes(data)
    assert zipfile.ZipFile(path).namelist() != ["خبر.txt"]
    assert ids(read(path)) == ["x/خبر"]


@pytest.mark.parametrize("name", ["../a.txt", "d/../../a.txt", "..\\a.txt", "C:\\a.txt"])
def test_name_that_leads_out_of_the_archive_is_set_aside(tmp_path: Path, name: str) -> None:
    items = read(zip_file(tmp_path / "x.zip", {name: BODY, "b.txt": BODY}))
    assert sorted(item.reason[:14] if isinstance(item, Rejected) else item.id for item in items) == [
        "its name leads",
        "x/b",
    ]


def test_absolute_names_and_backslashes_are_paths_in_the_archive(tmp_path: Path) -> None:
    files = {"/home/a.txt": BODY, "d\\b.txt": BODY, "e\n\u202e.txt": BODY}
    assert ids(read(zip_file(tmp_path / "x.zip", files))) == ["x/d/b", r"x/e\n\u202e", "x/home/a"]


def test_last_of_two_members_of_one_name_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    zip_file(path, {"a.txt": BODY})
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("a.txt", BODY + " أمس")
    rejected, article = read(path)
    assert "later member of the same name" in str(rejected)
    assert isinstance(article, Article)
    assert article.text.endswith("أمس")


def test_encrypted_member_and_archive_in_an_archive_are_set_aside(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "x.zip", {"a.txt": BODY, "b.zip": b"PK", "c.txt": BODY})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    items = read(path)
    assert [item.reason if isinstance(item, Rejected) else item.id for item in items] == [
        "encrypted; unpack it with its password",
        "an archive in an archive; unpack the outer one",
        "x/c",
    ]


def test_way_of_packing_that_cannot_be_read_in_pieces_is_set_aside(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.txt", BODY)
    (item,) = read(tmp_path / "x.zip")
    assert "pack it anew" in str(item)


def test_member_with_a_broken_checksum_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a.txt", "b.jsonl", "c.txt"):
            archive.writestr(name, records(BODY) if name == "b.jsonl" else BODY)
        archive.writestr("d.txt", "قال الوزير إن المحادثات مستمرة.")
    data = path.read_bytes()
    path.write_bytes(data.replace("القاهرة".encode(), "القاهرا".encode()))
    items = read(path)
    assert [str(item).removeprefix(f"{path}/").split(" (")[0] for item in items if isinstance(item, Rejected)] == [
        "a.txt: cannot be read",
        "b.jsonl: cannot be read",
        "c.txt: cannot be read",
    ]
    assert ids(items) == ["x/d"]


def test_bombs_are_refused_without_being_unpacked(tmp_path: Path) -> None:
    zeros = b"a" * 30_000_000
    files = {
        "a.txt": zeros,
        "b.jsonl": zeros,
        "c.csv": b"text\n" + zeros,
        "d.parquet": zeros,
        "e.txt.gz": gzip.compress(zeros),
    }
    items = read(zip_file(tmp_path / "x.zip", files), ReadConfig(max_characters=1000))
    says = [
        "30,000,000 bytes, more than",
        "a line of 30,000,000 bytes",
        "broken CSV (longer than 1,004,000",
        "which no Parquet",
        "more than 4,000 bytes",
    ]
    assert [type(item) for item in items] == [Rejected] * 5
    assert [part in str(item) for part, item in zip(says, items, strict=True)] == [True] * 5


def test_members_that_were_done_are_passed_over_without_being_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zip_file(tmp_path / "x.zip", {f"{i}.txt": BODY for i in range(5)})
    opened: list[str] = []
    real = zipfile.ZipFile.open
    monkeypatch.setattr(
        zipfile.ZipFile, "open", lambda self, info, *rest: (opened.append(info.filename), real(self, info, *rest))[1]
    )
    assert [
        found[0].id for found in read_records("x", path, ReadConfig(), skip=3) if isinstance(found[0], Article)
    ] == ["x/3", "x/4"]
    assert opened == ["3.txt", "4.txt"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no such thing", b"text"])
def test_file_that_is_no_zip_is_set_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    (item,) = read(tmp_path / "x.zip")
    assert "not a zip archive that can be read" in str(item)
