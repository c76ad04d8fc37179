"""`naba rules` as a user types it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from naba.cli.rules import rules
from naba.errors import ConfigError, DataError, NabaError

app = typer.Typer()
app.command()(rules)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "120"})


def row(text: str, **stances: str) -> dict[str, Any]:
    topics = ("diplomacy", "humanitarian_aid", "military_action")
    return {"text": text, "labels": {t: {"present": t in stances, "stance": stances.get(t)} for t in topics}}


@pytest.fixture
def data(write_rows: Callable[[str, list[dict[str, Any]]], Path]) -> Path:
    return write_rows(
        "data.jsonl",
        [
            row("رفض القائد وقف إطلاق النار", diplomacy="oppose"),
            row("رفض الوزير الهدنة", diplomacy="neutral"),
            row("ارتفعت أسعار الخبز"),
        ],
    )


def test_the_report_of_the_shipped_rules_is_printed_and_written(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    result = run(data, "--out", out)
    assert result.exit_code == 0
    assert "rules on 3 segments" in result.stdout
    assert "diplomacy-refuses-peace" in result.stdout.replace("\n", "")
    written = json.loads(out.read_text(encoding="utf-8"))
    refuses = next(rule for rule in written["rules"] if rule["rule"] == "diplomacy-refuses-peace")
    assert (refuses["votes"], refuses["stance"]["correct"], refuses["stance"]["judged"]) == (2, 1, 2)
    assert written["data"] == [str(data)]
    assert len(written["rules_fingerprint"]) == 12


def test_the_default_data_is_what_ships(root: Path) -> None:
    result = run()
    assert result.exit_code == 0
    segments = sum(
        len((root / "data" / name).read_bytes().splitlines()) for name in ("authored.jsonl", "seed-gold.jsonl")
    )
    assert f"rules on {segments:,} segments" in result.stdout


def test_wrong_votes_are_shown_on_request(data: Path) -> None:
    result = run(data, "--examples", 1)
    assert "diplomacy-refuses-peace votes oppose, wrongly on:" in result.stdout
    assert "– رفض الوزير الهدنة" in result.stdout


def test_a_text_shows_which_rules_fire_and_where() -> None:
    result = run("--text", "رفضت الحركة وقف إطلاق النار")
    assert result.exit_code == 0
    assert "diplomacy-refuses-peace" in result.stdout
    assert "رفضت … وقف اطلاق النار" in result.stdout


def test_a_text_on_which_nothing_fires(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(
        "topic: diplomacy\nlexicons: {a: {words: [هدنة]}}\nrules: [{id: a, vote: present, find: [a], note: n}]\n",
        encoding="utf-8",
    )
    assert run("--rules", tmp_path, "--text", "صمت").stdout.strip() == "no rule fires"


def test_a_narrow_terminal_keeps_every_rule_whole(data: Path) -> None:
    result = CliRunner().invoke(app, [str(data)], env={"COLUMNS": "60"})
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 60


def test_a_rule_that_fails_its_example_is_warned_of(tmp_path: Path, data: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "r.yaml").write_text(
        "topic: diplomacy\nlexicons: {a: {words: [هدنة]}}\n"
        "rules: [{id: a, vote: present, find: [a], note: n, example: صمت}]\n",
        encoding="utf-8",
    )
    result = run(data, "--rules", tmp_path / "rules")
    assert result.exit_code == 0
    assert "warning" in result.stderr
    assert "rule 'a': does not fire on its example" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (["--text", " "], NabaError, "--text is empty"),
        (["--text", "x", "--examples", "2"], NabaError, "--text goes alone"),
        (["--text", "x", "--out", "y.json"], NabaError, "--text goes alone"),
        (["--rules", "nowhere"], ConfigError, "nowhere: no such folder"),
        (["nowhere.jsonl"], DataError, "nowhere.jsonl: no such file"),
    ],
)
def test_faults_are_told(arguments: list[str], error: type[NabaError], told: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, error)
    assert told in str(result.exception)


def test_rules_of_another_schema_are_refused(tmp_path: Path, data: Path, markets: Any) -> None:
    schema = tmp_path / "markets.yaml"
    schema.write_text(json.dumps(markets.model_dump()), encoding="utf-8")
    result = run(data, "--labels", schema)
    assert isinstance(result.exception, ConfigError)
    assert "topic = 'diplomacy' is not in the label schema" in str(result.exception)
