from typing import Any

import numpy as np
import pytest

from naba.evaluation.attributes import (
    MISSING,
    MOST_VALUES,
    OTHERS,
    attributes,
    has_negation,
    has_quotation,
    length_band,
)
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Labels
from naba.tfidf import targets


def split(markets: LabelSchema, rows: list[dict[str, Any]], **options: Any) -> dict[str, dict[str, list[int]]]:
    items = [LabelledSegment.from_row({"text": "ارتفع النفط", "labels": {}} | row, markets, "test") for row in rows]
    found = attributes(items, targets(items, markets), markets, **options)
    return {name: {value: rows.tolist() for value, rows in values.items()} for name, values in found.items()}


@pytest.mark.parametrize(
    "text",
    [
        "قال الوزير، في مؤتمر صحفي عقده مساء الاثنين، إن الأسعار سترتفع",
        "وأكدت الشركة أنها ستخفض الإنتاج",
        "وأضاف المدير: السوق هادئة اليوم",
        "وصف المحلل السوق بأنها «أسوأ سوق منذ سنوات»",
        "أفاد البنك بأن الفائدة ثابتة",
        'رفعت لافتة تقول "لا لغلاء المعيشة اليوم" أمام المبنى',
    ],
)
def test_quotation_is_words_between_marks_or_a_verb_of_speech(text: str) -> None:
    assert has_quotation(text)


@pytest.mark.parametrize(
    "text",
    [
        "اشترت شركة «النور» حصة في «الأمل» أمس",  # one word between marks is a name
        "ألقى الوزير كلمة قصيرة",
        "بدأ التداول عند 10:30 صباحا كما أعلن",
        "الأسعار: النفط والذهب",
        'طول الشاشة 32" وعرضها 20"',
        "",
        "Oil prices rose on Monday",
    ],
)
def test_names_between_marks_hours_and_lists_are_no_quotation(text: str) -> None:
    assert not has_quotation(text)


@pytest.mark.parametrize(
    "text",
    [
        "لم ترتفع الأسعار",
        "فلن تنخفض الفائدة",
        "ولا تتوقع الشركة ربحا",
        "السوق ليست هادئة",
        "أغلقت السوق دون تغيير",
        "النمو غير كاف",
        "رفض البنك خفض الفائدة",
        "وترفض الشركات العرض",
        "نفى الوزير الخبر",
        "وما من حل قريب",
        "أعلن عدم خفض السعر",
    ],
)
def test_negation_is_a_particle_or_a_verb_of_refusal(text: str) -> None:
    assert has_negation(text)


@pytest.mark.parametrize(
    "text",
    [
        "ارتفعت الأسعار، ما يعني أن الطلب قوي",  # which means
        "ما زال السوق هادئا",
        "لا يزال السوق هادئا",
        "لا سيما النفط والذهب",
        "ولا بد من خفض الفائدة",
        "بلغ الربح ما لا يقل عن مليون",  # no less than
        "غير أن السوق هادئة",
        "وصل لاعب جديد",
        "",
    ],
)
def test_which_still_and_idioms_are_no_negation(text: str) -> None:
    assert not has_negation(text)


def test_bands_of_length_meet_without_gap_or_overlap() -> None:
    expected = {0: "under 10 words", 9: "under 10 words", 10: "10-19 words", 19: "10-19 words", 20: "20-39 words"}
    expected |= {
        39: "20-39 words",
        40: "40-79 words",
        79: "40-79 words",
        80: "80 words and more",
        900: "80 words and more",
    }
    assert {words: length_band(words) for words in expected} == expected


def test_missing_value_is_a_value_of_its_own(markets: LabelSchema) -> None:
    dates = ["2024-03-05", None, "March 2024", "2024-03", "2024-13-01", 20240305]
    found = split(markets, [{"provenance": {"date": date}} for date in dates])
    assert found["month"] == {"2024-03": [0, 3], MISSING: [1, 2, 4, 5]}


def test_attribute_in_which_all_are_alike_splits_nothing(markets: LabelSchema) -> None:
    found = split(markets, [{"provenance": {"source": "one", "annotator": "person"}}] * 3)
    assert found == {}


def test_fields_of_the_row_split_by_each_member_of_a_list(markets: LabelSchema) -> None:
    rows = [
        {"actors": ["bank", "bank", "state"]},
        {"actors": []},
        {"actors": "bank"},
        {"actors": {"odd": 1}},
        {"actors": 3},
    ]
    found = split(markets, rows, fields=("actors",))
    assert found["actors"] == {"3": [4], "bank": [0, 2], MISSING: [1, 3], "state": [0]}


def test_what_is_known_of_a_row_splits_it(markets: LabelSchema) -> None:
    authored = {"provenance": {"authored": True, "annotator": "two people", "source": " desk "}, "kind": "headline"}
    found = split(markets, [authored | {"register": "agency"}, {}])
    assert found["authored"] == {"no": [1], "yes": [0]}
    assert found["annotator"] == {MISSING: [1], "two people": [0]}
    assert found["source"] == {"desk": [0], MISSING: [1]}
    assert found["kind"] == {"headline": [0], "paragraph": [1]}
    assert found["register"] == {"agency": [0], MISSING: [1]}


def test_odd_values_are_values_too(markets: LabelSchema) -> None:
    odd = [{"kind": None, "provenance": {"source": 7}}, {"kind": 3, "provenance": {"source": ["a", None, "a"]}}, {}]
    found = split(markets, odd)
    assert found["kind"] == {"3": [1], MISSING: [0], "paragraph": [2]}
    assert found["source"] == {"7": [0], "a": [1], MISSING: [1, 2]}


def test_topics_are_counted_and_paired_from_gold(markets: LabelSchema) -> None:
    presence = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, UNKNOWN]])
    gold = Labels(presence, np.full(presence.shape, UNKNOWN))
    item = LabelledSegment.from_row({"text": "ارتفع النفط", "labels": {}}, markets, "test")
    found = attributes([item] * 5, gold, markets)
    topics = {value: rows.tolist() for value, rows in found["topics"].items()}
    assert topics == {"0": [0], "1": [1], "2": [2], "3 and more": [3], "not all judged": [4]}
    assert found["topic_pair"]["oil + gold"].tolist() == [2, 3]
    assert found["topic_pair"]["housing + labour"].tolist() == [3]
    assert len(found["topic_pair"]) == 6


def test_rare_values_are_taken_together(markets: LabelSchema) -> None:
    rows = [{"provenance": {"source": f"outlet {number:03}"}} for number in range(MOST_VALUES + 5)]
    found = split(markets, [*rows, *rows[:10]])["source"]
    assert len(found) == MOST_VALUES
    assert found["outlet 004"] == [4, MOST_VALUES + 9]
    assert found[OTHERS] == list(range(MOST_VALUES - 1, MOST_VALUES + 5))
