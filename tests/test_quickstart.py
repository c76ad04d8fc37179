import io
from collections.abc import Callable

from rich.console import Console

from naba.quickstart import labelled_table, topic_initials
from naba.records import LabelledSegment
from naba.schema import LabelSchema


def test_initials_are_as_long_as_needed(schema: LabelSchema, markets: LabelSchema) -> None:
    assert list(topic_initials(schema).values()) == ["D", "H", "M"]
    assert list(topic_initials(markets).values()) == ["O", "G", "H", "L"]


def test_table_marks_right_answers_and_shows_wrong_ones(
    labelled: Callable[..., LabelledSegment], schema: LabelSchema
) -> None:
    gold = [
        labelled("نص [أول]", diplomacy="support"),
        labelled("نص ثان"),
        labelled("نص ثالث", military_action="neutral"),
    ]
    answers = {"this run": [{"diplomacy": "support"}, {"humanitarian_aid": "oppose"}, {"military_action": "oppose"}]}
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(labelled_table(gold, answers, schema))
    text = console.export_text()
    assert "نص [أول]" in text  # square brackets of the article are no markup
    assert text.count("✓") == 1
    assert "H oppose" in text
    assert "M oppose" in text
    assert "this run 1 of 3" in text
