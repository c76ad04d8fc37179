import csv
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from naba.config import ReadConfig
from naba.config.reading import Columns
from naba.corpus.files import article_files
from naba.corpus.readers import Rejected, read_articles
from naba.errors import DataError
from naba.records import Article

BODY = "قال وزير الخارجية إن المحادثات مستمرة في القاهرة."
READ = ReadConfig()


def read(*paths: Path, config: ReadConfig = READ) -> list[Article | Rejected]:
    return list(read_articles(paths, config))


def reason(path: Path, config: ReadConfig = READ) -> str:
    """The reason of the only rejection."""
    (found,) = [item for item in read(path, config=config) if isinstance(item, Rejected)]
    assert found.path == str(path)
    return found.reason


def test_seed_folder_is_read_whole_and_its_readme_is_no_article(root: Path) -> None:
    articles = read(root / "seeds")
    assert len(articles) == 9
    assert all(isinstance(article, Article) for article in articles)


def test_jsonl_csv_parquet_and_gzip_give_the_same_articles(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    rows = [
        {
            "id": f"n{i}",
            "text": f"{BODY} رقم {i}",
            "title": f"عنوان {i}",
            "date": "2024-01-05T10:00:00+02:00",
            "source": "وفا",
            "url": "u",
        }
        for i in range(3)
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "a.jsonl").write_text(lines, encoding="utf-8")
    with gzip.open(tmp_path / "b.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(lines)
    with (tmp_path / "c.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "d.parquet")
    found = [read(tmp_path / name) for name in ("a.jsonl", "b.jsonl.gz", "c.csv", "d.parquet")]
    assert found[0] == found[1] == found[2] == found[3]
    first = found[0][0]
    assert isinstance(first, Article)
    assert (first.id, first.title, first.date, first.source, first.url) == ("n0", "عنوان 0", "2024-01-05", "وفا", "u")


def test_html_page_gives_title_date_and_body_without_furniture(tmp_path: Path) -> None:
    paragraphs = "".join(
        f"<p>{BODY} وأضاف أن الوفد رقم {i} سيصل خلال أيام لبحث بقية الملفات العالقة بين الجانبين.</p>" for i in range(6)
    )
    page = (
        '<html lang="ar" dir="rtl"><head><meta charset="utf-8"><title>محادثات القاهرة</title>'
        '<meta property="og:title" content="محادثات القاهرة"><meta property="article:published_time" content="2024-02-03T08:00:00Z">'
        "</head><body><nav><a href='/'>الرئيسية</a><a href='/s'>رياضة</a></nav>"
        f"<article><h1>محادثات القاهرة</h1>{paragraphs}</article><footer>جميع الحقوق محفوظة</footer></body></html>"
    )
    (tmp_path / "p.html").write_text(page, encoding="utf-8")
    (article,) = read(tmp_path / "p.html")
    assert isinstance(article, Article)
    assert (article.title, article.date) == ("محادثات القاهرة", "2024-02-03")
    assert "الحقوق" not in article.text
    assert len([block for block in article.blocks if block.kind == "paragraph"]) == 6


def test_globs_and_nested_folders_keep_ids_apart(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.txt").write_text(BODY, encoding="utf-8")
    assert [item.id for item in read(tmp_path) if isinstance(item, Article)] == ["x/1", "y/1"]
    assert len(read(tmp_path / "*" / "*.txt")) == 2


def test_files_of_one_name_get_ids_of_their_own_and_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.txt").write_text(BODY, encoding="utf-8")
    items = read(tmp_path / "x", tmp_path / "y", tmp_path / "x" / "1.txt")
    assert [item.id for item in items if isinstance(item, Article)] == [f"{tmp_path}/x/1", f"{tmp_path}/y/1"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none.txt", "no such file"),
        ("*.html", "no such file"),
        ("a.docx", "does not read .docx"),
        ("empty", "no article files"),
    ],
)
def test_path_that_cannot_be_used_is_told_before_anything_is_read(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "a.docx").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=says):
        article_files([tmp_path / name])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"The minister said that talks go on in Cairo.", "0% of its letters are Arabic"),
        (BODY.encode("cp1256"), "not UTF-8 at byte 0; it looks like Windows-1256.*iconv"),
        ("وزیر امور خارجه گفت که گفتگوها در قاهره پیش می‌رود و چند روز دیگر پایان می‌گیرد".encode(), "Persian or Urdu"),
        (BODY.encode("utf-16"), "UTF-16"),
        (BODY.encode("utf-16-le"), "UTF-16"),
        (BODY.encode()[:21] + b"\xff\xfe" + BODY.encode()[21:], "not UTF-8 at byte 20; the file is damaged"),
        ((BODY + "\x00").encode(), "NUL byte at character 49"),
        ((BODY + "\u202eمقلوب").encode(), r"override U\+202E at character 49"),
        ("المصدر: وكالة".encode(), "no headline and no paragraph"),
    ],
)
def test_bad_text_file_is_set_aside_with_what_to_do(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    assert re.search(says, reason(path))


def test_direction_marks_and_byte_order_mark_are_harmless(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\ufeff" + BODY + "\u200f", encoding="utf-8")
    (article,) = read(path)
    assert isinstance(article, Article)
    assert article.text[article.blocks[0].start] == "ق"


def test_other_encodings_are_read_when_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(BODY.encode("cp1256"))
    (article,) = read(path, config=ReadConfig(encoding="cp1256"))
    assert isinstance(article, Article)
    assert article.text == BODY


def test_date_in_a_form_that_is_not_understood_is_told_once_a_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{"text": BODY, "date": day} for day in ("2024-01-05", None, "", "5 days ago", "20.2024", 17044)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert [getattr(article, "date", "") for article in read(tmp_path / "a.jsonl")] == ["2024-01-05", *[None] * 5]
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'a.jsonl'}:4: '5 days ago' in field 'date' is no date that is understood (such as 2024-03-22); articles "
        "with such dates have none"
    ]


@pytest.mark.parametrize(
    ("given", "day"),
    [
        ("20240105", "2024-01-05"),
        (20240105, "2024-01-05"),
        (1704412800, "2024-01-05"),
        ("1704412800123", "2024-01-05"),
        (1704412800.0, "2024-01-05"),
        ("202401051530", "2024-01-05"),
        ("2024010515", "2024-01-05"),
        ("20240105T153000Z", "2024-01-05"),
        ("20240105153000", "2024-01-05"),
        ("1704412800.123", "2024-01-05"),
        ("٢٠٢٤٠١٠٥", "2024-01-05"),
        ("20241345", None),
        ("123456789", None),
        ("253402300799", None),
        ("9999999999999999", None),
        ("12", None),
    ],
)
def test_day_in_digits(tmp_path: Path, given: Any, day: str | None) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": BODY, "date": given}), encoding="utf-8")
    (article,) = read(tmp_path / "a.jsonl")
    assert isinstance(article, Article)
    assert article.date == day


def test_mistyped_field_is_told_once_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.jsonl").write_text(2 * (json.dumps({"text": BODY, "day": "2024-01-05"}) + "\n"), encoding="utf-8")
    read(tmp_path / "a.jsonl", config=ReadConfig(columns=Columns(date="dya")))
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'a.jsonl'}:1: no field 'dya' (read.columns.date) but 'text', 'day'; of such records the first is told"
    ]


@pytest.mark.parametrize("name", ["tab", "\\t", "\t"])
def test_tab_may_be_called_by_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text(f"id\ttext\n1\t{BODY}\n", encoding="utf-8")
    assert [
        getattr(article, "text", "") for article in read(tmp_path / "a.csv", config=ReadConfig(delimiter=name))
    ] == [BODY]


def test_separator_that_was_not_set_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id;text\n1;نص\n", encoding="utf-8")
    assert reason(tmp_path / "a.csv").endswith("pass --set 'read.delimiter=\";\"'")


def test_outlet_with_fields_of_its_own_and_address_without_a_scheme(tmp_path: Path) -> None:
    rows = [
        {"text": BODY, "source": {"id": None, "name": "صحيفة"}},
        {"text": BODY, "url": "www.example.com/news/1"},
        *(
            {"text": BODY, "url": url}
            for url in ("none", "news/1.html", "mailto:a@example.com", "12.5", "//example.com/1")
        ),
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = [getattr(article, "source", "") for article in read(tmp_path / "a.jsonl")]
    assert found == ["صحيفة", "example.com", None, None, None, None, "example.com"]


def test_headline_with_html_is_one_line_of_words(tmp_path: Path) -> None:
    rows = [{"text": BODY, "title": title} for title in ("<p>عنوان</p><p>&quot;ثان&quot;</p>", "<br>")]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert [getattr(article, "title", "") for article in read(tmp_path / "a.jsonl")] == ['عنوان "ثان"', None]


@pytest.mark.parametrize(
    ("text", "kind"),
    [(None, "is empty"), (5, "holds a number, not"), (True, "holds true or false, not"), (["x"], "holds a list, not")],
)
def test_text_of_another_kind_is_told(tmp_path: Path, text: Any, kind: str) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": text}), encoding="utf-8")
    assert reason(tmp_path / "a.jsonl").startswith(f"field 'text' {kind}")


def test_overlong_files_and_lines_are_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    small = ReadConfig(max_characters=1000)
    (tmp_path / "long.txt").write_text(BODY * 200, encoding="utf-8")
    assert "read.max_characters = 1,000" in reason(tmp_path / "long.txt", small)
    # 50 MB in one line, between two good records.
    good = json.dumps({"text": BODY}, ensure_ascii=False).encode()
    with (tmp_path / "a.jsonl").open("wb") as file:
        file.write(good + b'\n{"text": "')
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n' + good + b"\n")
    items = read(tmp_path / "a.jsonl", config=small)
    assert [type(item) for item in items] == [Article, Rejected, Article]
    assert isinstance(items[1], Rejected)
    assert items[1].line == 2
    assert "50,000,0" in items[1].reason


def test_bad_records_name_their_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = json.dumps({"text": BODY}, ensure_ascii=False)
    path.write_text(f'{good}\n{{"text": 5}}\nnot json\n{{"body": "x"}}\n{good}\n', encoding="utf-8")
    items = read(path)
    assert [item.line if isinstance(item, Rejected) else "read" for item in items] == ["read", 2, 3, 4, "read"]
    assert "'body'" in str(items[3])
    assert "read.columns.text" in str(items[3])


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_table_without_the_text_column_names_the_columns_it_has(tmp_path: Path, name: str) -> None:
    import pyarrow
    import pyarrow.parquet

    if name.endswith("csv"):
        (tmp_path / name).write_text(f"content,day\n{BODY},1\n", encoding="utf-8")
    else:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([{"content": BODY, "day": 1}]), tmp_path / name)
    assert "no column 'text'; it has 'content', 'day'" in reason(tmp_path / name)
    renamed = ReadConfig.model_validate({"columns": {"text": "content"}})
    assert len(read(tmp_path / name, config=renamed)) == 1


def test_damaged_tables_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no such thing")
    assert "not a Parquet file" in reason(tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_bytes(b"text\n" + BODY.encode("cp1256") + b"\n")
    assert "Windows-1256" in reason(tmp_path / "b.csv")
    (tmp_path / "c.jsonl.gz").write_bytes(b"\x1f\x8b no gzip")
    assert "cannot be read" in reason(tmp_path / "c.jsonl.gz")


def test_cut_gzip_and_half_characters_do_not_stop_the_batch(tmp_path: Path) -> None:
    good = json.dumps({"text": BODY}, ensure_ascii=False)
    rows = [good, '{"text": "' + BODY + ' \\ud83d"}', '{"text": "' + BODY + '", "n": ' + "9" * 5000 + "}", good]
    (tmp_path / "a.jsonl").write_text("\n".join(rows), encoding="utf-8")
    whole = gzip.compress("\n".join([good] * 5000).encode())
    (tmp_path / "b.JSONL.GZ").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "c.jsonl").write_text(good, encoding="utf-8")
    items = read(tmp_path)
    rejected = [item for item in items if isinstance(item, Rejected)]
    assert [Path(item.path).name for item in rejected] == ["a.jsonl", "a.jsonl", "b.JSONL.GZ"]
    assert "half a character" in rejected[0].reason
    assert isinstance(items[-1], Article)
    assert items[-1].id == "c:1"


def test_fields_of_odd_types_do_no_harm(tmp_path: Path) -> None:
    row: dict[str, Any] = {"text": BODY, "id": 7, "title": None, "date": None, "keywords": ["غزة", 5], "url": ""}
    (tmp_path / "a.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    (article,) = read(tmp_path / "a.jsonl")
    assert isinstance(article, Article)
    assert (article.id, article.title, article.date, article.url, article.keywords) == (
        "7",
        None,
        None,
        None,
        ("غزة", "5"),
    )
    row |= {"title": float("nan"), "keywords": 5}
    (tmp_path / "a.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    (article,) = read(tmp_path / "a.jsonl")
    assert isinstance(article, Article)
    assert (article.title, article.keywords) == (None, ())


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://www.example.org:8080/a?b=c", "example.org"),
        ("http://NEWS.example.org/x", "news.example.org"),
        ("u", None),
        ("http://[broken", None),
    ],
)
def test_outlet_that_is_not_named_is_the_host_of_the_address(tmp_path: Path, url: str, source: str | None) -> None:
    named = [{"source": "وفا"}, {"text": f"{BODY}\n\nالمصدر: الجزيرة"}]
    rows = [{"text": BODY, "url": url} | more for more in ({}, *named)]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    assert [getattr(article, "source", "") for article in read(tmp_path / "a.jsonl")] == [source, "وفا", "الجزيرة"]


def test_keywords_are_read_from_a_text_or_a_list_and_half_a_character_in_one_costs_its_record(tmp_path: Path) -> None:
    given = ["سلام، هدنة", ["سلام", " ", None, float("nan"), 7], {"a": 1}, ["سلام\ud83d"], "سلام، \udc00"]
    lines = [json.dumps({"text": BODY, "keywords": one}) + "\n" for one in given]
    (tmp_path / "a.jsonl").write_text("".join(lines), encoding="utf-8")
    found = read(tmp_path / "a.jsonl")
    kept = [item.keywords for item in found if isinstance(item, Article)]
    assert kept == [("سلام", "هدنة"), ("سلام", "7"), ()]
    told = [(item.line, item.reason) for item in found if isinstance(item, Rejected)]
    assert told == [(n, "half a character (surrogate) in a field; the record is damaged") for n in (4, 5)]


def test_time_in_an_unknown_zone_costs_its_record(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    times = pyarrow.array([0, None], pyarrow.timestamp("us", tz="Mars/Olympus_Mons"))
    table = pyarrow.table({"text": [BODY, BODY], "date": times})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    set_aside, article = read(tmp_path / "a.parquet")
    assert isinstance(set_aside, Rejected) and isinstance(article, Article)
    assert set_aside.line == 1
    assert set_aside.reason == "a time in a zone that is not known here ('Mars/Olympus_Mons')"


def test_csv_row_with_slipped_cells_is_set_aside_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "id,text,date\n1,نص الخبر الأول, تتمة,2024-01-01\n2,نص الخبر الثاني\n3,نص الخبر الثالث,\n", encoding="utf-8"
    )
    wide, short, right = read_articles([path], ReadConfig())
    assert isinstance(wide, Rejected)
    assert wide.reason.startswith("4 cells under 3 columns")
    assert isinstance(short, Rejected)
    assert short.reason.startswith("2 cells under 3 columns")
    assert isinstance(right, Article)
    assert right.id == "3"


def test_cells_may_be_separated_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;text\n1;نص الخبر، وتتمته\n", encoding="utf-8")
    (article,) = read_articles([path], ReadConfig(delimiter=";"))
    assert isinstance(article, Article)
    assert article.text == "نص الخبر، وتتمته"
