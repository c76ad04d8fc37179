import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from naba.config import EvaluateConfig
from naba.evaluation.evaluate_run import evaluate_run
from naba.evaluation.report import markdown, systems_table, write_report
from naba.modelling import checkpoint as checkpoints
from naba.schema import LabelSchema

Report = dict[str, Any]


def test_words_of_the_data_stay_in_their_cell(report: Report) -> None:
    hostile = "first\nsecond | <img src=x> & more"
    for one in report["errors"]["texts"]:
        one["text"] = hostile
    for one in report["slices"]:
        one["name"] = hostile
    report["run"], report["data"] = hostile, {hostile: "abc"}
    report["systems"]["model"]["notes"] = [hostile]
    report["systems"][hostile] = report["systems"].pop("models/other")
    report["comparisons"][hostile] = report["comparisons"].pop("models/other")
    text = markdown(report)
    assert "<img" not in text
    assert text.count(r"first second \| &lt;img src=x> &amp; more") > 5
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


@pytest.mark.parametrize("stances", [True, False])
def test_classifier_with_a_mapping_of_some_topics_is_evaluated_on_data_read_twice(
    tiny_encoder: Path, schema: LabelSchema, root: Path, tmp_path: Path, stances: bool
) -> None:
    foreign = tmp_path / "foreign"
    checkpoints.save(
        checkpoints.from_encoder(
            str(tiny_encoder), schema, normalisation="standard-1", head="plain", max_tokens=64, dropout=0.1
        ),
        foreign,
    )
    content = json.loads((foreign / "config.json").read_text(encoding="utf-8"))
    del content["naba"]
    (foreign / "config.json").write_text(json.dumps(content), encoding="utf-8")
    said = {"topic": "diplomacy", "stance": "support"} if stances else "diplomacy"
    mapping = {"problem": "multi", "max_tokens": 64, "unlisted": "none", "meanings": {"diplomacy": said}}
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(mapping))
    config = EvaluateConfig(
        data=[root / "data" / "seed-gold.jsonl"], baselines="fast", resamples=200, device="cpu",
        mapping=tmp_path / "mapping.yaml",
    )  # fmt: skip
    report = json.loads(json.dumps(evaluate_run(foreign, config)))
    assert report["schema"]["topics"] == ["diplomacy"]
    assert report["readings"]["segments"] == 84
    text = write_report(tmp_path / "out", report)[1].read_text(encoding="utf-8")
    assert "humanitarian_aid" not in text.partition("## Topics")[2]
    assert systems_table(report).row_count == len(report["systems"])
