"""What a report says in words, the same in Markdown, on pages, in model cards and on the terminal.

held(report["comparisons"]["tfidf"]["differences"]["pairs.f1"])     # "better"
warnings(report), notes(report)                                     # lines of a list
"""

from collections.abc import Mapping
from typing import Any

from naba.evaluation.figures import HEADLINE, NONE, bracketed, figure, p_value, score_at, with_interval

ALPHA = 0.05
"""A difference holds where its adjusted p-value is below."""

NAMES = {
    "model": "this run",
    "rules": "labelling rules",
    "tfidf": "TF-IDF + logistic regression",
    "frozen": "frozen encoder + logistic regression",
    "zero_shot": "nearest description, no labels",
    "majority": "majority",
}
"""Baselines in words; other runs go by the name they were given."""

POINTS = {
    "in_use": "in use",
    "shrunk": "chosen on validation, shrunk towards 0.5",
    "unshrunk": "raw optimum on validation (within 0.05 to 0.95)",
    "default": "0.5",
    "precision": "precision at least 0.9",
    "recall": "recall at least 0.9",
}
"""Operating points in words, in the order of every table."""

INDEPENDENT = "segments taken for independent"
"""What to say beside an interval or test that knows no clusters: where articles hold several segments it is too sure."""

WILSON = f"In brackets Wilson's 95 % intervals, {INDEPENDENT}."

_INDEPENDENT_FROM = 0.9
"""Clusters a segment from which segments may be taken for independent."""


def first_stage_line(found: Mapping[str, Any]) -> str:
    """What the figures of a run behind its first stage are, and what they cannot show."""
    needed = "; ".join(f"recall {recall}: {level['needed']}" for recall, level in found.items())
    return (
        "What the first stage does not pass on has no topic, whatever the run would say of it. Under “whole, at least” stands "
        "the one-sided 95 % bound (Clopper and Pearson) of the share of clusters of which nothing is lost. So many clusters with a "
        f"topic could show what it was made for, fewer cannot: {needed}."
    )


def system_names(report: Mapping[str, Any]) -> list[str]:
    """The systems in the order of every table: the run first, then by falling pair-F1."""
    systems = report["systems"]

    def pair_f1(name: str) -> float:
        value = score_at(systems[name].get("scores"), "pairs.f1")
        return -1.0 if value is None else float(value)

    return sorted(systems, key=lambda name: (name != "model", -pair_f1(name)))


def systems_rows(report: Mapping[str, Any]) -> list[list[str]]:
    """Name and headline scores of every system, the run first, then by falling pair-F1; what is missing says why."""
    rows = []
    for name in system_names(report):
        part = report["systems"][name]
        shown = NAMES.get(name, name)
        if "scores" in part:
            rows.append([shown, *(with_interval(part, path) for path in HEADLINE)])
        else:
            rows.append([f"{shown} (not to be had: {part['reason']})", *[NONE] * len(HEADLINE)])
    return rows


def readings_line(report: Mapping[str, Any]) -> str:
    """The headline scores of the second reading against the first, and what they are."""
    readings = report["readings"]
    values = [f"{name} {figure(score_at(readings['scores'], path))}" for path, name in HEADLINE.items()]
    return f"{readings['name']}: {', '.join(values)} ({readings['segments']} segments)"


def held(difference: Mapping[str, Any]) -> str:
    """Whether a difference holds after Holm's correction, in words."""
    p = difference.get("p_holm")
    if p is None:
        return "cannot be tested"
    if p >= ALPHA:
        return "not told apart"
    return "better" if difference["value"] > 0 else "worse"


def none_can_hold(clusters: int, comparisons: int) -> str | None:
    """That no difference can hold on so few clusters, as a sentence; None where one can."""
    # As naba.evaluation.significance.smallest_p, which would bring SciPy along.
    smallest = 2.0 ** (1 - clusters)
    if smallest * comparisons < ALPHA:
        return None
    return (
        f"With {clusters} clusters p cannot fall below {p_value(smallest)}, so that of {comparisons} comparisons none can hold: "
        "compare fewer systems, or on more articles."
    )


def unseen(report: Mapping[str, Any]) -> str | None:
    """What differences this test set would likely not show, as a sentence; None where that cannot be told."""
    comparisons = len(report["comparisons"])
    nothing = none_can_hold(report["clusters"], comparisons) if comparisons else None
    detectable = report["systems"]["model"]["detectable"].get("pairs.f1")
    if nothing or detectable is None:
        return nothing
    own = " What each tested pair could show stands under “detectable from”." if comparisons else ""
    return (
        f"Against a run as unsure as this one and independent of it, differences in pair-F1 under {100 * detectable:.1f} "
        f"points may go unseen (80 % power).{own}"
    )


def independent(content: Mapping[str, Any]) -> bool:
    """Whether nearly every segment of a report or comparison is a cluster of its own, as McNemar's test has it."""
    return bool(content["clusters"] >= _INDEPENDENT_FROM * content["segments"])


def no_mcnemar(content: Mapping[str, Any]) -> str | None:
    """Why McNemar's p is left out of the tables, as a sentence; None where it is not."""
    if independent(content):
        return None
    return (
        f"McNemar's test is left out: it takes segments for independent, and these {content['segments']:,} are in "
        f"{content['clusters']:,} clusters; p is of the randomisation test, which swaps whole clusters."
    )


def recommendation(chosen: Mapping[str, Any] | None) -> str:
    """From which confidence labels need no person, as a sentence; of None, why there is no advice."""
    if chosen is None:
        return (
            "No thresholds and no recommendation: the run's validation data is not at hand; name it with "
            "--set validation=[FILE]."
        )
    advice = chosen["recommendation"]
    if not advice:
        return "Validation supports no confidence above which labels need no person."
    return (
        f"Label automatically above confidence {advice['threshold']:.3f}, send the rest to people: that labels "
        f"{figure(advice['coverage'], 2)} of the segments here ({advice['automatic']:,}), {figure(advice['error'], 2)} of them "
        f"wrong{bracketed(advice['error_interval'], 2)}; wanted: at most {advice['target']:.2f}. The interval, and the bound on "
        f"validation by which it was chosen: {INDEPENDENT}."
    )


def warnings(report: Mapping[str, Any]) -> list[str]:
    """What makes the scores other than they look, as lines of a list; what other runs have met under their names."""
    lines = leak_warnings(report["leaks"])
    for name, leaks in _met_by_others(report).items():
        lines += [f"- {name}: {line[2:]}" for line in leak_warnings(leaks)]
    return lines + authored_warnings(report["authored"])


def notes(report: Mapping[str, Any]) -> list[str]:
    """What was done about segments that a run had met, which takes nothing from the scores, as lines of a list."""
    lines = leak_notes(report["leaks"])
    for name, leaks in _met_by_others(report).items():
        lines += [f"- {name}: {line[2:]}" for line in leak_notes(leaks)]
    return lines


def leak_warnings(leaks: Mapping[str, Any]) -> list[str]:
    """What one run has met of the segments that it is scored on, as lines of a list."""
    lines = []
    if leaks["in_training"] and not leaks["dropped"]:
        lines.append(
            f"- **{leaks['in_training']} segments share an article or text with the training data: the scores are too high**"
        )
    if leaks["in_validation"]:
        lines.append(
            f"- **{leaks['in_validation']} segments are in the run's validation set, on which its checkpoint and thresholds were "
            "chosen, or share an article or text with it: the scores are too high**"
        )
    gone = leaks.get("not_checked")
    if gone or leaks["in_training"] is None:
        what = (
            f"{', '.join(gone)}: gone or changed since the run was made"
            if gone
            else "the run's training data is not at hand"
        )
        lines.append(f"- {what}; whether these segments are in it could not be checked")
    return lines


def leak_notes(leaks: Mapping[str, Any]) -> list[str]:
    """What was left out because one run had met it, as lines of a list."""
    if not (leaks["in_training"] and leaks["dropped"]):
        return []
    return [f"- {leaks['in_training']} more share an article or text with the training data and were left out"]


def authored_warnings(authored: int) -> list[str]:
    """That so many segments are no news, as lines of a list."""
    return (
        [f"- **{authored} segments were authored, not published: they say nothing about real news**"]
        if authored
        else []
    )


def unmarked(line: str) -> str:
    """A line of a list without its Markdown."""
    return line.removeprefix("- ").replace("**", "")


def _met_by_others(report: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Other run → what it has met of the test set."""
    return {name: part["leaks"] for name, part in report["systems"].items() if name != "model" and "leaks" in part}
