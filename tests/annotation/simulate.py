"""What each tool exports after people have answered: made from the exported tasks, in the tool's documented format."""

import base64
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from naba.annotation import doccano
from naba.annotation.answers import ABSENT, answer_of, ticks
from naba.records import Vote
from naba.schema import LabelSchema

Answers = Mapping[tuple[str, str], Mapping[str, Any]]
"""(segment id, annotator) → labels."""


def answers_of(votes: Sequence[Vote]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(vote.item.segment.id, vote.annotator): vote.item.labels for vote in votes}


def choices(labels: Mapping[str, Any], schema: LabelSchema) -> list[dict[str, Any]]:
    """Label Studio's result: all questions answered, or "none" alone."""
    chosen = {f"topic_{topic}": answer_of(labels[topic]) for topic in schema.topic_ids}
    if set(chosen.values()) == {ABSENT}:
        chosen = {"none": "_none"}
    return [
        {"id": f"r{name}", "from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [answer]}}
        for name, answer in chosen.items()
    ]


def label_studio(folder: Path, answers: Answers, users: Sequence[str], schema: LabelSchema) -> list[Path]:
    tasks = []
    for number, task in enumerate(json.loads((folder / "tasks.json").read_text(encoding="utf-8")), start=1):
        annotations = [
            {
                "id": number * 100 + user,
                "completed_by": user,
                "result": choices(answers[task["data"]["segment"], name], schema),
                "was_cancelled": False,
                "created_at": "2026-01-01T10:00:00.000000Z",
                "updated_at": "2026-01-01T10:00:00.000000Z",
            }
            for user, name in enumerate(users, start=1)
            if (task["data"]["segment"], name) in answers
        ]
        tasks.append({"id": number, "annotations": annotations, "drafts": [], "predictions": [1], "data": task["data"]})
    return [_write(folder / "export.json", json.dumps(tasks, ensure_ascii=False))]


def doccano_zip(folder: Path, answers: Answers, users: Sequence[str], schema: LabelSchema) -> list[Path]:
    shown = doccano.label_texts(schema)
    rows = _lines(folder / "tasks.jsonl")
    with zipfile.ZipFile(folder / "export.zip", "w") as archive:
        for user, name in enumerate(users, start=1):
            lines = []
            for number, (segment, task) in enumerate(zip(_ids(rows), rows, strict=True), start=1):
                labels = answers.get((segment, name))
                ticked = sorted(shown[tick] for tick in ticks(labels, schema)) if labels is not None else []
                lines.append({**task, "id": number, "label": ticked, "Comments": []})
            # pandas escapes slashes, as doccano's files do
            content = "".join(json.dumps(line, ensure_ascii=False).replace("/", "\\/") + "\n" for line in lines)
            archive.writestr(f"{user}.jsonl", content)
    return [folder / "export.zip"]


def argilla(folder: Path, answers: Answers, users: Sequence[str], schema: LabelSchema) -> list[Path]:
    """`dataset.records.to_list(flatten=True)`: a column a question; keys that a record lacks are null."""
    records = []
    for record in json.loads((folder / "records.json").read_text(encoding="utf-8")):
        flat = {"id": record["id"], "status": "completed", "_server_id": "s", **record["fields"], **record["metadata"]}
        for user, name in enumerate(users, start=1):
            labels = answers.get((record["id"], name))
            if labels is None:
                continue
            said = {f"topic_{topic}": answer_of(labels[topic]) for topic in schema.topic_ids}
            said = {question: answer for question, answer in said.items() if answer != ABSENT}
            for question, answer in {**said, "topics_left_open": "_absent"}.items():
                key = f"{question}.responses"
                flat.setdefault(key, []).append(answer)
                flat.setdefault(f"{key}.users", []).append(str(user))
                flat.setdefault(f"{key}.status", []).append("submitted")
        records.append(flat)
    keys = {key for record in records for key in record}
    padded = [{**dict.fromkeys(keys), **record} for record in records]
    return [_write(folder / "export.json", json.dumps(padded))]


def prodigy(folder: Path, answers: Answers, users: Sequence[str], schema: LabelSchema) -> list[Path]:
    lines = []
    for task in _lines(folder / "tasks.jsonl"):
        for user, name in enumerate(users, start=1):
            labels = answers.get((task["meta"]["segment"], name))
            if labels is not None:
                session = {"_session_id": str(user), "_annotator_id": str(user), "_timestamp": 1_760_000_000}
                said = {"accept": ticks(labels, schema), "answer": "accept", "_view_id": "choice"}
                lines.append({**task, **said, **session, "_input_hash": 1, "_task_hash": 2})
    return [_write(folder / "export.jsonl", "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))]


EXPORTS: Mapping[str, Callable[[Path, Answers, Sequence[str], LabelSchema], list[Path]]] = {
    "label-studio": label_studio,
    "doccano": doccano_zip,
    "argilla": argilla,
    "prodigy": prodigy,
}
"""Tool → its export; users are numbered from 1 in their order."""


def _ids(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [json.loads(base64.b64decode(row["naba"]))["rows"][0]["id"] for row in rows]


def _lines(path: Path) -> list[dict[str, Any]]:
    # split at newlines only: texts may hold other line separators
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
