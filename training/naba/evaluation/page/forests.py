"""Forest plots: values with their intervals, one a line, so that one sees which differ and how unsure each is.

forest("slices", "Slices, the worst first", rows, "pair-F1", limits=(0, 1), reference=0.65)
panels("systems", "Systems", ["this run", "rules"], {"pair F1": rows, "exact match": rows})
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest
from typing import Any

from naba.evaluation.page.drawing import BLUE, INK, LINE, MUTED, ORANGE, PAPER, Picture, picture
from naba.evaluation.page.visible import cut, visible

_ROW, _FOOT, _HEAD = 0.29, 0.62, 0.34
"""Inches of a line, of the axis below and of the title above."""
_PLOT = 4.2
"""Inches of the axis along."""
_LETTER = 0.07
"""Inches of a letter, rather too many than too few."""
_LONGEST = 40
"""Letters of a name; the table beside the picture has the whole of it."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One line: a value with its interval."""

    name: str
    value: float | None
    interval: Sequence[float] | None
    notes: tuple[str, ...] = ()
    """Shown at the end of the line, in columns."""
    first: bool = False
    """The one that the others are seen against."""
    weak: bool = False
    """Rests on too little to be compared; hollow and grey."""
    rule: bool = False
    """A heading between lines, not a value."""


def forest(
    name: str,
    title: str,
    rows: Sequence[Estimate],
    axis: str,
    *,
    limits: tuple[float, float] | None = None,
    reference: float | None = None,
    reference_name: str = "",
) -> Picture:
    """One column of values, from the top down, their notes at the right; `reference` is drawn as a line through all."""
    left = _width(row.name for row in rows if not row.rule)
    notes = list(zip_longest(*(row.notes for row in rows), fillvalue=""))
    starts = list(accumulate((_width(column, longest=60) for column in notes), initial=0.1))
    height = _ROW * len(rows) + _FOOT + _HEAD
    width = left + _PLOT + starts[-1]

    def draw(figure: Any) -> None:
        axes = figure.add_axes((left / width, _FOOT / height, _PLOT / width, _ROW * len(rows) / height))
        _frame(axes, len(rows), axis, limits)
        if reference is not None:
            axes.axvline(reference, color=INK, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
            if reference_name:
                axes.text(
                    reference,
                    -0.62,
                    reference_name,
                    horizontalalignment="center",
                    verticalalignment="bottom",
                    fontsize=8,
                )
        _names(axes, rows)
        for place, row in enumerate(rows):
            _line(axes, place, row)
            for start, note in zip(starts, row.notes, strict=False):
                axes.text(
                    1 + start / _PLOT,
                    place,
                    visible(note),
                    transform=axes.get_yaxis_transform(),
                    verticalalignment="center",
                    fontsize=8,
                )

    return picture(name, title, (width, height), draw)


def panels(name: str, title: str, names: Sequence[Estimate], parts: Mapping[str, Sequence[Estimate]]) -> Picture:
    """Several scores of the same systems side by side, all from 0 to 1; `names` are the systems of the lines."""
    left, each, gap = _width(row.name for row in names), 1.75, 0.22
    height, width = _ROW * len(names) + 0.3 + 0.5, left + (each + gap) * len(parts)

    def draw(figure: Any) -> None:
        for place, (score, rows) in enumerate(parts.items()):
            start = left + place * (each + gap)
            axes = figure.add_axes((start / width, 0.3 / height, each / width, _ROW * len(rows) / height))
            _frame(axes, len(rows), "", (0, 1))
            axes.set_xticks((0, 0.5, 1), labels=("0", "0.5", "1"))
            axes.set_title(textwrap.fill(score, 18), fontsize=9)
            if place == 0:
                _names(axes, names)
            for number, row in enumerate(rows):
                _line(axes, number, row)

    return picture(name, title, (width, height), draw)


def _width(names: Any, longest: int = _LONGEST) -> float:
    return 0.25 + _LETTER * max((min(len(name), longest) for name in names), default=0)


def _frame(axes: Any, rows: int, label: str, limits: tuple[float, float] | None) -> None:
    axes.set_ylim(rows - 0.4, -0.6)
    if limits:
        axes.set_xlim(*limits)
    axes.set_xlabel(label)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def _names(axes: Any, rows: Sequence[Estimate]) -> None:
    for place, row in enumerate(rows):
        axes.annotate(
            row.name if row.rule else cut(visible(row.name), _LONGEST),
            (0, place),
            xycoords=axes.get_yaxis_transform(),
            xytext=(0 if row.rule else -10, 0),
            textcoords="offset points",
            horizontalalignment="left" if row.rule else "right",
            verticalalignment="center",
            fontweight="bold" if row.first else "normal",
            color=MUTED if row.weak or row.rule else INK,
        )


def _line(axes: Any, place: int, row: Estimate) -> None:
    if row.rule or row.value is None:
        if row.rule:
            axes.axhline(place - 0.5, color=LINE, linewidth=0.8)
        return
    colour = MUTED if row.weak else ORANGE if row.first else BLUE
    if row.interval:
        axes.plot(row.interval, (place, place), color=colour, linewidth=2, solid_capstyle="butt")
        for end in row.interval:
            axes.plot((end, end), (place - 0.16, place + 0.16), color=colour, linewidth=1.4)
    sure = row.interval is not None and not row.weak
    axes.plot(
        row.value,
        place,
        marker="D" if row.first else "o",
        markersize=6,
        color=colour,
        markerfacecolor=colour if sure else PAPER,
        markeredgewidth=1.4,
        clip_on=False,
    )
