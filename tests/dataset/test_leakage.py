from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from naba.dataset.leakage import NO_STOCK, Overlaps, certificate, stock_text, without_overlap
from naba.errors import DataError
from naba.records import LabelledSegment
from naba.schema import LabelSchema

WORDS = [f"كلمة{i}" for i in range(100)]
Make = Callable[..., LabelledSegment]


@pytest.fixture
def make(schema: LabelSchema) -> Make:
    def make(words: list[str], **fields: Any) -> LabelledSegment:
        return LabelledSegment.from_row({"text": " ".join(words), "labels": {}} | fields, schema, "test")

    return make


def test_clean_parts_get_a_certificate_with_the_largest_overlap(make: Make) -> None:
    # 56 shingles each; eight words in common are four shingles.
    train, test = make(WORDS[:60]), make([*WORDS[52:60], *(f"غيرها{i}" for i in range(52))])
    row = certificate({"train": [train], "validation": [], "test": [test]}, 13, NO_STOCK)["checked"]["train / test"]
    assert row["largest_overlap"] == {"containment": round(4 / 56, 4), "segments": [train.segment.id, test.segment.id]}
    assert row["runs"] == row["near_duplicates"] == 0


@pytest.mark.parametrize(
    ("train", "test", "says"),
    [
        ({"words": WORDS[:20], "article_id": "a"}, {"words": WORDS[50:70], "article_id": "a"}, "1 articles"),
        ({"words": WORDS[:20], "cluster": "c"}, {"words": WORDS[50:70], "cluster": "c"}, "1 clusters"),
        ({"words": WORDS[:20]}, {"words": WORDS[:20]}, "1 texts"),
        ({"words": WORDS[:90]}, {"words": [*(f"غيرها{i}" for i in range(80)), *WORDS[:13]]}, "1 runs"),
        ({"words": WORDS[:20]}, {"words": [*WORDS[:12], "بدل", *WORDS[13:20]]}, "1 near duplicates"),
    ],
)
def test_whatever_is_shared_fails_the_build(make: Make, train: Any, test: Any, says: str) -> None:
    with pytest.raises(DataError, match=f"train and test share {says}"):
        certificate({"train": [make(**train)], "test": [make(**test)]}, 13, NO_STOCK)


def test_stock_text_is_no_leak(make: Make) -> None:
    texts = [[*WORDS[:13], *(f"و{number}ص{i}" for i in range(60))] for number in range(30)]
    stock = stock_text((" ".join(words) for words in texts), 13)
    assert (len(stock.runs), len(stock.shingles)) == (1, 9)
    train, test = [make(words) for words in texts[:15]], [make(words) for words in texts[15:]]
    assert without_overlap(train, test, 13, stock) == train
    assert certificate({"train": train, "test": test}, 13, stock)["stock_runs"] == 1


def test_run_shared_with_a_held_out_text_drops_the_segment(make: Make) -> None:
    # Of 56 shingles nine, or eight, are shared: too few for a near-duplicate, but the run counts, punctuation apart.
    other = [f"غيرها{i}" for i in range(60)]
    near = make([*other[:9], "قال: «" + "، ".join(WORDS[5:18]) + "»", *other[9:]])
    far = make([*other[:9], *WORDS[5:17], *other[9:]])
    assert without_overlap([near, far], [make(WORDS[:60])], 13, NO_STOCK) == [far]


def test_edited_copy_of_a_held_out_text_is_dropped_without_a_long_shared_run(make: Make) -> None:
    edited = [word if i % 8 else "بدل" for i, word in enumerate(WORDS[:40])]  # no run of thirteen is left
    assert without_overlap([make(edited)], [make(WORDS[:40])], 13, NO_STOCK) == []


def test_segment_of_a_held_out_article_or_cluster_is_dropped(make: Make) -> None:
    items = [make(WORDS[:20], article_id="a"), make(WORDS[20:40], cluster="c"), make(WORDS[40:60], article_id="b")]
    held = [make(WORDS[60:80], article_id="a"), make(WORDS[80:], cluster="c")]
    assert without_overlap(items, held, 13, NO_STOCK) == items[2:]


COPIES: dict[str, Callable[[int], list[str]]] = {
    "last words": lambda number: [*WORDS[:39], f"ختام{number}"],
    "a word anywhere": lambda number: [*WORDS[:number], f"بدل{number}", *WORDS[number + 1 : 40]],
    "punctuation": lambda number: [*WORDS[:number], f"«{WORDS[number]}»", *WORDS[number + 1 : 40]],
}


@pytest.mark.parametrize("differ", COPIES)
def test_copies_of_a_report_that_is_stock_text_from_end_to_end_are_all_found(make: Make, differ: str) -> None:
    # Every run and shingle stands in more than twenty texts; each side has fifteen of the thirty.
    copies = [make(COPIES[differ](number)) for number in range(30)]
    train, test = copies[:15], [*copies[15:], make([f"غيرها{i}" for i in range(40)])]
    stock = stock_text((item.segment.text for item in (*train, *test)), 13)
    assert without_overlap(test, train, 13, stock) == test[15:]
    assert without_overlap(train, test, 13, stock) == []
    for parts in ({"train": train, "test": test}, {"train": train, "validation": test[15:], "test": test[:15]}):
        with pytest.raises(DataError, match=r"train and test share \d+ (texts|runs|near duplicates)"):
            certificate(parts, 13, stock)


def test_copies_are_found_through_copies_that_stand_on_neither_side(make: Make) -> None:
    copies = [make(COPIES["a word anywhere"](number)) for number in range(30)]
    first, last = np.arange(30) == 0, np.arange(30) == 29
    overlaps = Overlaps(copies, 13, stock_text((item.segment.text for item in copies), 13))
    assert overlaps.touching(first, last).tolist() == first.tolist()
    assert overlaps.shared(first, last)["near_duplicates"] == 1


@pytest.mark.parametrize("length", [40, 12])
def test_segment_that_stands_many_times_in_a_file_is_no_stock_text(make: Make, length: int) -> None:
    # Of forty words the run tells, of twelve, which have no run of thirteen, the eight shingles.
    train = [make(WORDS[:length])] * 20
    test = [make([*WORDS[:length], *(f"غيرها{i}" for i in range(length + 10))])]
    stock = stock_text((item.segment.text for item in (*train, *test)), 13)
    assert (len(stock.runs), len(stock.shingles)) == (0, 0)
    assert without_overlap(test, train, 13, stock) == []
    assert without_overlap(train, test, 13, stock) == []


def test_same_words_are_the_same_text_whatever_the_punctuation(make: Make) -> None:
    # Three words have no run and no shingle of five, and the ids differ.
    train, test = make(["«عقد", "مجلس", "الوزراء»"]), make(["عقد", "مجلس", "الوزراء."])
    assert train.segment.id != test.segment.id
    assert without_overlap([train], [test], 13, NO_STOCK) == []
    with pytest.raises(DataError, match="train and test share 1 texts"):
        certificate({"train": [train], "test": [test]}, 13, NO_STOCK)


def test_segments_without_words_are_the_same_only_where_they_are(make: Make) -> None:
    dots, mark = make(["…"]), make(["؟"])
    assert without_overlap([dots, mark], [mark], 13, NO_STOCK) == [dots]


def test_largest_overlap_names_segments_of_the_two_parts(make: Make) -> None:
    # The first to have the words stands in neither part; eight of its words, four shingles of 36, are in the other text.
    elsewhere, train = make(WORDS[:40]), make([*WORDS[:39], f"{WORDS[39]}."])
    test = make([*(f"غيرها{i}" for i in range(52)), *WORDS[10:18]])
    here, there = np.array([False, True, False]), np.array([False, False, True])
    overlaps = Overlaps([elsewhere, train, test], 13, NO_STOCK)
    row = overlaps.shared(there, here)
    assert row["largest_overlap"] == {"containment": round(4 / 36, 4), "segments": [test.segment.id, train.segment.id]}
    assert sum(row[kind] for kind in ("articles", "clusters", "texts", "runs", "near_duplicates")) == 0


def test_no_segments_share_nothing() -> None:
    nothing = np.zeros(0, dtype=bool)
    overlaps = Overlaps([], 13, NO_STOCK)
    assert overlaps.touching(nothing, nothing).tolist() == []
    assert overlaps.shared(nothing, nothing)["largest_overlap"]["segments"] == [None, None]
