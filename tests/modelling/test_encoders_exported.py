"""Every architecture and tokenizer family, with both heads, is exported: the graph answers as the model does."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from naba.exporting.graph import write_graph
from naba.exporting.int8 import quantise
from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.encode import pad
from naba.modelling.engines import OnnxEngine, TorchEngine
from naba.schema import LabelSchema
from tests.modelling.encoders import FAMILIES, READS

TEXTS = ["قال الوزير", "غارة على غزة أمس, و 3 قتلى", "", "Reuters 🚨 قُتِلَ", "قصفت الطائرات المدينة " * 40]
FAST = [("bert-unigram", "attention"), ("modernbert-bpe", "plain")]


def matrix() -> list[object]:
    return [
        pytest.param(family, head, marks=[] if (family, head) in FAST else pytest.mark.slow)
        for family in FAMILIES
        for head in ("attention", "plain")
    ]


def louder(run: Checkpoint) -> None:
    """Make the heads' weights so large that texts get answers which differ by about 1."""
    ids = run.tokenizer(TEXTS, truncation=True, max_length=READS)["input_ids"]
    batch = pad(ids, run.tokenizer.pad_token_id)
    answers = TorchEngine(run.model.eval()).run(batch)
    spread = np.concatenate([np.ptp(part, axis=0).ravel() for part in answers]).mean()
    encoder = {id(parameter) for parameter in run.model.encoder_parameters()}
    last = [parameter for parameter in run.model.parameters() if id(parameter) not in encoder and parameter.dim() > 1]
    with torch.no_grad():
        for parameter in last if run.model.head_kind == "attention" else last[-1:]:
            parameter.mul_(1 / float(spread))


@pytest.mark.parametrize(("family", "head"), matrix())
def test_exported_encoder_answers_as_the_model_does(
    encoder: Callable[[str], Path], schema: LabelSchema, tmp_path: Path, family: str, head: str
) -> None:
    torch.manual_seed(1)
    options = {"normalisation": "standard-1", "head": head, "max_tokens": READS, "dropout": 0.1}
    fresh = checkpoints.from_encoder(str(encoder(family)), schema, **options)  # type: ignore[arg-type]
    louder(fresh)
    checkpoints.save(fresh, tmp_path / "run")
    write_graph(checkpoints.load(tmp_path / "run"), tmp_path / "float32.onnx")
    quantise(tmp_path / "float32.onnx", tmp_path / "int8.onnx")
    run = checkpoints.load(tmp_path / "run")
    ids = [tokens[:READS] for tokens in run.tokenizer(TEXTS)["input_ids"]]
    assert max(map(len, ids)) == READS
    model = TorchEngine(run.model.eval())
    spread = np.concatenate([np.ptp(part, axis=0).ravel() for part in model.run(pad(ids, run.tokenizer.pad_token_id))])
    assert spread.mean() > 0.5  # else the tolerances below would let any answer pass
    for rows in ([0], [1, 3, 2], [4, 0]):
        batch = pad([ids[row] for row in rows], run.tokenizer.pad_token_id)
        wanted = model.run(batch)
        exact = OnnxEngine(tmp_path / "float32.onnx", "float32").run(batch)
        bytes_ = OnnxEngine(tmp_path / "int8.onnx", "int8").run(batch)
        for theirs, ours, rough in zip(wanted, exact, bytes_, strict=True):
            assert np.allclose(ours, theirs, atol=1e-4)
            # Where all texts look nearly alike to an untrained encoder, bytes are right to a share of the answers' size.
            assert np.abs(rough - theirs).mean() < 0.1 * spread.mean() + 0.01 * np.abs(theirs).mean()
    products = [node for node in onnx.load(tmp_path / "int8.onnx").graph.node if node.op_type == "MatMulIntegerToFloat"]
    assert len(products) >= 4 * run.model.config.num_hidden_layers
