import gzip
import io
from pathlib import Path

import pytest

from naba.config import ReadConfig
from naba.corpus import warc
from naba.corpus.readers import Rejected, read_articles, read_records
from naba.records import Article
from tests.corpus.archive_files import BODY, chunked, html, http, packed, warc_record, zip_file

URN = "urn:uuid:00000000-0000-0000-0000-00000000000"


def read(path: Path, config: ReadConfig | None = None) -> list[Article | Rejected]:
    return list(read_articles([path], config or ReadConfig()))


def written(path: Path, *records: bytes) -> Path:
    path.write_bytes(packed(*records) if path.suffix == ".gz" else b"".join(records))
    return path


def shown(items: list[Article | Rejected]) -> list[str]:
    """Ids of articles; number and reason of what was set aside."""
    return [item.id.removeprefix(URN) if isinstance(item, Article) else f"{item.line}: {item.reason}" for item in items]


CRAWL = [
    warc_record(b"software: x\r\n", "warcinfo", 1, Content_Type="application/warc-fields"),
    warc_record(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "request", 2, Content_Type="application/http; msgtype=request"),
    warc_record(http(html()), number=3),
    warc_record(http(html(), status="404 Not Found"), number=4),
    warc_record(http(html(), status="301 Moved"), number=5),
    warc_record(http(b"\xff\xd8 photo", {"Content-Type": "image/jpeg"}), number=6),
    warc_record(b"20240101 1.2.3.4", number=7, WARC_Target_URI="dns:news.example", Content_Type="text/dns"),
    warc_record(b"", "revisit", 8),
    warc_record(http(BODY.encode(), {"Content-Type": "text/plain; charset=utf-8"}), number=9),
]


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_pages_of_a_crawl_are_read_like_html_files_and_the_rest_is_passed_over(tmp_path: Path, name: str) -> None:
    (tmp_path / "page.html").write_bytes(html())
    (plain,) = read(tmp_path / "page.html")
    page, text = read(written(tmp_path / name, *CRAWL))
    assert isinstance(plain, Article) and isinstance(page, Article) and isinstance(text, Article)
    assert (page.text, page.title, page.blocks) == (plain.text, plain.title, plain.blocks)
    assert (page.id, page.url) == (f"{URN}3", "http://news.example/3")
    # The page's own day, not the crawl's in September 2025; the text states none.
    assert (page.date, text.date) == ("2024-02-03", None)
    assert (text.id, text.text, text.url) == (f"{URN}9", BODY, "http://news.example/9")


def test_what_the_standard_writer_wrote_is_read(tmp_path: Path) -> None:
    writer = pytest.importorskip("warcio.warcwriter")
    headers = pytest.importorskip("warcio.statusandheaders").StatusAndHeaders
    for name in ("a.warc.gz", "a.warc"):
        with (tmp_path / name).open("wb") as file:
            out = writer.WARCWriter(file, gzip=name.endswith("gz"))
            out.write_record(out.create_warcinfo_record("a.warc.gz", {"software": "x"}))
            for number in range(3):
                answer = headers("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.0")
                url = f"http://news.example/{number}"
                out.write_record(out.create_warc_record(url, "response", io.BytesIO(html()), http_headers=answer))
        assert [item.url for item in read(tmp_path / name) if isinstance(item, Article)] == [
            f"http://news.example/{number}" for number in range(3)
        ]


def test_plain_text_that_common_crawl_made_is_read(tmp_path: Path) -> None:
    made = [
        warc_record(f"{BODY}\n{day}\n".encode(), "conversion", n, Content_Type="text/plain")
        for n, day in enumerate(["أمس", "اليوم"], 1)
    ]
    items = read(written(tmp_path / "CC-MAIN-1.warc.wet.gz", CRAWL[0], *made))
    assert [item.text.split()[-1] for item in items if isinstance(item, Article)] == ["أمس", "اليوم"]
    assert isinstance(items[0], Article)
    assert (items[0].id, items[0].url) == (f"{URN}1", "http://news.example/1")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (html(), {"Content-Type": "text/html; charset=utf-8"}),
        (html(encoding="cp1256"), {"Content-Type": "text/html; charset=Windows-1256"}),
        (html(encoding="cp1256"), {"Content-Type": "text/html"}),
        # A server that is wrong: the page knows better.
        (html(encoding="cp1256"), {"Content-Type": "text/html; charset=utf-8"}),
        (html(), {"Content-Type": "text/html; charset=iso-8859-1"}),
        (html(), {"Content-Type": "text/html; charset=hex"}),
        (gzip.compress(html()), {"Content-Type": "text/html", "Content-Encoding": "gzip"}),
        (chunked(html()), {"Content-Type": "application/xhtml+xml", "Transfer-Encoding": "chunked"}),
    ],
)
def test_page_is_decoded_as_the_server_or_the_page_says(tmp_path: Path, body: bytes, fields: dict[str, str]) -> None:
    (article,) = read(written(tmp_path / "a.warc.gz", warc_record(http(body, fields))))
    assert isinstance(article, Article)
    assert article.title == "محادثات القاهرة"
    assert article.text.count("المحادثات مستمرة") == 6


def test_encoding_that_the_user_names_counts(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.warc", warc_record(http(html(encoding="cp1256"), {"Content-Type": "text/html; charset=utf-8"}))
    )
    (article,) = read(path, ReadConfig(encoding="cp1256"))
    assert isinstance(article, Article)
    assert "مستمرة" in article.text


def test_type_that_the_crawler_found_counts_where_the_server_named_none(tmp_path: Path) -> None:
    record = warc_record(http(html(), {"Server": "x"}), WARC_Identified_Payload_Type="text/html")
    assert shown(read(written(tmp_path / "a.warc", record))) == ["1"]


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (warc_record(http(html()), WARC_Truncated="length"), "only the head of this page (WARC-Truncated: length)"),
        (warc_record(http(html()), WARC_Segment_Number="1"), "split over several records"),
        (warc_record(http(b"<html><body><p>The minister said so.</p></body></html>")), "no Arabic letter in this page"),
        (warc_record(http(b"<html><body><p>Egypt &#1602;</p></body></html>")), "of its letters are Arabic"),
        (warc_record(http(b"x" * 2_000_000)), "2,000,0"),
        (warc_record(http(html(), {"Content-Type": "text/html", "Content-Encoding": "br"})), "packed as 'br'"),
    ],
)
def test_page_that_cannot_be_used_is_set_aside_and_the_next_is_read(tmp_path: Path, record: bytes, says: str) -> None:
    items = read(
        written(tmp_path / "a.warc.gz", record, warc_record(http(html()), number=2)), ReadConfig(max_characters=10_000)
    )
    assert says in str(items[0])
    assert shown(items)[0].startswith("1: ")
    assert shown(items)[1] == "2"


def test_page_without_an_id_is_known_by_its_place(tmp_path: Path) -> None:
    record = warc_record(http(html()), WARC_Record_ID="", WARC_Target_URI="<http://news.example/1>")
    (article,) = read(written(tmp_path / "a.warc", CRAWL[0], record))
    assert isinstance(article, Article)
    assert (article.id, article.url) == ("a:2", "http://news.example/1")


GOOD = [warc_record(http(html()), number=number) for number in range(1, 5)]


def test_damaged_member_of_a_gzipped_crawl_costs_itself(tmp_path: Path) -> None:
    members = [packed(record) for record in GOOD]
    for at in (12, len(members[1]) // 2, len(members[1]) - 5):
        data = bytearray(members[1])
        data[at] ^= 0xFF
        (tmp_path / "a.warc.gz").write_bytes(members[0] + bytes(data) + members[2] + members[3])
        first, damaged, *rest = shown(read(tmp_path / "a.warc.gz"))
        assert (first, rest) == ("1", ["3", "4"])
        assert damaged.startswith("2: damaged gzip")


def test_crawl_that_was_packed_as_a_whole_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.warc.gz").write_bytes(gzip.compress(b"".join(GOOD)))
    assert shown(read(tmp_path / "a.warc.gz")) == ["1", "2", "3", "4"]


def test_packing_is_told_by_the_bytes_not_by_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.warc").write_bytes(packed(*GOOD))
    (tmp_path / "b.warc.gz").write_bytes(b"".join(GOOD))
    assert shown(read(tmp_path)) == ["1", "2", "3", "4"] * 2


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_cut_file_gives_what_is_whole(tmp_path: Path, name: str) -> None:
    whole = packed(*GOOD) if name.endswith("gz") else b"".join(GOOD)
    last = len(packed(GOOD[3])) if name.endswith("gz") else len(GOOD[3])
    for cut in (len(whole) - last + 20, len(whole) - last // 2, len(whole) - 10):
        (tmp_path / name).write_bytes(whole[:cut])
        *before, told = shown(read(tmp_path / name))
        assert before == ["1", "2", "3"]
        assert told.startswith("4: the file ")


@pytest.mark.parametrize("length", ["10", "99999999999", "x", "", "9" * 5000])
def test_wrong_length_costs_the_record_and_what_follows_is_found(tmp_path: Path, length: str) -> None:
    broken = warc_record(http(html()), number=2, Content_Length=length)
    first, told, *rest = shown(read(written(tmp_path / "a.warc", GOOD[0], broken, *GOOD[2:])))
    assert (first, told[:3], rest) == ("1", "2: ", ["3", "4"])


@pytest.mark.parametrize(
    "content", [b"no WARC\n" * 100_000, b"\x00" * 200_000, b"WARC/1.0\r\n" + b"x" * 3_000_000, packed(b"no WARC")]
)
def test_file_that_is_no_warc_is_told_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.warc").write_bytes(content)
    (told,) = shown(read(tmp_path / "a.warc"))
    assert told.startswith("1: ")
    assert "\n" not in told


def test_empty_file_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.warc").touch()
    assert read(tmp_path / "a.warc") == []


def test_pages_that_were_done_are_passed_over_without_being_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.warc.gz", *GOOD)
    parsed: list[str] = []
    real = warc.html_page
    monkeypatch.setattr(
        warc, "html_page", lambda name, *rest, **more: (parsed.append(name), real(name, *rest, **more))[1]
    )
    assert len(list(read_records("a", path, ReadConfig(), skip=3))) == 1
    assert parsed == [f"{URN}4"]


def test_crawl_in_a_zip_is_read(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "x.zip", {"a.warc": b"".join(GOOD[:2]), "b.warc.gz": packed(*GOOD[2:])})
    assert shown(read(path)) == ["1", "2", "3", "4"]
