"""The learning curve of a run as a picture: the loss of training and validation, and the validation scores.

    draw(record["history"], record["best_step"], Path("models/mine/learning-curve.svg"))

Same history, same bytes. The background is transparent and the colours are of middle brightness, so that it reads on
light and dark pages alike.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from naba.jsonl import write_text

_INK = "#767676"  # as far from white as from black
_LOSSES = {"loss": ("training", "#8b7bd0", "o"), "eval_loss": ("validation", "#d9822b", "s")}
_SCORES = {
    "eval_pair_f1": ("(topic, stance) pair F1", "#2e9e6b", "D"),
    "eval_topic_macro_f1": ("topic macro-F1", "#3b82c4", "o"),
    "eval_stance_macro_f1": ("stance macro-F1", "#b0569f", "^"),
}
"""Key in the history → its name in the picture, its colour and its marker."""
_FEW = 40
"""A line of at most so many points has them marked: one alone would not be seen."""


def draw(history: Sequence[Mapping[str, Any]], best_step: int | None, path: Path) -> None:
    """Write the learning curve as SVG (see `drawn`). Raises DataError when the file cannot be written."""
    write_text(path, drawn(history, best_step))


def drawn(history: Sequence[Mapping[str, Any]], best_step: int | None) -> str:
    """The learning curve as SVG.

    Args:
        history: entries with `step`, `epoch`, and any of `loss`, `eval_loss` and the `eval_…_f1` scores; None is no value.
        best_step: the step whose checkpoint was kept; None marks none.
    """
    import matplotlib
    from matplotlib.figure import Figure  # not pyplot: it would look for a screen

    style: Any = {
        "svg.hashsalt": "naba",  # else every file has its own names inside
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK),
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(7.5, 6))
        figure.subplots_adjust(left=0.095, right=0.97, top=0.915, bottom=0.085, hspace=0.14)
        losses, scores = figure.subplots(2, 1, sharex=True)
        for axes, lines in ((losses, _LOSSES), (scores, _SCORES)):
            _plot(axes, history, lines)
        losses.set_ylabel("loss")
        losses.set_ylim(bottom=0)
        scores.set_ylabel("score on validation")
        scores.set_ylim(0, 1)
        scores.set_xlabel("step")
        scores.set_xlim(left=0)
        _mark_epochs(losses, history)
        if best_step is not None:
            _mark_best(losses, scores, history, best_step)
        svg = io.StringIO()
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None, "Title": "Learning curve"})
    return svg.getvalue()


def _plot(axes: Any, history: Sequence[Mapping[str, Any]], lines: Mapping[str, tuple[str, str, str]]) -> None:
    for key, (name, colour, shape) in lines.items():
        points = [(entry["step"], entry[key]) for entry in history if entry.get(key) is not None]
        if points:
            marker = shape if len(points) <= _FEW else None
            shown: Any = {"marker": marker, "markersize": 4, "linewidth": 1.8}
            shown |= {"clip_on": False, "zorder": 3}  # a score of 0 or 1 lies on the axis, and is shown whole
            axes.plot(*zip(*points, strict=True), color=colour, label=name, **shown)
    axes.grid(color=_INK, alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.lines:
        axes.legend(frameon=False, loc="best")


def _mark_epochs(axes: Any, history: Sequence[Mapping[str, Any]]) -> None:
    """A second scale above, of epochs."""
    seen = sorted({(entry["step"], entry["epoch"]) for entry in history if "epoch" in entry})
    if not seen:
        return
    steps, epochs = zip((0, 0.0), *seen, strict=True)
    whole = np.arange(0, int(epochs[-1] + 1e-6) + 1, max(1, int(epochs[-1]) // 10))
    above = axes.secondary_xaxis("top")
    above.set_xticks(np.interp(whole, epochs, steps), labels=[str(epoch) for epoch in whole])
    above.set_xlabel("epoch")
    above.spines["top"].set_visible(False)


def _mark_best(losses: Any, scores: Any, history: Sequence[Mapping[str, Any]], step: int) -> None:
    for axes in (losses, scores):
        axes.axvline(step, color=_INK, linestyle="--", linewidth=1)
    best = next(
        (entry["eval_pair_f1"] for entry in history if entry["step"] == step and entry.get("eval_pair_f1") is not None),
        None,
    )
    told = f"kept: step {step}" + (f", pair F1 {best:.3f}" if best is not None else "")
    right = step > sum(scores.get_xlim()) / 2
    scores.annotate(
        told,
        (step, 1),  # between the two pictures, where no line runs
        xytext=(-6 if right else 6, 4),
        textcoords="offset points",
        horizontalalignment="right" if right else "left",
    )
