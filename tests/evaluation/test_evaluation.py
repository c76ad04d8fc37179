import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from naba.config import EvaluateConfig
from naba.errors import DataError
from naba.evaluation.baselines import majority, targets, tfidf
from naba.evaluation.evaluate_run import evaluate_run
from naba.evaluation.report import markdown, write_report
from naba.metrics import score
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema

Make = Callable[..., LabelledSegment]


def test_majority_says_what_most_training_segments_have(labelled: Make, schema: LabelSchema) -> None:
    train = [
        labelled("أ", diplomacy="oppose"),
        labelled("ب", diplomacy="oppose"),
        labelled("ت", diplomacy="neutral"),
        labelled("ث"),
    ]
    answer = majority(targets(train, schema), 2, schema)
    assert answer.presence.tolist() == [[1, 0, 0]] * 2
    assert answer.stance[:, 0].tolist() == [1, 1]


def test_tfidf_learns_what_words_give_away(schema: LabelSchema, labelled: Make) -> None:
    train = [labelled(f"هدنة مفاوضات رقم {i}", diplomacy="support" if i % 2 else "neutral") for i in range(10)]
    train += [labelled(f"غارة قصف رقم {i}", military_action="neutral") for i in range(10)]
    answer = tfidf(train, ["هدنة جديدة", "قصف جديد"], schema)
    assert answer.presence.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_topic_nobody_judged_in_training_does_not_break_the_baselines(schema: LabelSchema, labelled: Make) -> None:
    train = [labelled(f"هدنة مفاوضات رقم {i}", diplomacy="support", military_action=None) for i in range(6)]
    assert targets(train, schema).presence[0, 2] == UNKNOWN
    assert tfidf(train, ["هدنة"], schema).presence.tolist() == [[1, 0, 0]]


def test_segments_that_training_holds_are_counted_and_left_out_on_request(
    tiny_run: Path, write_rows: Callable[..., Path]
) -> None:
    none = {topic: {"present": False, "stance": None} for topic in ("diplomacy", "humanitarian_aid", "military_action")}
    seen = json.loads((tiny_run.parent / "train.jsonl").read_text(encoding="utf-8").splitlines()[0])["text"]
    fresh = "نص جديد لا علاقة له بما سبق من أخبار"
    path = write_rows("test.jsonl", [{"text": text, "labels": none} for text in (f"وقال مصدر: {seen}", fresh)])
    report = evaluate_run(tiny_run, EvaluateConfig(data=[path]))
    assert (report["segments"], report["seen_in_training"]) == (2, 1)
    report = evaluate_run(tiny_run, EvaluateConfig(data=[path], drop_seen=True))
    assert (report["segments"], report["seen_in_training"]) == (1, 1)
    assert "1 more share an article or text" in markdown(report)
    path = write_rows("seen.jsonl", [{"text": seen, "labels": none}])
    with pytest.raises(DataError, match="every segment shares"):
        evaluate_run(tiny_run, EvaluateConfig(data=[path], drop_seen=True))


def test_report_of_a_run_holds_the_baselines_and_agrees_with_itself(
    tiny_run: Path, root: Path, schema: LabelSchema, tmp_path: Path
) -> None:
    report = evaluate_run(tiny_run, EvaluateConfig(data=[root / "data" / "seed-gold.jsonl"]))
    assert list(report["systems"]) == ["model", "tfidf", "majority"]
    assert report["segments"] == 84
    assert report["distinct_segments"] < 84
    assert report["seen_in_training"] == 0
    files = write_report(tmp_path, report)
    assert json.loads(files[0].read_text(encoding="utf-8"))["systems"]["tfidf"]["pairs"]["support"] == 100
    text = files[1].read_text(encoding="utf-8")
    assert "TF-IDF + logistic regression" in text
    for topic, scores in report["systems"]["model"]["topics"]["per_topic"].items():
        assert f"| {topic} | {scores['precision']:.3f}" in text


def test_baselines_are_left_out_when_the_training_data_changed(tiny_run: Path, root: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(tiny_run, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    record["data"] = dict.fromkeys(record["data"], "0000000000000000")
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    report = evaluate_run(tmp_path / "run", EvaluateConfig(data=[root / "data" / "seed-gold.jsonl"]))
    assert list(report["systems"]) == ["model"]
    assert report["seen_in_training"] is None


def test_report_warns_of_authored_and_seen_segments(tiny_run: Path, root: Path) -> None:
    report = evaluate_run(tiny_run, EvaluateConfig(data=[tiny_run.parent / "train.jsonl"]))
    text = markdown(report)
    assert "160 of them were authored" in text
    assert "160 of them share an article or text with the training data" in text


def test_data_with_labels_of_another_schema_is_refused(tiny_run: Path, write_rows: Callable[..., Path]) -> None:
    path = write_rows("a.jsonl", [{"text": "نص", "labels": {"oil": {"present": False, "stance": None}}}])
    with pytest.raises(DataError, match="'oil' is not in the label schema"):
        evaluate_run(tiny_run, EvaluateConfig(data=[path]))


def test_empty_classes_are_shown_without_a_score(schema: LabelSchema, labelled: Make) -> None:
    gold = targets([labelled("أ", diplomacy="support"), labelled("ب")], schema)
    said = majority(gold, 2, schema)
    scores = score(gold, said, schema)
    assert scores["topics"]["per_topic"]["military_action"]["support"] == 0
    assert np.isfinite(scores["topics"]["macro_f1"])
