import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from naba.errors import DataError
from naba.finetuning.learning_curve import draw

HISTORY: list[dict[str, Any]] = [
    {"loss": 2.0, "epoch": 0.5, "step": 10},
    {"eval_loss": 1.8, "eval_pair_f1": 0.25, "eval_topic_macro_f1": 0.5, "eval_stance_macro_f1": 0.4, "epoch": 1.0, "step": 20},
    {"loss": 1.0, "epoch": 1.5, "step": 30},
    {"eval_loss": 1.5, "eval_pair_f1": 0.5, "eval_topic_macro_f1": 0.75, "eval_stance_macro_f1": 0.6, "epoch": 2.0, "step": 40},
]  # fmt: skip


def words(path: Path) -> list[str]:
    """What stands in a picture."""
    return [text for element in ElementTree.parse(path).iter() if (text := (element.text or "").strip())]


def test_curves_axes_and_the_step_that_was_kept_are_named(tmp_path: Path) -> None:
    draw(HISTORY, 40, tmp_path / "curve.svg")
    shown = words(tmp_path / "curve.svg")
    for text in ("training", "validation", "topic macro-F1", "stance macro-F1", "(topic, stance) pair F1"):
        assert text in shown
    for text in ("loss", "step", "epoch", "score on validation", "kept: step 40, pair F1 0.500"):
        assert text in shown


def test_epochs_stand_where_they_ended(tmp_path: Path) -> None:
    draw(HISTORY, None, tmp_path / "curve.svg")
    drawn = (tmp_path / "curve.svg").read_text(encoding="utf-8")
    above = drawn.partition("epoch</text>")[0].rpartition("matplotlib.axis")[2]
    assert re.findall(r">(\d)</text>", above) == ["0", "1", "2"]


def test_same_history_gives_the_same_bytes_and_no_background(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw(HISTORY, 40, tmp_path / name)
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert drawn == (tmp_path / "b.svg").read_text(encoding="utf-8")
    assert "dc:date" not in drawn
    assert "fill: #ffffff" not in drawn


@pytest.mark.parametrize(
    "history", [[], HISTORY[:1], HISTORY[1:2], [{"loss": 1.0, "step": 1}], [{"loss": 1.0, "epoch": 0.1, "step": 1}]]
)
def test_short_history_is_a_picture_too(tmp_path: Path, history: list[dict[str, Any]]) -> None:
    draw(history, None, tmp_path / "curve.svg")
    assert "loss" in words(tmp_path / "curve.svg")


def test_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        draw(HISTORY, 40, tmp_path / "file" / "curve.svg")
