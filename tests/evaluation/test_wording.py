from typing import Any

from naba.evaluation.operating_points import POINTS as CHOSEN
from naba.evaluation.wording import (
    POINTS,
    independent,
    no_mcnemar,
    none_can_hold,
    notes,
    recommendation,
    unseen,
    warnings,
)

Report = dict[str, Any]


def test_every_operating_point_has_a_name() -> None:
    assert set(CHOSEN) <= set(POINTS)


def test_so_few_clusters_that_nothing_can_hold_are_told() -> None:
    # Five clusters: the smallest p is 2 / 2^5 = 1/16; six: 1/32, twice which is above 0.05.
    assert "With 5 clusters p cannot fall below 0.062" in str(none_can_hold(5, 1))
    assert none_can_hold(6, 1) is None
    assert "of 2 comparisons none can hold" in str(none_can_hold(6, 2))
    assert none_can_hold(2000, 1000) is None


def test_what_may_go_unseen_is_a_bound_for_independent_runs(report: Report) -> None:
    report["clusters"] = 40
    report["systems"]["model"]["detectable"]["pairs.f1"] = 0.163
    told = unseen(report)
    assert told is not None
    assert told.startswith(
        "Against a run as unsure as this one and independent of it, differences in pair-F1 under 16.3"
    )
    assert "may go unseen (80 % power)" in told and "detectable from" in told
    assert "detectable from" not in str(unseen(report | {"comparisons": {}}))
    report["clusters"] = 5
    assert "none can hold" in str(unseen(report)) and "16.3" not in str(unseen(report))
    report["systems"]["model"]["detectable"]["pairs.f1"] = None
    assert unseen(report | {"comparisons": {}}) is None


def test_mcnemar_needs_nearly_a_cluster_a_segment() -> None:
    assert independent({"segments": 100, "clusters": 90}) and no_mcnemar({"segments": 100, "clusters": 90}) is None
    assert not independent({"segments": 100, "clusters": 89})
    assert "these 100 are in 89 clusters" in str(no_mcnemar({"segments": 100, "clusters": 89}))


def test_recommendation_says_that_it_takes_segments_for_independent() -> None:
    advice = {
        "threshold": 0.9,
        "coverage": 0.5,
        "automatic": 50,
        "error": 0.1,
        "error_interval": [0.04, 0.21],
        "target": 0.1,
    }
    told = recommendation({"recommendation": advice})
    assert "0.10 of them wrong [0.04, 0.21]; wanted: at most 0.10." in told
    assert "the bound on validation by which it was chosen: segments taken for independent" in told
    nothing = recommendation(
        {"recommendation": advice | {"coverage": 0.0, "automatic": 0, "error": None, "error_interval": None}}
    )
    assert "– of them wrong; wanted" in nothing
    assert "supports no confidence" in recommendation({"recommendation": None})


def test_what_was_left_out_is_no_warning(report: Report) -> None:
    report["authored"] = 0
    report["leaks"] = {"in_training": 7, "in_validation": 0, "dropped": True, "allowed": False}
    assert warnings(report) == []
    assert notes(report) == ["- 7 more share an article or text with the training data and were left out"]
    report["leaks"]["dropped"] = False
    assert "**7 segments share" in warnings(report)[0] and notes(report) == []


def test_what_other_runs_have_met_and_files_that_are_gone_are_told(report: Report) -> None:
    report["authored"] = 0
    clean = {"in_training": 0, "in_validation": 0, "dropped": False, "allowed": True}
    report["leaks"] = clean | {"not_checked": ["data/gone.jsonl"]}
    report["systems"]["models/other"]["leaks"] = clean | {"in_validation": 2}
    told = warnings(report)
    assert told[0].startswith("- data/gone.jsonl: gone or changed")
    assert told[1].startswith("- models/other: **2 segments are in the run's validation set")
    assert len(told) == 2
