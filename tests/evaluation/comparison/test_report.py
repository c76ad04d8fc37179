import copy
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from naba.evaluation.comparison.report import (
    comparison_table,
    markdown,
    run_notes,
    run_warnings,
    verdict,
    write_comparison,
)
from naba.evaluation.page.render import html_comparison
from naba.evaluation.stored.report import check_comparison
from naba.jsonl import read_json

TOPICS, STANCES = ["oil", "gold"], ["optimistic", "pessimistic"]


def rates(f1: float, support: int = 10, predicted: int = 10) -> dict[str, Any]:
    return {"precision": f1, "recall": f1, "f1": f1, "support": support, "predicted": predicted}


def run(f1: float, **changes: Any) -> dict[str, Any]:
    """A run whose every score is `f1`; gold pessimistic stands nowhere in the data."""
    by_stance = {"optimistic": rates(f1), "pessimistic": rates(0.0, 0, 0)}
    topics = {"per_topic": {topic: rates(f1) for topic in TOPICS}}
    for name in (
        "macro_f1",
        "micro_f1",
        "macro_precision",
        "micro_precision",
        "macro_recall",
        "micro_recall",
        "example_f1",
    ):
        topics[name] = f1  # type: ignore[assignment]
    stances = {
        "per_topic": {
            topic: {"stances": by_stance, "macro_f1": f1, "accuracy": f1, "support": 10, "favg": f1} for topic in TOPICS
        },
        "macro_f1": None,
        "accuracy": f1,
        "support": 20,
        "favg": f1,
        "favg_micro": f1,
    }
    pairs = rates(f1) | {"per_pair": dict.fromkeys(TOPICS, by_stance), "macro_f1": f1, "example_f1": f1}
    content = {
        "basis": "run folder",
        "notes": [],
        "leaks": {"in_training": 0, "in_validation": 0, "dropped": False, "allowed": False},
        "scores": {"segments": 40, "topics": topics, "stances": stances, "pairs": pairs, "exact_match": f1},
        "intervals": {"pairs.f1": [f1 - 0.1, f1 + 0.1], "topics.macro_f1": [f1 - 0.05, f1 + 0.05]},
        "detectable": {"pairs.f1": 0.2},
    }
    return content | changes


def pair(first: str, second: str, value: float, p_holm: float) -> dict[str, Any]:
    found = {
        "value": value,
        "interval": [value - 0.1, value + 0.1],
        "p": p_holm / 3,
        "p_holm": p_holm,
        "detectable": 0.14,
    }
    return {
        "first": first,
        "second": second,
        "differences": {"pairs.f1": found, "exact_match": found | {"interval": None}},
        "mcnemar": {"only_first": 5, "only_second": 2, "p": 0.45},
    }


@pytest.fixture
def comparison() -> dict[str, Any]:
    return {
        "format": 1,
        "schema": {"name": "markets", "fingerprint": "0" * 12, "topics": TOPICS, "stances": STANCES},
        "data": {"test.jsonl": "0" * 16},
        "segments": 40,
        "distinct_segments": 39,
        "clusters": 30,
        "authored": 0,
        "runs": {"good": run(0.8), "fair": run(0.7), "poor": run(0.3)},
        "differences": [
            pair("good", "fair", 0.1, 0.2),
            pair("good", "poor", 0.5, 0.003),
            pair("fair", "poor", 0.4, 0.006),
        ],
        "date": "2024-03-22T10:00:00Z",
        "commit": None,
        "versions": {"torch": "2.8"},
        "hardware": {"gpu": None},
    }


def test_the_example_is_a_comparison(comparison: dict[str, Any]) -> None:
    check_comparison(comparison, "here")


def test_verdict_says_which_differences_hold(comparison: dict[str, Any]) -> None:
    assert verdict(comparison) == (
        "good has the highest pair-F1, 0.800: the difference holds (Holm-adjusted p < 0.05) to poor, but not to fair. "
        "Differences under 14.0 points may go unseen here (80 % power)."
    )
    comparison["differences"][0]["differences"]["pairs.f1"]["p_holm"] = 0.04
    assert verdict(comparison) == (
        "good has the highest pair-F1, 0.800: the difference to every other run holds (Holm-adjusted p < 0.05)."
    )
    for row in comparison["differences"]:
        row["differences"]["pairs.f1"]["p_holm"] = 0.05
    assert "it cannot be told apart from any other run's (Holm-adjusted p ≥ 0.05)" in verdict(comparison)


def test_verdict_says_when_a_test_set_can_show_nothing(comparison: dict[str, Any]) -> None:
    # Six clusters: the smallest p is 2 / 2^6 = 0.03125, three times which is above 0.05; with seven it is just below.
    comparison["clusters"] = 6
    assert "With 6 clusters p cannot fall below 0.031, so that of 3 comparisons none can hold" in verdict(comparison)
    comparison["clusters"] = 7
    assert "none can hold" not in verdict(comparison)
    comparison["clusters"] = 1
    assert "p cannot fall below 1.000" in verdict(comparison)


def test_runs_without_a_pair_to_score_are_compared_on_the_rest(comparison: dict[str, Any], tmp_path: Path) -> None:
    for part in comparison["runs"].values():
        part["scores"]["pairs"] |= {"precision": None, "recall": None, "f1": None, "support": 0, "predicted": 0}
        part["scores"]["exact_match"] = None
        part["intervals"], part["detectable"] = {}, dict.fromkeys(part["detectable"])
    for row in comparison["differences"]:
        row["differences"].pop("pairs.f1")
    assert verdict(comparison).startswith("No (topic, stance) pair can be scored here")
    paths = write_comparison(tmp_path, comparison)
    assert "| good | run folder | 0.800 | – | – | – |" in paths[1].read_text(encoding="utf-8")
    for row in comparison["differences"]:
        row["differences"] = {}
    assert "no difference can be tested" in markdown(comparison)
    write_comparison(tmp_path, comparison)


def test_table_is_read_in_eighty_columns_whatever_the_names(comparison: dict[str, Any]) -> None:
    comparison["runs"] = {
        "a-very-long-name-of-a-run/with-its-parent": run(0.8),
        "[red]markup[/red]": run(0.7),
        "تجربة": run(0.3),
    }
    console = Console(width=80, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(comparison_table(comparison))
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= 80
    text = "".join(captured.get().split())
    assert "[red]markup" in text
    assert "تجربة" in text
    assert any("0.800" in line for line in lines)
    assert any("[0.700 0.900]" in line for line in lines)


def test_markdown_has_every_pair_and_class(comparison: dict[str, Any]) -> None:
    comparison["runs"]["fair|b"] = comparison["runs"].pop("fair")
    text = markdown(comparison)
    assert "| good | run folder | 0.800 [0.750, 0.850] | – | 0.800 [0.700, 0.900] | 0.800 |" in text
    assert "| fair\\|b | run folder |" in text
    assert "| good − poor | (topic, stance) pair F1 | +0.500 | [0.400, 0.600] | 0.001 | 0.003 | yes | 0.140 |" in text
    assert "| good − fair | exact match | +0.100 | – | 0.067 | 0.200 | no | 0.140 |" in text
    assert "| good | poor | 5 | 2 |\n" in text
    assert "| oil | optimistic | 10 | 0.800 | 0.300 | 0.700 |" in text
    assert "| oil | pessimistic | 0 | – | – | – |" in text
    assert "adjusted (Holm) over the 3 pairs" in text


def test_mcnemar_stands_only_where_segments_are_nearly_independent(comparison: dict[str, Any]) -> None:
    # 30 clusters of 40 segments; 36 would be nine in ten.
    for made in (markdown(comparison), html_comparison(comparison)):
        assert "p (McNemar" not in made
        assert "it takes segments for independent, and these 40 are in 30 clusters" in made
    comparison["clusters"] = 36
    assert "| good | poor | 5 | 2 | 0.450 |" in markdown(comparison)
    for made in (markdown(comparison), html_comparison(comparison)):
        assert "p (McNemar, segments taken for independent)" in made
        assert "McNemar's test is left out" not in made


def test_class_without_support_has_a_score_for_the_runs_that_said_it(comparison: dict[str, Any]) -> None:
    said = copy.deepcopy(comparison["runs"]["poor"])
    said["scores"]["pairs"]["per_pair"]["oil"]["pessimistic"]["predicted"] = 3
    comparison["runs"]["poor"] = said
    assert "| oil | pessimistic | 0 | – | – | 0.000 |" in markdown(comparison)
    row = html_comparison(comparison).partition('id="pairs"')[2].partition("pessimistic")[2].partition("</tr>")[0]
    assert re.findall(r">([^<>]+)</td>", row) == ["–", "–", "0.000", "0"]


def test_smallest_p_is_not_printed_as_nothing(comparison: dict[str, Any]) -> None:
    comparison["differences"][1]["differences"]["pairs.f1"] |= {"p": 0.0001, "p_holm": 0.0003}
    assert "| +0.500 | [0.400, 0.600] | < 0.001 | < 0.001 | yes |" in markdown(comparison)
    assert ">&lt; 0.001<" in html_comparison(comparison)
    assert "| 0.000 |" not in markdown(comparison)


def test_warnings_name_the_run(comparison: dict[str, Any]) -> None:
    assert run_warnings(comparison) == []
    comparison["authored"] = 4
    comparison["runs"]["poor"] = run(0.3, notes=["It has no label for gold: not scored."])
    comparison["runs"]["poor"]["leaks"] = {"in_training": 3, "in_validation": None, "dropped": False, "allowed": True}
    assert run_warnings(comparison) == [
        "- **4 segments were authored, not published: they say nothing about real news**",
        "- poor: **3 segments share an article or text with the training data: the scores are too high**",
    ]
    assert run_notes(comparison) == ["- poor: It has no label for gold: not scored."]
    comparison["runs"]["fair"]["leaks"] = {"in_training": 7, "in_validation": 0, "dropped": True, "allowed": False}
    assert run_notes(comparison)[0].startswith("- fair: 7 more share an article or text")
    assert len(run_warnings(comparison)) == 2
    assert markdown(comparison).index("4 segments were authored") < markdown(comparison).index("| run |")


def test_files_hold_the_same_comparison(comparison: dict[str, Any], tmp_path: Path) -> None:
    paths = write_comparison(tmp_path / "out", comparison)
    assert [path.name for path in paths] == ["comparison.json", "comparison.md", "comparison.html"]
    stored = read_json(paths[0])
    assert stored == comparison
    assert paths[1].read_text(encoding="utf-8") == markdown(stored)
    assert "<html" in paths[2].read_text(encoding="utf-8")
