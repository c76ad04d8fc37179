import pytest
from hypothesis import given
from hypothesis import strategies as st

from naba.evaluation.behaviour.exchange import exchange_names

GROUPS = [["السودان", "اليمن", "لبنان"], ["روسيا", "تركيا"], ["الجيش السوداني", "الجيش اليمني"]]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("زار السودان", "زار اليمن"),
        ("بالسودان وباليمن وبلبنان", "باليمن وبلبنان وبالسودان"),  # all at once
        ("مساعدات للسودان", "مساعدات لليمن"),
        ("مساعدات لليمن", "مساعدات للبنان"),  # ل + لبنان
        ("وللبنان حصة", "وللسودان حصة"),
        ("روسيا ترفض عرض تركيا؛ وروسيا باقية", "تركيا ترفض عرض روسيا؛ وتركيا باقية"),
        ("الجيش السوداني في السودان", "الجيش اليمني في اليمن"),  # the longer name first
        ("سوداني ولبنانية", "سوداني ولبنانية"),  # other words stay
    ],
)
def test_names_take_the_next_place_of_their_group(before: str, after: str) -> None:
    assert exchange_names(before, GROUPS) == after


def test_the_step_says_how_far() -> None:
    assert exchange_names("السودان، لبنان", GROUPS, 2) == "لبنان، اليمن"


@given(st.lists(st.sampled_from([name for group in GROUPS for name in group]), max_size=6))
def test_a_whole_round_brings_the_text_back(names: list[str]) -> None:
    text = "، ".join(names)
    there = exchange_names(text, GROUPS, 1)
    assert exchange_names(there, GROUPS, -1) == text
