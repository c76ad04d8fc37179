import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from naba.errors import DataError
from naba.labelling.labelled_files import read_labelled
from naba.labelling.viewer import view, write_page
from naba.labelling.viewer.tints import combination_style, stance_styles, topic_styles
from naba.labelling.viewer.view import BLOCK, Label, gather, parted, web_address

Row = dict[str, Any]
Write = Callable[[str, list[Row]], Path]

STANCES = ("support", "oppose", "neutral")
HOSTILE = "<script>window.hacked=1</script></script><!--<img src=x onerror=window.hacked=1>\u202e\u2066\u202d"


def segment(text: str, stances: tuple[str, ...] = STANCES, windows: int = 1, **topics: tuple[str, float] | None) -> Row:
    """A segment as `naba label` writes it: `segment("…", diplomacy=("support", 0.9), military_action=None)`."""
    answers = {}
    for topic, said in topics.items():
        stance, sure = said or (None, 0.1)
        rest = (1 - sure) / (len(stances) - 1)
        shares = {one: sure if one == (stance or stances[-1]) else round(rest, 4) for one in stances}
        answers[topic] = {
            "present": stance is not None,
            "probability": sure,
            "stance": stance,
            "stance_probability": shares,
        }
    row: Row = {"id": "s", "start": 0, "end": len(text), "kind": "paragraph", "text": text, "topics": answers}
    return row | ({"windows": windows} if windows > 1 else {})


def article(number: int, *segments: Row, **fields: Any) -> Row:
    """An article as `naba label` writes it."""
    row: Row = {"id": f"a{number}", "title": f"خبر {number}", "date": None, "source": None, "url": None}
    return row | fields | {"segments": list(segments)}


def page(write_rows: Write, rows: list[Row], **options: Any) -> str:
    path = write_rows("labelled.jsonl", rows)
    out = path.with_name("page.html")
    write_page([path], out, overwrite=True, **options)
    return out.read_text(encoding="utf-8")


TALKS = segment("دعا إلى وقف النار", diplomacy=("support", 0.9), military_action=("oppose", 0.8))
SILENT = segment("افتتح المعرض أبوابه", diplomacy=None, military_action=None)


def test_index_holds_what_the_model_said_in_ten_thousandths(write_rows: Write) -> None:
    rows = [article(1, TALKS, date="2024-05-31T10:00:00+03:00", source="ب"), article(2, SILENT, source="ا"), article(3)]
    shown = gather(read_labelled([write_rows("labelled.jsonl", rows)]))
    assert shown.index() == {
        "topics": ["diplomacy", "military action"],
        "stances": list(STANCES),
        "articles": [[1, "2024-05-31", 1], [0, "", 1], [2, "", 0]],  # the source's place: ا, ب, none stated
        "answers": [
            ["s", 0, 17, 1, 9000, 9000, 500, 500, 2, 8000, 1000, 8000, 1000],
            ["s", 0, 19, 0, 1000, 4500, 4500, 1000, 0, 1000, 4500, 4500, 1000],
        ],
    }
    assert shown.sources == {"ا": 1, "ب": 1, None: 0}
    assert shown.articles[0].blocks[0][0].labels == (Label(0, 0), Label(1, 1))
    assert shown.articles[0].topics == [(0, 1), (1, 1)]
    assert shown.combinations == {(0, 1): "c0"}


def test_topics_and_stances_are_those_of_the_data(write_rows: Write) -> None:
    said = segment(
        "يرتفع الذهب", stances=("optimistic", "pessimistic"), oil=None, gold=("optimistic", 0.7), housing=None
    )
    html = page(write_rows, [article(1, said)])
    assert '<b>gold</b> <i class="s0">optimistic</i>' in html
    assert "diplomacy" not in html and "support" not in html.partition("</style>")[2].partition("<script>")[0]
    assert re.findall(r'name="topic" value="([^"]*)"', html) == ["oil", "gold", "housing", "(none)"]
    assert re.findall(r'name="stance" value="([^"]*)"', html) == ["optimistic", "pessimistic"]


def test_segments_stand_in_order_in_blocks_that_count_on(write_rows: Write) -> None:
    rows = [article(1, *(segment(f"فقرة {n}", diplomacy=None) for n in range(2 * BLOCK + 1)))]
    html = page(write_rows, rows)
    assert re.findall(r'<ol start="(\d+)">', html) == ["1", str(BLOCK + 1), str(2 * BLOCK + 1)]
    assert re.findall(r"فقرة (\d+)", html) == [str(n) for n in range(2 * BLOCK + 1)]


def test_windows_embedded_articles_and_what_is_missing_are_said(write_rows: Write) -> None:
    long = segment("طويل", windows=3, diplomacy=("neutral", 0.9))
    rows = [article(1, long, source="وكالة"), article(2, SILENT | {"topics": long["topics"]}, parent_id="a1")]
    rows += [article(3, parent_id="elsewhere", title=None)]
    html = page(write_rows, rows)
    assert "read in 3 windows" in html and html.count('class="chip windows"') == 1
    assert 'embedded in <a href="#a0"><bdi dir="auto">خبر 1</bdi></a>' in html
    assert 'embedded in <bdi dir="auto">elsewhere</bdi>' in html and ">a3</a></h2>" in html
    assert "no date · no source stated" in html


def test_hostile_text_is_inert_wherever_it_stands(write_rows: Write) -> None:
    said = segment(HOSTILE, stances=(HOSTILE, "b"), **{HOSTILE: (HOSTILE, 0.9)}) | {"id": HOSTILE, "kind": HOSTILE}
    rows = [article(1, said, source=HOSTILE, url=f"https://x.test/{HOSTILE}", parent_id=HOSTILE, title=HOSTILE)]
    html = page(write_rows, rows)
    assert html.count("<script") == 2 and html.count("</script") == 2  # the index and the page's own
    assert "<img" not in html and "<!--" not in html
    assert not set("\u202e\u2066\u202d") & set(html)
    assert "⟦U+202E⟧⟦U+2066⟧⟦U+202D⟧" in html
    index = html.partition('id="index">')[2].partition("</script>")[0]
    assert "<" not in index and json.loads(index)["answers"][0][0].startswith("<script>")


def test_policy_lets_only_the_pages_own_style_and_script_in(write_rows: Write) -> None:
    html = page(write_rows, [article(1, TALKS, url="https://example.test/خبر")])
    policy = html.partition('Content-Security-Policy" content="')[2].partition('"')[0]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in policy
    assert not re.search(r"<[^>]* (style|on\w+)=|@import|url\(", html)
    assert [link for link in re.findall(r'(?:href|src)="([^"]*)"', html) if not link.startswith("#")] == [
        "https://example.test/خبر"
    ]
    assert 'rel="noopener noreferrer nofollow"' in html


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://www.example.test/أخبار?id=1", "www.example.test"),
        ("HTTP://example.test", "example.test"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("//example.test", None),
        ("https:///path", None),
        ("https://[::1", None),
        ("https://a.test/\u202e", None),
        (None, None),
        ("", None),
    ],
)
def test_only_addresses_of_the_web_are_linked(url: str | None, host: str | None) -> None:
    assert web_address(url) == ((url, host) if host else (None, ""))


def test_long_text_is_parted_between_words_and_nothing_is_lost() -> None:
    assert parted("قصير") == ("قصير", "")
    assert parted("كلمة " * 3, first=12) == ("كلمة كلمة", " كلمة ")
    assert parted("x" * 10, first=4) == ("xxxx", "xxxxxx")  # no space to part at
    assert parted("a " + "x" * 10, first=8) == ("a xxxxxx", "xxxx")  # the only one would leave next to nothing


def test_rest_of_a_long_text_is_behind_a_summary(write_rows: Write) -> None:
    html = page(write_rows, [article(1, segment("كلمة " * 200_000, diplomacy=None))])
    shown, rest = re.findall(r'<p dir="auto">(.*?)</p>', html, re.S)
    assert len(shown) < 3000 and len(shown) + len(rest) == 1_000_000
    assert "Show the other 997,001 characters" in html


def test_limit_shows_the_first_articles_and_says_so(write_rows: Write) -> None:
    rows = [article(n, TALKS) for n in range(5)]
    html = page(write_rows, rows, limit=2)
    assert "only the first 2 articles are shown (<code>--limit</code>); the files hold more" in html
    assert html.count("<article") == 2
    for limit in (5, 9, None):
        assert "Not all" not in page(write_rows, rows, limit=limit)


def test_more_than_a_browser_shows_well_is_refused_with_what_fits(
    write_rows: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = write_rows("labelled.jsonl", [article(n, TALKS, TALKS) for n in range(5)])
    monkeypatch.setattr(view, "MOST_SEGMENTS", 7)
    with pytest.raises(
        DataError, match=r"jsonl:4: a page shows at most 7 segments; the first 3 articles fit: pass --limit 3"
    ):
        write_page([path], tmp_path / "page.html")
    assert write_page([path], tmp_path / "page.html", limit=3).segments == 6
    monkeypatch.setattr(view, "MOST_CHARACTERS", 30)
    with pytest.raises(DataError, match="at most 30 characters; this article alone is larger, or name fewer files"):
        write_page([path], tmp_path / "other.html")
    assert not (tmp_path / "other.html").exists()


def test_page_is_the_same_each_time(write_rows: Write) -> None:
    rows = [article(n, TALKS, SILENT, source=f"م{n}") for n in range(3)]
    assert page(write_rows, rows) == page(write_rows, rows)


def test_faults_are_told_and_nothing_is_written(write_rows: Write, tmp_path: Path) -> None:
    path = write_rows("labelled.jsonl", [article(1, TALKS)])
    (tmp_path / "there.html").write_text("mine")
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file").write_text("")
    for source, out, says in (
        (path, "there.html", "is there already; choose another --out, or pass --overwrite"),
        (path, "folder.html", "is a folder"),
        (path, "page.pdf", "ends in .html"),
        (path, "labelled", "ends in .html"),
        (path, "file/page.html", "cannot be written"),
        (tmp_path / "none.jsonl", "page.html", "no such file"),
        (write_rows("empty.jsonl", []), "page.html", "nothing to show"),
        (write_rows("raw.jsonl", [{"id": "1", "text": "x"}]), "page.html", "raw.jsonl:1"),
    ):
        with pytest.raises(DataError, match=re.escape(says)) as error:
            write_page([source], tmp_path / out)
        assert "\n" not in str(error.value)
    assert (tmp_path / "there.html").read_text() == "mine"
    assert not (tmp_path / "page.html").exists()
    write_page([path], tmp_path / "there.html", overwrite=True)
    assert (tmp_path / "there.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_articles_without_segments_make_a_page(write_rows: Write) -> None:
    html = page(write_rows, [article(1)])
    assert "1 article, 0 segments" in html and "<ol" not in html


def test_topics_beyond_the_colours_get_other_patterns() -> None:
    rules = topic_styles(17).splitlines()
    assert len(set(rules)) == 17
    fills = [rule.partition("--fill: ")[2] for rule in rules]
    assert len(set(fills)) == 17
    assert fills[0] == "linear-gradient(var(--topic-0), var(--topic-0)); }"
    assert fills[8].startswith("repeating-linear-gradient(-45deg, var(--topic-0)")


def test_stances_get_different_signs() -> None:
    signs = re.findall(r'content: "(.)";', stance_styles(14))
    assert signs[:3] == ["▲", "▼", "●"] and len(set(signs)) == 14


def test_topics_together_get_a_bar_each() -> None:
    rule = combination_style("c1", (0, 2))
    assert rule.count("no-repeat") == 2 and "right 0px top" in rule and "right 7px top" in rule
    assert rule.count("color-mix") == 2


def test_screened_segments_are_marked_and_their_probabilities_said_to_be_the_first_stages(write_rows: Write) -> None:
    html = page(write_rows, [article(1, TALKS, SILENT | {"screened": True}, SILENT | {"screened": False})])
    lines = re.findall(r'<li class="said ([^"]*)">.*?</li>', html, re.S)
    assert ["screened" in line.split() for line in lines] == [False, True, False]
    assert html.count("screened out by the first stage</span>") == 1
    assert "1 of 3 segments was not read by the model" in html
    assert "Its probabilities are the first stage’s." in html
    without = page(write_rows, [article(1, TALKS, SILENT)])
    assert "screened out" not in without and "not read by the model" not in without
