"""`naba annotation` as a user calls it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from naba.annotation import TOOLS
from naba.cli.annotation import app
from naba.errors import DataError
from naba.schema import LabelSchema
from naba.voting.votes import load_votes
from tests.annotation.simulate import EXPORTS, answers_of

Write = Callable[[str, list[dict[str, Any]]], Path]
TEXTS = ["وزير يدعو إلى هدنة", "وصول قافلة إلى المعبر", "قصف على أطراف المدينة"]
PRESENT = {"present": True, "stance": "support"}


def run(*arguments: object) -> str:
    """What the command prints; errors come as they are."""
    said = [str(argument) for argument in arguments]
    wide = {"COLUMNS": "200", "TERMINAL_WIDTH": "200"}
    result = CliRunner().invoke(app, said, env=wide, catch_exceptions=False, standalone_mode=False)
    if result.exception:
        raise result.exception
    return " ".join(result.output.split())


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    return [{"text": text, "article_id": "a", "start": 0, "end": len(text)} for text in TEXTS]


def rule_votes(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "labels": {"diplomacy": PRESENT}, "annotator": "rule:truce"} for row in rows]


def test_help_offers_every_tool() -> None:
    for command in ("export", "import"):
        assert all(tool in run(command, "--help") for tool in TOOLS)


@pytest.mark.parametrize("tool", TOOLS)
def test_round_trip_by_command(
    tool: str, rows: list[dict[str, Any]], write_rows: Write, tmp_path: Path, schema: LabelSchema
) -> None:
    votes = write_rows("rules.jsonl", rule_votes([*rows[:2], {"text": "مقطع آخر"}]))
    out = tmp_path / "tasks"
    segments = write_rows("segments.jsonl", [*rows, {**rows[0], "article_id": "b"}])
    printed = run("export", segments, "--tool", tool, "--out", out, "--suggestions", votes)
    assert "3 tasks, 2 with a suggestion" in printed
    assert "1 segments repeat a text" in printed
    assert "left out 1 suggestions: on other segments" in printed
    assert TOOLS[tool].NEXT in printed
    assert len(list(out.iterdir())) == 3
    answers = answers_of(
        load_votes([write_rows("said.jsonl", [{**vote, "annotator": "amal"} for vote in rule_votes(rows)])], schema)
    )
    exports = EXPORTS[tool](out, answers, ["amal"], schema)
    names = tmp_path / "names.yaml"
    names.write_text("1: amal\n", encoding="utf-8")
    printed = run(
        "import", *exports, "--tool", tool, "--out", tmp_path / "votes.jsonl", "--annotators", names, "--adjudicated"
    )
    assert "4 votes on 3 segments amal: 4" in printed
    imported = load_votes([tmp_path / "votes.jsonl"], schema)
    assert [(vote.annotator, vote.adjudicated) for vote in imported] == [("amal", True)] * 4
    assert sorted(vote.item.segment.article_id or "" for vote in imported) == ["a", "a", "a", "b"]


def test_own_labels_are_shown_only_when_asked_for(
    rows: list[dict[str, Any]], write_rows: Write, tmp_path: Path
) -> None:
    segments = write_rows("s.jsonl", [{**row, "labels": {"diplomacy": PRESENT}} for row in rows])
    assert "0 with a suggestion" in run("export", segments, "--tool", "label-studio", "--out", tmp_path / "a")
    assert "support" not in (tmp_path / "a" / "tasks.json").read_text(encoding="utf-8")
    assert "3 with a suggestion" in run(
        "export", segments, "--tool", "label-studio", "--out", tmp_path / "b", "--prefill"
    )
    tasks = json.loads((tmp_path / "b" / "tasks.json").read_text(encoding="utf-8"))
    assert tasks[0]["predictions"][0]["model_version"] == "existing labels"


def test_what_is_left_out_is_counted_and_contradictions_are_named(
    rows: list[dict[str, Any]], write_rows: Write, tmp_path: Path
) -> None:
    run("export", write_rows("s.jsonl", rows), "--tool", "prodigy", "--out", tmp_path / "p")
    tasks = [json.loads(line) for line in (tmp_path / "p" / "tasks.jsonl").read_text(encoding="utf-8").splitlines()]
    said = [["_none"], ["_none", "diplomacy:support"], []]
    done = write_rows(
        "done.jsonl", [{**task, "accept": accept, "answer": "accept"} for task, accept in zip(tasks, said, strict=True)]
    )
    printed = run("import", done, "--tool", "prodigy", "--out", tmp_path / "votes.jsonl")
    assert "1 votes on 1 segments prodigy:unnamed: 1" in printed
    assert f"left out 1: contradictory: {done}:2" in printed
    assert "left out 1: empty answer" in printed


def test_outputs_are_not_replaced_unasked(rows: list[dict[str, Any]], write_rows: Write, tmp_path: Path) -> None:
    segments, out = write_rows("s.jsonl", rows), tmp_path / "out"
    run("export", segments, "--tool", "doccano", "--out", out)
    with pytest.raises(DataError, match="not empty; name another folder, or replace its files with --overwrite"):
        run("export", segments, "--tool", "doccano", "--out", out)
    run("export", segments, "--tool", "doccano", "--out", out, "--overwrite")
    with pytest.raises(DataError, match="a file; --out names a folder"):
        run("export", segments, "--tool", "doccano", "--out", segments)
    with pytest.raises(DataError, match="already there"):
        run("import", out / "tasks.jsonl", "--tool", "doccano", "--out", segments)


def test_failed_import_writes_nothing(rows: list[dict[str, Any]], write_rows: Write, tmp_path: Path) -> None:
    run("export", write_rows("s.jsonl", rows), "--tool", "doccano", "--out", tmp_path / "out")
    with pytest.raises(DataError, match=r"no submitted answer \(3 unanswered\)"):
        run("import", tmp_path / "out" / "tasks.jsonl", "--tool", "doccano", "--out", tmp_path / "votes.jsonl")
    assert not (tmp_path / "votes.jsonl").exists()


@pytest.mark.slow
def test_a_run_s_answers_are_suggested_with_their_scores(
    rows: list[dict[str, Any]], write_rows: Write, tmp_path: Path, tiny_run: Path
) -> None:
    out = tmp_path / "out"
    printed = run("export", write_rows("s.jsonl", rows), "--tool", "label-studio", "--out", out, "--model", tiny_run)
    assert "3 tasks, 3 with a suggestion" in printed
    (prediction,) = json.loads((out / "tasks.json").read_text(encoding="utf-8"))[0]["predictions"]
    assert prediction["model_version"] == "model:run"
    assert 0 < prediction["score"] <= 1
    markets = write_rows("m.jsonl", [{"text": "نفط"}])
    schema = tmp_path / "other.yaml"
    schema.write_text(
        "name: other\nstances: [{id: up, name_ar: أ, name_en: a}, {id: down, name_ar: ب, name_en: b}]\n"
        "topics: [{id: oil, name_ar: نفط, name_en: oil, definition: d, target: t, stances: {up: u, down: d}}]\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError, match="labels by the schema 'naba-news', not 'other'"):
        run("export", markets, "--tool", "argilla", "--out", tmp_path / "x", "--model", tiny_run, "--labels", schema)
