"""What a report says, in a paragraph of plain words."""

from collections.abc import Iterator, Mapping
from typing import Any

from naba.evaluation.figures import bracketed, p_said, score_at, share, with_interval
from naba.evaluation.wording import NAMES, held, unseen


def summary(report: Mapping[str, Any]) -> list[str]:
    """Sentences: the headline scores, the best baseline, and what the test set cannot tell."""
    return [*_pairs(report), *_topics(report), *_against_baseline(report), *_unsure(report)]


def _pairs(report: Mapping[str, Any]) -> Iterator[str]:
    model = report["systems"]["model"]
    pairs, segments = model["scores"]["pairs"], f"these {report['segments']:,} segments"
    if not pairs["support"]:
        yield f"In {segments} there is no (topic, stance) pair to find; this run names {pairs['predicted']:,}."
        return
    named = "it names none"
    if pairs["predicted"]:
        named = f"{share(pairs['precision'])} of the {pairs['predicted']:,} that it names are right"
    yield (
        f"Of the {pairs['support']:,} (topic, stance) pairs that are in {segments}, this run finds {share(pairs['recall'])}, and "
        f"{named}: pair F1 {with_interval(model, 'pairs.f1')}."
    )


def _topics(report: Mapping[str, Any]) -> Iterator[str]:
    model = report["systems"]["model"]
    scores = model["scores"]
    if scores["topics"]["macro_f1"] is not None:
        yield f"It finds the topics with a macro-F1 of {with_interval(model, 'topics.macro_f1')}."
    if scores["stances"]["macro_f1"] is not None:
        yield f"Where a topic is present, it tells the stance with a macro-F1 of {with_interval(model, 'stances.macro_f1')}."
    if scores["exact_match"] is not None:
        yield (
            f"{share(scores['exact_match'])} of the segments that were judged on every topic are labelled wholly right (exact match "
            f"{with_interval(model, 'exact_match')})."
        )


def _against_baseline(report: Mapping[str, Any]) -> Iterator[str]:
    """The difference to the baseline with the highest pair F1."""
    scores = {
        name: score_at(report["systems"].get(name, {}).get("scores"), "pairs.f1")
        for name, row in report["comparisons"].items()
        if name in NAMES and "pairs.f1" in row["differences"]
    }
    known = {name: value for name, value in scores.items() if value is not None}
    if not known:
        return
    best = max(known, key=lambda name: known[name])
    found = report["comparisons"][best]["differences"]["pairs.f1"]
    told = {
        "better": "this run is better, by more than chance gives",
        "worse": "this run is worse, by more than chance gives",
        "not told apart": "which this test set can't tell from chance",
        "cannot be tested": "which cannot be tested",
    }[held(found)]
    yield (
        f"The best baseline, {NAMES[best]}, has pair F1 {with_interval(report['systems'][best], 'pairs.f1')}; the difference is "
        f"{found['value']:+.3f}{bracketed(found['interval'])}, {p_said(found['p'])}, with Holm's correction "
        f"{p_said(found.get('p_holm'))}: {told}."
    )


def _unsure(report: Mapping[str, Any]) -> Iterator[str]:
    yield "Intervals are 95 %, over resampled clusters of articles and near-duplicates."
    if said := unseen(report):
        yield said
