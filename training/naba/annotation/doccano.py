"""doccano (text classification): tasks and labels out; exported JSONL or JSON, zipped or not, in.

doccano ticks labels and exports no trace of who approved what, so both are said by labels: nothing ticked is no answer,
`NONE` says that no topic is there, and a suggestion carries one label more, which the annotator takes off.
"""

import base64
import binascii
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
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
from naba.annotation.exports import expect, parse_rows, texts
from naba.annotation.instructions import Guide, as_markdown, blocks
from naba.annotation.tasks import (
    CARRIED,
    CONTRADICTORY,
    UNANSWERED,
    Answer,
    LeftOut,
    Task,
    pack,
    unpack,
)
from naba.errors import DataError
from naba.jsonl import write_jsonl, write_text
from naba.schema import LabelSchema

TOOL = "doccano"
NEXT = (
    "in doccano: a Text Classification project; Labels > Import takes labels.json, Guideline takes instructions.md, "
    "Dataset > Import takes tasks.jsonl as JSONL; export as JSONL. Suggestions show only if annotations are shared"
)
GUIDE = Guide(
    "علّم كل موضوع يتناوله المقطع بموقفه؛ والموضوع الذي لا تعلّمه يُعدّ غير موجود ما دمت قد وضعت علامة واحدة على الأقل. إن لم يتناول المقطع أي موضوع فعلّم «لا شيء من هذه المواضيع»، وإن لم تستطع الحكم على موضوع فعلّم «لست متأكدا». المقطع بلا أي علامة يُعدّ غير مُجاب. وإن رأيت علامة «اقتراح لم يُراجع» فصحّح العلامات ثم أزلها، وإلا فلن تُحسب إجابتك.",
    "Tick each topic the segment is about with its stance. Once anything is ticked, a topic without a tick counts as "
    "absent. Tick “none of these topics” where no topic is there, and “not sure” for a topic you cannot judge. A segment "
    "with nothing ticked counts as not answered. Where the label “suggestion, not reviewed” is set, mend the labels and "
    "take it off: while it is there, the answer does not count.",
)
SUGGESTED = "_suggested"
UNREVIEWED = "suggestion not reviewed"
KEYS = ("123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_COLOURS = ("#2e7d32", "#c62828", "#546e7a", "#1565c0", "#ef6c00", "#6a1b9a", "#00838f", "#4e342e")
_LONGEST = 100
"""doccano's longest label, in characters."""


def write(folder: Path, tasks: Sequence[Task], schema: LabelSchema) -> list[Path]:
    """Write tasks.jsonl, labels.json and instructions.md; returns the files."""
    names = label_texts(schema)
    files = [folder / name for name in ("tasks.jsonl", "labels.json", "instructions.md")]
    write_jsonl(files[0], (_task(task, schema, names) for task in tasks))
    write_text(files[1], json.dumps(label_types(schema), ensure_ascii=False, indent=2) + "\n")
    write_text(files[2], as_markdown(blocks(schema, GUIDE)))
    return files


def label_texts(schema: LabelSchema) -> dict[str, str]:
    """Tick id → what doccano shows and exports: Arabic name and id, so that a reworded name is still understood.

    Raises DataError for ids too long for doccano.
    """
    names = tick_names(schema) | {SUGGESTED: "اقتراح لم يُراجع"}
    shown = {}
    for tick, name in names.items():
        room = _LONGEST - len(tick) - 3
        if room < 1:
            raise DataError(f"label {tick!r}: longer than doccano's {_LONGEST} characters; shorten the schema's ids")
        shown[tick] = f"{name[:room]} ({tick})"
    return shown


def label_types(schema: LabelSchema) -> list[dict[str, Any]]:
    """doccano's label configuration: text, shortcut and colours of each label."""
    shown, per_topic = label_texts(schema), len(schema.stance_ids) + 2
    rows = shortcuts([per_topic] * len(schema.topics), KEYS)
    keys = dict(zip(tick_ids(schema), [key for row in rows for key in row], strict=False))
    keys |= {NONE: "0", SUGGESTED: None}
    types = []
    for tick in (*tick_ids(schema), SUGGESTED):
        key = keys[tick]
        colours = {"backgroundColor": _colour(tick, schema), "textColor": "#ffffff"}
        types.append({"text": shown[tick], **({"suffixKey": key} if key else {}), **colours})
    return types


def read(paths: Iterable[Path], schema: LabelSchema) -> Iterator[Answer | LeftOut]:
    """The answers in doccano's exports: zip files, folders of JSONL, or files; the annotator is the file's name.

    Raises DataError for anything else.
    """
    for path in paths:
        for name, user, raw in _files(path):
            for where, row in parse_rows(raw, name):
                expect(row, TOOL, where)
                yield _answer(row, user, schema, f"{where} (document {row.get('id')})")


def _task(task: Task, schema: LabelSchema, names: Mapping[str, str]) -> dict[str, Any]:
    # doccano shows what a task carries to the annotator, and earlier readings may stand in there: not in plain sight.
    carried = base64.b64encode(pack(task, schema).encode()).decode()
    row: dict[str, Any] = {"text": task.segment.text, "label": [], CARRIED: carried, "suggested_by": ""}
    if task.suggestions:
        first = task.suggestions[0]
        ticked = ticks(first.labels, schema, suggested=True)
        row["label"] = [names[tick] for tick in (*ticked, SUGGESTED)] if ticked else []
        row["suggested_by"] = first.voter + ("" if first.score is None else f" {first.score:.2f}")
    return row


def _answer(row: Mapping[str, Any], user: str, schema: LabelSchema, where: str) -> Answer | LeftOut:
    shown = texts(row.get("label"), "label", where)
    ticked = [text.rpartition("(")[2].removesuffix(")") for text in shown]
    if SUGGESTED in ticked:
        return LeftOut(UNREVIEWED, where)
    if not ticked:
        return LeftOut(UNANSWERED, where)
    labels = labels_of(ticked, schema, where)
    if labels is None:
        return LeftOut(CONTRADICTORY, where)
    try:
        carried = base64.b64decode(row.get(CARRIED) or "", validate=True).decode()
    except (TypeError, ValueError, binascii.Error):
        carried = ""
    comments = texts(row.get("Comments"), "Comments", where)
    items = unpack(carried, row.get("text"), labels, schema, where, comments=comments)
    # Where annotations are shared, doccano writes one file, "all", and does not tell who ticked.
    name = f"{TOOL}:all" if user == "all" else user
    return Answer(items, name, (user, name), where)


def _files(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Name, annotator and content of every exported file at `path`."""
    if path.is_dir():
        inside = sorted(found for found in path.iterdir() if found.suffix in (".jsonl", ".json"))
        if not inside:
            raise DataError(f"{path}: no .jsonl file in this folder; export as JSONL")
        for found in inside:
            yield str(found), found.stem, found.read_bytes()
        return
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    if not zipfile.is_zipfile(path):
        yield str(path), path.stem, path.read_bytes()
        return
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if name.endswith((".jsonl", ".json"))]
            if not members:
                raise DataError(f"{path}: no .jsonl file in this archive; export as JSONL")
            for name in members:
                yield f"{path}: {name}", PurePath(name).stem, archive.read(name)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError) as error:
        raise DataError(f"{path}: the archive cannot be read ({error}); export it again") from None


def _colour(tick: str, schema: LabelSchema) -> str:
    answer = tick.partition(":")[2]
    if answer in schema.stance_ids:
        return _COLOURS[schema.stance_ids.index(answer) % len(_COLOURS)]
    return {PRESENT: "#8d6e63", UNSURE: "#9e9e9e", SUGGESTED: "#ff6f00"}.get(answer or tick, "#37474f")
