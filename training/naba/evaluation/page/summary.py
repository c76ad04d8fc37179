"""What a report says, in a paragraph of plain words."""

from collections.abc import Iterator, Mapping
from typing import Any

from naba.evaluation.comparison.report import ALPHA
from naba.evaluation.page.tables import bracketed, estimate
from naba.evaluation.report import NAMES, figure, score_at


def summary(report: Mapping[str, Any]) -> list[str]:
    """Sentences: the headline scores, the best baseline, and what the test set cannot tell."""
    model = report["systems"]["model"]
    pairs = model["scores"]["pairs"]
    found = [
        f"Of the {pairs['support']:,} (topic, stance) pairs that are in these {report['segments']:,} segments, this run "
        f"finds {_share(pairs['recall'])}, and {_share(pairs['precision'])} of the {pairs['predicted']:,} that it names are "
        f"right: pair F1 {estimate(model, 'pairs.f1').text}.",
        f"It finds the topics with a macro-F1 of {estimate(model, 'topics.macro_f1').text}; where a topic is present, it tells "
        f"the stance with a macro-F1 of {estimate(model, 'stances.macro_f1').text}; {_share(model['scores']['exact_match'])} of "
        f"the segments are labelled wholly right (exact match {estimate(model, 'exact_match').text}).",
        *_against_baseline(report),
    ]
    detectable = model["detectable"]["pairs.f1"]
    if detectable is not None:
        found.append(
            f"With this test set, differences in pair-F1 under {100 * detectable:.1f} points can't be seen; intervals are 95 %, "
            "over resampled clusters of articles and near-duplicates."
        )
    return found


def held(difference: Mapping[str, Any]) -> str:
    """Whether a difference holds after Holm's correction, in words."""
    p = difference.get("p_holm")
    if p is None:
        return "cannot be tested"
    if p >= ALPHA:
        return "not told apart"
    return "better" if difference["value"] > 0 else "worse"


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
        f"The best baseline, {NAMES[best]}, has pair F1 {estimate(report['systems'][best], 'pairs.f1').text}; the difference is "
        f"{found['value']:+.3f}{bracketed(found['interval'])}, p = {figure(found['p'])}, with Holm's correction "
        f"{figure(found.get('p_holm'))}: {told}."
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}\N{NO-BREAK SPACE}%"
