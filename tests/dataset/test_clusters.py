from collections.abc import Callable
from typing import Any

import pytest

from naba.dataset.clusters import find_clusters
from naba.records import LabelledSegment
from naba.schema import LabelSchema

Make = Callable[..., LabelledSegment]


@pytest.fixture
def make(schema: LabelSchema) -> Make:
    def make(text: str, **fields: Any) -> LabelledSegment:
        return LabelledSegment.from_row({"text": text, "labels": {}} | fields, schema, "test")

    return make


def words(start: int, count: int) -> str:
    return " ".join(f"كلمة{number}" for number in range(start, start + count))


def test_articles_given_clusters_and_copies_stay_together(make: Make) -> None:
    items = [
        make(f"أول {words(0, 13)}"),
        make("غيره تماما"),
        make(f"ثان {words(0, 13)}", article_id="a"),  # a copy of the first
        make("نص من المقال نفسه", article_id="a"),
        make("نص من الزوج", cluster="p"),
        make("نص آخر من الزوج", cluster="p"),
    ]
    found = find_clusters(items)
    of = found.of.tolist()
    assert of[0] == of[2] == of[3]
    assert of[4] == of[5] and found.names[of[4]] == "p"
    assert found.count == 3
    assert found.articles == 5
    assert found.names[of[0]] == items[0].segment.id


def test_short_report_inside_a_longer_article_joins_it_through_no_single_segment(make: Make) -> None:
    # The report's ten words are spread over two paragraphs of the article; each shares a third of its own shingles.
    report = [make(words(0, 30), article_id="short")]
    long = [make(words(n, 15) + " " + words(500 + 40 * n, 40), article_id="long") for n in (0, 15)]
    of = find_clusters([*report, *long]).of.tolist()
    assert of[0] == of[1] == of[2]


def test_sharing_one_paragraph_does_not_chain_long_articles(make: Make) -> None:
    # a and b share a sentence of 10 words, b and c another: 6 of about 96 shingles.
    bodies = {"a": 1000, "b": 2000, "c": 3000}
    shared = {"a": [words(0, 10)], "b": [words(0, 10), words(20, 10)], "c": [words(20, 10)]}
    items = [make(text, article_id=name) for name in bodies for text in (words(bodies[name], 90), *shared[name])]
    assert find_clusters(items).count == 3


def test_the_largest_clusters_are_described(make: Make) -> None:
    items = [make(f"{words(0, 40)} {number}", article_id=f"n{number}") for number in range(3)] + [make("آخر")]
    (largest,) = find_clusters(items).largest
    assert largest == {"articles": 3, "segments": 3, "ids": ["n0", "n1", "n2"], "begins": items[0].segment.text[:80]}


def test_nothing_is_no_cluster() -> None:
    found = find_clusters([])
    assert (found.count, found.articles, list(found.largest)) == (0, 0, [])
