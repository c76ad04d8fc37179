import re
from typing import Any

from naba.evaluation.page.confusion import confusion_picture
from naba.evaluation.page.curves import (
    learning_curve_picture,
    precision_recall_picture,
    reliability_picture,
    risk_coverage_picture,
)
from naba.evaluation.page.drawing import BLUE, picture
from naba.evaluation.page.forests import Estimate, forest

BINS = [
    {"count": 5, "confidence": 0.05, "accuracy": 0.0, "low": 0.0, "high": 0.43},
    {"count": 1, "confidence": 1.0, "accuracy": 1.0, "low": 0.2, "high": 1.0},
]


def calibrated(**change: Any) -> dict[str, Any]:
    return {"support": 6, "ece": 0.04, "bins": BINS} | change


def words(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_arabic_stays_text_for_the_browser_to_shape() -> None:
    drawn = picture("p", "t", (2, 1), lambda figure: figure.text(0.5, 0.5, "المساعدات الإنسانية"))
    assert words(drawn.svg) == ["المساعدات الإنسانية"]


def test_colours_become_classes_and_styles_attributes() -> None:
    drawn = picture("p", "t", (2, 1), lambda figure: figure.text(0.5, 0.5, "x", color=BLUE, fontweight="bold"))
    assert 'class="f-blue"' in drawn.svg and f'fill="{BLUE}"' in drawn.svg and 'font-weight="700"' in drawn.svg
    assert "style" not in drawn.svg and "xmlns" not in drawn.svg and "Date" not in drawn.svg


def test_pictures_do_not_share_ids() -> None:
    first, second = (
        confusion_picture(name, {"topic": "oil", "answers": ["up", "absent"], "counts": [[1, 0], [0, 1]]})
        for name in "ab"
    )
    ids = [set(re.findall(r'id="([^"]+)"', one.svg)) for one in (first, second)]
    assert ids[0] and not ids[0] & ids[1]


def test_hostile_topic_is_escaped_in_a_picture() -> None:
    topic = "</svg><script>\u202e$x$"
    drawn = confusion_picture("c", {"topic": topic, "answers": ["up"], "counts": [[1]]})
    assert "&lt;/svg&gt;&lt;script&gt;⟦U+202E⟧$x$" in words(drawn.svg)
    assert "<script" not in drawn.svg and "\u202e" not in drawn.svg


def test_confusion_shows_counts_and_shares_of_the_row() -> None:
    drawn = confusion_picture("c", {"topic": "نفط", "answers": ["up", "absent"], "counts": [[3, 1], [0, 0]]})
    shown = words(drawn.svg)
    assert {"3", "75%", "1", "25%", "0", "–", "نفط", "gold", "said"} <= set(shown)


def test_reliability_names_errors_and_counts() -> None:
    drawn = reliability_picture("r", "oil: presence", calibrated(ece=0.061), calibrated())
    assert "ECE 0.061 → 0.040, 6 answers" in words(drawn.svg)
    assert [word for word in words(drawn.svg) if word.strip() in ("5", "1")]


def test_reliability_without_answers_can_be_drawn() -> None:
    nothing = calibrated(support=0, ece=None, bins=[])
    assert "ECE – → –, 0 answers" in words(reliability_picture("r", "oil", nothing, nothing).svg)


def test_precision_recall_may_lack_the_threshold_in_use() -> None:
    curve = {
        "recall": [0.5, 1.0],
        "precision": [1.0, 0.5],
        "thresholds": [0.9, 0.1],
        "average_precision": None,
        "prevalence": None,
    }
    assert "in use" not in words(precision_recall_picture("p", "oil", curve | {"at": None}).svg)
    at = {"threshold": None, "precision": 0.5, "recall": 1.0}
    assert "in use" in words(precision_recall_picture("p", "oil", curve | {"at": at}).svg)
    assert "threshold 0.40" in words(precision_recall_picture("p", "oil", curve | {"at": at | {"threshold": 0.4}}).svg)


def test_risk_coverage_without_a_recommendation_or_without_a_segment_labelled() -> None:
    curve = [{"threshold": 0.9, "coverage": 0.5, "risk": 0.0}, {"threshold": 0.1, "coverage": 1.0, "risk": 0.25}]
    assert words(risk_coverage_picture("r", curve, None).svg)
    advice = {"target": 0.1, "threshold": 0.95, "coverage": 0.0, "error": None, "error_interval": None}
    assert "wanted: at most 0.10 " in words(risk_coverage_picture("r", curve, advice).svg)


def test_long_and_odd_names_are_cut_and_not_read_as_formulas() -> None:
    rows = [Estimate("$x^2$ " + "ا" * 100, 0.5, (0.4, 0.6), ("0.500",)), Estimate("empty", None, None)]
    shown = words(forest("f", "t", rows, "F1").svg)
    assert any(word.startswith("$x^2$ ا") and word.endswith("…") for word in shown)
    assert "empty" in shown


def test_learning_curve_passes_over_values_that_are_missing() -> None:
    history = [{"step": 1, "epoch": 0.5, "loss": 1.0}, {"step": 2, "epoch": 1.0, "loss": None, "eval_pair_f1": 0.5}]
    history += [{"step": 3, "epoch": 1.5, "loss": float("nan")}]
    assert "kept: step 2, pair F1 0.500" in words(learning_curve_picture("l", history, 2).svg)
