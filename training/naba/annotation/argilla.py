"""Argilla 2: dataset settings and records out; exported records in.

A question a topic, none of them required, and a last one that is: what the topics left open are, absent or not judged.
So the common case costs one click and silence is never guessed at.

Argilla's `to_json` writes who answered what, but not whether it was submitted; `to_list(flatten=True)` does. From the
former only answers that must have been submitted are taken: the one answer of a completed record.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from naba.annotation.answers import ABSENT, UNSURE, answer_ids, answer_names, answer_of, label_of
from naba.annotation.exports import expect, mapping, read_rows, sequence
from naba.annotation.instructions import Guide, as_markdown, blocks, topic_lines
from naba.annotation.tasks import (
    CARRIED,
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
from naba.jsonl import write_json, write_text
from naba.records import TopicLabel
from naba.schema import LabelSchema

TOOL = "argilla"
NEXT = (
    "in Python: dataset = rg.Dataset(name, settings=rg.Settings.from_json('settings.json')); dataset.create(); "
    "dataset.records.from_json('records.json'); export with "
    "json.dump(dataset.records.to_list(flatten=True), open('answers.json', 'w'))"
)
GUIDE = Guide(
    "أجب عن كل موضوع يتناوله المقطع بموقفه، ثم قل في السؤال الأخير ما حال المواضيع التي تركتها بلا إجابة: غير موجودة، أم لم تحكم عليها. إن لم يتناول المقطع أي موضوع فأجب عن السؤال الأخير وحده. ومن أراد ترك المقطع كله ضغط Discard. الاقتراحات الآلية قد تخطئ، فراجعها قبل الإرسال.",
    "Answer each topic the segment is about with its stance; then say in the last question what the topics left open are: "
    "absent, or not judged. Where no topic is there, the last question alone is enough. Discard a segment you will not "
    "judge. Suggestions are often wrong: check them before you submit.",
)
TOPIC, OTHERS = "topic_", "topics_left_open"
UNCERTAIN = "not known to be submitted (export with to_list(flatten=True))"
_LONGEST_GUIDELINES, _LONGEST_DESCRIPTION = 10_000, 1_000
"""Characters that Argilla's server takes."""
_OTHERS_TEXT = {ABSENT: "غير موجودة في المقطع · absent", UNSURE: "لم أحكم عليها · not judged"}

Given = dict[str, tuple[Any, Any]]
"""Question → value and status (None where the export does not say) of one user."""


def write(folder: Path, tasks: Sequence[Task], schema: LabelSchema) -> list[Path]:
    """Write records.json, settings.json and instructions.md; returns the files."""
    files = [folder / name for name in ("records.json", "settings.json", "instructions.md")]
    records = [_record(task, schema) for task in tasks]
    write_text(files[0], json.dumps(records, ensure_ascii=False, indent=1) + "\n")
    write_json(files[1], settings(schema))
    write_text(files[2], as_markdown(blocks(schema, GUIDE)))
    return files


def settings(schema: LabelSchema) -> dict[str, Any]:
    """The dataset's settings, as `argilla.Settings.from_json` reads them."""
    names = answer_names(schema)
    questions = [
        _question(
            TOPIC + topic.id,
            f"{topic.name_ar} · {topic.name_en}",
            "\n\n".join(topic_lines(topic, schema)),
            {answer: names[answer] for answer in answer_ids(schema)},
        )
        for topic in schema.topics
    ]
    rest = "المواضيع التي لم تُجب عنها · the topics left open"
    questions.append(_question(OTHERS, rest, GUIDE.arabic, _OTHERS_TEXT, required=True))
    text = {"name": "text", "title": "المقطع", "required": True, "settings": {"type": "text", "use_markdown": False}}
    return {
        "guidelines": _shorten(as_markdown(blocks(schema, GUIDE)), _LONGEST_GUIDELINES),
        "fields": [text],
        "questions": questions,
        "vectors": [],
        "metadata": [],
        "allow_extra_metadata": True,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "mapping": None,
    }


def read(paths: Iterable[Path], schema: LabelSchema) -> Iterator[Answer | LeftOut]:
    """The answers in `to_list(flatten=True)` or `to_json` exports, and what is left out. Raises DataError otherwise."""
    for path in paths:
        for place, row in read_rows(path):
            where = f"{place} (record {row.get('id')})"
            expect(row, TOOL, where)
            nested = "responses" in row
            fields = mapping(row.get("fields"), "fields", where) if nested else row
            metadata = mapping(row.get("metadata") or {}, "metadata", where) if nested else row
            users = _nested(row, where) if nested else _flat(row, where)
            if not users:
                yield LeftOut(UNANSWERED, where)
            for user, given in users.items():
                reason = _reason(given, alone=len(users) == 1 and row.get("status") == "completed")
                if reason:
                    yield LeftOut(reason, where)
                    continue
                labels = _labels(given, schema, where)
                items = unpack(metadata.get(CARRIED), fields.get("text"), labels, schema, where)
                yield Answer(items, f"{TOOL}:{user}", (user, f"{TOOL}:{user}"), where)


def _question(
    name: str, title: str, description: str, options: Mapping[str, str], *, required: bool = False
) -> dict[str, Any]:
    offered = [{"value": value, "text": text} for value, text in options.items()]
    shown = len(offered) if len(offered) >= 3 else None  # Argilla's least number of visible options
    return {
        "name": name,
        "title": title[:500],
        "description": _shorten(description, _LONGEST_DESCRIPTION),
        "required": required,
        "settings": {"type": "label_selection", "options": offered, "visible_options": shown},
    }


def _record(task: Task, schema: LabelSchema) -> dict[str, Any]:
    segment = task.segment
    return {
        "id": segment.id,
        "fields": {"text": segment.text},
        "metadata": {CARRIED: pack(task, schema)},
        "suggestions": _suggestions(task.suggestions[0], schema) if task.suggestions else {},
        "responses": {},
        "vectors": {},
    }


def _suggestions(first: Suggestion, schema: LabelSchema) -> dict[str, Any]:
    """One suggestion a question is all that Argilla takes: the first voter's."""
    # Argilla's server takes these characters in an agent's name and no others.
    agent = re.sub(r"[^A-Za-z0-9_:./\s-]", "_", first.voter)[:200]
    agent = agent if re.search("[A-Za-z0-9]", agent) else f"voter{agent}"
    found = {}
    for topic in schema.topic_ids:
        if first.labels[topic].present is not None:
            answer = {"value": answer_of(first.labels[topic]), "score": first.scores.get(topic), "agent": agent}
            found[TOPIC + topic] = answer
    if len(found) == len(schema.topic_ids):
        found[OTHERS] = {"value": ABSENT, "score": None, "agent": agent}
    return found


def _nested(row: Mapping[str, Any], where: str) -> dict[str, Given]:
    users: dict[str, Given] = {}
    for question, responses in mapping(row["responses"], "responses", where).items():
        for response in sequence(responses, f"the responses to {question}", where):
            found = mapping(response, "a response", where)
            users.setdefault(str(found.get("user_id")), {})[question] = (found.get("value"), found.get("status"))
    return users


def _flat(row: Mapping[str, Any], where: str) -> dict[str, Given]:
    users: dict[str, Given] = {}
    for key, value in row.items():
        question, dot, rest = key.rpartition(".")
        if not dot or rest != "responses":
            continue
        values = sequence(value, key, where)
        names = sequence(row.get(f"{key}.users"), f"{key}.users", where)
        statuses = sequence(row.get(f"{key}.status"), f"{key}.status", where)
        if not len(values) == len(names) == len(statuses):
            raise DataError(f"{where}: {key} has {len(values)} values, {len(names)} users; is the export damaged?")
        for answer, user, status in zip(values, names, statuses, strict=True):
            users.setdefault(str(user), {})[question] = (answer, status)
    return users


def _reason(given: Given, *, alone: bool) -> str | None:
    """Why a user's answers are no vote; None where they are one."""
    statuses = {status for _, status in given.values()}
    if "discarded" in statuses:
        return SKIPPED
    if "draft" in statuses:
        return DRAFT
    if statuses != {"submitted"} and not (statuses == {None} and alone):
        return UNCERTAIN
    return None if any(value is not None for value, _ in given.values()) else EMPTY


def _labels(given: Given, schema: LabelSchema, where: str) -> dict[str, TopicLabel]:
    answers = {question: value for question, (value, _) in given.items() if value is not None}
    for question, value in answers.items():
        if question != OTHERS and question.removeprefix(TOPIC) not in schema.topic_ids:
            raise DataError(
                f"{where}: question {question!r} is about no topic of the label schema; name its own with --labels"
            )
        if not isinstance(value, str):
            raise DataError(f"{where}: the answer to {question} is a {type(value).__name__}, not a text")
    rest = label_of(answers.pop(OTHERS, UNSURE), schema, where)
    if rest.present:
        raise DataError(f"{where}: the answer to {OTHERS} is neither {ABSENT} nor {UNSURE}")
    said = {question.removeprefix(TOPIC): label_of(value, schema, where) for question, value in answers.items()}
    return {topic: said.get(topic, rest) for topic in schema.topic_ids}


def _shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
