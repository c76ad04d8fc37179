"""What an evaluation says of a run's first stage."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from naba import Labeller
from naba.cascade.certificate import fewest
from naba.config import EvaluateConfig
from naba.dataset.clusters import find_clusters
from naba.dataset.labelled import load_labelled
from naba.evaluation.evaluate_run import evaluate_run
from naba.evaluation.page.render import html_report
from naba.evaluation.report import markdown
from naba.evaluation.stored.report import check_report
from naba.metrics import score
from naba.scores import Labels
from naba.tfidf import targets

Cascaded = tuple[Path, dict[str, Any]]


def quick(data: Path) -> EvaluateConfig:
    return EvaluateConfig(data=[data], baselines="none", cache=None, resamples=200, device="cpu")


@pytest.fixture(scope="module")
def report(cascaded: Cascaded, root: Path) -> dict[str, Any]:
    return evaluate_run(cascaded[0], quick(root / "data" / "seed-gold.jsonl"))


def test_figures_are_those_of_labelling_behind_the_first_stage(
    cascaded: Cascaded, report: dict[str, Any], root: Path
) -> None:
    folder = cascaded[0]
    labeller = Labeller.load(folder, device="cpu", engine="float32", cascade=0.8)
    items = load_labelled([root / "data" / "seed-gold.jsonl"], labeller.schema)
    said = labeller.label([item.segment.text for item in items])
    topics, stances = labeller.schema.topic_ids, labeller.schema.stance_ids
    labels = Labels(
        np.array([[int(one[topic].present) for topic in topics] for one in said]),
        np.array([[stances.index(one[topic].stance or stances[0]) for topic in topics] for one in said]),
    )
    found, gold = report["first_stage"]["0.8"], targets(items, labeller.schema)
    passes = np.array([not one.screened for one in said])
    assert 0 < passes.mean() < 1
    assert found["passes"] == pytest.approx(passes.mean())
    assert found["pair_f1"] == pytest.approx(score(gold, labels, labeller.schema)["pairs"]["f1"])
    positive = gold.presence[:, 0] == 1
    assert found["topics"][topics[0]]["recall"] == pytest.approx(passes[positive].mean(), abs=1e-4)
    assert found["topics"][topics[0]]["clusters"] == len(set(find_clusters(items).of[positive]))
    assert found["needed"] == fewest(0.8)
    alone = report["systems"]["model"]["scores"]["pairs"]["f1"]
    assert found["difference"]["value"] == pytest.approx(found["pair_f1"] - alone)


def test_where_everything_passes_nothing_is_lost(report: dict[str, Any]) -> None:
    found = report["first_stage"]["0.99"]
    assert (found["passes"], found["any_topic"]["recall"], found["difference"]["value"]) == (1, 1, 0)


def test_report_tells_of_it_in_every_form(report: dict[str, Any]) -> None:
    check_report(json.loads(json.dumps(report)), "report")
    text = markdown(report)
    assert "## Behind the first stage" in text
    assert f"| 0.8 | all segments | 84 | {report['first_stage']['0.8']['passes']:.3f}" in text
    assert 'id="first-stage"' in html_report(report)
    assert "first-stage" not in html_report(report | {"first_stage": None})


def test_first_stage_of_other_weights_is_left_out_and_said(
    cascaded: Cascaded, root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(cascaded[0], folder)
    record = json.loads((folder / "cascade" / "cascade.json").read_text(encoding="utf-8"))
    (folder / "cascade" / "cascade.json").write_text(json.dumps(record | {"run": "0" * 16}), encoding="utf-8")
    assert evaluate_run(folder, quick(root / "data" / "seed-gold.jsonl"))["first_stage"] is None
    assert "the first stage is not evaluated" in caplog.text
    caplog.clear()
    (folder / "cascade" / "cascade.json").write_text("{", encoding="utf-8")
    assert evaluate_run(folder, quick(root / "data" / "seed-gold.jsonl"))["first_stage"] is None
    assert "the first stage is not evaluated" in caplog.text


def test_first_stage_is_not_judged_on_what_it_was_fitted_on(
    cascaded: Cascaded, tiny_run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = quick(tiny_run.parent / "train.jsonl").model_copy(update={"allow_leak": True})
    assert evaluate_run(cascaded[0], config)["first_stage"] is None
    assert "it was fitted on 160 of these segments" in caplog.text
