import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from naba.config import EvaluateConfig
from naba.errors import ConfigError, DataError
from naba.evaluation.baselines import majority, targets, tfidf
from naba.evaluation.evaluate_run import evaluate_run
from naba.evaluation.report import markdown, write_report
from naba.fingerprint import fingerprint
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


QUICK: dict[str, Any] = {"baselines": "fast", "resamples": 200, "device": "cpu"}


def test_segments_that_the_run_has_met_are_refused_left_out_or_marked(
    tiny_run: Path, write_rows: Callable[..., Path]
) -> None:
    none = {topic: {"present": False, "stance": None} for topic in ("diplomacy", "humanitarian_aid", "military_action")}
    seen, chosen_on = (
        json.loads((tiny_run.parent / name).read_text(encoding="utf-8").splitlines()[0])["text"]
        for name in ("train.jsonl", "validation.jsonl")
    )
    fresh = "نص جديد لا علاقة له بما سبق من أخبار"
    path = write_rows("test.jsonl", [{"text": text, "labels": none} for text in (f"وقال مصدر: {seen}", fresh)])
    with pytest.raises(DataError, match=r"1 of 2 segments share an article or text.*drop_seen=true.*--allow-leak"):
        evaluate_run(tiny_run, EvaluateConfig(data=[path], **QUICK))
    report = evaluate_run(tiny_run, EvaluateConfig(data=[path], drop_seen=True, **QUICK))
    assert (report["segments"], report["leaks"]["in_training"]) == (1, 1)
    assert "1 more share an article or text" in markdown(report)
    report = evaluate_run(tiny_run, EvaluateConfig(data=[path], allow_leak=True, **QUICK))
    assert report["segments"] == 2
    assert "**1 segments share an article or text with the training data: the scores are too high**" in markdown(report)
    path = write_rows("seen.jsonl", [{"text": seen, "labels": none}])
    with pytest.raises(DataError, match="every segment shares"):
        evaluate_run(tiny_run, EvaluateConfig(data=[path], drop_seen=True, **QUICK))
    path = write_rows("chosen.jsonl", [{"text": chosen_on, "labels": none}, {"text": fresh, "labels": none}])
    with pytest.raises(DataError, match="1 of 2 segments are in the run's validation set"):
        evaluate_run(tiny_run, EvaluateConfig(data=[path], drop_seen=True, **QUICK))
    report = evaluate_run(tiny_run, EvaluateConfig(data=[path], drop_seen=True, allow_leak=True, **QUICK))
    assert "**1 segments are in the run's validation set" in markdown(report)


def test_report_of_a_run_holds_the_baselines_and_agrees_with_itself(
    tiny_run: Path, root: Path, schema: LabelSchema, tmp_path: Path
) -> None:
    config = EvaluateConfig(data=[root / "data" / "seed-gold.jsonl"], cache=tmp_path, resamples=200, device="cpu")
    report = evaluate_run(tiny_run, config.model_copy(update={"compare": [str(tiny_run)]}))
    assert set(report["systems"]) == {"model", str(tiny_run), "majority", "rules", "tfidf", "frozen", "zero_shot"}
    assert all("scores" in part for part in report["systems"].values())
    assert report["segments"] == 84
    assert report["distinct_segments"] < 84
    assert report["leaks"]["in_training"] == 0
    assert report["comparisons"][str(tiny_run)]["differences"]["pairs.f1"]["value"] == 0
    low, high = report["systems"]["tfidf"]["intervals"]["pairs.f1"]
    assert low < report["systems"]["tfidf"]["scores"]["pairs"]["f1"] < high
    assert report["trust"]["chosen"]["thresholds"]
    files = write_report(tmp_path, report)
    stored = json.loads(files[0].read_text(encoding="utf-8"))
    assert stored["systems"]["tfidf"]["scores"]["pairs"]["support"] == 100
    text = files[1].read_text(encoding="utf-8")
    assert text == markdown(stored)
    for topic, scores in report["systems"]["model"]["scores"]["topics"]["per_topic"].items():
        assert f"| {topic} | {scores['precision']:.3f}" in text
    for name in (
        "TF-IDF + logistic regression",
        "labelling rules",
        "one reader twice",
        "## Slices",
    ):
        assert name in text


def test_report_without_texts_holds_no_word_of_the_data(tiny_run: Path, root: Path) -> None:
    path = root / "data" / "seed-gold.jsonl"
    report = evaluate_run(tiny_run, EvaluateConfig(data=[path], texts=False, **QUICK))
    texts = [json.loads(line)["text"].split() for line in path.read_text(encoding="utf-8").splitlines()]
    runs = {" ".join(words[n : n + 3]) for words in texts for n in range(len(words) - 2)}

    def held(report: dict[str, Any]) -> list[str]:
        stored = json.dumps(report, ensure_ascii=False) + markdown(report)
        return [run for run in runs if run in stored]

    assert held(report) == []
    assert held(evaluate_run(tiny_run, EvaluateConfig(data=[path], **QUICK)))


def test_baselines_that_need_training_data_say_that_it_is_not_there(tiny_run: Path, root: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(tiny_run, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    record["data"] = dict.fromkeys(record["data"], "0000000000000000")
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    report = evaluate_run(tmp_path / "run", EvaluateConfig(data=[root / "data" / "seed-gold.jsonl"], **QUICK))
    assert "no training data" in report["systems"]["tfidf"]["reason"]
    assert report["leaks"]["in_training"] is None
    assert "could not be checked" in markdown(report)
    assert "not to be had" in markdown(report)


def test_report_warns_of_authored_segments(tiny_run: Path) -> None:
    config = EvaluateConfig(data=[tiny_run.parent / "train.jsonl"], allow_leak=True, **QUICK)
    text = markdown(evaluate_run(tiny_run, config))
    assert "160 segments were authored" in text
    assert "160 segments share an article or text with the training data" in text


def test_data_with_labels_of_another_schema_is_refused(tiny_run: Path, write_rows: Callable[..., Path]) -> None:
    path = write_rows("a.jsonl", [{"text": "نص", "labels": {"oil": {"present": False, "stance": None}}}])
    with pytest.raises(DataError, match="'oil' is not in the label schema"):
        evaluate_run(tiny_run, EvaluateConfig(data=[path], **QUICK))


def test_empty_classes_are_shown_without_a_score(schema: LabelSchema, labelled: Make) -> None:
    gold = targets([labelled("أ", diplomacy="support"), labelled("ب")], schema)
    said = majority(gold, 2, schema)
    scores = score(gold, said, schema)
    assert scores["topics"]["per_topic"]["military_action"]["support"] == 0
    assert np.isfinite(scores["topics"]["macro_f1"])


def test_compared_run_never_takes_the_place_of_the_run_or_a_baseline_and_its_leaks_count(
    tiny_run: Path, write_rows: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = {topic: {"present": False, "stance": None} for topic in ("diplomacy", "humanitarian_aid", "military_action")}
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_run, tmp_path / "model")
    path = write_rows("test.jsonl", [{"text": "نص جديد لا علاقة له بما سبق من أخبار", "labels": none}])
    report = evaluate_run(tiny_run, EvaluateConfig(data=[path], compare=["model"], **QUICK))
    assert {"model", "./model", "majority"} <= set(report["systems"])
    assert report["systems"]["./model"]["leaks"]["in_training"] == 0
    with pytest.raises(ConfigError, match="is given twice"):
        evaluate_run(tiny_run, EvaluateConfig(data=[path], compare=["model", "model"], **QUICK))
    # The compared run alone has met this text: the run's own record is made to name other files.
    record = json.loads((tmp_path / "model" / "run.json").read_text(encoding="utf-8"))
    shutil.copytree(tiny_run, tmp_path / "clean")
    other = write_rows("other.jsonl", [{"text": "خبر آخر لا يشبه سواه", "labels": none}])
    clean = record | {"data": {str(other): fingerprint(other)}}
    clean["config"] = record["config"] | {"train": [{"path": str(other)}], "validation": [str(other)]}
    (tmp_path / "clean" / "run.json").write_text(json.dumps(clean), encoding="utf-8")
    seen = json.loads((tiny_run.parent / "train.jsonl").read_text(encoding="utf-8").splitlines()[0])["text"]
    path = write_rows("seen.jsonl", [{"text": seen, "labels": none}, {"text": "نص جديد آخر", "labels": none}])
    with pytest.raises(
        DataError, match=r"of 2 segments 1 \(model\) share .* with a run's training data|1 \(\./model\)"
    ):
        evaluate_run("clean", EvaluateConfig(data=[path], compare=["model"], **QUICK))


def test_naming_other_training_files_does_not_hide_what_the_run_has_met(
    tiny_run: Path, root: Path, tmp_path: Path
) -> None:
    lines = (tiny_run.parent / "train.jsonl").read_text(encoding="utf-8").splitlines()[:3]
    path = tmp_path / "part.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    gold = [root / "data" / "seed-gold.jsonl"]
    with pytest.raises(DataError, match="3 of 3 segments share"):
        evaluate_run(tiny_run, EvaluateConfig(data=[path], train=gold, validation=gold, **QUICK))
