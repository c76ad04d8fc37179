import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naba.dataset import dedupe, overlap
from naba.dataset.dedupe import find_near_duplicates
from naba.dataset.labelled import load_labelled
from naba.schema import LabelSchema


def words(start: int, count: int) -> str:
    return " ".join(f"كلمة{number}" for number in range(start, start + count))


def test_copy_with_other_marks_and_punctuation_is_found() -> None:
    found = find_near_duplicates(
        [words(0, 20), "غيره تماما وليس من ذاك في شيء", words(0, 20).replace("كلمة5", "«كَلمة٥»،")]
    )
    assert found.clusters.tolist() == [0, 1, 0]
    assert found.pairs.tolist() == []  # the same words: one text
    assert found.duplicate_ratio == pytest.approx(1 / 3)


def test_short_report_inside_a_longer_one_is_found_by_containment() -> None:
    # Twenty of the long text's two hundred words: Jaccard under a tenth, containment one.
    found = find_near_duplicates([words(0, 200), words(90, 20)])
    assert found.clusters.tolist() == [0, 0]
    assert found.containment.tolist() == [1.0]


def test_containment_equals_the_hand_computed_value() -> None:
    # Both have 20 words, 16 shingles; the last ten words of one are the first ten of the other: 6 shared shingles.
    found = find_near_duplicates([words(0, 20), words(10, 20)])
    assert found.containment.tolist() == [pytest.approx(6 / 16)]


def test_shared_name_or_quotation_is_no_copy() -> None:
    assert find_near_duplicates([words(0, 6), words(0, 6) + " " + words(100, 40)]).clusters.tolist() == [0, 0]
    assert find_near_duplicates(
        [words(0, 6) + " " + words(50, 12), words(0, 6) + " " + words(100, 40)]
    ).clusters.tolist() == [0, 1]


def test_formula_of_which_a_text_is_the_greater_part_joins_nothing() -> None:
    stock = words(0, 12)
    texts = [f"{stock} {words(1000 * (number + 1), 6)}" for number in range(30)]
    assert find_near_duplicates(texts, stock_texts=20).clusters.tolist() == list(range(30))
    assert find_near_duplicates(texts, stock_texts=40).clusters.tolist() == [0] * 30


def test_identical_texts_are_joined_even_where_they_are_stock() -> None:
    texts = ["جميع الحقوق محفوظة"] * 50 + [words(0, 30)] * 50
    assert np.unique(find_near_duplicates(texts).clusters).tolist() == [0, 50]


def test_text_in_many_copies_of_the_same_words_is_no_stock_text() -> None:
    # Thirty copies count as one text, which the last holds as the smaller half of its words.
    copies = [words(0, 40).replace("كلمة7 ", f"كلمة7{mark} ") for mark in "،.:؛!؟" * 5]
    found = find_near_duplicates([*copies, f"{words(0, 40)} {words(100, 50)}"])
    assert found.clusters.tolist() == [0] * 31
    assert (found.pairs.tolist(), found.containment.tolist(), found.stock_shingles) == ([[0, 30]], [1.0], 0)


def test_no_texts_and_empty_texts_are_harmless() -> None:
    assert find_near_duplicates([]).clusters.tolist() == []
    assert find_near_duplicates(["؟", words(0, 8), ""]).clusters.tolist() == [0, 1, 0]


def test_two_seed_pages_with_one_report_are_found(root: Path, schema: LabelSchema) -> None:
    items = load_labelled([root / "data" / "seed-gold.jsonl"], schema)
    articles: dict[str, str] = {}
    for item in items:
        key = str(item.segment.article_id)
        articles[key] = f"{articles.get(key, '')} {item.segment.text}"
    found = find_near_duplicates(list(articles.values()))
    names = list(articles)
    assert [[names[number][:3] for number in cluster] for cluster in found.largest()] == [["000", "002"]]
    assert "#2" not in "".join(names[number] for number in found.largest()[0])


@given(st.lists(st.lists(st.integers(0, 30), max_size=25).map(lambda ns: " ".join(f"و{n}" for n in ns)), max_size=12))
def test_clusters_are_named_by_their_first_text_and_hold_every_near_pair(texts: list[str]) -> None:
    found = find_near_duplicates(texts)
    assert all(found.clusters[first] == first for first in found.clusters)
    assert all(found.clusters[a] == found.clusters[b] for a, b in found.pairs)
    assert all(0.2 <= value <= 1 for value in found.containment)


def test_report_in_more_copies_than_stock_text_allows_is_still_one_cluster() -> None:
    # Sixty copies of forty words, one word of each replaced: every shingle stands in more than twenty texts.
    words = [f"كلمة{n}" for n in range(40)]
    copies = [" ".join([*words[: n % 40], f"بدل{n}", *words[n % 40 + 1 :]]) for n in range(60)]
    other = [" ".join(f"غير{n}و{w}" for w in range(40)) for n in range(5)]
    found = find_near_duplicates([*copies, *other])
    assert set(found.clusters[:60].tolist()) == {0}
    assert found.clusters[60:].tolist() == [60, 61, 62, 63, 64]


def test_sentence_that_many_texts_hold_joins_none_of_them() -> None:
    # Fourteen words of stock in forty: less than half.
    stock = " ".join(f"ثابت{n}" for n in range(14))
    texts = [f"{stock} " + " ".join(f"خاص{n}و{w}" for w in range(26)) for n in range(30)]
    assert find_near_duplicates(texts).clusters.tolist() == list(range(30))


def test_many_texts_are_compared_part_by_part_to_the_same_end(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(3)
    words = [f"كلمة{n}" for n in range(200)]
    texts = [" ".join(draw.choices(words, k=draw.choice([0, 2, 4, 5, 30]))) for _ in range(60)]
    texts += [" ".join([*text.split()[: draw.randint(1, 30)], *draw.choices(words, k=8)]) for text in texts]
    texts += [f"{draw.choice(words)} هذا نص ثابت يتكرر في كل مكان {draw.choice(words)}" for _ in range(40)]
    whole = find_near_duplicates(texts)
    assert len(whole.pairs) > 20 and whole.stock_shingles > 0
    monkeypatch.setattr(dedupe, "_AT_ONCE", 150)
    monkeypatch.setattr(overlap, "_BLOCK", 100)
    parts = find_near_duplicates(texts)
    assert parts.stock_shingles == whole.stock_shingles
    for name in ("clusters", "pairs", "containment"):
        assert np.array_equal(getattr(parts, name), getattr(whole, name))
