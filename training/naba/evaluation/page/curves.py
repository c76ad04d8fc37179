"""Curves of a report: whether probabilities mean what they say, precision over recall, risk over coverage, learning."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from naba.evaluation.figures import figure as shown
from naba.evaluation.page.drawing import BLUE, INK, LINE, MUTED, ORANGE, Picture, from_svg, picture
from naba.evaluation.page.visible import visible
from naba.evaluation.reliability import BINS
from naba.finetuning.learning_curve import drawn

_PANEL = (3.5, 4.3)
_POINTS = 400
"""Most points of a curve that are drawn: more cannot be seen."""


def reliability_picture(name: str, title: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Picture:
    """One probability's reliability before and after its temperature, with Wilson's intervals, and its counts below."""

    def draw(figure: Any) -> None:
        axes, strip = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        figure.subplots_adjust(left=0.17, right=0.96, top=0.83, bottom=0.11, hspace=0.1)
        axes.set_title(visible(title), pad=34)
        told = f"ECE {shown(before['ece'])} → {shown(after['ece'])}, {after['support']:,} answers"
        axes.text(0, 1.115, told, transform=axes.transAxes, fontsize=8, color=MUTED)
        axes.plot((0, 1), (0, 1), color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        _bins(axes, before["bins"], colour=ORANGE, marker="s", label="before", hollow=True)
        _bins(axes, after["bins"], colour=BLUE, marker="o", label="after", hollow=False)
        axes.set_xlim(0, 1)
        axes.set_ylim(-0.02, 1.02)
        axes.set_ylabel("share that is right")
        axes.grid()
        if after["bins"]:
            axes.legend(loc="lower left", bbox_to_anchor=(-0.03, 1.0), ncols=2, borderpad=0.1, handlelength=1.2)
        _counts(strip, after["bins"])
        strip.set_xlabel("probability (mean of a bin)")

    return picture(name, f"Reliability of {title}, before and after the temperature", _PANEL, draw)


def precision_recall_picture(name: str, topic: str, curve: Mapping[str, Any]) -> Picture:
    """Precision over recall of one topic, the threshold in use marked, and what saying the topic always would give."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        figure.subplots_adjust(left=0.17, right=0.95, top=0.84, bottom=0.14)
        axes.set_title(visible(topic), pad=20)
        told = f"average precision {shown(curve['average_precision'])}, prevalence {shown(curve['prevalence'])}"
        axes.text(0, 1.03, told, transform=axes.transAxes, fontsize=8, color=MUTED)
        if curve["prevalence"] is not None:
            axes.axhline(curve["prevalence"], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
            below = curve["prevalence"] > 0.9
            axes.text(
                0.01, curve["prevalence"] + (-0.015 if below else 0.01), "always said", fontsize=8, color=MUTED,
                verticalalignment="top" if below else "bottom",
            )  # fmt: skip
        points = sorted(zip(curve["recall"], curve["precision"], strict=True), key=lambda point: (-point[0], point[1]))
        axes.plot(*zip(*_thinned(points), strict=True), color=BLUE, drawstyle="steps-post")
        if curve["at"] and curve["at"]["precision"] is not None:
            _operating_point(axes, curve["at"])
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.04)
        axes.set_xlabel("recall")
        axes.set_ylabel("precision")
        axes.grid()

    return picture(name, f"Precision over recall of {topic}", (3.5, 3.5), draw)


def risk_coverage_picture(name: str, curve: Sequence[Mapping[str, float]], advice: Mapping[str, Any] | None) -> Picture:
    """Share of wrong segments over the share labelled by machine, with the recommended point and the error wanted."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        figure.subplots_adjust(left=0.11, right=0.97, top=0.95, bottom=0.14)
        points = _thinned([(point["coverage"], point["risk"]) for point in curve])
        axes.plot(*zip(*points, strict=True), color=BLUE, drawstyle="steps-post", label="this run")
        axes.set_xlim(0, 1)
        if advice:
            axes.axhline(advice["target"], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
            axes.text(
                0.99, advice["target"], f"wanted: at most {advice['target']:.2f} ", fontsize=8, color=MUTED,
                horizontalalignment="right", verticalalignment="bottom",
            )  # fmt: skip
        if advice and advice["error"] is not None:
            low, high = advice["error_interval"]
            axes.errorbar(
                advice["coverage"], advice["error"],
                yerr=[[max(0.0, advice["error"] - low)], [max(0.0, high - advice["error"])]],
                color=ORANGE, marker="D", markersize=6, capsize=3, linestyle="none", clip_on=False,
                label=f"recommended: above {advice['threshold']:.3f}",
            )  # fmt: skip
        axes.set_ylim(bottom=0)
        axes.set_xlabel("coverage: share of segments labelled by machine")
        axes.set_ylabel("risk: share of them wrong")
        axes.grid()
        axes.legend(loc="best", numpoints=1)

    return picture(name, "Risk over coverage", (6.4, 3.5), draw)


def learning_curve_picture(name: str, history: Sequence[Mapping[str, Any]], best_step: int | None) -> Picture:
    """The run's learning curve, as its folder has it."""
    return from_svg(name, "Learning curve", drawn(history, best_step))


def _bins(axes: Any, bins: Sequence[Mapping[str, Any]], *, colour: str, marker: str, label: str, hollow: bool) -> None:
    if not bins:
        return
    places, values = [bar["confidence"] for bar in bins], [bar["accuracy"] for bar in bins]
    spread = [
        [max(0.0, bar["accuracy"] - bar["low"]) for bar in bins],
        [max(0.0, bar["high"] - bar["accuracy"]) for bar in bins],
    ]
    # No line joins the points: between bins of few answers it would only zigzag.
    _, _, (bars,) = axes.errorbar(
        places,
        values,
        yerr=spread,
        color=colour,
        marker=marker,
        markersize=7 if hollow else 5,
        markerfacecolor="none" if hollow else colour,
        linestyle="none",
        elinewidth=0.9 if hollow else 1.5,
        capsize=3.5 if hollow else 0,
        label=label,
        clip_on=False,
    )
    bars.set_linestyle((0, (2, 1.5)) if hollow else "-")


def _counts(axes: Any, bins: Sequence[Mapping[str, Any]]) -> None:
    """How many answers each bin holds, of equal width, with the numbers."""
    width = 1 / BINS
    for bar in bins:
        # Bins are closed on the right, and 0 goes into the first (naba.evaluation.reliability).
        start = max(0, math.ceil(round(bar["confidence"] * BINS, 9)) - 1) * width
        axes.bar(start, bar["count"], width=width * 0.9, align="edge", color=LINE, edgecolor=MUTED, linewidth=0.6)
        axes.text(
            start + width * 0.45,
            bar["count"],
            f" {bar['count']}",
            fontsize=6.5,
            horizontalalignment="center",
            verticalalignment="bottom",
        )
    most = max((bar["count"] for bar in bins), default=1)
    axes.set_ylim(0, most * 1.45)
    axes.set_yticks([])
    axes.set_ylabel("count", color=INK)
    axes.spines["left"].set_visible(False)


def _operating_point(axes: Any, at: Mapping[str, Any]) -> None:
    axes.plot(at["recall"], at["precision"], color=ORANGE, marker="D", markersize=7, clip_on=False)
    high, right = at["precision"] > 0.25, at["recall"] > 0.5
    axes.annotate(
        "in use" if at["threshold"] is None else f"threshold {at['threshold']:.2f}",
        (at["recall"], at["precision"]),
        xytext=(-8 if right else 8, -14 if high else 8),
        textcoords="offset points",
        horizontalalignment="right" if right else "left",
        fontsize=8,
    )


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """At most _POINTS of them, evenly, the first and the last among them."""
    if len(points) <= _POINTS:
        return points
    return [points[round(place * (len(points) - 1) / (_POINTS - 1))] for place in range(_POINTS)]
