"""Label Studio: tasks with predictions and the labelling interface out; JSON and JSON-MIN exports in.

One single-choice question a topic, each required unless "none of these topics" is chosen, which hides them: the common
case costs one key. What Label Studio calls skipping is no answer, and a draft is none yet.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from naba.annotation.answers import (
    ABSENT,
    ARABIC,
    ENGLISH,
    NONE,
    answer_ids,
    answer_names,
    answer_of,
    label_of,
    shortcuts,
)
from naba.annotation.exports import expect, mapping, read_rows, sequence, texts
from naba.annotation.instructions import Guide, as_html, blocks, topic_lines
from naba.annotation.tasks import (
    CARRIED,
    CONTRADICTORY,
    DRAFT,
    EMPTY,
    SKIPPED,
    UNANSWERED,
    Answer,
    LeftOut,
    Suggestion,
    Task,
    pack,
    unpack,
)
from naba.errors import DataError
from naba.jsonl import write_text
from naba.records import TopicLabel, segment_id
from naba.schema import LabelSchema, Topic

TOOL = "label-studio"
NEXT = (
    "in Label Studio: Settings > Labeling Interface > Code takes config.xml, Settings > Annotation takes "
    "instructions.html, Import takes tasks.json; export as JSON"
)
GUIDE = Guide(
    "اختر إجابة واحدة لكل موضوع، أو «لا شيء من هذه المواضيع» إن لم يتناول المقطع أيا منها. لا تُرسل صفحة ناقصة: من لم يستطع الحكم اختار «لست متأكدا»، ومن أراد ترك المقطع كله ضغط Skip. الاقتراحات الآلية قد تخطئ، فراجعها قبل الإرسال.",
    "One answer for each topic, or “none of these topics” where the segment is about none of them. A page cannot be "
    "submitted with a topic left open: choose “not sure” for a topic you cannot judge, Skip for a segment you will not "
    "judge. Suggestions are often wrong: check them before you submit.",
)
TEXT, NO_TOPIC, TOPIC = "text", "none", "topic_"
"""Names of the parts of the interface; a topic's is `TOPIC` and its id, which keeps it off the names of data fields."""
# Rows of a keyboard; "u" is Label Studio's own, "0" is the key of "none".
KEYS = ("123456789", "qwertyiop", "asdfghjkl", "zxcvbnm")
# A line takes its direction, and the side where it starts, from its own first letter.
_HELP = "font-weight: normal; font-size: 14px; line-height: 1.6; unicode-bidi: plaintext; text-align: start"
_EXPORTED = {
    *("id", TEXT, "segment", CARRIED, "annotator", "annotation_id", "created_at", "updated_at", "lead_time"),
    "agreement",
}


def write(folder: Path, tasks: Sequence[Task], schema: LabelSchema) -> list[Path]:
    """Write tasks.json, config.xml and instructions.html; returns the files."""
    files = [folder / name for name in ("tasks.json", "config.xml", "instructions.html")]
    rows = [_task(task, schema) for task in tasks]
    write_text(files[0], json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    write_text(files[1], interface(schema))
    write_text(files[2], as_html(blocks(schema, GUIDE)))
    return files


def interface(schema: LabelSchema) -> str:
    """The labelling interface of a schema, as Label Studio's ElementTree."""
    root = ElementTree.Element("View", style="direction: rtl; text-align: right")
    ElementTree.SubElement(root, "Text", name=TEXT, value=f"${TEXT}")
    none = ElementTree.SubElement(root, "Choices", name=NO_TOPIC, toName=TEXT, choice="single", showInline="true")
    ElementTree.SubElement(none, "Choice", value=ARABIC[NONE], alias=NONE, hotkey="0", hint=ENGLISH[NONE])
    keys = shortcuts([len(answer_ids(schema))] * len(schema.topics), KEYS)
    for topic, row in zip(schema.topics, keys, strict=True):
        root.append(_question(topic, schema, row))
    panels = ElementTree.SubElement(root, "Collapse", open="false")
    for topic in schema.topics:
        panel = ElementTree.SubElement(panels, "Panel", value=_shown(f"{topic.name_ar} · {topic.name_en}: ما المقصود؟"))
        for line in topic_lines(topic, schema):
            ElementTree.SubElement(panel, "Header", value=_shown(line), size="6", style=_HELP)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def read(paths: Iterable[Path], schema: LabelSchema) -> Iterator[Answer | LeftOut]:
    """The answers in JSON or JSON-MIN exports, and what is left out. Raises DataError for anything else."""
    for path in paths:
        for place, row in read_rows(path):
            where = f"{place} (task {row.get('id')})"
            expect(row, TOOL, where)
            yield from _from_min(row, schema, where) if "data" not in row else _from_json(row, schema, where)


def _question(topic: Topic, schema: LabelSchema, keys: Sequence[str | None]) -> ElementTree.Element:
    english = {stance.id: stance.name_en for stance in schema.stances}
    shown = {"visibleWhen": "choice-unselected", "whenTagName": NO_TOPIC, "whenChoiceValue": NONE}
    box = ElementTree.Element("View", shown)
    ElementTree.SubElement(box, "Header", value=_shown(f"{topic.name_ar} · {topic.name_en}"), size="4")
    required = {"required": "true", "requiredMessage": f"لم تُجب عن هذا الموضوع: {topic.name_ar}"}
    asked = {"name": TOPIC + topic.id, "toName": TEXT, "choice": "single", "showInline": "true"} | required
    choices = ElementTree.SubElement(box, "Choices", asked)
    for (answer, name), key in zip(answer_names(schema).items(), keys, strict=True):
        hotkey = {"hotkey": key} if key else {}
        hint = f"{english[answer]}: {topic.stances[answer]}" if answer in topic.stances else ENGLISH[answer]
        ElementTree.SubElement(
            choices, "Choice", {"value": _shown(name), "alias": answer, "hint": _shown(hint)} | hotkey
        )
    return box


def _task(task: Task, schema: LabelSchema) -> dict[str, Any]:
    segment = task.segment
    data = {TEXT: segment.text, "segment": segment.id, CARRIED: pack(task, schema)}
    return {"data": data, "predictions": [_prediction(given, segment.id, schema) for given in task.suggestions]}


def _prediction(given: Suggestion, segment: str, schema: LabelSchema) -> dict[str, Any]:
    known = {topic: answer_of(given.labels[topic]) for topic in schema.topic_ids if _is_known(given.labels[topic])}
    chosen = {TOPIC + topic: answer for topic, answer in known.items()}
    if len(known) == len(schema.topics) and set(known.values()) == {ABSENT}:
        chosen = {NO_TOPIC: NONE}
    result = [
        {
            "id": segment_id(f"{segment} {given.voter} {control}"),
            "from_name": control,
            "to_name": TEXT,
            "type": "choices",
            "value": {"choices": [answer]},
        }
        for control, answer in chosen.items()
    ]
    score = {} if given.score is None else {"score": given.score}
    return {"model_version": given.voter, "result": result} | score


def _shown(text: str) -> str:
    """Text for the page: Label Studio takes "$" and a word for a field of the task."""
    return text.replace("$", "＄")


def _is_known(label: TopicLabel) -> bool:
    return label.present is not None


def _from_json(row: Mapping[str, Any], schema: LabelSchema, where: str) -> Iterator[Answer | LeftOut]:
    data = mapping(row["data"], "data", where)
    annotations = [
        mapping(found, "an annotation", where) for found in sequence(row.get("annotations"), "annotations", where)
    ]
    drafts = row.get("drafts")
    yield from [LeftOut(DRAFT, where)] * (len(drafts) if isinstance(drafts, list) else 0)
    if not annotations and not drafts:
        yield LeftOut(UNANSWERED, where)
    for annotation in annotations:
        if annotation.get("was_cancelled"):
            yield LeftOut(SKIPPED, where)
            continue
        chosen: dict[str, list[str]] = {}
        other: dict[str, Any] = {}
        for found in sequence(annotation.get("result"), "result", where):
            result = mapping(found, "a result", where)
            name, value = str(result.get("from_name")), mapping(result.get("value"), "value", where)
            if name == NO_TOPIC or name.startswith(TOPIC):
                chosen.setdefault(name, []).extend(texts(value.get("choices"), f"the answer to {name}", where))
            else:
                other[name] = value
        user = annotation.get("completed_by")
        yield _answer(data, chosen, other, annotation, user, schema, where)


def _from_min(row: Mapping[str, Any], schema: LabelSchema, where: str) -> Iterator[Answer | LeftOut]:
    if row.get("annotation_id") is None:
        yield LeftOut(UNANSWERED, where)
        return
    chosen: dict[str, list[str]] = {}
    for name, value in row.items():
        if name == NO_TOPIC or name.startswith(TOPIC):
            chosen[name] = texts([value] if isinstance(value, str) else value, f"the answer to {name}", where)
    other = {name: value for name, value in row.items() if name not in _EXPORTED and name not in chosen}
    yield _answer(row, chosen, other, row, row.get("annotator"), schema, where)


def _answer(
    data: Mapping[str, Any],
    chosen: Mapping[str, list[str]],
    other: Mapping[str, Any],
    annotation: Mapping[str, Any],
    user: Any,
    schema: LabelSchema,
    where: str,
) -> Answer | LeftOut:
    for name in chosen:
        if name != NO_TOPIC and name.removeprefix(TOPIC) not in schema.topic_ids:
            raise DataError(
                f"{where}: question {name!r} is about no topic of the label schema; name its own with --labels"
            )
    if any(len(answers) > 1 for answers in chosen.values()):
        return LeftOut(CONTRADICTORY, where)
    said = {name: answers[0] for name, answers in chosen.items() if answers}
    if not said:
        return LeftOut(EMPTY, where)
    labels = {topic: TopicLabel(None) for topic in schema.topic_ids}
    if said.pop(NO_TOPIC, None) is not None:
        # Choosing "none" hides the topics, and what was answered before stays in the result unseen: "none" was meant.
        labels = {topic: TopicLabel(False) for topic in schema.topic_ids}
    else:
        labels |= {name.removeprefix(TOPIC): label_of(answer, schema, where) for name, answer in said.items()}
    extra = {"lead_time": annotation.get("lead_time"), "other_answers": dict(other)}
    items = unpack(data.get(CARRIED), data.get(TEXT), labels, schema, where, **extra)
    name, ids = _user(user)
    time = annotation.get("updated_at") or annotation.get("created_at")
    return Answer(items, name, ids, where, str(time) if time else None)


def _user(value: Any) -> tuple[str, tuple[str, ...]]:
    """The annotator's name, and the keys by which a map may name them; exports give an id, an e-mail or a whole user."""
    if isinstance(value, Mapping):
        email, number = value.get("email"), value.get("id")
    else:
        email, number = (value, None) if isinstance(value, str) else (None, value)
    unnamed = f"{TOOL}:{'unnamed' if number is None else number}"
    return str(email or unnamed), tuple(str(known) for known in (number, email, unnamed) if known is not None)
