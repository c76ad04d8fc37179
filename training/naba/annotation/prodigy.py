"""Prodigy: multiple-choice tasks and prodigy.json out; what `prodigy db-out` writes in.

Formats as documented at prodi.gy/docs/api-interfaces#choice and prodi.gy/docs/install#config. Choices are ticked, so
absent needs no tick and "none of these topics" has one; accepting with nothing ticked is no answer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from naba.annotation.answers import (
    NONE,
    PRESENT,
    UNSURE,
    labels_of,
    shortcuts,
    tick_ids,
    tick_names,
    ticks,
)
from naba.annotation.exports import expect, read_rows, texts
from naba.annotation.instructions import Guide, as_html, blocks
from naba.annotation.tasks import (
    CARRIED,
    CONTRADICTORY,
    EMPTY,
    UNANSWERED,
    Answer,
    LeftOut,
    Task,
    pack,
    unpack,
)
from naba.errors import DataError
from naba.jsonl import write_json, write_jsonl, write_text
from naba.schema import LabelSchema

TOOL = "prodigy"
NEXT = (
    "in this folder: prodigy mark DATASET tasks.jsonl --view-id choice, each annotator at /?session=NAME; "
    "export with: prodigy db-out DATASET > answers.jsonl"
)
GUIDE = Guide(
    "اختر لكل موضوع يتناوله المقطع موقفه؛ والموضوع الذي لا تختاره يُعدّ غير موجود. إن لم يتناول المقطع أي موضوع فاختر «لا شيء من هذه المواضيع»، وإن لم تستطع الحكم على موضوع فاختر «لست متأكدا». القبول بلا أي اختيار لا يُعدّ إجابة. ومن أراد ترك المقطع كله ضغط Ignore. الاقتراحات الآلية قد تخطئ، فراجعها قبل القبول.",
    "Choose the stance of each topic the segment is about; a topic without a choice counts as absent. Choose “none of these "
    "topics” where no topic is there, and “not sure” for a topic you cannot judge. Accepting with nothing chosen is no "
    "answer. Ignore a segment you will not judge. Suggestions are often wrong: check them before you accept.",
)
REJECTED, IGNORED = "rejected", "ignored"
# Rows of a keyboard without Prodigy's own keys (a, x, f, h, space); "0" is the key of "none".
KEYS = ("123456789", "qwertyuiop", "sdgjkl", "zcvbnm")
_COLOURS = ("#c8e6c9", "#ffcdd2", "#e0e0e0", "#bbdefb", "#ffe0b2", "#e1bee7", "#b2ebf2", "#d7ccc8")


def write(folder: Path, tasks: Sequence[Task], schema: LabelSchema) -> list[Path]:
    """Write tasks.jsonl, prodigy.json and instructions.html; returns the files."""
    files = [folder / name for name in ("tasks.jsonl", "prodigy.json", "instructions.html")]
    options = choices(schema)
    write_jsonl(files[0], (_task(task, schema, options) for task in tasks))
    write_json(files[1], settings(schema))
    write_text(files[2], as_html(blocks(schema, GUIDE)))
    return files


def choices(schema: LabelSchema) -> list[dict[str, Any]]:
    """The options of every task: id, Arabic text, and a colour for each stance."""
    names = tick_names(schema)
    return [
        {"id": tick, "text": names[tick], "style": {"background": _colour(tick, schema)}} for tick in tick_ids(schema)
    ]


def settings(schema: LabelSchema) -> dict[str, Any]:
    """prodigy.json: several choices, from right to left, a key each, the instructions as help."""
    rows = shortcuts([len(schema.stance_ids) + 2] * len(schema.topics), KEYS)
    keys = dict(zip(tick_ids(schema), [key for row in rows for key in row], strict=False)) | {NONE: "0"}
    return {
        "choice_style": "multiple",
        "choice_auto_accept": False,
        "writing_dir": "rtl",
        "instructions": "instructions.html",
        "buttons": ["accept", "ignore", "undo"],
        "show_flag": False,
        "keymap_by_label": {tick: key for tick, key in keys.items() if key},
    }


def read(paths: Iterable[Path], schema: LabelSchema) -> Iterator[Answer | LeftOut]:
    """The answers that `db-out` wrote, and what is left out. Raises DataError for anything else."""
    for path in paths:
        for where, row in read_rows(path):
            expect(row, TOOL, where)
            yield _answer(row, schema, where)


def _task(task: Task, schema: LabelSchema, options: list[dict[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "text": task.segment.text,
        "options": options,
        CARRIED: pack(task, schema),
        "meta": {"segment": task.segment.id},
    }
    if task.suggestions:
        first = task.suggestions[0]
        row["accept"] = ticks(first.labels, schema, suggested=True)
        row["meta"]["suggested by"] = first.voter + ("" if first.score is None else f" {first.score:.2f}")
    return row


def _answer(row: Mapping[str, Any], schema: LabelSchema, where: str) -> Answer | LeftOut:
    given = row.get("answer")
    if given in (None, "ignore", "reject"):
        return LeftOut({"ignore": IGNORED, "reject": REJECTED}.get(str(given), UNANSWERED), where)
    if given != "accept":
        raise DataError(f"{where}: answer {given!r}; Prodigy writes accept, reject or ignore")
    ticked = texts(row.get("accept"), "accept", where)
    if not ticked:
        return LeftOut(EMPTY, where)
    labels = labels_of(ticked, schema, where)
    if labels is None:
        return LeftOut(CONTRADICTORY, where)
    items = unpack(row.get(CARRIED), row.get("text"), labels, schema, where)
    named = [known for known in (row.get("_annotator_id"), row.get("_session_id")) if isinstance(known, str) and known]
    ids = named or [f"{TOOL}:unnamed"]
    stamp = row.get("_timestamp")
    time = f"{stamp:015d}" if isinstance(stamp, int) else None
    return Answer(items, ids[0], tuple(ids), where, time)


def _colour(tick: str, schema: LabelSchema) -> str:
    answer = tick.partition(":")[2]
    if answer in schema.stance_ids:
        return _COLOURS[schema.stance_ids.index(answer) % len(_COLOURS)]
    return {PRESENT: "#efebe9", UNSURE: "#f5f5f5"}.get(answer, "#ffffff")
