import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from naba.errors import ConfigError, DataError
from naba.evaluation.reliability import wilson
from naba.labelling.labelled_row import LabelledRow, RowReader
from naba.labelling.summarise.article_topics import article_topics
from naba.labelling.summarise.job import summarise_paths
from naba.labelling.summarise.shares import Share
from naba.labelling.summarise.span import MOST_PERIODS, span_of
from naba.labelling.summarise.trends import By, Trends, following, period_name, period_of
from tests.conftest import Run
from tests.labelling.test_labelled_files import DOWN, UP, labelled_article, write

OUTLET = "صحيفة السوق"

# Wednesday of the week of Monday, 27 May 2024: four segments, three on oil, one of those on gold too.
A = labelled_article(
    "a",
    [{"oil": (UP, 0.9)}, {"oil": (UP, 0.7)}, {"oil": (DOWN, 0.2), "gold": (DOWN, 0.3)}, {}],
    date="2024-05-29",
    source=OUTLET,
)
# Sunday of the same week, embedded in A; its stances on oil tie.
B = labelled_article(
    "b", [{"oil": (UP, 0.6)}, {"oil": (DOWN, 0.1)}], date="2024-06-02", source=f" {OUTLET}\n", parent_id="a"
)
C = labelled_article("c", [{}])  # no date, no source, no topic
D = labelled_article("d", [{}, {}], date="2024-06-03", source=OUTLET)  # the Monday after
E = labelled_article("e", [], date="2024-06-03", source=OUTLET)  # nothing but boilerplate


def read(*rows: dict[str, Any]) -> list[LabelledRow]:
    reader = RowReader()
    return [reader.read(row, "test") for row in rows]


def counted(by: By, *rows: dict[str, Any]) -> Trends:
    trends = Trends(by)
    for row in read(*rows):
        trends.add(row, article_topics(row))
    return trends


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_article_has_its_topics_with_shares_and_dominant_stances() -> None:
    oil, gold = article_topics(read(A)[0])
    assert (oil.topic, oil.segments, oil.share) == ("oil", 3, 0.75)
    assert oil.stances == {UP: 2, DOWN: 1}
    assert oil.dominant == (UP,)
    assert oil.confidence == pytest.approx((0.9 + 0.7 + 0.2) / 3)
    assert [segment.start for segment in oil.evidence] == [0, 10]
    assert (gold.topic, gold.segments, gold.share, gold.dominant) == ("gold", 1, 0.25, (DOWN,))
    assert gold.confidence == pytest.approx(0.7)
    assert [segment.start for segment in gold.evidence] == [20]


def test_stances_that_tie_are_all_named_in_the_order_of_the_schema_without_confidence() -> None:
    (oil,) = article_topics(read(B)[0])
    assert oil.dominant == (UP, DOWN)
    assert oil.confidence is None
    assert [segment.start for segment in oil.evidence] == [0, 10]


def test_article_without_segments_or_topics_has_none() -> None:
    assert [article_topics(row) for row in read(C, E)] == [[], []]


def test_share_has_wilsons_interval() -> None:
    # 5 of 6, z² = 3.8415: centre (5 + 1.9207) / 9.8415 = 0.7032, half 1.96 / 9.8415 · √(5/6 + 0.9604) = 0.2667
    assert Share(5, 6).interval == pytest.approx((0.4365, 0.9699), abs=1e-4)
    assert Share(0, 0).value is None and Share(0, 0).interval is None
    for hits, total in ((0, 1), (1, 1), (0, 7), (7, 7), (3, 12), (499, 100_000)):
        assert Share(hits, total).interval == pytest.approx(wilson(hits, total), abs=1e-12)


@pytest.mark.parametrize(
    ("day", "by", "start", "name", "after"),
    [
        ("2024-06-02", "week", "2024-05-27", "2024-05-27", "2024-06-03"),
        ("2024-12-31", "week", "2024-12-30", "2024-12-30", "2025-01-06"),  # of ISO year 2025
        ("2024-02-29", "month", "2024-02-01", "2024-02", "2024-03-01"),
        ("2023-12-05", "month", "2023-12-01", "2023-12", "2024-01-01"),
        ("2024-02-29", "day", "2024-02-29", "2024-02-29", "2024-03-01"),
        ("0001-01-01", "week", "0001-01-01", "0001-01-01", "0001-01-08"),
        ("9999-12-31", "week", "9999-12-27", "9999-12-27", "9999-12-31"),  # there is no later day
        ("9999-12-31", "month", "9999-12-01", "9999-12", "9999-12-31"),
    ],
)
def test_periods(day: str, by: By, start: str, name: str, after: str) -> None:
    period = period_of(date.fromisoformat(day), by)
    assert (period.isoformat(), period_name(period, by), following(period, by).isoformat()) == (start, name, after)


def test_trends_count_by_period_source_and_topic() -> None:
    trends = counted("week", E, A, B, C, D)
    first, second = date(2024, 5, 27), date(2024, 6, 3)
    assert trends.in_order() == [(first, OUTLET), (second, OUTLET), (None, None)]
    group = trends.groups[first, OUTLET]
    assert (group.articles, group.segments) == (2, 6)
    oil = group.topic("oil")
    assert (oil.articles, oil.segments, oil.stances) == (2, 5, {UP: 3, DOWN: 2})
    assert group.share_of("oil") == Share(5, 6) and oil.share_of(DOWN) == Share(2, 5)
    assert (trends.groups[second, OUTLET].articles, trends.groups[second, OUTLET].segments) == (2, 2)
    total = trends.total()
    assert (total.articles, total.segments, total.topic("oil").segments, total.topic("labour").segments) == (5, 9, 5, 0)


def test_tables_hold_every_article_and_group(tmp_path: Path) -> None:
    summarise_paths([write(tmp_path / "x.jsonl", E, A, B, C, D)], tmp_path / "out")
    articles = table(tmp_path / "out" / "articles.csv")
    assert [(row["article_id"], row["topic"]) for row in articles] == [
        ("e", ""), ("a", "oil"), ("a", "gold"), ("b", "oil"), ("c", ""), ("d", "")
    ]  # fmt: skip
    assert articles[1] == {
        "article_id": "a", "parent_id": "", "title": "عنوان a", "date": "2024-05-29", "source": OUTLET, "url": "",
        "segments": "4", "topic": "oil", "topic_segments": "3", "topic_share": "0.75", "stance": UP, "confidence": "0.6",
        "n_optimistic": "2", "n_pessimistic": "1", "evidence_ids": "a0 a1", "evidence_starts": "0 10",
    }  # fmt: skip
    tie = articles[3]
    assert (tie["parent_id"], tie["source"], tie["stance"], tie["confidence"]) == (
        "a",
        OUTLET,
        "optimistic|pessimistic",
        "",
    )
    assert (articles[0]["segments"], articles[0]["topic_segments"], articles[0]["stance"]) == ("0", "0", "")
    trends = table(tmp_path / "out" / "trends.csv")
    assert len(trends) == 3 * 4
    assert trends[0] == {
        "period": "2024-05-27", "source": OUTLET, "topic": "oil", "segments": "6", "articles": "2", "topic_segments": "5",
        "topic_articles": "2", "topic_share": "0.8333", "topic_low": "0.4365", "topic_high": "0.9699",
        "n_optimistic": "3", "share_optimistic": "0.6", "low_optimistic": "0.2307", "high_optimistic": "0.8824",
        "n_pessimistic": "2", "share_pessimistic": "0.4", "low_pessimistic": "0.1176", "high_pessimistic": "0.7693",
    }  # fmt: skip
    assert [trends[8][key] for key in ("period", "source", "topic_share", "share_optimistic", "low_optimistic")] == [
        "undated", "unknown source", "0.0", "", ""
    ]  # fmt: skip


def test_same_input_gives_the_same_bytes_however_it_is_cut_into_files(tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl", A, B, C)
    parts = [write(tmp_path / f"{row['id']}.jsonl.gz", row) for row in (A, B, C)]
    summarise_paths([one], tmp_path / "first")
    summarise_paths(parts, tmp_path / "second")
    summarise_paths([one], tmp_path / "third")
    for name in ("articles.csv", "trends.csv"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert (tmp_path / "first" / "index.html").read_bytes() == (tmp_path / "third" / "index.html").read_bytes()


def test_headline_without_a_place_in_the_text_is_named_by_its_id(tmp_path: Path) -> None:
    row = labelled_article("a", [{"oil": (UP, 0.9)}, {"oil": (UP, 0.9)}])
    row["segments"][0] |= {"start": None, "end": None, "kind": "headline"}
    summarise_paths([write(tmp_path / "x.jsonl", row)], tmp_path / "out")
    (found,) = table(tmp_path / "out" / "articles.csv")
    assert (found["evidence_ids"], found["evidence_starts"]) == ("a0 a1", "- 10")


def test_names_of_stances_and_topics_may_be_anything(tmp_path: Path) -> None:
    row = labelled_article("a", [{"oil": (UP, 0.9)}])
    text = row["segments"][0]["topics"]
    hostile = '</script><b a="{0}">%s'
    for given in text.values():
        given["stance_probability"] = {hostile: 0.9, "share": 0.1}
        given["stance"] = hostile if given["present"] else None
    row["segments"][0]["topics"] = {f"../{topic}, $x^2$": given for topic, given in text.items()}
    summarise_paths([write(tmp_path / "x.jsonl", row)], tmp_path / "out")
    found = table(tmp_path / "out" / "trends.csv")[0]
    assert found["topic"] == "../oil, $x^2$" and found[f"n_{hostile}"] == "1" and found["share_share"] == "0.0"
    assert "<b a=" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_nothing_to_summarise_is_a_fault_that_leaves_no_output(tmp_path: Path) -> None:
    for path in (write(tmp_path / "empty.jsonl"), write(tmp_path / "bare.jsonl", E)):
        with pytest.raises(DataError, match="no labelled segment in it; there is nothing to summarise"):
            summarise_paths([path], tmp_path / "out")
    summarise_paths([tmp_path / "empty.jsonl", write(tmp_path / "x.jsonl", A)], tmp_path / "out")


def test_output_is_replaced_only_when_told_to_and_whole(tmp_path: Path) -> None:
    good, bad, out = write(tmp_path / "good.jsonl", A), write(tmp_path / "bad.jsonl", A, {"id": "1"}), tmp_path / "out"
    with pytest.raises(DataError, match=r"bad\.jsonl:2"):
        summarise_paths([bad], out)
    assert [*out.iterdir()] == []
    summarise_paths([good], out)
    (out / "mine.txt").touch()
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(DataError, match=r"holds articles\.csv, trends\.csv, index\.html already; .* --overwrite"):
        summarise_paths([good], out)
    with pytest.raises(DataError, match=r"bad\.jsonl:2"):
        summarise_paths([bad], out, overwrite=True)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    summarise_paths([write(tmp_path / "other.jsonl", B)], out, overwrite=True)
    assert table(out / "articles.csv")[0]["article_id"] == "b" and (out / "mine.txt").exists()
    with pytest.raises(ConfigError, match="is a file"):
        summarise_paths([good], good)


def test_picture_has_periods_without_a_gap_and_the_smaller_outlets_as_one() -> None:
    rows = [
        labelled_article(f"{name}{n}", [{"oil": (UP, 0.9)}] * (n + 1), date=f"2024-0{n + 1}-15", source=name)
        for name in ("x", "y", "z", "w")
        for n in (0, 2)
        if (name, n) not in (("z", 2), ("w", 0))
    ]
    # x and y: 1 segment in January, 3 in March; z: 1 in January; w: 3 in March
    span = span_of(counted("month", *rows), outlets=2)
    assert (
        span and span.starts == (date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)) and span.end == date(2024, 4, 1)
    )
    assert [(outlet.name, outlet.total.segments) for outlet in span.outlets] == [("x", 4), ("y", 4), ("other (2 together)", 4)]  # fmt: skip
    assert [group and group.segments for group in span.outlets[2].groups] == [1, None, 3]
    assert (span.merged, span.segments_outside) == (2, 0)
    whole = span_of(counted("month", *rows), outlets=3)  # the fourth alone is not called other
    assert whole and [outlet.name for outlet in whole.outlets] == ["x", "y", "w", "z"] and whole.merged == 0


def test_misread_dates_do_not_press_the_picture_together() -> None:
    days = ["1970-01-01", "2024-05-27", "2024-05-28", "2099-12-31"]
    rows = [labelled_article(day, [{}], date=day, source="x") for day in days]
    span = span_of(counted("day", *rows), outlets=6)
    assert span and span.starts == (date(2024, 5, 27), date(2024, 5, 28)) and span.segments_outside == 2
    last = date.fromordinal(date(2024, 5, 27).toordinal() + MOST_PERIODS - 1)
    rows = [labelled_article(day.isoformat(), [{}], date=day.isoformat()) for day in (date(2024, 5, 27), last)]
    span = span_of(counted("day", *rows), outlets=6)
    assert span and len(span.starts) == MOST_PERIODS
    assert span_of(counted("day", C), outlets=6) is None


def test_command_writes_and_tells_what_has_no_date_or_source(naba: Run, tmp_path: Path) -> None:
    write(tmp_path / "labelled" / "labelled.jsonl", A, B, C)
    code, out, err = naba("summarise", "labelled", "--out", "summary", "--by", "month")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "3 articles, 7 segments: summary/index.html, articles.csv, trends.csv",
        "1 article is undated, and counted as such",
        "1 article is of an unknown source, and counted as such",
    ]
    assert [row["period"] for row in table(tmp_path / "summary" / "trends.csv")][::4] == [
        "2024-05",
        "2024-06",
        "undated",
    ]


def test_faults_of_the_command_are_one_line_and_exit_code_2(naba: Run, tmp_path: Path) -> None:
    write(tmp_path / "x.jsonl", A)
    write(tmp_path / "raw.jsonl", {"id": "1", "text": "خبر " * 20})
    write(tmp_path / "x.csv")
    calls = [
        ("raw.jsonl", "--out", "out"),
        ("x.csv", "--out", "out"),
        ("nothing.jsonl", "--out", "out"),
        ("x.jsonl", "--out", "x.jsonl"),
        ("x.jsonl", "--out", "out", "--by", "year"),
        ("x.jsonl", "--out", "out", "--outlets", "0"),
        ("x.jsonl",),
    ]
    for arguments in calls:
        code, out, err = naba("summarise", *arguments)
        assert (code, out) == (2, "") and err.startswith("naba: error: ") and err.count("\n") == 1, err
