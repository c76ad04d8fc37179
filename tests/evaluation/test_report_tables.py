from typing import Any

from naba.evaluation.figures import HEADLINE
from naba.evaluation.report_tables import (
    averages_table,
    behaviour_kinds_table,
    comparisons_table,
    pairs_table,
    slices_tables,
    systems_table,
)
from naba.evaluation.tables import estimate, pairs_first, signed
from naba.evaluation.wording import held, system_names

Report = dict[str, Any]


def test_systems_stand_as_in_the_markdown_and_sort_by_value(report: Report) -> None:
    rows = systems_table(report).rows
    assert rows[0][0].text == "this run" and system_names(report)[0] == "model"
    assert rows[-1][0].text.startswith("frozen encoder") and [cell.order for cell in rows[-1][1:5]] == [None] * 4
    assert rows[0][3].order == report["systems"]["model"]["scores"]["pairs"]["f1"]


def test_system_without_a_single_hit_keeps_its_own_line(report: Report) -> None:
    systems = report["systems"]
    report["systems"] = {"frozen": systems.pop("frozen"), **systems}
    report["systems"]["tfidf"]["scores"]["pairs"]["f1"] = 0.0
    report["systems"]["tfidf"]["basis"] = "words"
    rows = {row[0].text: row[-1].text for row in systems_table(report).rows}
    assert rows["TF-IDF + logistic regression"] == "words"


def test_class_that_is_neither_in_gold_nor_said_has_no_scores(report: Report) -> None:
    part = report["systems"]["model"]
    part["scores"]["pairs"]["per_pair"]["oil"]["optimistic"] |= {"support": 0, "predicted": 0, "precision": 0.0}
    row = pairs_table(part).rows[0]
    assert [cell.text for cell in row] == ["oil", "optimistic", "–", "–", "–", "0", "0"]


def test_means_say_what_they_are_over(report: Report) -> None:
    rows = {row[0].text: row for row in averages_table(report["systems"]["model"]).rows}
    # 96 rows with one topic each
    assert [cell.text for cell in rows["example-based F1 of pairs"]][2:] == ["96", "segments"]
    assert rows["topic micro-F1"][2].order == 96


def test_score_that_a_system_lacks_is_a_dash_that_sorts_nowhere(report: Report) -> None:
    assert estimate(report["systems"]["frozen"], "pairs.f1").order is None
    assert estimate(report["systems"]["model"], "topics.per_topic.none.f1").text == "–"


def test_small_slices_stand_apart(report: Report) -> None:
    ranked, others = slices_tables(report["slices"])
    assert [row[0].text for row in ranked.rows] == [one["name"] for one in report["slices"] if one["rank"]]
    assert len(ranked.rows) + len(others.rows) == len(report["slices"])


def test_kind_of_behaviour_tests_says_whether_its_gate_is_met(report: Report) -> None:
    behaviour = report["behaviour"]
    assert [cell.text for cell in behaviour_kinds_table(behaviour).rows[0]] == [
        "minimum",
        "1",
        "1",
        "3",
        "0.333",
        "0.90",
        "✗ missed",
    ]
    behaviour["gates_missed"] = {}
    assert behaviour_kinds_table(behaviour).rows[0][-1].text == "✓ met"
    behaviour["kinds"]["minimum"]["at_least"] = None
    assert behaviour_kinds_table(behaviour).rows[0][-1].text == "–"


def test_differences_hold_only_after_correction() -> None:
    assert held({"value": 0.1, "p": 0.01, "p_holm": 0.049}) == "better"
    assert held({"value": -0.1, "p": 0.01, "p_holm": 0.049}) == "worse"
    assert held({"value": 0.1, "p": 0.01, "p_holm": 0.05}) == "not told apart"
    assert held({"value": 0.1, "p": None}) == "cannot be tested"


def test_differences_carry_sign_and_interval(report: Report) -> None:
    assert signed(0.0, (-0.1, 0.1)).text == "+0.000 [-0.100, 0.100]"
    assert signed(None).text == "–"
    assert pairs_first()[0] == "pairs.f1" and set(pairs_first()) == set(HEADLINE)
    table = comparisons_table(report, "pairs.f1")
    assert [row[0].text for row in table.rows] == ["TF-IDF + logistic regression", "models/other"]
