"""Exported runs: the same answers, refused where not, and used only where they belong and compute as they should."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from naba import Labeller
from naba.config import EvaluateConfig, ExportConfig
from naba.errors import CheckpointError, ConfigError
from naba.evaluation.evaluate_run import evaluate_run
from naba.evaluation.systems import load_system
from naba.exporting import parity as gate
from naba.exporting.export import export_run
from naba.exporting.int8 import quantise
from naba.modelling import checkpoint as checkpoints
from naba.modelling import exported
from naba.modelling.encode import pad
from naba.modelling.engines import OnnxEngine, TorchEngine

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def run(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its int8 form."""
    folder = tmp_path_factory.mktemp("exported") / "run"
    shutil.copytree(tiny_run, folder)
    export_run(folder, ExportConfig(data=[tiny_run.parent / "validation.jsonl"], float32=True))
    return folder


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    shutil.copytree(run, tmp_path / "run")
    return tmp_path / "run"


def test_graph_in_float32_gives_the_run_s_logits_for_any_batch(run: Path) -> None:
    checkpoint = checkpoints.load(run)
    engine, torch_engine = OnnxEngine(run / "onnx" / "float32.onnx", "float32"), TorchEngine(checkpoint.model)
    for lengths in ([5], [9, 4, 7], [checkpoint.max_tokens] * 2):
        batch = pad([list(range(3, 3 + length)) for length in lengths], checkpoint.tokenizer.pad_token_id)
        for ours, theirs in zip(engine.run(batch), torch_engine.run(batch), strict=True):
            assert ours.shape == theirs.shape
            assert np.allclose(ours, theirs, atol=1e-4)


def test_int8_form_has_bytes_for_weights_and_answers_nearly_alike(run: Path) -> None:
    sizes = {name: (run / "onnx" / f"{name}.onnx").stat().st_size for name in ("int8", "float32")}
    assert sizes["int8"] < sizes["float32"]
    graph = onnx.load(run / "onnx" / "int8.onnx").graph
    products = [node for node in graph.node if node.op_type == "MatMulIntegerToFloat"]
    checkpoint = checkpoints.load(run)
    assert len(products) == 6 * checkpoint.model.config.num_hidden_layers
    batch = pad([[5, 6, 7, 8], [9, 10]], checkpoint.tokenizer.pad_token_id)
    topic, _ = OnnxEngine(run / "onnx" / "int8.onnx", "int8").run(batch)
    assert np.allclose(topic, TorchEngine(checkpoint.model).run(batch)[0], atol=0.1)


def test_scores_of_a_segment_do_not_depend_on_what_shares_its_batch(run: Path) -> None:
    engine = OnnxEngine(run / "onnx" / "int8.onnx", "int8")
    alone = engine.run(pad([[5, 6, 7, 8]], 0))
    beside = engine.run(pad([[5, 6, 7, 8], [40, 41, 42, 43, 44, 45, 46], [3]], 0))
    for one, other in zip(alone, beside, strict=True):
        assert np.allclose(one[0], other[0], atol=1e-5)


def product_graph(weights: Any, path: Path, gelu: bool) -> None:
    """X · W in a graph of its own, behind a GELU if wanted."""
    nodes = [helper.make_node("Gelu", ["x"], ["g"])] if gelu else []
    nodes.append(helper.make_node("MatMul", ["g" if gelu else "x", "w"], ["y"], name="product"))
    shape = ["rows", "tokens"]
    graph = helper.make_graph(
        nodes,
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [*shape, len(weights)])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [*shape, weights.shape[1]])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)


@pytest.mark.parametrize("gelu", [False, True])
def test_product_in_bytes_is_right_to_a_step_of_its_token_and_channel(tmp_path: Path, gelu: bool) -> None:
    import onnxruntime

    numbers = np.random.default_rng(1)
    weights = numbers.normal(size=(32, 8)).astype(np.float32)
    weights[:, 3] *= 100  # a channel of another size
    x = numbers.normal(size=(2, 3, 32)).astype(np.float32)
    x[0, 1] *= 1000  # and a token
    x[1, 2] = 0
    product_graph(weights, tmp_path / "float32.onnx", gelu)
    quantise(tmp_path / "float32.onnx", tmp_path / "int8.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "int8.onnx", providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": x})
    inputs = torch.nn.functional.gelu(torch.tensor(x)).numpy() if gelu else x
    exact = inputs @ weights
    # Each of the 32 terms is off by half a step of its value times the weight, and half a step of the weight times the value.
    largest = np.abs(inputs).max(-1, keepdims=True) + (0.17 if gelu else 0)
    bound = 32 * largest * np.abs(weights).max(0) / 127
    assert (np.abs(y - exact) <= bound + 1e-6).all()
    typical = np.abs(y - exact) / (np.abs(inputs).max(-1, keepdims=True) * np.abs(weights).max(0) + 1e-9)
    assert typical[:, :2].mean() < 0.03


def test_graph_without_stored_products_is_refused(tmp_path: Path) -> None:
    shape = helper.make_tensor_value_info
    nodes = [helper.make_node("Abs", ["x"], ["y"])]
    graph = helper.make_graph(nodes, "none", [shape("x", 1, [1])], [shape("y", 1, [1])])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), tmp_path / "a.onnx")
    with pytest.raises(CheckpointError, match="no layer in it can be turned to int8"):
        quantise(tmp_path / "a.onnx", tmp_path / "b.onnx")


def test_export_that_answers_otherwise_is_refused_with_the_figures_and_the_one_before_stays(
    copy: Path, tiny_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (copy / "onnx" / "export.json").read_bytes()
    monkeypatch.setattr(gate, "MOST_FLIPPED", -1.0)
    with pytest.raises(CheckpointError, match=r"macro pair-F1 \d\.\d{4} beside \d\.\d{4}.*on 80 segments"):
        export_run(copy, ExportConfig(data=[tiny_run.parent / "validation.jsonl"]))
    assert (copy / "onnx" / "export.json").read_bytes() == before
    assert [path.name for path in copy.iterdir() if path.name.startswith(".")] == []


def test_export_anew_replaces_the_folder(copy: Path, tiny_run: Path) -> None:
    export_run(copy, ExportConfig(data=[tiny_run.parent / "validation.jsonl"]))
    assert sorted(path.name for path in (copy / "onnx").iterdir()) == ["export.json", "int8.onnx"]


def test_export_needs_enough_labelled_segments(run: Path, tiny_run: Path, tmp_path: Path) -> None:
    lines = (tiny_run.parent / "validation.jsonl").read_text(encoding="utf-8").splitlines()[:9]
    (tmp_path / "few.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigError, match="9 segments are too few"):
        export_run(run, ExportConfig(data=[tmp_path / "few.jsonl"]))


def test_validation_file_that_is_gone_is_asked_for(copy: Path) -> None:
    record = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    record["config"]["validation"] = ["gone/validation.jsonl"]
    (copy / "run.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"gone/validation.jsonl is not here; name a file .* --data"):
        export_run(copy, ExportConfig())


def test_labeller_takes_the_engine_that_is_asked_for(run: Path, tiny_run: Path) -> None:
    assert Labeller.load(run, engine="int8").engine == "int8"
    assert Labeller.load(run, engine="float32").engine == "float32"
    assert Labeller.load(tiny_run).engine == "float32"  # nothing to choose from
    assert Labeller.load(run).engine in ("int8", "bfloat16", "float32")
    with pytest.raises(CheckpointError, match="has no int8 form; make it with: naba export"):
        Labeller.load(tiny_run, engine="int8")
    with pytest.raises(ConfigError, match="runs on a GPU"):
        Labeller.load(run, engine="float16", device="cpu")


def test_fastest_engine_is_taken(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = {"int8": 5.0, "float32": 9.0, "bfloat16": 1.0}
    monkeypatch.setattr(exported, "_speed", lambda engine, *arguments: speeds[engine.name])
    assert Labeller.load(run).engine == "float32"
    speeds["int8"] = 10.0
    assert Labeller.load(run).engine == "int8"


def test_form_of_other_weights_is_not_used_and_that_is_told(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    decision = json.loads((copy / "decision.json").read_text())
    decision["topics"] = {}
    (copy / "decision.json").write_text(json.dumps(decision))
    with caplog.at_level("INFO"):
        assert Labeller.load(copy).engine == "float32"
    assert "exported from other weights" in caplog.text
    with pytest.raises(CheckpointError, match="has no int8 form"):
        Labeller.load(copy, engine="int8")


def test_damaged_form_is_told_and_labelling_goes_on_without_it(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    (copy / "onnx" / "int8.onnx").write_bytes(b"x")
    assert Labeller.load(copy).engine != "int8"
    assert "missing or damaged" in caplog.text
    with pytest.raises(CheckpointError, match="missing or damaged"):
        Labeller.load(copy, engine="int8")


def test_processor_that_computes_something_else_is_found_out(copy: Path) -> None:
    path = copy / "onnx" / "export.json"
    record = json.loads(path.read_text())
    record["forms"]["int8"]["probe"]["topic"][0][0] += 1.0
    path.write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match=r"does not compute it as it should \(logits are off by 1\.00\)"):
        Labeller.load(copy, engine="int8")


def test_exported_form_is_evaluated_by_itself(run: Path, tiny_run: Path) -> None:
    config = EvaluateConfig(
        data=[tiny_run.parent / "validation.jsonl"], baselines="none", resamples=200, allow_leak=True, device="cpu"
    )
    own, other = (evaluate_run(path, config)["systems"]["model"] for path in (run, run / "onnx"))
    assert other["basis"] == "int8 form of the run folder run"
    assert other["scores"]["topics"]["macro_f1"] == pytest.approx(own["scores"]["topics"]["macro_f1"], abs=0.05)
    assert load_system(run / "onnx" / "int8.onnx").description == other["basis"]


def test_command_tells_what_was_made(copy: Path, tiny_run: Path, naba: Run) -> None:
    code, out, _ = naba("export", copy, "--data", tiny_run.parent / "validation.jsonl")
    assert code == 0
    assert "onnx/int8.onnx" in out
    assert "of the answers changed" in out
    code, _, errors = naba("export", copy / "nowhere")
    assert code == 2
    assert "no such model folder" in errors
