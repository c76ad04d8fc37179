"""What the template of a report's page is given: words, tables and pictures, all made from report.json."""

from collections.abc import Mapping
from typing import Any

from naba.evaluation import report_tables as tables
from naba.evaluation.page import report_pictures as pictures
from naba.evaluation.page.shown_mistakes import Limits, mistakes
from naba.evaluation.page.summary import summary
from naba.evaluation.tables import pairs_first
from naba.evaluation.wording import (
    INDEPENDENT,
    WILSON,
    first_stage_line,
    no_mcnemar,
    notes,
    readings_line,
    recommendation,
    unmarked,
    warnings,
)

SHOWN_FAILURES = 3
"""Failing cases of a behaviour test that are shown."""

_CONTENTS = (
    ("result", "Result", ()),
    ("systems", "Systems", ()),
    ("comparisons", "Against the others", ("comparisons",)),
    ("topics", "Topics", ()),
    ("stances", "Stances", ()),
    ("pairs", "Pairs", ()),
    ("calibration", "Calibration", ("calibration",)),
    ("thresholds", "Thresholds", ("thresholds",)),
    ("recommendation", "What to label by machine", ("coverage_picture", "chosen")),
    ("first-stage", "Behind the first stage", ("first_stage",)),
    ("slices", "Slices", ("slices",)),
    ("behaviour", "Behaviour tests", ("behaviour",)),
    ("errors", "Errors", ()),
    ("learning", "Learning curve", ("learning_picture",)),
    ("how", "How this was made", ()),
)
"""Anchor and name of each section, and the variables of which one must be there."""


def report_view(report: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """The variables of report.html.j2; empty lists and None for what the report lacks."""
    model, trust = report["systems"]["model"], report["trust"]
    chosen = (trust or {}).get("chosen")
    behaviour = report.get("behaviour")
    missed = [test for test in (behaviour or {}).get("tests", ()) if not test["gate_met"]]
    comparisons = [tables.comparisons_table(report, path) for path in pairs_first()]
    return {
        "report": report,
        "warnings": [unmarked(line) for line in warnings(report)],
        "notes": [*(unmarked(line) for line in notes(report)), *model.get("notes", [])],
        "summary": summary(report),
        "systems": tables.systems_table(report),
        "readings_line": readings_line(report) if report["readings"] else None,
        "comparisons": [table for table in comparisons if table.rows],
        "no_mcnemar": no_mcnemar(report),
        "topics": tables.topics_table(model),
        "averages": tables.averages_table(model),
        "stances": tables.stances_table(model),
        "pairs": tables.pairs_table(model),
        "calibration": tables.calibration_table(trust) if trust else None,
        "chosen": chosen,
        "recommendation": recommendation(chosen) if trust else None,
        "WILSON": WILSON,
        "INDEPENDENT": INDEPENDENT,
        "thresholds": tables.thresholds_table(chosen) if chosen else None,
        "first_stage": tables.first_stage_table(found, report["segments"])
        if (found := report.get("first_stage"))
        else None,
        "first_stage_line": first_stage_line(found) if found else None,
        "slices": tables.slices_tables(report["slices"]),
        "behaviour": behaviour,
        "behaviour_kinds": tables.behaviour_kinds_table(behaviour) if behaviour else None,
        "behaviour_missed": tables.behaviour_table("Tests that fall short", missed),
        "behaviour_tests": tables.behaviour_table("All behaviour tests", behaviour["tests"]) if behaviour else None,
        "kinds": tables.kinds_table(report["errors"]),
        "where_readers_differ": tables.readings_table(found)
        if (found := report["errors"]["where_readers_differ"])
        else None,
        "mistakes": {
            name: mistakes(report["errors"], name, limits) for name in ("most_confident", "suspects", "on_differing")
        },
        "topics_undrawn": len(model["scores"]["topics"]["per_topic"]) - len(pictures.topics_shown(report)),
        "SHOWN_FAILURES": SHOWN_FAILURES,
        "characters": limits.characters,
    }


def report_drawings(report: Mapping[str, Any]) -> dict[str, Any]:
    """The pictures of the page, by the name the template calls them; empty lists and None for what the report lacks."""
    trust = report["trust"]
    return {
        "systems_picture": pictures.systems_picture(report),
        "differences_picture": pictures.differences_picture(report),
        "precision_recall_pictures": pictures.precision_recall_pictures(report),
        "reliability_pictures": pictures.reliability_pictures(report) if trust else [],
        "stance_reliability_pictures": pictures.stance_reliability_pictures(report) if trust else [],
        "coverage_picture": pictures.coverage_picture(report),
        "slices_picture": pictures.slices_picture(report),
        "confusion_pictures": pictures.confusion_pictures(report),
        "learning_picture": pictures.learning_picture(report),
    }


def contents(variables: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Anchor and name of the sections that the page will have."""
    return [
        (anchor, name)
        for anchor, name, needed in _CONTENTS
        if not needed or any(variables[variable] for variable in needed)
    ]
