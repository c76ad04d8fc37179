"""`naba resolve` and `naba agreement` as a user types them, from votes to labels and through an adjudicator's hands."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import FOUR_TOPICS, Run

Rows = list[dict[str, Any]]
Write = Callable[[str, Rows], Path]


@pytest.fixture
def naba(naba: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `naba ARGUMENTS` with the markets schema."""
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "markets.yaml").write_text(yaml.safe_dump(FOUR_TOPICS, allow_unicode=True), encoding="utf-8")
    return lambda *arguments: naba(*arguments, "--labels", "markets.yaml")


@pytest.fixture
def panel(market_rows: Rows) -> dict[str, Rows]:
    """Three annotators on forty segments: right, right but for the first four stances, and right on the first thirty."""
    rows = market_rows[:40]

    def turned(row: dict[str, Any]) -> dict[str, Any]:
        other = {"optimistic": "pessimistic", "pessimistic": "optimistic", None: None}
        labels = {
            t: {"present": label["present"], "stance": other[label["stance"]]} for t, label in row["labels"].items()
        }
        return row | {"labels": labels}

    return {
        "سلمى": [row | {"annotator": "سلمى"} for row in rows],
        "عمر": [(turned(row) if n < 4 else row) | {"annotator": "عمر"} for n, row in enumerate(rows)],
        "rule:oil": [row | {"annotator": "rule:oil"} for row in rows[:30]],
    }


def read(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def fault(result: tuple[int, str, str]) -> str:
    code, _, errors = result
    assert code == 2
    assert len(errors.strip().splitlines()) == 1, errors
    return errors


def test_votes_of_several_files_become_labels(naba: Run, write_rows: Write, panel: dict[str, Rows]) -> None:
    files = [write_rows(f"{n}.jsonl", rows) for n, rows in enumerate(panel.values())]
    code, out, errors = naba("resolve", *files, "--out", "labelled.jsonl")
    assert (code, errors) == (0, "")
    assert "40 segments from 110 votes of 3 annotators" in out
    assert "oil: 10 present, 30 absent, 0 unknown" in out
    first, *_, last = read(Path("labelled.jsonl"))
    assert first["labels"]["oil"] == {"present": True, "stance": "optimistic"}
    assert first["confidence"]["oil"] == {"present": 1.0, "stance": 0.6667}
    assert first["provenance"]["annotator"] == "resolved:majority of 3"
    assert last["provenance"]["annotator"] == "resolved:majority of 2"
    assert "annotator" not in first


def test_an_answer_below_the_confidence_asked_becomes_unknown(
    naba: Run, write_rows: Write, panel: dict[str, Rows]
) -> None:
    file = write_rows("votes.jsonl", [row for rows in panel.values() for row in rows])
    naba("resolve", file, "--out", "labelled.jsonl", "--min-confidence", 0.7)
    assert read(Path("labelled.jsonl"))[0]["labels"]["oil"] == {"present": True, "stance": None}
    assert (
        "oil: 10 present (1 of them of unknown stance)"
        in naba("resolve", file, "--out", "labelled.jsonl", "--min-confidence", 0.7, "--overwrite")[1]
    )


def test_disagreements_go_to_an_adjudicator_and_come_back(naba: Run, write_rows: Write, panel: dict[str, Rows]) -> None:
    file = write_rows("votes.jsonl", panel["سلمى"] + panel["عمر"])
    code, out, _ = naba("agreement", file, "--disagreements", "cases.jsonl", "--out", "report.json")
    assert code == 0
    assert "4 segments on which annotators differ: cases.jsonl" in out
    assert "سلمى ↓ عمر →" in out
    report = json.loads(Path("report.json").read_text(encoding="utf-8"))
    assert report["segments"] == 40
    assert report["confusions"][0]["counts"][1][2] == 1  # optimistic to the one, pessimistic to the other, on oil
    cases = read(Path("cases.jsonl"))
    for case in cases[:3]:
        (topic,) = case["at_issue"]
        case["labels"][topic] = case["answers"]["عمر"][topic]
    edited = write_rows("edited.jsonl", cases)
    code, out, _ = naba("resolve", file, "--adjudicated", edited, "--out", "labelled.jsonl")
    assert code == 0
    assert "edited.jsonl: 1 of 4 rows still have a topic at issue without a label" in out
    stances = [row["labels"][topic]["stance"] for row, topic in zip(read(Path("labelled.jsonl")), ["oil", "gold", "housing", "labour"], strict=False)]  # fmt: skip
    assert stances == ["pessimistic", "pessimistic", "pessimistic", None]
    # What was edited is not overwritten by measuring again.
    assert "already there" in fault(naba("agreement", file, "--disagreements", edited))
    assert read(edited) == cases


def test_gold_compares_every_annotator_and_resolver(
    naba: Run, write_rows: Write, panel: dict[str, Rows], market_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("naba.voting.aggregate._MACE_STARTS", 1)
    votes = write_rows("votes.jsonl", [row for rows in panel.values() for row in rows])
    gold = write_rows("gold.jsonl", market_rows[:20])
    code, out, errors = naba("resolve", votes, "--out", "labelled.jsonl", "--gold", gold, "--method", "weighted")
    assert (code, errors) == (0, "")
    assert "against gold: 20 segments" in out
    for name in ("سلمى", "عمر", "rule:oil", "majority", "dawid-skene", "mace", "weighted"):
        assert name in out
    assert "≥ 0.95" in out


def test_without_crowd_kit_majority_works_and_the_comparison_says_what_it_leaves_out(
    naba: Run, write_rows: Write, panel: dict[str, Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "crowdkit", None)
    votes, gold = write_rows("votes.jsonl", panel["سلمى"]), write_rows("gold.jsonl", panel["سلمى"])
    code, out, _ = naba("resolve", votes, "--out", "labelled.jsonl", "--gold", gold)
    assert code == 0
    assert "mace is left out of the comparison: the resolvers dawid-skene and mace need crowd-kit" in out
    assert "majority" in out
    assert "pip install -e '.[build]'" in fault(naba("resolve", votes, "--out", "b.jsonl", "--method", "mace"))
    assert not Path("b.jsonl").exists()


def test_rules_of_one_answer_are_pointed_out_where_they_teach_nothing(
    naba: Run, write_rows: Write, market_rows: Rows
) -> None:
    said = {"oil": {"present": True, "stance": "optimistic"}}
    votes = [row | {"labels": said, "annotator": "rule:oil"} for row in market_rows[:8]]
    file = write_rows("votes.jsonl", votes + [row | {"annotator": "سلمى"} for row in market_rows[:8]])
    _, out, _ = naba("resolve", file, "--out", "a.jsonl", "--method", "dawid-skene")
    assert "1 of 2 annotators only ever give one answer on a topic" in out
    assert "only ever give" not in naba("resolve", file, "--out", "b.jsonl")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["resolve", "votes.jsonl", "--out", "votes.jsonl"], "votes.jsonl: already there"),
        (["resolve", "nothing.jsonl", "--out", "a.jsonl"], "nothing.jsonl: no such file"),
        (["resolve", "empty.jsonl", "--out", "a.jsonl"], "no votes"),
        (["resolve", "bare.jsonl", "--out", "a.jsonl"], "bare.jsonl:1: no 'annotator'"),
        (
            ["resolve", "votes.jsonl", "--out", "a.jsonl", "--gold", "other.jsonl"],
            "no segment of the gold was voted on",
        ),
        (["resolve", "votes.jsonl", "--out", "a.jsonl", "--method", "weighted"], "give some with --gold FILE"),
        (["resolve", "votes.jsonl", "--out", "a.jsonl", "--method", "best"], "best"),
        (["resolve", "votes.jsonl", "--out", "a.jsonl", "--min-confidence", "2"], "less than or equal to 1"),
        (["resolve", "votes.jsonl", "--out", "a.jsonl", "--adjudicated", "empty.jsonl"], "no labelled segments"),
        (["agreement", "bare.jsonl"], "no segment was judged twice"),
        (["agreement", "votes.jsonl"], "no segment was judged twice"),
    ],
)
def test_a_fault_is_one_line_and_writes_nothing(
    naba: Run, write_rows: Write, market_rows: Rows, arguments: list[str], message: str
) -> None:
    write_rows("votes.jsonl", [market_rows[0] | {"annotator": "a"}])
    write_rows("empty.jsonl", [])
    write_rows("bare.jsonl", market_rows[:2])
    write_rows("other.jsonl", market_rows[5:7])
    assert message in fault(naba(*arguments))
    assert not Path("a.jsonl").exists()
