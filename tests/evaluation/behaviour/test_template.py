import pytest

from naba.errors import ConfigError
from naba.evaluation.behaviour.template import fill_templates

SLOTS = {"place": ["غزة", "صنعاء", "غوما"], "day": ["الأحد"], "none": []}


def test_templates_that_belong_together_are_filled_with_the_same_words() -> None:
    filled = fill_templates(["سافر إلى {place}", "لم يسافر إلى {place}"], SLOTS, 10, "here")
    assert sorted(filled) == sorted((f"سافر إلى {p}", f"لم يسافر إلى {p}") for p in SLOTS["place"])


def test_a_template_without_slots_gives_one_text() -> None:
    assert fill_templates(["نص"], SLOTS, 10, "here") == [("نص",)]


def test_no_more_than_asked_for_and_the_same_each_time() -> None:
    first = fill_templates(["{place} يوم {day}"], SLOTS, 2, "here")
    assert len(set(first)) == 2
    assert fill_templates(["{place} يوم {day}"], SLOTS, 2, "here") == first


def test_numbered_slots_take_different_words() -> None:
    filled = fill_templates(["من {place} إلى {place:2}"], SLOTS, 99, "here")
    assert len(filled) == 6  # 3 · 2 ordered pairs
    assert all(text.split()[1] != text.split()[3] for (text,) in filled)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{town}", r"here: slot \{town\} has no words; known slots: place, day, none"),
        ("{none}", r"slot \{none\} has no words"),
        ("{day} و{day:2}", "the list is too short"),
        ("{place", "a brace is open"),
        ("{place}}", "a brace is open"),
    ],
)
def test_broken_templates_are_refused(template: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        fill_templates([template], SLOTS, 4, "here")
