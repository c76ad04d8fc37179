import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naba.errors import DataError
from naba.pretraining.held_out import RUNS, WHOLE, HeldOutSegments

SEGMENT = "أعلنت الوزارة يوم الأحد أن القافلة وصلت إلى المدينة وأن المساعدات وزعت على الأسر."


def found(segment: str, text: str, run_words: int = 5) -> str | None:
    return HeldOutSegments([segment], run_words, 0.5).found_in([text])[0]


def test_segment_is_found_within_a_text() -> None:
    assert found(SEGMENT, f"عاجل\n{SEGMENT} وقال شهود إن الطريق مفتوح.") == WHOLE
    assert found(SEGMENT, "وقال شهود إن الطريق مفتوح.") is None
    assert found(SEGMENT, "") is None


def test_other_spelling_spaces_and_marks_do_not_hide_it() -> None:
    other = SEGMENT.replace("أ", "ا").replace("ة", "ه").replace(" ", "\n  ").replace("الوزارة", "الـوزارَة")
    assert found(SEGMENT, f"خبر: «{other}»") == WHOLE
    assert found(SEGMENT, "خبر" + SEGMENT.replace(" ", "")) == WHOLE


def test_short_segments_count_too() -> None:
    assert found("عاجل من بغداد", "قالت الوكالة: عاجل، من بغداد: انتهى الاجتماع") == WHOLE
    assert found("عاجل من بغداد", "قالت الوكالة: عاجل من عمان") is None
    assert found("...", "قالت الوكالة...") is None


def test_short_segment_is_found_as_whole_words_only() -> None:
    assert found("عاجل", "وصلت المساعدات العاجلة إلى المخيم") is None
    assert found("أمس", "اجتمع الوزراء أمس، في القاهرة") == WHOLE
    assert found("أمس", "أمس") == WHOLE
    assert found("من بغداد", "قالت الوكالة: «من بغداد»!") == WHOLE
    # Fourteen letters are a short one, fifteen are not.
    assert found("وصل الوفد الكبير", "قيل إن الذي وصل الوفد الكبيرة") is None
    assert found("وصل الوفد الكبيرر", "قيل إن الذي وصل الوفد الكبيررة") == WHOLE


def test_changed_copy_is_found_by_half_of_its_runs() -> None:
    # Eight words have four runs of five; a word changed at place 7 leaves two of them, at place 6 one.
    words = ["واحد", "اثنان", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية"]
    for changed, reason in ((6, RUNS), (5, None)):
        text = " ".join("آخر" if place == changed else word for place, word in enumerate(words))
        assert found(" ".join(words), f"قبل {text} بعد") == reason


def test_runs_of_different_segments_are_not_added_up() -> None:
    first, second = "أ ب ت ث ج ح خ د ذ", "ر ز س ش ص ض ط ظ ع"  # five runs of five words each
    held_out = HeldOutSegments([first, second], 5, 0.5)
    # Two runs of either: four together, but not the three that half of one needs.
    assert held_out.found_in(["أ ب ت ث ج ح و ر ز س ش ص ض", "أ ب ت ث ج ح خ و"]) == [None, RUNS]


def test_each_text_gets_its_own_answer() -> None:
    assert HeldOutSegments([SEGMENT], 5, 0.5).found_in(["خبر آخر", SEGMENT, "خبر"]) == [None, WHOLE, None]
    assert HeldOutSegments([], 5, 0.5).found_in(["خبر آخر"]) == [None]


@given(
    st.lists(st.sampled_from(["قال", "وزير", "مدينة", "عاجل", "12", "،", ".", "أمس"]), min_size=2, max_size=60),
    st.data(),
)
def test_whatever_is_cut_from_a_text_is_found_in_it(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    segment = " ".join(words[start:end])
    assert found(segment, "\n".join(words)) == (WHOLE if any(c.isalnum() for c in segment) else None)


def test_files_without_segments_are_told(tmp_path: Path) -> None:
    path = tmp_path / "held_out.jsonl"
    path.write_text(json.dumps({"text": SEGMENT}) + "\n" + json.dumps({"id": 1}) + "\n")
    with pytest.raises(DataError, match=r"held_out\.jsonl:2: no 'text'"):
        HeldOutSegments.read([path], 13, 0.5)
    with pytest.raises(DataError, match="no such file"):
        HeldOutSegments.read([tmp_path / "none.jsonl"], 13, 0.5)
