from naba.annotation import TOOLS
from naba.annotation.instructions import Guide, as_html, as_markdown, blocks, topic_lines
from naba.schema import LabelSchema

GUIDE = Guide("كيف تجيب", "how to answer")


def test_instructions_hold_the_whole_codebook_of_the_schema(schema: LabelSchema) -> None:
    for text in (
        as_markdown(blocks(schema, GUIDE)),
        as_html(blocks(schema, GUIDE)).replace("&#x27;", "'").replace("&quot;", '"'),
    ):
        for topic in schema.topics:
            said = [topic.name_ar, topic.name_en, topic.definition, topic.target, topic.not_this, *topic.typical]
            assert all(part in text for part in (*said, *topic.stances.values()))
        assert all(stance.name_ar in text and stance.name_en in text for stance in schema.stances)
        assert all(example.text in text for example in schema.examples)
        assert "كيف تجيب" in text
        assert "how to answer" in text


def test_line_begins_in_the_language_of_its_text(schema: LabelSchema) -> None:
    lines = topic_lines(schema.topics[0], schema)
    assert lines[0].startswith("definition · التعريف: States")
    assert lines[-1].startswith("كلمات شائعة · typical: التقى")


def test_schema_without_examples_or_exclusions_has_no_empty_headings(markets: LabelSchema) -> None:
    text = as_markdown(blocks(markets, GUIDE))
    assert "not this" not in text
    assert "Examples" not in text


def test_html_is_escaped_and_its_lists_are_closed(awkward: LabelSchema) -> None:
    text = as_html(blocks(awkward, GUIDE))
    assert "<tags>" not in text
    assert text.count("<ul>") == text.count("</ul>")


def test_every_tool_says_in_both_languages_how_it_is_answered() -> None:
    for module in TOOLS.values():
        assert "لست متأكدا" in module.GUIDE.arabic or "لم تحكم" in module.GUIDE.arabic
        assert "judge" in module.GUIDE.english
