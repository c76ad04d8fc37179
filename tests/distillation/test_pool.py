import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from naba.config import ArticleSource
from naba.distillation import pool as module
from naba.distillation.pool import Pool, PoolSources, lay_down
from naba.errors import DataError
from naba.schema import LabelSchema

Write = Callable[[str, list[dict[str, Any]]], Path]

LONG = "أعلن الوسيط أن الطرفين اتفقا على وقف القتال في المدينة الساحلية لمدة عشرة أيام قابلة للتمديد باتفاق لاحق"
OTHER = "وصلت قافلة تحمل الدقيق والدواء إلى المخيم الشمالي بعد انتظار دام ثلاثة أسابيع عند المعبر الجبلي المغلق"
THIRD = "ارتفعت أسعار القمح في الأسواق العالمية مع تراجع المحصول في بلدان التصدير الكبرى هذا الموسم الزراعي"


@pytest.fixture
def make(tmp_path: Path, schema: LabelSchema) -> Callable[..., Pool]:
    """Lay down a pool of segment files, with articles and held-out files where named."""

    def lay(
        *segments: Path, articles: list[Path] | None = None, held_out: list[Path] | None = None, folder: str = "pool"
    ) -> Pool:
        sources = [ArticleSource(path=path) for path in articles or []]
        return lay_down(PoolSources(segments, sources, held_out or [], 13), tmp_path / folder, schema)

    return lay


def texts(pool: Pool) -> list[str]:
    return [item.segment.text for number in range(pool.chunks) for item in pool.chunk(number)]


def test_rows_are_read_without_their_labels_and_without_who_gave_them(
    make: Callable[..., Pool], write_rows: Write
) -> None:
    row = {
        "text": LONG,
        "article_id": "a",
        "start": 3,
        "end": 3 + len(LONG),
        "kind": "paragraph",
        "labels": {"no such topic": {"present": True}},
        "provenance": {"source": "outlet", "licence": "CC0", "date": "2024-01-02", "annotator": "someone", "rule": "r"},
        "cluster": "c",
        "readings": [1],
        "weak": True,
    }
    pool = make(write_rows("pool.jsonl", [row]))
    (item,) = pool.chunk(0)
    assert item.provenance == {"source": "outlet", "licence": "CC0", "date": "2024-01-02"}
    assert (item.segment.article_id, item.segment.start, item.cluster, item.extra) == ("a", 3, "c", {})
    assert all(label.present is None for label in item.labels.values())


def test_each_text_is_there_once_whatever_its_spelling(make: Callable[..., Pool], write_rows: Write) -> None:
    rows = [{"text": "وصلت القافلة إلى المدينة"}, {"text": "وصلت  القافله الى المدينة"}, {"text": OTHER}]
    pool = make(write_rows("pool.jsonl", rows), write_rows("again.jsonl", rows))
    assert texts(pool) == ["وصلت القافلة إلى المدينة", OTHER]
    assert pool.counts["repeats"] == 4


def test_contacts_are_masked(make: Callable[..., Pool], write_rows: Write) -> None:
    assert texts(make(write_rows("pool.jsonl", [{"text": "للتواصل: +216 71 123 456"}]))) == ["للتواصل: +### ## ### ###"]


def test_articles_are_cut_into_segments_that_say_where_they_are_from(
    make: Callable[..., Pool], tmp_path: Path, write_rows: Write
) -> None:
    article = {
        "id": "7",
        "title": "عنوان الخبر",
        "text": f"{LONG}.\n{OTHER}.",
        "date": "2024-03-01",
        "source": "الوكالة",
    }
    pool = make(articles=[write_rows("news.jsonl", [article, {"id": "8", "text": "no Arabic at all"}])])
    items = pool.chunk(0)
    assert [item.segment.text for item in items] == ["عنوان الخبر", f"{LONG}.", f"{OTHER}."]
    assert article["text"][items[2].segment.start : items[2].segment.end] == f"{OTHER}."
    assert items[2].provenance == {"source": "الوكالة", "date": "2024-03-01", "url": None, "licence": None}
    assert (pool.counts["articles"], pool.counts["set_aside"]) == (1, 1)
    assert "news.jsonl:2" in pool.counts["first_set_aside"]


def test_what_overlaps_held_out_segments_goes_and_so_does_the_rest_of_its_article(
    make: Callable[..., Pool], write_rows: Write
) -> None:
    held = write_rows(
        "test.jsonl", [{"text": f"{LONG}.", "labels": {}}, {"text": THIRD, "article_id": "z", "labels": {}}]
    )
    rows = [
        {"text": LONG.replace("أيام", "ايام")},  # the same but for spelling
        {"text": f"وفي تطور جديد {LONG} بحسب مصادر", "article_id": "a"},  # holds a held-out segment
        {"text": "جملة أخرى من المقال نفسه", "article_id": "a"},
        {"text": "جملة سبقت في المقال الممنوع", "article_id": "z"},
        {"text": "اتفقا على وقف القتال في المدينة الساحلية لمدة عشرة أيام"},  # a part of one
        {"text": OTHER, "article_id": "b"},
    ]
    pool = make(write_rows("pool.jsonl", rows), held_out=[held])
    assert texts(pool) == [OTHER]
    assert (pool.counts["held_out"], pool.counts["article_held_out"]) == (3, 2)


def test_article_with_a_held_out_paragraph_goes_whole_wherever_the_paragraph_stands(
    make: Callable[..., Pool], write_rows: Write
) -> None:
    news = write_rows("news.jsonl", [{"id": "1", "text": f"{OTHER}.\n{LONG}."}, {"id": "2", "text": f"{THIRD}."}])
    held = write_rows("test.jsonl", [{"text": LONG}])
    assert texts(make(articles=[news], held_out=[held])) == [f"{THIRD}."]


def test_held_out_segment_with_a_contact_is_known_masked_or_not(make: Callable[..., Pool], write_rows: Write) -> None:
    rows = [{"text": "للتبرع لضحايا القصف: 0599123456"}, {"text": OTHER}]
    masked = [{"text": "للتبرع لضحايا القصف: ##########"}]
    for number, (pool, held) in enumerate([(rows, rows[:1]), (rows, masked), ([*masked, rows[1]], rows[:1])]):
        found = make(write_rows("pool.jsonl", pool), held_out=[write_rows("test.jsonl", held)], folder=f"pool-{number}")
        assert texts(found) == [OTHER]
        assert found.counts["held_out"] == 1


def test_pool_is_cut_into_chunks_and_read_once(
    make: Callable[..., Pool], write_rows: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    path = write_rows("pool.jsonl", [{"text": f"خبر {number}"} for number in range(5)])
    pool = make(path)
    assert [pool.size(number) for number in range(pool.chunks)] == [2, 2, 1]
    assert texts(pool) == [f"خبر {number}" for number in range(5)]
    path.unlink()
    assert texts(make(path)) == texts(pool)


def test_pool_of_other_content_or_topics_is_another(
    schema: LabelSchema, markets: LabelSchema, write_rows: Write
) -> None:
    path = write_rows("pool.jsonl", [{"text": LONG}])
    sources = PoolSources([path], [], [], 13)
    before = sources.mark(sources.fingerprints(), schema)
    assert sources.mark(sources.fingerprints(), schema) == before
    assert sources.mark(sources.fingerprints(), markets) != before
    held_out = PoolSources([path], [], [path], 13)
    assert held_out.mark(held_out.fingerprints(), schema) != before
    write_rows("pool.jsonl", [{"text": OTHER}])
    assert sources.mark(sources.fingerprints(), schema) != before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no segment in the pool"),
        ("\n\n", "no segment in the pool"),
        ('{"title": "x"}\n', r"pool.jsonl:1: no 'text'"),
        ('{"text": 5}\n', r"pool.jsonl:1: no 'text'"),
        ("[]\n", r"pool.jsonl:1: a list"),
        ("\ufeff" + json.dumps({"text": "نص"}) + "\n{", r"pool.jsonl:2: not JSON"),
        (json.dumps({"text": "نص", "article_id": []}), r"pool.jsonl:1: article_id"),
    ],
)
def test_pool_that_is_none_is_told(content: str, says: str, make: Callable[..., Pool], tmp_path: Path) -> None:
    (tmp_path / "pool.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=says):
        make(tmp_path / "pool.jsonl")


def test_pool_that_is_all_held_out_is_told(make: Callable[..., Pool], write_rows: Write) -> None:
    path = write_rows("pool.jsonl", [{"text": LONG}, {"text": OTHER}])
    with pytest.raises(DataError, match="all 2 segments of the pool are held out"):
        make(path, held_out=[path])


def test_articles_that_all_cannot_be_read_are_told(make: Callable[..., Pool], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("not Arabic, this one")
    with pytest.raises(DataError, match=r"no segment in the pool \(set aside: .*a\.txt"):
        make(articles=[tmp_path / "a.txt"])


def test_files_that_are_missing_or_of_the_wrong_kind_are_told_first(tmp_path: Path, write_rows: Write) -> None:
    rows = write_rows("pool.jsonl", [{"text": LONG}])
    (tmp_path / "a.txt").write_text(LONG)
    with pytest.raises(DataError, match="name files of articles under 'articles'"):
        PoolSources([tmp_path / "a.txt"], [], [], 13).check()
    with pytest.raises(DataError, match=r"no\.jsonl: no such file"):
        PoolSources([tmp_path / "no.jsonl"], [], [], 13).check()
    with pytest.raises(DataError, match=r"no\.jsonl: no such file"):
        PoolSources([rows], [], [tmp_path / "no.jsonl"], 13).check()
    with pytest.raises(DataError, match="no such file or folder"):
        PoolSources([], [ArticleSource(path=tmp_path / "no.txt")], [], 13).check()
