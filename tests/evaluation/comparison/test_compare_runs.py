import gc
import json
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml

from naba.config import CompareConfig, EvaluateConfig
from naba.errors import CheckpointError, ConfigError, DataError
from naba.evaluation.comparison import compare_runs as module
from naba.evaluation.comparison.compare_runs import compare_runs, run_names
from naba.evaluation.comparison.report import write_comparison
from naba.evaluation.evaluate_run import evaluate_run
from naba.evaluation.significance import holm, smallest_p
from naba.evaluation.stored.report import check_comparison
from naba.modelling import checkpoint as checkpoints
from naba.schema import LabelSchema

HEADLINE = ("pairs.f1", "topics.macro_f1", "stances.macro_f1", "exact_match")


def shaken(run: Path, folder: Path, seed: int) -> Path:
    """A run as `run`, its classification heads moved at random: other answers, same record."""
    checkpoint = checkpoints.load(run)
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in checkpoint.model.named_parameters():
            if not name.startswith("encoder"):
                parameter.add_(torch.randn_like(parameter))
    checkpoints.save(checkpoint, folder)
    shutil.copy(run / "run.json", folder)
    return folder


@pytest.fixture(scope="module")
def runs(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three runs that answer differently, two of them in folders of one name."""
    folder = tmp_path_factory.mktemp("runs")
    return [tiny_run, shaken(tiny_run, folder / "other" / "run", 1), shaken(tiny_run, folder / "third", 2)]


@pytest.fixture
def config(root: Path) -> CompareConfig:
    return CompareConfig(data=[root / "data" / "seed-gold.jsonl"], resamples=300, device="cpu")


@pytest.fixture(scope="module")
def comparison(runs: list[Path], root: Path) -> dict[str, Any]:
    return compare_runs(runs, CompareConfig(data=[root / "data" / "seed-gold.jsonl"], resamples=300, device="cpu"))


def test_comparison_has_the_form_that_other_programs_rely_on(comparison: dict[str, Any]) -> None:
    check_comparison(json.loads(json.dumps(comparison)), "comparison")


def test_runs_are_scored_as_naba_evaluate_scores_them(
    comparison: dict[str, Any], runs: list[Path], config: CompareConfig
) -> None:
    for name, run in zip(run_names(runs), runs, strict=True):
        report = evaluate_run(
            run, EvaluateConfig(data=config.data, baselines="none", resamples=300, device="cpu", shown=0)
        )
        found, alone = comparison["runs"][name], report["systems"]["model"]
        assert found["scores"] == alone["scores"]
        assert found["intervals"] == alone["intervals"]
        assert found["leaks"] == report["leaks"]
    assert comparison["clusters"] == report["clusters"]
    assert comparison["data"] == report["data"]


def test_best_run_comes_first_and_every_pair_is_there_once(comparison: dict[str, Any]) -> None:
    names = list(comparison["runs"])
    values = [part["scores"]["pairs"]["f1"] for part in comparison["runs"].values()]
    assert values == sorted(values, reverse=True)
    assert [(row["first"], row["second"]) for row in comparison["differences"]] == [
        (names[0], names[1]),
        (names[0], names[2]),
        (names[1], names[2]),
    ]
    for row in comparison["differences"]:
        first, second = (comparison["runs"][row[key]]["scores"] for key in ("first", "second"))
        assert row["differences"]["pairs.f1"]["value"] == pytest.approx(first["pairs"]["f1"] - second["pairs"]["f1"])
        assert row["mcnemar"]["only_first"] >= 0


def test_p_values_are_adjusted_over_all_pairs_each_score_for_itself(comparison: dict[str, Any]) -> None:
    rows = comparison["differences"]
    for path in HEADLINE:
        raw = {str(n): row["differences"][path]["p"] for n, row in enumerate(rows) if path in row["differences"]}
        wanted = holm(raw)
        assert len(raw) == 3
        for number, p in wanted.items():
            assert rows[int(number)]["differences"][path]["p_holm"] == p
    smallest = min(row["differences"]["pairs.f1"]["p"] for row in rows)
    assert min(row["differences"]["pairs.f1"]["p_holm"] for row in rows) == pytest.approx(min(1, 3 * smallest))


def test_swaps_grow_with_the_number_of_pairs_so_that_one_of_many_can_still_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: list[int] = []

    def counted(test: Any, first: str, systems: Any, *, resamples: int) -> dict[str, Any]:
        used.append(resamples)
        (second,) = [name for name in systems if name != first]
        p = 1 / (1 + resamples)
        return {second: {"differences": {"pairs.f1": {"value": 0.5, "p": p}}, "mcnemar": {}}}

    monkeypatch.setattr(module, "compared", counted)
    answers: Any = {str(number): None for number in range(15)}  # 105 pairs
    test: Any = SimpleNamespace(clusters=range(40))
    rows = module._differences(test, answers, 2000, module.SILENT)
    assert set(used) == {4200}
    assert max(row["differences"]["pairs.f1"]["p_holm"] for row in rows) < 0.05


def test_p_is_never_below_what_the_clusters_allow(comparison: dict[str, Any]) -> None:
    # Eight clusters: none or all swapped are 2 of the 256 ways.
    assert comparison["clusters"] == 8
    for row in comparison["differences"]:
        for difference in row["differences"].values():
            assert difference["p"] >= 2 / 256
    assert smallest_p(1) == 1
    assert smallest_p(2) == 0.5


def test_same_weights_are_told_of_both(runs: list[Path], config: CompareConfig, tmp_path: Path) -> None:
    shutil.copytree(runs[2], tmp_path / "moved")
    found = compare_runs([runs[1], runs[2], tmp_path / "moved"], config)
    notes = {name: part["notes"] for name, part in found["runs"].items()}
    assert notes == {
        "run": [],
        "third": ["It has the same weights as moved."],
        "moved": ["It has the same weights as third."],
    }
    (same,) = [row for row in found["differences"] if {row["first"], row["second"]} == {"third", "moved"}]
    assert same["differences"]["pairs.f1"]["value"] == 0
    assert same["differences"]["pairs.f1"]["p_holm"] == 1
    assert same["mcnemar"] == {"only_first": 0, "only_second": 0, "p": 1.0}


def test_one_model_is_in_memory_at_a_time(
    runs: list[Path], config: CompareConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[weakref.ref[Any]] = []
    load = module.load_system

    def watched(*arguments: Any, **options: Any) -> Any:
        gc.collect()
        assert all(model() is None for model in loaded), "an earlier run's model is still there"
        system = load(*arguments, **options)
        assert system.checkpoint is not None
        loaded.append(weakref.ref(system.checkpoint.model))
        return system

    monkeypatch.setattr(module, "load_system", watched)
    compare_runs(runs[:2], config)
    assert len(loaded) == 4


def _none(schema: LabelSchema) -> dict[str, Any]:
    return {topic: {"present": False, "stance": None} for topic in schema.topic_ids}


def test_what_one_run_has_met_is_refused_left_out_or_marked_for_all(
    runs: list[Path], write_rows: Callable[..., Path], schema: LabelSchema, tmp_path: Path
) -> None:
    seen, chosen_on = (
        json.loads((runs[0].parent / name).read_text(encoding="utf-8").splitlines()[0])["text"]
        for name in ("train.jsonl", "validation.jsonl")
    )
    # The second run has no record: whether it has met anything cannot be told.
    shutil.copytree(runs[1], tmp_path / "unknown")
    (tmp_path / "unknown" / "run.json").unlink()
    models = [runs[0], tmp_path / "unknown"]
    fresh = "نص جديد لا علاقة له بما سبق من أخبار"
    rows = [{"text": text, "labels": _none(schema)} for text in (f"وقال مصدر: {seen}", fresh)]
    options: dict[str, Any] = {"data": [write_rows("test.jsonl", rows)], "resamples": 200, "device": "cpu"}
    with pytest.raises(DataError, match=r"of 2 segments 1 \(run\) share an article.*drop_seen=true.*--allow-leak"):
        compare_runs(models, CompareConfig(**options))
    dropped = compare_runs(models, CompareConfig(drop_seen=True, **options))
    assert dropped["segments"] == 1
    assert {name: part["leaks"]["in_training"] for name, part in dropped["runs"].items()} == {"run": 1, "unknown": None}
    assert all(part["scores"]["segments"] == 1 for part in dropped["runs"].values())
    allowed = compare_runs(models, CompareConfig(allow_leak=True, **options))
    assert allowed["segments"] == 2
    assert allowed["runs"]["run"]["leaks"]["allowed"]
    options["data"] = [write_rows("seen.jsonl", [{"text": seen, "labels": _none(schema)}])]
    with pytest.raises(DataError, match="every segment shares"):
        compare_runs(models, CompareConfig(drop_seen=True, **options))
    options["data"] = [write_rows("chosen.jsonl", [{"text": chosen_on, "labels": _none(schema)}])]
    with pytest.raises(DataError, match=r"1 \(run\) are in a run's validation set"):
        compare_runs(models, CompareConfig(drop_seen=True, **options))


def test_runs_of_other_topics_are_not_compared(
    runs: list[Path], tiny_encoder: Path, markets: LabelSchema, config: CompareConfig, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"normalisation": "standard-1", "head": "attention", "max_tokens": 64, "dropout": 0.1}
    checkpoints.save(checkpoints.from_encoder(str(tiny_encoder), markets, **options), tmp_path / "markets")
    with pytest.raises(DataError, match=r"markets: has other topics or stances than .*run; they cannot be compared"):
        compare_runs([runs[0], tmp_path / "markets"], config)


def test_classifier_of_another_make_is_compared_on_what_both_answer_for(
    runs: list[Path], tiny_encoder: Path, schema: LabelSchema, config: CompareConfig, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"normalisation": "standard-1", "head": "plain", "max_tokens": 64, "dropout": 0.1}
    foreign = tmp_path / "foreign"
    checkpoints.save(checkpoints.from_encoder(str(tiny_encoder), schema, **options), foreign)
    content = json.loads((foreign / "config.json").read_text(encoding="utf-8"))
    del content["naba"]
    (foreign / "config.json").write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(
        yaml.safe_dump(
            {
                "problem": "multi",
                "max_tokens": 64,
                "unlisted": "none",
                "meanings": {"diplomacy": "diplomacy", "military_action": "military_action"},
            }
        )
    )
    with pytest.raises(CheckpointError, match="--mapping"):
        compare_runs([runs[0], foreign], config)
    found = compare_runs([runs[0], foreign], config.model_copy(update={"mapping": tmp_path / "mapping.yaml"}))
    assert found["schema"]["topics"] == ["diplomacy", "military_action"]
    assert "It has no label for humanitarian_aid: not scored." in found["runs"]["foreign"]["notes"]
    assert found["runs"]["run"]["scores"]["stances"]["support"] == 0  # the classifier says no stance
    check_comparison(json.loads(json.dumps(found)), "comparison")
    paths = write_comparison(tmp_path / "out", json.loads(json.dumps(found)))
    assert "No (topic, stance) pair can be scored here" in paths[1].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("models", "names"),
    [
        (["models/a", "models/b"], ["a", "b"]),
        (["x/run", "y/run", "z"], ["x/run", "y/run", "z"]),
        (["1/x/run", "2/x/run", "x/other"], ["1/x/run", "2/x/run", "other"]),
        (["mine/checkpoints/checkpoint-5", "mine"], ["mine/checkpoint-5", "mine"]),
        (["a/checkpoints/checkpoint-5", "b/checkpoints/checkpoint-5"], ["a/checkpoint-5", "b/checkpoint-5"]),
        (["somebody/news", "other/news"], ["somebody/news", "other/news"]),
        (["run", "x/run"], ["run", "x/run"]),
    ],
)
def test_names_are_short_and_tell_runs_apart(models: list[str], names: list[str]) -> None:
    assert run_names(models) == dict(zip(names, models, strict=True))


def test_names_of_folders_hold_whatever_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models" / "a").mkdir(parents=True)
    (tmp_path / "models" / "link").symlink_to(tmp_path / "models" / "a")
    monkeypatch.chdir(tmp_path / "models" / "a")
    with pytest.raises(ConfigError, match=r"\.: is given twice"):
        run_names([".", "../a"])
    with pytest.raises(ConfigError, match="is given twice"):
        run_names(["../a/", "../link"])
    assert run_names([".", "../b"]) == {"a": ".", "b": "../b"}


@pytest.mark.parametrize("models", [[], ["models/a"]])
def test_one_run_alone_is_no_comparison(models: list[str]) -> None:
    with pytest.raises(ConfigError, match="two runs or more"):
        run_names(models)
