import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from naba.dataset.labelled import load_labelled
from naba.errors import DataError
from naba.importing.imports import Imported, read_import, write_import
from naba.importing.mapping import ImportConfig
from naba.records import TopicLabel
from naba.schema import LabelSchema
from naba.voting.votes import load_votes
from tests.conftest import FOUR_TOPICS, Run

MEANINGS = {"up": "optimistic", "down": "pessimistic", "there": "present", "no": "absent"}
LONG = {
    "topic": {"column": "t", "values": {"oil": "oil", "gold": "gold"}},
    "answer": {"column": "s", "values": MEANINGS},
}
WIDE = [{"topic": "oil", "column": "oil", "values": MEANINGS}, {"topic": "gold", "column": "gold", "values": MEANINGS}]

Import = Callable[..., Imported]


@pytest.fixture
def read(tmp_path: Path) -> Import:
    """Import a table given as lines of CSV, by the markets schema."""

    def read(table: str, **keys: Any) -> Imported:
        (tmp_path / "labels.yaml").write_text(yaml.safe_dump(FOUR_TOPICS), encoding="utf-8")
        (tmp_path / "a.csv").write_text(table, encoding="utf-8")
        given = {"labels": tmp_path / "labels.yaml", "data": [tmp_path / "a.csv"]} | keys
        return read_import(ImportConfig.model_validate(given))

    return read


def said(imported: Imported) -> dict[str, dict[str, str]]:
    """Text → topic → stance or state, unknown topics left out."""
    states = {True: "present", False: "absent"}
    return {
        item.segment.text: {
            topic: label.stance or states[label.present]
            for topic, label in item.labels.items()
            if label.present is not None
        }
        for item in imported.items
    }


def test_wide_rows_become_labels_and_topics_without_a_column_stay_unknown(read: Import) -> None:
    imported = read("text,oil,gold\nأ,up,no\nب,,there\n", wide=WIDE)
    assert said(imported) == {"أ": {"oil": "optimistic", "gold": "absent"}, "ب": {"gold": "present"}}
    assert imported.items[0].labels["housing"] == TopicLabel(None)
    assert imported.faults == []


def test_long_rows_of_one_text_are_brought_together(read: Import) -> None:
    imported = read("text,t,s\nأ,oil,up\nب,gold,down\n أ ,gold,no\nأ,oil,up\nأ,oil,there\n", long=LONG)
    assert said(imported) == {"أ": {"oil": "optimistic", "gold": "absent"}, "ب": {"gold": "pessimistic"}}
    assert (imported.rows, imported.texts, imported.repeated) == (5, 2, 2)


def test_unlisted_topics_are_absent_only_where_asked_and_only_those_the_set_can_name(read: Import) -> None:
    table = "text,t,s\nأ,oil,up\nب,nothing,\n"
    topic = {"column": "t", "values": {"oil": "oil", "gold": "gold", "nothing": "none"}}
    imported = read(table, long=LONG | {"topic": topic, "unlisted": "absent"})
    assert said(imported) == {"أ": {"oil": "optimistic", "gold": "absent"}, "ب": {"oil": "absent", "gold": "absent"}}
    assert said(read(table, long=LONG | {"topic": topic})) == {"أ": {"oil": "optimistic"}, "ب": {}}


def test_rows_that_contradict_each_other_are_an_error_with_both_places(read: Import) -> None:
    imported = read("text,t,s\nأ,oil,up\nأ,oil,down\nأ,oil,no\n", long=LONG)
    (fault,) = imported.faults
    assert "conflicts=unknown" in fault
    assert "(2; first: «أ» oil: optimistic at " in fault
    assert "a.csv:2, pessimistic at " in fault
    with pytest.raises(DataError, match="nothing was imported"):
        write_import(imported, Path("never.jsonl"))


def test_contradictions_may_stay_unknown_whatever_comes_after(read: Import) -> None:
    imported = read("text,t,s\nأ,oil,up\nأ,oil,down\nأ,oil,up\nأ,gold,up\n", long=LONG, conflicts="unknown")
    assert said(imported) == {"أ": {"gold": "optimistic"}}
    assert imported.disputed == 1
    assert imported.faults == []


def test_annotators_answers_are_votes_that_may_differ(read: Import, markets: LabelSchema, tmp_path: Path) -> None:
    table = "text,t,s,who\nأ,oil,up,sara\nأ,oil,down,omar\nأ,gold,no,sara\n"
    imported = read(table, long=LONG, columns={"annotator": "who"})
    assert write_import(imported, tmp_path / "votes.jsonl") == 2
    votes = load_votes([tmp_path / "votes.jsonl"], markets)
    assert [vote.annotator for vote in votes] == ["sara", "omar"]
    assert votes[0].item.labels["oil"] == TopicLabel(True, "optimistic")
    assert votes[0].item.labels["gold"] == TopicLabel(False)
    assert votes[1].item.labels["gold"] == TopicLabel(None)
    assert "annotator" not in votes[0].item.provenance


def test_annotators_must_agree_where_conflicts_are_errors_and_each_with_itself_always(read: Import) -> None:
    table = "text,t,s,who\nأ,oil,up,sara\nأ,oil,{},{}\n"
    who = {"annotator": "who"}
    assert "conflicts=vote" in read(table.format("down", "omar"), long=LONG, columns=who, conflicts="error").faults[0]
    assert read(table.format("there", "omar"), long=LONG, columns=who, conflicts="error").faults == []
    assert "contradict" in read(table.format("down", "sara"), long=LONG, columns=who).faults[0]
    assert "no annotator" in read(table.format("up", ""), long=LONG, columns=who).faults[0]


def test_columns_win_over_constants_and_dates_become_days(read: Import) -> None:
    table = "text,oil,n,day,from\nأ,up,7,16/01/2021,وكالة\nب,up,8,soon,\n"
    imported = read(
        table,
        wide=WIDE[:1],
        columns={"id": "n", "date": "day", "source": "from"},
        constants={"source": "mine", "licence": "MIT", "annotator": "me"},
    )
    first, second = (item.provenance for item in imported.items)
    assert first == {"source": "وكالة", "annotator": "me", "licence": "MIT", "date": "2021-01-16", "id": "7"}
    assert (second["source"], second["date"]) == ("mine", None)
    assert imported.unread_dates == 1


def test_one_id_with_two_texts_is_told_and_two_ids_of_one_text_are_one_segment(read: Import) -> None:
    assert "one id, two texts" in read("text,oil,n\nأ,up,1\nب,up,1\n", wide=WIDE[:1], columns={"id": "n"}).faults[0]
    imported = read("text,oil,n\nأ,up,1\nأ,up,2\n", wide=WIDE[:1], columns={"id": "n"})
    assert (imported.texts, imported.repeated, imported.faults) == (1, 1, [])


def test_rows_without_text_are_told_or_left_out(read: Import) -> None:
    table = "text,oil\nأ,up\n  ,down\n"
    assert "no text" in read(table, wide=WIDE[:1]).faults[0]
    imported = read(table, wide=WIDE[:1], empty_text="skip")
    assert (imported.texts, imported.skipped, imported.faults) == (1, 1, [])


@pytest.mark.parametrize(
    ("table", "keys", "says"),
    [
        ("body,oil\nأ,up\n", {"wide": WIDE[:1]}, "no column 'text'; it has 'body', 'oil'"),
        ("text,oil\nأ,up\n", {"wide": WIDE}, "no column 'gold'"),
        ("text,oil\n", {"wide": WIDE[:1]}, "no rows"),
        (
            "text,t,s\nأ,x,up\n",
            {"long": LONG | {"topic": {"column": "t", "values": {"x": "skip"}}}},
            "every row was left out",
        ),
    ],
)
def test_what_is_no_such_table_is_told(read: Import, table: str, keys: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        read(table, **keys)


def test_the_second_file_is_checked_too(read: Import, tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": "ب", "petrol": "up"}), encoding="utf-8")
    with pytest.raises(DataError, match=r"b\.jsonl: no column 'oil'; it has 'text', 'petrol'"):
        read("text,oil\nأ,up\n", wide=WIDE[:1], data=[tmp_path / "a.csv", tmp_path / "b.jsonl"])


def test_half_characters_are_told(read: Import, tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"text": "\\ud83d", "oil": "up"}', encoding="utf-8")
    imported = read("text,oil\nأ,up\n", wide=WIDE[:1], data=[tmp_path / "b.jsonl"])
    assert "surrogate" in imported.faults[0]


EXAMPLE = """number,sentence,published,talks,aid,force,position on force
1,رحب الوزير باستئناف المفاوضات,2024-05-01,for,,0,
2,قصفت المدفعية أطراف المدينة,2024-05-02,none,no,1,reported
"""


def test_the_shipped_example_imports_and_replaces_only_when_told(
    naba: Run, root: Path, schema: LabelSchema, tmp_path: Path
) -> None:
    (tmp_path / "mine.csv").write_text(EXAMPLE, encoding="utf-8-sig")
    config = (root / "configs" / "import.yaml").read_text(encoding="utf-8")
    for line in EXAMPLE.splitlines():
        assert f"#   {line}\n" in config  # what the file shows is what is tested
    arguments = (
        root / "configs" / "import.yaml",
        "--set",
        f"data=[{tmp_path / 'mine.csv'}]",
        "--out",
        tmp_path / "out.jsonl",
    )
    code, out, errors = naba("import", *arguments, "--dry-run")
    assert (code, errors) == (0, "")
    assert "rows: 2, repeated: 0, left out: 0, texts: 2" in out
    assert "رحب الوزير" in out
    assert not (tmp_path / "out.jsonl").exists()
    assert naba("import", *arguments)[0] == 0
    first, second = load_labelled([tmp_path / "out.jsonl"], schema)
    assert first.labels == {
        "diplomacy": TopicLabel(True, "support"), "humanitarian_aid": TopicLabel(None), "military_action": TopicLabel(False)
    }  # fmt: skip
    assert second.labels["military_action"] == TopicLabel(True, "neutral")
    code, _, errors = naba("import", *arguments)
    assert code == 2
    assert "is there already" in errors
    assert naba("import", *arguments, "--overwrite")[0] == 0


def test_a_dry_run_tells_everything_that_is_wrong_and_ends_with_two(naba: Run, root: Path, tmp_path: Path) -> None:
    table = EXAMPLE + "3,نص,2024-05-03,agianst,yes,0,for\n4,,2024-05-03,for,no,0,\n"
    (tmp_path / "mine.csv").write_text(table, encoding="utf-8")
    arguments = (root / "configs" / "import.yaml", "--set", f"data=[{tmp_path / 'mine.csv'}]")
    code, _, errors = naba("import", *arguments, "--dry-run")
    assert code == 2
    assert "'agianst' is not mapped (rows: 1, first:" in errors
    assert "nearest known: 'against'" in errors
    assert "'yes' is not mapped" in errors
    assert "stance_without_presence=ignore" in errors
    assert "no text" in errors
    assert "to mend: 4" in errors
    code, _, errors = naba("import", *arguments, "--out", tmp_path / "out.jsonl")
    assert code == 2
    assert errors.count("\n") == 1
    assert "and 3 more, which --dry-run lists" in errors
    assert not (tmp_path / "out.jsonl").exists()
