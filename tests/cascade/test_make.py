"""A first stage made for a real, tiny run, and labelling behind it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from naba import Labeller
from naba.cascade import make
from naba.cascade.certificate import fewest, lower_bound
from naba.cascade.config import CascadeConfig
from naba.cascade.fit import Material, calibration, fit_stage, out_of_fold
from naba.cascade.make import make_cascade
from naba.cascade.stage import Cascade
from naba.cascade.unlabelled import Learned, draw
from naba.cli.cascade import told
from naba.config import LabelConfig
from naba.errors import CheckpointError, ConfigError, DataError
from naba.labelling.job import label_paths
from naba.labelling.labelled_files import read_labelled
from naba.labelling.summarise.job import summarise_paths
from naba.labelling.viewer.view import gather
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.engines import Engine, TorchEngine
from naba.records import LabelledSegment
from naba.schema import LabelSchema

ROUTINE = ["افتتح المعرض أبوابه للزوار صباح اليوم", "فاز الفريق في مباراته الأخيرة", "هطلت أمطار على الساحل"]
Rows = Callable[[str, list[dict[str, Any]]], Path]


def learned_nothing(schema: LabelSchema) -> Learned:
    return Learned(presence=np.zeros((0, len(schema.topic_ids)), dtype=np.int64))


def test_record_has_thresholds_with_their_recall_and_what_was_tried(
    cascaded: tuple[Path, dict[str, Any]], schema: LabelSchema
) -> None:
    folder, record = cascaded
    level = record["recalls"]["0.8"]
    assert level["threshold"] == min(found["threshold"] for found in level["topics"].values())
    for found in level["topics"].values():
        assert found["missing"] == 0
        assert found["bound"] >= 0.8
        assert found["recall"] >= found["bound"]
        assert sum(stance["segments"] for stance in found["stances"].values()) == found["positives"]
    assert list(level["topics"]) == list(schema.topic_ids)
    assert record["segments"] == {"labelled": 160, "certified_on": 160, "authored": True, "labelled_by_the_run": 20}
    seeds = next(value for name, value in record["corpora"].items() if name.endswith("seeds"))
    assert seeds["articles"] == 9  # five, and those embedded in their pages
    assert seeds["passes"]["0.99"] == 1
    assert record["validation"]["segments"] == 80
    assert record["validation"]["0.99"]["pair_f1"] == record["validation"]["pair_f1"]
    assert json.loads((folder / "cascade" / "cascade.json").read_text(encoding="utf-8")) == record


def test_too_few_positives_let_everything_pass_and_the_message_says_how_many_are_missing(
    cascaded: tuple[Path, dict[str, Any]], schema: LabelSchema
) -> None:
    folder, record = cascaded
    level = record["recalls"]["0.99"]
    assert level["threshold"] is None
    assert level["passes_of_labelled"] == 1
    diplomacy = level["topics"]["diplomacy"]
    assert diplomacy["missing"] == fewest(0.99) - diplomacy["independent"] > 0
    assert f"too few to certify 0.99: {diplomacy['missing']:,} more are needed" in "\n".join(told(record))
    assert Cascade.load(folder, 0.99, schema).passes(ROUTINE).all()


def test_first_stage_that_knows_authored_segments_alone_warns_where_it_is_used(
    cascaded: tuple[Path, dict[str, Any]], schema: LabelSchema, caplog: pytest.LogCaptureFixture
) -> None:
    folder, _ = cascaded
    Cascade.load(folder, 0.8, schema)
    (warning,) = (record.getMessage() for record in caplog.records)
    assert warning.startswith(f"{folder}: this first stage was certified on authored segments alone")


@pytest.mark.slow
def test_ray_writes_behind_the_first_stage_what_one_machine_does(
    cascaded: tuple[Path, dict[str, Any]], root: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    config = {"model": str(cascaded[0]), "device": "cpu", "engine": "float32", "shard": 3, "cascade": 0.8}
    for runner in ("local", "ray"):
        label_paths([root / "seeds"], tmp_path / runner, LabelConfig.model_validate(config | {"runner": runner}))
    parts = sorted(path.name for path in (tmp_path / "local").glob("part-*"))
    assert parts == sorted(path.name for path in (tmp_path / "ray").glob("part-*"))
    assert all((tmp_path / "local" / name).read_bytes() == (tmp_path / "ray" / name).read_bytes() for name in parts)
    assert '"screened": true' in "".join(path.read_text("utf-8") for path in (tmp_path / "ray").glob("part-*"))


def test_what_passes_is_labelled_as_without_the_first_stage_and_the_rest_is_marked(
    cascaded: tuple[Path, dict[str, Any]], schema: LabelSchema
) -> None:
    folder, _ = cascaded
    texts = [*ROUTINE, "قصفت المدفعية مواقع في محيط المدينة", ROUTINE[0], "نص"]
    full = Labeller.load(folder, device="cpu", engine="float32")
    behind = Labeller.load(folder, device="cpu", engine="float32", cascade=0.8)
    stage = Cascade.load(folder, 0.8, schema)
    middle = float(np.median(stage.stage.scores(texts).max(axis=1)))
    for threshold in (-np.inf, middle, np.inf):  # all, some and none of them pass
        assert behind._cascade is not None
        behind._cascade.threshold = threshold
        passes = behind._cascade.passes(texts)
        ticks: list[int] = []
        answers = behind._texts(texts).result(lambda done, note, ticks=ticks: ticks.append(done))
        assert [answer.text for answer in answers] == texts
        assert [answer.screened for answer in answers] == (~passes).tolist()
        assert sum(ticks) == len(set(texts))
        for one, other in zip(full.label(texts), answers, strict=True):
            if other.screened:
                assert not other.present
                assert all(said.stance is None and 0 <= said.probability <= 1 for said in other.topics.values())
                assert all(sum(said.stance_probability.values()) == pytest.approx(1, abs=1e-3) for said in other.topics.values())  # fmt: skip
                assert other.to_dict()["screened"] is True
            else:
                assert "screened" not in other.to_dict()
                assert other.present == one.present
                for topic in schema.topic_ids:
                    assert other[topic].probability == pytest.approx(one[topic].probability, abs=1e-5)
    assert behind.label([]) == []


def test_files_say_what_was_screened_and_are_read_again(cascaded: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, _ = cascaded
    news = tmp_path / "news.jsonl"
    news.write_text("".join(json.dumps({"id": str(n), "text": text}, ensure_ascii=False) + "\n" for n, text in enumerate(ROUTINE)), encoding="utf-8")  # fmt: skip
    config = LabelConfig(model=str(folder), engine="float32", cascade=0.8, formats=["jsonl", "csv", "parquet"])
    label_paths([news], tmp_path / "out", config)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["cascade"].startswith("0.8@")
    screened = Labeller.load(folder, device="cpu", cascade=0.8)
    expected = [answer.screened for answer in screened.label(ROUTINE)]
    rows = list(read_labelled([tmp_path / "out"]))
    assert [segment.screened for row in rows for segment in row.segments] == expected
    table = pq.read_table(next((tmp_path / "out").glob("*.parquet"))).to_pylist()
    assert [bool(row["screened"]) for row in table[:: len(screened.schema.topic_ids)]] == expected
    assert "windows,screened,topic" in next((tmp_path / "out").glob("*.csv")).read_text(encoding="utf-8-sig")
    assert gather(rows).segments == 3
    summarise_paths([tmp_path / "out"], tmp_path / "summary")
    assert any((tmp_path / "summary").iterdir())


def test_job_goes_on_only_behind_the_same_first_stage(cascaded: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, _ = cascaded
    news = tmp_path / "news.jsonl"
    news.write_text(json.dumps({"text": ROUTINE[0]}, ensure_ascii=False) + "\n", encoding="utf-8")
    config = LabelConfig(model=str(folder), engine="float32", cascade=0.8)
    label_paths([news], tmp_path / "out", config)
    out = tmp_path / "out"
    plan = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    (out / "manifest.json").unlink()
    (out / ".job.json").write_text(
        json.dumps({key: value for key, value in plan.items() if key not in ("totals", "shards")})
    )
    with pytest.raises(DataError, match=r"another job \(cascade differ"):
        label_paths([news], out, config.model_copy(update={"cascade": None}))
    label_paths([news], out, config)


def test_run_without_a_first_stage_or_with_other_weights_is_refused(
    tiny_run: Path, cascaded: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match="naba cascade"):
        Labeller.load(tiny_run, device="cpu", cascade=0.8)
    folder = tmp_path / "run"
    shutil.copytree(cascaded[0], folder)
    decision = json.loads((folder / "decision.json").read_text())
    decision["topics"]["diplomacy"]["threshold"] = 0.123
    (folder / "decision.json").write_text(json.dumps(decision))
    with pytest.raises(CheckpointError, match="other weights"):
        Labeller.load(folder, device="cpu", cascade=0.8)
    with pytest.raises(ConfigError, match=r"recall 0\.8, 0\.99"):
        Labeller.load(cascaded[0], device="cpu", cascade=0.9)


def test_made_twice_it_is_the_same(cascaded: tuple[Path, dict[str, Any]], tmp_path: Path, tiny_run: Path) -> None:
    marks = []
    for name in ("a", "b"):
        shutil.copytree(tiny_run, tmp_path / name)
        marks.append(make_cascade(tmp_path / name, CascadeConfig(recalls=[0.8])))
    assert marks[0]["weights"] == marks[1]["weights"]
    assert marks[0]["recalls"] == marks[1]["recalls"]


def test_other_labels_are_fitted_and_scores_are_of_stages_that_did_not_see_the_cluster(
    markets: LabelSchema, market_rows: list[dict[str, Any]]
) -> None:
    items = [LabelledSegment.from_row(row, markets, "test") for row in market_rows]
    material = Material.of(items, learned_nothing(markets), markets, "standard-1")
    assert material.authored is False
    stage = fit_stage(material, np.arange(96))
    highest = stage.scores([item.segment.text for item in items]).argmax(axis=1)
    assert highest.tolist() == [n % 4 for n in range(96)]
    assert (out_of_fold(material, 4).argmax(axis=1) == np.arange(96) % 4).all()
    # A cluster of one topic: who has never seen it cannot know it, for no other segment has the topic.
    alone = [replace(item, cluster="one" if n % 4 == 0 else None) for n, item in enumerate(items)]
    blind = out_of_fold(Material.of(alone, learned_nothing(markets), markets, "standard-1"), 4)
    assert (blind[::4, 0] == 0).all()  # no positive was left: the topic's score is 0


def test_weak_and_teachers_labels_teach_but_certify_nothing(
    markets: LabelSchema, market_rows: list[dict[str, Any]]
) -> None:
    rows = [row | ({"weak": True} if n < 40 else {}) for n, row in enumerate(market_rows)]
    rows[50] = rows[50] | {"provenance": {"authored": True}}
    items = [LabelledSegment.from_row(row, markets, "test") for row in rows]
    material = Material.of([*items, items[60]], learned_nothing(markets), markets, "standard-1")
    assert int(material.certified.sum()) == 96 - 40 - 1  # and a text that comes again counts once
    assert len(material.groups) == 97


def test_topic_without_a_positive_is_never_certified(
    tiny_run: Path, tmp_path: Path, schema: LabelSchema, write_rows: Rows
) -> None:
    shutil.copytree(tiny_run, tmp_path / "run")
    label = {"present": False, "stance": None}
    rows = [
        {
            "text": f"{'قصف' if n % 2 else 'عرس'} رقم {n} " + "كلمة " * (n % 7),
            "labels": dict.fromkeys(schema.topic_ids, label)
            | {"military_action": {"present": bool(n % 2), "stance": "neutral" if n % 2 else None}},
        }
        for n in range(60)
    ]
    record = make_cascade(tmp_path / "run", CascadeConfig(data=[write_rows("d.jsonl", rows)], recalls=[0.8]))
    level = record["recalls"]["0.8"]
    assert level["threshold"] is None
    assert level["topics"]["diplomacy"] | {"stances": None} == {
        "positives": 0, "independent": 0, "needed": 14, "threshold": None, "missing": 14, "segments": 0, "recall": None,
        "bound": None,
        "clusters": 0, "stances": None,
    }  # fmt: skip
    assert level["topics"]["military_action"]["threshold"] is not None
    assert "too few" in "\n".join(told(record))
    assert "authored" not in told(record)[0]
    assert "certified on authored segments alone" in told(record | {"segments": {"authored": True}})[0]


def test_faults_of_the_user_are_told(tiny_run: Path, tmp_path: Path, write_rows: Rows, schema: LabelSchema) -> None:
    shutil.copytree(tiny_run, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    record["config"]["train"] = [{"path": str(tmp_path / "gone.jsonl"), "weight": 1.0}]
    record["data"] = {str(tmp_path / "gone.jsonl"): "0"}
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match="--data"):
        make_cascade(tmp_path / "run", CascadeConfig())
    few = write_rows("few.jsonl", [{"text": "نص", "labels": dict.fromkeys(schema.topic_ids)}])
    with pytest.raises(DataError, match="give more data"):
        make_cascade(tmp_path / "run", CascadeConfig(data=[few]))
    with pytest.raises(CheckpointError):
        make_cascade(tmp_path / "none", CascadeConfig())
    with pytest.raises(ValidationError, match="no share"):
        CascadeConfig(recalls=[99])


def test_draw_follows_from_ids_alone_and_an_empty_file_is_told(tmp_path: Path, write_rows: Rows) -> None:
    rows = [{"id": str(n), "text": f"خبر رقم {n} من المدينة"} for n in range(30)]
    config = CascadeConfig(corpus_articles=7)
    one, other = (draw(write_rows(f"{n}.jsonl", some), config, b"try") for n, some in enumerate((rows, rows[::-1])))
    assert [article.id for article in one] == [article.id for article in other]
    assert len(one) == 7
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(DataError, match="no article"):
        draw(tmp_path / "empty.jsonl", config, b"try")


def test_calibration_of_one_class_changes_nothing_and_of_two_follows_their_odds() -> None:
    assert calibration(np.array([1.0, 2.0]), np.array([1, 1])) == (1.0, 0.0)
    scores, truth = np.repeat([-1.0, 1.0], 1000), np.array([1] * 100 + [0] * 900 + [1] * 900 + [0] * 100)
    slope, offset = calibration(scores, truth)
    assert slope == pytest.approx(np.log(9), rel=0.01)  # odds of 1 to 9 and 9 to 1
    assert offset == pytest.approx(0, abs=0.01)
    assert lower_bound(900, 1000) < 0.9


@pytest.mark.parametrize("form", [True, False])
def test_engine_that_teaches_is_never_chosen_by_its_speed(
    tiny_run: Path, tmp_path: Path, form: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def pick(checkpoint: Checkpoint, folder: Path, wanted: str, device: str) -> Engine:
        asked.append(wanted)
        if wanted == "int8" and not form:
            raise CheckpointError("no int8 form")
        engine = TorchEngine(checkpoint.model)
        engine.name = wanted
        return engine

    monkeypatch.setattr(make, "pick_engine", pick)
    shutil.copytree(tiny_run, tmp_path / "run")
    record = make_cascade(tmp_path / "run", CascadeConfig(recalls=[0.8]))
    assert asked == (["int8"] if form else ["int8", "float32"])
    assert record["engine"] == asked[-1]


def test_copy_of_a_labelled_article_teaches_nothing_to_the_stage_that_scores_it(
    markets: LabelSchema, market_rows: list[dict[str, Any]]
) -> None:
    rows = [row | {"article_id": f"a{n}"} for n, row in enumerate(market_rows)]
    rows[5] |= {"text": "رفعت المصارف سعر الذهب في تعاملات صباح اليوم بعد إعلان نتائج الشهر الماضي من العام"}
    items = [LabelledSegment.from_row(row, markets, "test") for row in rows]
    copy = rows[5]["text"].replace("صباح", "مساء")
    presence = np.zeros((2, len(markets.topic_ids)), dtype=np.int64)
    learned = Learned([copy, "هطلت أمطار غزيرة على الساحل الشمالي"], ["f:1", "f:2"], ["f", "f"], presence)
    groups = Material.of(items, learned, markets, "standard-1").groups
    assert groups[len(items)] == groups[5]
    assert groups[len(items) + 1] not in groups[:-1]
    # What is one cluster among the labelled segments alone stays one, whatever is learned beside them.
    alone = Material.of(items, learned_nothing(markets), markets, "standard-1").groups
    assert len(set(zip(alone.tolist(), groups.tolist(), strict=False))) == len(set(alone.tolist()))
