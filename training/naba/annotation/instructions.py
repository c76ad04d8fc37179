"""The annotators' instructions, made of the label schema: what each topic and stance means, and how the tool is answered.

One list of blocks, written as Markdown (doccano, Argilla) or HTML (Label Studio, Prodigy).

    text = as_markdown(blocks(schema, guide))
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from naba.annotation.answers import ABSENT, ARABIC, ENGLISH, PRESENT, UNSURE
from naba.schema import LabelSchema, Topic

_ARABIC = re.compile("[\u0600-\u06ff]")


@dataclass(frozen=True)
class Guide:
    """How a tool's page is answered, and what silence means there."""

    arabic: str
    english: str


@dataclass(frozen=True)
class Block:
    """A heading of level 1 or 2, a paragraph or a list item."""

    kind: str
    """ "h1", "h2", "p" or "li"."""
    text: str


GENERAL = (
    "اقرأ المقطع كما نُشر، ثم أجب عن كل موضوع على حدة: هل يتناوله المقطع؟ وإن تناوله، فما الموقف الذي ينقله من هدف الموضوع؟",
    "Read the segment as published, then judge each topic apart: is the segment about it, and if so, which stance does it "
    "convey towards the topic's target? Another topic's answer never decides this one.",
)


def blocks(schema: LabelSchema, guide: Guide) -> list[Block]:
    """The instructions of a schema and a tool, in order."""
    found = [Block("h1", f"تعليمات التصنيف · Labelling instructions: {schema.name}")]
    found += [Block("p", text) for text in (*GENERAL, guide.arabic, guide.english)]
    found.append(Block("h2", "الإجابات · Answers"))
    found += [Block("li", f"{stance.name_ar} · {stance.name_en}") for stance in schema.stances]
    found += [Block("li", f"{ARABIC[answer]} · {ENGLISH[answer]}") for answer in (ABSENT, PRESENT, UNSURE)]
    for topic in schema.topics:
        found += [Block("h2", f"{topic.name_ar} · {topic.name_en}")]
        found += [Block("li", line) for line in topic_lines(topic, schema)]
    if schema.examples:
        found.append(Block("h2", "أمثلة · Examples"))
        found += [Block("li", line) for line in _examples(schema)]
    return found


def topic_lines(topic: Topic, schema: LabelSchema) -> list[str]:
    """What a topic is, line by line: definition, target, stances, what it is not, typical words.

    A line begins in the language of its text, from which pages take its direction.
    """
    lines = [("التعريف", "definition", topic.definition), ("الهدف", "target", topic.target)]
    lines += [(stance.name_ar, stance.name_en, topic.stances[stance.id]) for stance in schema.stances]
    lines += [("ليس منه", "not this", topic.not_this), ("كلمات شائعة", "typical", "، ".join(topic.typical))]
    return [
        f"{arabic} · {english}: {text}" if _ARABIC.search(text) else f"{english} · {arabic}: {text}"
        for arabic, english, text in lines
        if text
    ]


def as_markdown(content: Iterable[Block]) -> str:
    """Markdown, a line a block."""
    marks = {"h1": "# ", "h2": "\n## ", "p": "\n", "li": "- "}
    return "".join(f"{marks[block.kind]}{block.text}\n" for block in content)


def as_html(content: Iterable[Block]) -> str:
    """An HTML fragment, from right to left; each line takes its direction from its own first letter."""
    return '<div dir="rtl">\n' + "".join(_html(content)) + "</div>\n"


def _html(content: Iterable[Block]) -> Iterator[str]:
    in_list = False
    for block in content:
        if (block.kind == "li") != in_list:
            in_list = not in_list
            yield "<ul>\n" if in_list else "</ul>\n"
        yield f'<{block.kind} dir="auto">{escape(block.text)}</{block.kind}>\n'
    if in_list:
        yield "</ul>\n"


def _examples(schema: LabelSchema) -> Iterator[str]:
    topics = {topic.id: topic.name_ar for topic in schema.topics}
    stances = {stance.id: stance.name_ar for stance in schema.stances}
    for example in schema.examples:
        said = "، ".join(f"{topics[topic]}: {stances[stance]}" for topic, stance in example.labels.items())
        yield f"{example.text} ← {said or '–'}"
