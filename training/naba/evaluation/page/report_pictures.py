"""The pictures of a report's page, made from report.json; a part that a report lacks has none."""

from collections.abc import Mapping
from typing import Any

from naba.evaluation.figures import HEADLINE, bracketed, score_at
from naba.evaluation.page.confusion import confusion_picture
from naba.evaluation.page.curves import (
    learning_curve_picture,
    precision_recall_picture,
    reliability_picture,
    risk_coverage_picture,
)
from naba.evaluation.page.drawing import Picture
from naba.evaluation.page.forests import Estimate, forest, panels
from naba.evaluation.tables import estimate, interval_at
from naba.evaluation.wording import NAMES, system_names

MOST_PANELS = 12
"""Topics that are drawn, those with the most support; the tables have all."""
_MOST_SLICES, _MOST_SMALL = 24, 8


def systems_picture(report: Mapping[str, Any]) -> Picture:
    """The systems' headline scores side by side."""
    names = [name for name in system_names(report) if "scores" in report["systems"][name]][:30]
    return scores_picture(
        "systems",
        "Systems side by side",
        {NAMES.get(name, name): report["systems"][name] for name in names},
        first=True,
    )


def scores_picture(name: str, title: str, systems: Mapping[str, Mapping[str, Any]], *, first: bool) -> Picture:
    """Headline scores of systems in their order; `first` marks the first as the one that matters."""
    parts = {
        score: [
            Estimate(shown, score_at(part.get("scores"), path), interval_at(part, path), first=first and place == 0)
            for place, (shown, part) in enumerate(systems.items())
        ]
        for path, score in HEADLINE.items()
    }
    return panels(name, title, next(iter(parts.values())), parts)


def differences_picture(report: Mapping[str, Any]) -> Picture | None:
    """This run minus the others in pair-F1."""
    rows = []
    for name, row in report["comparisons"].items():
        found = row["differences"].get("pairs.f1")
        if found:
            told = f"{found['value']:+.3f}{bracketed(found['interval'])}"
            rows.append(Estimate(NAMES.get(name, name), found["value"], found["interval"], (told,)))
    if not rows:
        return None
    title = "This run minus the others, pair-F1"
    return forest("differences", title, rows, "difference in pair-F1 (right: this run is better)", reference=0)


def topics_shown(report: Mapping[str, Any]) -> list[str]:
    """The topics that are drawn, in the schema's order."""
    per_topic = report["systems"]["model"]["scores"]["topics"]["per_topic"]
    most = set(sorted(per_topic, key=lambda topic: -per_topic[topic]["support"])[:MOST_PANELS])
    return [topic for topic in per_topic if topic in most]


def reliability_pictures(report: Mapping[str, Any]) -> list[Picture]:
    """Each topic's presence and likeliest stance."""
    trust = report["trust"]
    return [
        reliability_picture(
            f"reliability-{kind}-{place}",
            f"{topic}: {question}",
            trust["before"][kind][topic],
            trust["after"][kind][topic],
        )
        for kind, question in (("topics", "presence"), ("stances", "likeliest stance"))
        for place, topic in enumerate(topics_shown(report))
        if trust["after"][kind][topic]["support"]
    ]


def stance_reliability_pictures(report: Mapping[str, Any]) -> list[Picture]:
    """Each stance of each topic by itself."""
    before, after = report["trust"]["before"]["per_stance"], report["trust"]["after"]["per_stance"]
    cells = [(topic, stance) for topic in topics_shown(report) for stance in after[topic]]
    return [
        reliability_picture(
            f"reliability-each-{place}", f"{topic}: {stance}", before[topic][stance], after[topic][stance]
        )
        for place, (topic, stance) in enumerate(cells[: 3 * MOST_PANELS])
        if after[topic][stance]["support"]
    ]


def precision_recall_pictures(report: Mapping[str, Any]) -> list[Picture]:
    """Each topic's curve; none in a report without curves."""
    curves = report.get("curves") or {}
    return [
        precision_recall_picture(f"precision-recall-{place}", topic, curves[topic])
        for place, topic in enumerate(topics_shown(report))
        if curves.get(topic) and curves[topic]["recall"]
    ]


def confusion_pictures(report: Mapping[str, Any]) -> list[Picture]:
    """Each topic's answers against gold."""
    drawn = set(topics_shown(report))
    return [
        confusion_picture(f"confusion-{place}", one)
        for place, one in enumerate(report["errors"]["confusions"])
        if one["topic"] in drawn
    ]


def coverage_picture(report: Mapping[str, Any]) -> Picture | None:
    """Risk over coverage with the recommended point."""
    trust = report["trust"]
    if not trust or not trust["risk_coverage"]:
        return None
    return risk_coverage_picture(
        "risk-coverage", trust["risk_coverage"], (trust.get("chosen") or {}).get("recommendation")
    )


def learning_picture(report: Mapping[str, Any]) -> Picture | None:
    """The learning curve of the run."""
    history = report.get("history")
    return learning_curve_picture("learning-curve", history, report.get("best_step")) if history else None


def slices_picture(report: Mapping[str, Any]) -> Picture | None:
    """Slices with their intervals, the worst first; the small ones apart, and only the largest of them."""
    ranked = [one for one in report["slices"] if one["rank"]][:_MOST_SLICES]
    small = [one for one in report["slices"] if one["small"] and one["scores"]["pairs.f1"]["value"] is not None]
    if not ranked:
        return None
    rows = [_slice(one) for one in ranked]
    if small:
        small.sort(key=lambda one: -one["segments"])
        heading = "under 20 segments: not ranked" + (f", the largest {_MOST_SMALL}" if len(small) > _MOST_SMALL else "")
        rows += [Estimate(heading, None, None, rule=True), *(_slice(one) for one in small[:_MOST_SMALL])]
    model = report["systems"]["model"]
    return forest(
        "slices",
        "Slices with their intervals, the worst first",
        rows,
        "pair-F1",
        limits=(0, 1),
        reference=score_at(model.get("scores"), "pairs.f1"),
        reference_name=f"all: {estimate(model, 'pairs.f1').text.split(' ')[0]}",
    )


def _slice(one: Mapping[str, Any]) -> Estimate:
    score = one["scores"]["pairs.f1"]
    interval = (score["interval"]["low"], score["interval"]["high"]) if score["interval"] else None
    told = "–" if score["value"] is None else f"{score['value']:.3f}{bracketed(interval)}"
    return Estimate(one["name"], score["value"], interval, (told, f"n = {one['segments']:,}"), weak=one["small"])
