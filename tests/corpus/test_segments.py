from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naba.corpus.articles import parse_page
from naba.corpus.segments import segment_article, split_paragraph


def pieces(text: str, max_words: int) -> list[str]:
    return [text[start:end] for start, end in split_paragraph(text, 0, len(text), max_words)]


def test_paragraph_that_fits_stays_whole_however_many_sentences_it_has() -> None:
    text = "قال الوزير كذا. وأضاف كذا. وختم كذا."
    assert pieces(text, 90) == [text]


def test_long_paragraph_is_cut_at_sentence_ends_also_without_a_space() -> None:
    text = "وصل الوزير إلى القاهرة الجاري.وتأتي الجولة بعد أسبوع؟ وقال المتحدث كلاما آخر!"
    assert pieces(text, 6) == ["وصل الوزير إلى القاهرة الجاري.", "وتأتي الجولة بعد أسبوع؟", "وقال المتحدث كلاما آخر!"]


def test_points_in_numbers_and_abbreviations_end_nothing() -> None:
    text = "بلغت النسبة 2.5 في المئة وفق د. أحمد في تقريره الأخير. وارتفع الرقم بعد ذلك كثيرا جدا."
    assert pieces(text, 12) == [
        "بلغت النسبة 2.5 في المئة وفق د. أحمد في تقريره الأخير.",
        "وارتفع الرقم بعد ذلك كثيرا جدا.",
    ]


def test_initials_of_an_agency_end_nothing_and_short_words_end_sentences() -> None:
    text = "نقلت وكالة أ.ف.ب أن الوزير لن يقبل به. وأضاف المصدر أن القرار سيصدر غدا."
    assert pieces(text, 10) == ["نقلت وكالة أ.ف.ب أن الوزير لن يقبل به.", "وأضاف المصدر أن القرار سيصدر غدا."]


def test_sentence_just_too_long_leaves_no_stump() -> None:
    assert [len(piece.split()) for piece in pieces("كلمة " * 91, 90)] == [46, 45]


def test_very_long_line_takes_linear_time() -> None:
    # A quadratic pass over a million characters would take hours; this is a guard, not a timing.
    text = "كلمة وجملة قصيرة. «قول آخر» " * 40_000
    assert sum(1 for _ in split_paragraph(text, 0, len(text), 20)) >= 40_000


def test_long_title_is_cut_like_any_text() -> None:
    segments = segment_article(parse_page("x", "قال الوزير شيئا.", title="كلمة " * 150)[0])
    assert max(len(segment.text.split()) for segment in segments) <= 90


def test_quotation_is_kept_whole_where_it_fits() -> None:
    text = "قال الرئيس «لن نقبل بهذا. لن نتراجع أبدا» أمام الحشد. ثم غادر القاعة مع وفده المرافق له."
    assert pieces(text, 12)[0] == "قال الرئيس «لن نقبل بهذا. لن نتراجع أبدا» أمام الحشد."


def test_quotation_too_long_is_cut_at_its_sentences() -> None:
    text = "قال: «هذه جملة أولى طويلة فعلا. وهذه جملة ثانية طويلة أيضا. وهذه جملة ثالثة طويلة كذلك»."
    assert len(pieces(text, 8)) == 3


def test_unclosed_quotation_does_not_swallow_the_rest() -> None:
    text = 'قال الوزير "هذا كلام لم يغلق قوسه. ' + "وهذه جملة كاملة لا بأس بها. " * 6
    assert max(len(piece.split()) for piece in pieces(text, 15)) <= 15


def test_short_sentence_stays_with_the_one_before() -> None:
    text = "أعلن الوزير قراره أمام الصحافة اليوم. انتهى البيان. ثم عقد الوفدان جلسة أخرى مغلقة في المساء."
    assert pieces(text, 10)[0].endswith("انتهى البيان.")


def test_headline_outside_the_text_has_no_offsets() -> None:
    segments = segment_article(parse_page("x", "قال الوزير شيئا.", title="عنوان")[0])
    assert [(s.kind, s.start) for s in segments] == [("headline", None), ("paragraph", 0)]


def test_seeds_give_84_segments_with_exact_offsets(root: Path) -> None:
    count = 0
    for path in sorted((root / "seeds").glob("*.txt")):
        text = path.read_bytes().decode()
        for article in parse_page(path.stem, text):
            for segment in segment_article(article):
                assert text[segment.start : segment.end] == segment.text
                assert len(segment.text.split()) <= 90
                count += 1
    assert count == 84


_PAGE = st.lists(
    st.sampled_from(
        [
            "قال",
            "الوزير",
            "إن",
            "غزة.",
            "النار",
            "«نقبل",
            "بذلك»",
            '"لا',
            'نعم"',
            "2.5",
            "؟",
            ".",
            "،",
            "\u00a0",
            "  ",
            "\n",
            "\r\n",
            "المصدر: وكالة",
            "إقرأ أيضاً:",
            "تاريخ النشر: 1/2/2024",
            "إعلانوكتب",
            "مقالات مشابهة",
            "\u200f",
            "الجاري.وتأتي",
            "U.N.",
        ]
    ),
    max_size=120,
).map(" ".join)


@given(text=_PAGE, max_words=st.integers(5, 30))
@pytest.mark.parametrize("title", [None, "عنوان", "عنوان طويل. " * 30])
def test_offsets_are_exact_ordered_and_within_the_limit(title: str | None, text: str, max_words: int) -> None:
    end = 0
    for article in parse_page("x", text, title=title):
        for segment in segment_article(article, max_words):
            assert 1 <= len(segment.text.split()) <= max_words
            if segment.start is not None and segment.end is not None:
                assert text[segment.start : segment.end] == segment.text
                assert segment.start >= end
                end = segment.end


@given(
    words=st.lists(st.sampled_from(["كلمة", "جملة.", "سؤال؟", "«قول»", "فصل،", "انتهى.ثم"]), min_size=1, max_size=200)
)
def test_splitting_a_paragraph_loses_no_word(words: list[str]) -> None:
    text = " ".join(words)
    assert "".join("".join(pieces(text, 10)).split()) == "".join(text.split())
