import json
import shutil
from pathlib import Path

import pytest
import torch

from naba.errors import CheckpointError
from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.encode import pad
from naba.schema import LabelSchema


def fresh(encoder: Path, schema: LabelSchema, head: str = "attention") -> Checkpoint:
    torch.manual_seed(1)
    return checkpoints.from_encoder(
        str(encoder), schema, normalisation="standard-1", head=head, max_tokens=64, dropout=0.1
    )


def logits(run: Checkpoint) -> torch.Tensor:
    batch = pad(run.tokenizer(["قال الوزير", "غارة على غزة أمس"])["input_ids"], run.tokenizer.pad_token_id)
    with torch.inference_mode():
        out = run.model.eval()(**batch)
    return torch.cat([out.topic.flatten(), out.stance.flatten()])


@pytest.mark.parametrize("head", ["attention", "plain"])
def test_reload_gives_identical_logits_also_from_another_folder(
    tiny_encoder: Path, schema: LabelSchema, tmp_path: Path, head: str
) -> None:
    run = fresh(tiny_encoder, schema, head)
    checkpoints.save(run, tmp_path / "a")
    shutil.move(tmp_path / "a", tmp_path / "b")
    again = checkpoints.load(tmp_path / "b")
    assert torch.equal(logits(run), logits(again))
    assert (again.schema, again.normalisation, again.max_tokens) == (schema, "standard-1", 64)


def test_half_precision_file_loads_as_float32_and_is_half_the_size(
    tiny_encoder: Path, schema: LabelSchema, tmp_path: Path
) -> None:
    run = fresh(tiny_encoder, schema)
    checkpoints.save(run, tmp_path / "full")
    checkpoints.save(run, tmp_path / "half", torch.float16)
    again = checkpoints.load(tmp_path / "half")
    assert next(again.model.parameters()).dtype == torch.float32
    assert torch.allclose(logits(run), logits(again), atol=1e-2)
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("half", "full")]
    assert sizes[0] < 0.6 * sizes[1]


def test_plain_head_loads_as_the_usual_sequence_classifier(
    tiny_encoder: Path, schema: LabelSchema, tmp_path: Path
) -> None:
    from transformers import AutoModelForSequenceClassification

    run = fresh(tiny_encoder, schema, "plain")
    checkpoints.save(run, tmp_path / "run")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "run")
    assert type(model).__name__ == "BertForSequenceClassification"
    assert model.config.num_labels == 12
    assert model.config.id2label[3] == "diplomacy:support"


def test_other_schema_changes_the_heads(tiny_encoder: Path, markets: LabelSchema) -> None:
    assert logits(fresh(tiny_encoder, markets)).numel() == 2 * 4 + 2 * 4 * 2


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "decision.json", "tokenizer.json", "tokenizer_config.json"]
)
def test_incomplete_run_names_the_missing_file(tiny_run: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(tiny_run, tmp_path / "run")
    (tmp_path / "run" / name).unlink()
    with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
        checkpoints.load(tmp_path / "run")


def test_schema_edited_after_training_is_refused(tiny_run: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_run, tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    config = json.loads(path.read_text())
    config["naba"]["schema"]["topics"].reverse()
    path.write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="changed after training"):
        checkpoints.load(tmp_path / "run")


def test_damaged_weights_and_foreign_folders_are_clear_errors(
    tiny_run: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_run, tmp_path / "run")
    (tmp_path / "run" / "model.safetensors").write_bytes(b"half")
    with pytest.raises(CheckpointError, match="cannot be loaded as a run; copy the folder again"):
        checkpoints.load(tmp_path / "run")
    with pytest.raises(CheckpointError, match="no such model folder"):
        checkpoints.load(tmp_path / "none")
    with pytest.raises(CheckpointError, match=r"decision\.json is missing"):
        checkpoints.load(tiny_encoder)


def test_encoder_that_is_nowhere_and_tokens_beyond_its_reach_are_told(
    tiny_encoder: Path, schema: LabelSchema, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match="cannot be loaded as an encoder"):
        fresh(tmp_path / "empty", schema)
    with pytest.raises(CheckpointError, match="models/none: no such folder"):
        fresh(Path("models/none"), schema)
    with pytest.raises(CheckpointError, match="reads at most 128 tokens"):
        checkpoints.from_encoder(
            str(tiny_encoder), schema, normalisation="standard-1", head="attention", max_tokens=500, dropout=0.1
        )
