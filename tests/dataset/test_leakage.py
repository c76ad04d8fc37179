from collections.abc import Callable
from typing import Any

import pytest

from naba.dataset.leakage import NO_STOCK, certificate, stock_text, without_overlap
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
