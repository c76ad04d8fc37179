"""What was said of a topic against gold, as a table of squares: counts and shares of the row in every cell."""

from collections.abc import Mapping
from typing import Any

from naba.evaluation.page.drawing import BLUE, INK, LINE, MUTED, Picture, picture
from naba.evaluation.page.visible import cut, visible

_CELL = 0.6
_DARKEST = 0.5
"""Share of colour in a cell that holds its whole row: the ink upon it stays readable, on light pages and dark."""
_LONGEST = 16


def confusion_picture(name: str, confusion: Mapping[str, Any]) -> Picture:
    """One topic's confusion: gold in rows, answers in columns, right ones framed."""
    answers = [cut(visible(answer), _LONGEST) for answer in confusion["answers"]]
    left = 0.45 + 0.075 * max(map(len, answers))
    head, foot = 0.35, 0.5
    side = _CELL * len(answers)
    size = (left + side + 0.15, head + side + foot)

    def draw(figure: Any) -> None:
        axes = figure.add_axes((left / size[0], foot / size[1], side / size[0], side / size[1]))
        axes.set_title(visible(confusion["topic"]))
        axes.set_xlim(0, len(answers))
        axes.set_ylim(len(answers), 0)
        for row, counts in enumerate(confusion["counts"]):
            for column, count in enumerate(counts):
                _cell(axes, row, column, count, sum(counts))
        places = [place + 0.5 for place in range(len(answers))]
        axes.set_xticks(places, labels=answers)
        axes.set_yticks(places, labels=answers)
        axes.tick_params(length=0)
        axes.set_xlabel("said")
        axes.set_ylabel("gold")
        axes.spines[:].set_visible(False)

    return picture(name, f"Confusion of {confusion['topic']}: gold in rows, answers in columns", size, draw)


def _cell(axes: Any, row: int, column: int, count: int, of_row: int) -> None:
    from matplotlib.patches import Rectangle

    share = count / of_row if of_row else 0.0
    axes.add_patch(Rectangle((column, row), 1, 1, facecolor=BLUE, alpha=_DARKEST * share, edgecolor="none"))
    axes.add_patch(Rectangle((column, row), 1, 1, facecolor="none", edgecolor=LINE, linewidth=0.8))
    if row == column:
        inset = Rectangle((column + 0.04, row + 0.04), 0.92, 0.92, facecolor="none", edgecolor=INK, linewidth=1.2)
        axes.add_patch(inset)
    middle = {"horizontalalignment": "center", "verticalalignment": "center"}
    axes.text(column + 0.5, row + 0.4, f"{count:,}", fontsize=9.5, fontweight="bold", **middle)
    axes.text(
        column + 0.5, row + 0.7, f"{share:.0%}" if of_row else "–", fontsize=8, color=INK if count else MUTED, **middle
    )
