import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from naba.labelling.summarise import view
from naba.labelling.summarise.job import PAGE, summarise_paths
from naba.labelling.summarise.view import MOST_TOPICS, SHOWN_ARTICLES, SHOWN_OUTLETS, SHOWN_TRENDS
from tests.labelling.test_labelled_files import DOWN, TOPICS, UP, answer, labelled_article, write

HOSTILE = "<script>alert('أ')</script>"
STEERING = "وكالة\u202eneddih\u202c"


def page(tmp_path: Path, *rows: dict[str, Any], **options: Any) -> str:
    summarise_paths([write(tmp_path / "x.jsonl", *rows)], tmp_path / "out", **options)
    return (tmp_path / "out" / PAGE).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """Four outlets over three weeks; the fourth week is empty, the last article undated and without a source."""
    sources = ["صحيفة السوق (الأولى)", HOSTILE, STEERING, "x & y"]
    return [
        labelled_article(f"{week}-{n}", [{"oil": (UP, 0.9)}] * 11 + [{"gold": (DOWN, 0.2)}] * n + [{}], date=day, source=source, title=f"{HOSTILE} {n}")
        for week, day in enumerate(("2024-05-27", "2024-06-03", "2024-06-17"))
        for n, source in enumerate(sources)
    ] + [labelled_article("late", [{}, {"oil": (DOWN, 0.4)}])]  # fmt: skip


def test_page_loads_nothing_and_runs_only_what_its_policy_names(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    html = page(tmp_path, *rows)
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">', html)
    assert policy and policy[1].startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.S)
        mark = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{mark}'" in policy[1]
    assert not re.search(r"<[^>]*\s(style|on\w+|src)\s*=", html)
    assert not re.search(r'href="(?!#)', html)
    assert "alert('" not in html.replace("&#39;", "'").replace("&lt;script&gt;alert('أ')&lt;/script&gt;", "")


def test_names_of_outlets_stand_as_text_in_tables_and_pictures(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    html = page(tmp_path, *rows)
    assert "<script>alert" not in html and not re.search("[\u202a-\u202e]", html)
    drawn = "".join(re.findall(r"<svg.*?</svg>", html, re.S))
    tables = re.sub(r"<svg.*?</svg>", "", html, flags=re.S)
    for part in (drawn, tables):
        for name in ("صحيفة السوق (الأولى)", "&lt;script&gt;alert(", "وكالة⟦U+202E⟧neddih⟦U+202C⟧", "x &amp; y"):
            assert name in part


def test_page_says_what_its_shares_are_and_are_not(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    html = page(tmp_path, *rows, labelled_article("inner", [{}], date="2024-05-27", source="x & y", parent_id="0-3"))
    for words in (
        "Stances are not netted.",
        "opposing one side’s force and opposing the other’s",
        "The labels are a model’s, and some are wrong.",
        "Wilson’s 95 % with segments taken for independent",
        "A text that stands in several articles counts in each.",
        "an article of its own (1 here)",
        "1 article (2 segments) without a date",
        "1 article (2 segments) without an outlet",
    ):
        assert words in html
    assert "neutral" not in html and "support" not in html  # stances are those of the data


def test_contents_lead_to_every_section(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    html = page(tmp_path, *rows)
    assert re.findall(r'<li><a href="#([^"]+)">', html) == re.findall(r'<h2 id="([^"]+)"', html)[:-1]
    assert html.count("<svg") == len(TOPICS)


def test_shares_of_a_topic_are_those_of_its_outlets(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    html = page(tmp_path, *rows)
    # x & y: three articles of 11 segments on oil, 3 on gold, 1 on nothing
    (row,) = re.findall(r"<tr><th scope=\"row\"><bdi dir=\"auto\">x &amp; y</bdi></th>(.*?)</tr>", html.split("gold: outlets")[2].split("housing: outlets")[0])  # fmt: skip
    cells = re.findall(r">([^<]+)</td>", row)
    assert cells[:3] == ["45", "3", "9"]
    assert cells[3].startswith("20.0\N{NO-BREAK SPACE}% [10.9, 33.8]")
    assert [cell.split(" [")[0] for cell in cells[4:]] == ["0.0\N{NO-BREAK SPACE}%", "100.0\N{NO-BREAK SPACE}%"]


def test_smaller_outlets_are_drawn_as_one_and_it_is_said(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    html = page(tmp_path, *rows, outlets=2)
    drawn = re.findall(r"<svg.*?</svg>", html, re.S)[0]
    assert "other (2 together)" in drawn and "other (2 together)" not in re.sub(r"<svg.*?</svg>", "", html, flags=re.S)
    assert "The 2 outlets with fewest segments are drawn as one" in html


def test_job_that_was_not_finished_is_a_warning(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    folder = write(tmp_path / "job" / "part-00000-00000.jsonl", *rows).parent
    (folder / ".job.json").touch()
    summarise_paths([folder], tmp_path / "out")
    html = (tmp_path / "out" / PAGE).read_text(encoding="utf-8")
    assert 'role="alert"' in html and "the labelling job was not finished" in html


def test_page_of_undated_articles_has_tables_without_pictures(tmp_path: Path) -> None:
    html = page(tmp_path, labelled_article("a", [{"oil": (UP, 0.9)}]))
    assert "<svg" not in html and "Newest" not in html and "oil: outlets" in html


def test_page_of_articles_without_any_topic(tmp_path: Path) -> None:
    html = page(tmp_path, labelled_article("a", [{}], date="2024-05-27"))
    assert "No segment has a topic." in html and "0 of 1 article have" in html


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("by", ["day", "week", "month"])
def test_first_and_last_day_of_the_calendar_are_drawn(tmp_path: Path, day: str, by: str) -> None:
    assert "<svg" in page(tmp_path, labelled_article("a", [{"oil": (UP, 0.9)}], date=day), by=by)


def test_page_stays_small_whatever_there_is_to_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "_MOST_CELLS", 3 * 2 * 7 + 1)  # three topics of two days and six outlets with the others
    rows = [
        labelled_article(f"{day}-{n}", [{}], date=f"2024-05-{day}", source=f"outlet {n}")
        for day in ("01", "02")
        for n in range(60)
    ]
    for row in rows:
        given = {f"t{number}": (UP, 0.9) if number else None for number in range(12)}
        row["segments"][0]["topics"] = {topic: answer(one) for topic, one in given.items()}
    html = page(tmp_path, *rows, by="day")
    assert html.count("<svg") == 3 and html.count("Not drawn, to keep this page small") == MOST_TOPICS - 3
    assert "4 topics with fewer segments are in" in html
    assert "t1: outlets, all periods together (the 50 largest of 60 outlets)" in html
    heads = html.count('<th scope="row"')
    assert heads == 12 + MOST_TOPICS * SHOWN_OUTLETS + 3 * SHOWN_TRENDS + SHOWN_ARTICLES


def test_screened_segments_are_counted_in_the_notes(tmp_path: Path) -> None:
    rows = [labelled_article(name, [{"oil": (UP, 0.9)}, {}, {}], date="2024-05-27") for name in "ab"]
    for row in rows:
        row["segments"][1]["screened"] = True
    html = page(tmp_path, *rows)
    assert "2 segments of 6 were screened out by a cascade’s first stage: the model never read them" in html
    del rows[0]["segments"][1]["screened"]
    assert "1 segment of 6 was screened out" in page(tmp_path, *rows, overwrite=True)
    del rows[1]["segments"][1]["screened"]
    assert "screened" not in page(tmp_path, *rows, overwrite=True).partition("</style>")[2]
