import pytest
from hypothesis import given
from hypothesis import strategies as st

from naba.corpus.mask import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("للتواصل: +216 71 123 456 يوميا", "للتواصل: +### ## ### ### يوميا"),
        ("اتصل على 0021671123456.", "اتصل على #############."),
        ("هاتف: 71 123 456 أو 36.300.000", "هاتف: ## ### ### أو ##.###.###"),
        ("الاتصال على الرقم 20078678", "الاتصال على الرقم ########"),
        ("واتساب ٠٧٩١٢٣٤٥٦٧", "واتساب ##########"),
        ("رقم الحساب 2050262888028", "رقم الحساب #############"),
        ("راسلونا: news.desk@example.org اليوم", "راسلونا: ****.****@*******.*** اليوم"),
    ],
)
def test_phone_numbers_and_addresses_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "قتل 12500 شخص منذ 2023-10-07",
        "تبرعت بمبلغ 1,250,000,000 دولار و340.000.000 ليرة",
        "القرار 2728 لعام 2024 في 25/03/2024",
        "هاتف الوزير نظيره 3 مرات",
        "فاز 3-2 في مباراة 2022 2023 2024 2025",
        "الإحداثيات 31.5017 و34.4668",
    ],
)
def test_dates_amounts_and_counts_stay(text: str) -> None:
    assert mask(text) == text


@given(st.text(alphabet="0123456789+()-. @abcهاتف:٣\n", max_size=60))
def test_length_stays_so_that_offsets_stay_true(text: str) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    assert mask(masked) == masked
