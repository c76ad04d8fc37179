"""A topic over time: one line an outlet, at the left the topic's share, at the right the stances within it.

Steps, not curves: a period is one value, and between periods there is none. Stances stand one upon the other from 0 to 1,
the first from below and the second from above, so that both can be read off the edge and neither is taken from the other.
"""

import math
from collections.abc import Sequence
from typing import Any

from naba.evaluation.figures import share as percent
from naba.evaluation.page.drawing import BLUE, INK, MUTED, ORANGE, Picture, picture
from naba.evaluation.page.visible import cut, visible
from naba.labelling.summarise.span import Outlet, Span
from naba.labelling.summarise.trends import By, Group, period_name

FEW = 10
"""Segments with the topic below which a period's stances are drawn pale."""

# Okabe and Ito 2008, as in drawing.py; the first three change with the theme, the others are seen in both.
# The third is mostly a neutral stance: weaker, or it would outweigh the others.
COLOURS = ((BLUE, 0.85), (ORANGE, 0.85), (MUTED, 0.4), ("#009e73", 0.85), ("#cc79a7", 0.85), ("#e69f00", 0.85))
"""Colours of the stances in the schema's order, and how much of each; after the last they begin again."""

_WIDTH, _LEFT, _GAP, _RIGHT = 9.4, 0.55, 0.62, 0.2
_ROW, _BETWEEN, _HEAD, _FOOT = 1.05, 0.42, 0.62, 0.42
"""Inches: of a line, between two, above all and below all."""
_PALE = 0.4
"""How much of that is left where a period has few segments."""
_LONGEST = 44
_TICKS = 5


def topic_picture(name: str, topic: str, stances: Sequence[str], span: Span, by: By) -> Picture:
    """One topic's picture; `name` is what its ids begin with."""
    lines = len(span.outlets)
    height = _HEAD + lines * _ROW + (lines - 1) * _BETWEEN + _FOOT
    column = (_WIDTH - _LEFT - _GAP - _RIGHT) / 2
    top = _highest(topic, span)

    def draw(figure: Any) -> None:
        for number, outlet in enumerate(span.outlets):
            bottom = (height - _HEAD - _ROW - number * (_ROW + _BETWEEN)) / height
            lefts = (_LEFT, _LEFT + column + _GAP)
            left, right = (figure.add_axes((start / _WIDTH, bottom, column / _WIDTH, _ROW / height)) for start in lefts)
            _share(left, topic, outlet, span, top)
            _stances(right, topic, stances, outlet, span)
            for axes in (left, right):
                _periods(axes, span, by, named=number == lines - 1)
            if number == 0:
                _legend(figure, stances, (lefts[1] / _WIDTH, 1 - 0.02 / height))
                figure.text(
                    lefts[0] / _WIDTH, 1 - 0.08 / height, "share of segments with the topic", fontsize=9,
                    color=MUTED, verticalalignment="top",
                )  # fmt: skip

    return picture(name, f"{topic} over time, by outlet", (_WIDTH, height), draw)


def _highest(topic: str, span: Span) -> float:
    """Top of the shares' axis, the same for all outlets: where periods of some size end, and their intervals fit."""
    shares = [group.share_of(topic) for outlet in span.outlets for group in outlet.groups if group]
    highs = [share.interval[1] for share in shares if share.interval and share.total >= FEW]
    values = [share.value for share in shares if share.value is not None]
    return min(1.0, max(0.05, 1.05 * max([*highs, *values], default=1.0)))


def _share(axes: Any, topic: str, outlet: Outlet, span: Span, top: float) -> None:
    """The share of an outlet's segments that have the topic, with its interval."""
    edges = _edges(span)
    shares = [None if group is None else group.share_of(topic) for group in outlet.groups]
    values = [math.nan if share is None or share.value is None else share.value for share in shares]
    ends = [(math.nan, math.nan) if share is None else share.interval or (math.nan, math.nan) for share in shares]
    lows, highs = [low for low, _ in ends], [high for _, high in ends]
    axes.stairs(highs, edges, baseline=lows, fill=True, color=MUTED, alpha=0.28, linewidth=0)
    axes.stairs(values, edges, baseline=None, color=INK, linewidth=1.4)
    axes.set_ylim(0, top)
    _percent_axis(axes)
    axes.set_title(cut(visible(outlet.name), _LONGEST), fontsize=9.5, pad=5)


def _stances(axes: Any, topic: str, stances: Sequence[str], outlet: Outlet, span: Span) -> None:
    """The stances' shares, one upon the other."""
    edges = _edges(span)
    floor = [0.0] * len(outlet.groups)
    for stance in _stacked(stances):
        colour, much = _colour(stances.index(stance))
        values = [math.nan if group is None else _part(group, topic, stance) for group in outlet.groups]
        roof = [base if math.isnan(value) else base + value for base, value in zip(floor, values, strict=True)]
        for strong in (True, False):
            kept = [
                end if group and (group.topic(topic).segments >= FEW) == strong and not math.isnan(value) else math.nan
                for end, value, group in zip(roof, values, outlet.groups, strict=True)
            ]
            if any(not math.isnan(end) for end in kept):
                alpha = much if strong else much * _PALE
                axes.stairs(kept, edges, baseline=floor, fill=True, color=colour, alpha=alpha, linewidth=0)
        floor = roof
    axes.set_ylim(0, 1)
    _percent_axis(axes)
    counts = outlet.total.topic(topic)
    share = percent(outlet.total.share_of(topic).value)
    told = f"{counts.segments:,} of {outlet.total.segments:,} segments have the topic ({share})"
    axes.set_title(told, fontsize=8, fontweight="normal", color=MUTED, pad=5)


def _colour(number: int) -> tuple[str, float]:
    return COLOURS[number % len(COLOURS)]


def _part(group: Group, topic: str, stance: str) -> float:
    value = group.topic(topic).share_of(stance).value
    return math.nan if value is None else value


def _stacked(stances: Sequence[str]) -> list[str]:
    """From below: the first stance, the third and so on, and the second at the top."""
    return [*stances[:1], *stances[2:], *stances[1:2]]


def _legend(figure: Any, stances: Sequence[str], place: tuple[float, float]) -> None:
    from matplotlib.patches import Patch

    squares = [Patch(color=colour, alpha=much) for colour, much in map(_colour, range(len(stances)))]
    names = [cut(visible(stance), 20) for stance in stances]
    figure.legend(
        squares, names, loc="upper left", bbox_to_anchor=place, ncols=min(len(stances), 5), borderpad=0.1,
        handlelength=1.1, handleheight=0.9, columnspacing=1.4, title="", fontsize=9, borderaxespad=0.2,
    )  # fmt: skip


def _edges(span: Span) -> list[float]:
    starts = [float(day.toordinal()) for day in span.starts]
    return [*starts, max(float(span.end.toordinal()), starts[-1] + 1)]  # after the last day there is, there is no end


def _periods(axes: Any, span: Span, by: By, *, named: bool) -> None:
    """The axis of time: a few periods by name, the first always."""
    step = max(1, math.ceil(len(span.starts) / _TICKS))
    ticks = span.starts[::step]
    axes.set_xlim(_edges(span)[0], _edges(span)[-1])
    axes.set_xticks([day.toordinal() for day in ticks], labels=[period_name(day, by) if named else "" for day in ticks])
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("left")
    axes.tick_params(axis="x", labelsize=8)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)


def _percent_axis(axes: Any) -> None:
    low, high = axes.get_ylim()
    step = next(size for size in (0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1) if (high - low) / size <= 4.5)
    ticks = [step * number for number in range(int((high + 1e-9) / step) + 1)]
    axes.set_yticks(ticks, labels=[f"{100 * tick:.0f}\N{NO-BREAK SPACE}%" for tick in ticks])
    axes.tick_params(axis="y", length=0, labelsize=8)
