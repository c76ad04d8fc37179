from pathlib import Path
from typing import Any

import pytest
import torch

from naba.errors import CheckpointError
from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.layers import keep_layers, spaced
from naba.schema import LabelSchema
from tests.modelling.encoders import FAMILIES, build

BATCH = {
    "input_ids": torch.tensor([[5, 6, 7, 8] * 10, [9, 10, 11, 12] * 10]),
    "attention_mask": torch.tensor([[1] * 40, [1] * 30 + [0] * 10]),
}


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each architecture, saved once."""
    folder = tmp_path_factory.mktemp("encoders")
    return {family: build(family, folder / family) for family in FAMILIES}


def fresh(encoder: Path, schema: LabelSchema, head: str = "attention") -> Checkpoint:
    torch.manual_seed(0)
    return checkpoints.from_encoder(
        str(encoder), schema, normalisation="standard-1", head=head, max_tokens=48, dropout=0.0
    )


def test_layers_are_spread_from_the_first_to_the_last() -> None:
    assert spaced(12, 6) == [0, 2, 4, 7, 9, 11]  # DistilBERT's
    assert spaced(12, 4) == [0, 4, 7, 11]
    assert spaced(12, 12) == list(range(12))
    assert spaced(12, 2) == [0, 11]
    assert spaced(12, 1) == [0]
    assert spaced(1, 1) == [0]


@pytest.mark.parametrize("head", ["attention", "plain"])
@pytest.mark.parametrize("family", FAMILIES)
def test_smaller_model_of_every_architecture_reloads_to_the_same_logits(
    family: str, head: str, encoders: dict[str, Path], schema: LabelSchema, tmp_path: Path
) -> None:
    run = fresh(encoders[family], schema, head)
    whole = sum(parameter.numel() for parameter in run.model.parameters())
    keep_layers(run.model, 1)
    run.model.eval()
    before = run.model(**BATCH)
    checkpoints.save(run, tmp_path / "run")
    again = checkpoints.load(tmp_path / "run")
    after = again.model(**BATCH)
    assert again.model.config.num_hidden_layers == 1
    assert sum(parameter.numel() for parameter in again.model.parameters()) < whole
    assert torch.equal(before.topic, after.topic)
    assert torch.equal(before.stance, after.stance)


def test_layers_that_stay_keep_their_weights_and_others_go(encoders: dict[str, Path], schema: LabelSchema) -> None:
    whole, small = fresh(encoders["bert-wordpiece"], schema), fresh(encoders["bert-wordpiece"], schema)
    keep_layers(small.model, 1)
    kept: Any = small.model.encoder.encoder.layer
    assert len(kept) == 1
    first: Any = whole.model.encoder.encoder.layer[0]
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(kept[0].parameters(), first.parameters(), strict=True))


def test_all_layers_is_no_change(encoders: dict[str, Path], schema: LabelSchema) -> None:
    whole, same = fresh(encoders["modernbert-bpe"], schema), fresh(encoders["modernbert-bpe"], schema)
    keep_layers(same.model, 3)
    assert torch.equal(whole.model.eval()(**BATCH).topic, same.model.eval()(**BATCH).topic)


def test_modernbert_layers_attend_as_before(encoders: dict[str, Path], schema: LabelSchema, tmp_path: Path) -> None:
    run = fresh(encoders["modernbert-bpe"], schema)
    assert run.model.config.layer_types == ["full_attention", "sliding_attention", "sliding_attention"]
    keep_layers(run.model, 2)  # the first and the third
    checkpoints.save(run, tmp_path / "run")
    again = checkpoints.load(tmp_path / "run").model
    assert again.config.layer_types == ["full_attention", "sliding_attention"]
    assert [layer.attention_type for layer in again.encoder.layers] == ["full_attention", "sliding_attention"]
    assert again.encoder.layers[1].attn.sliding_window == run.model.encoder.layers[1].attn.sliding_window


@pytest.mark.parametrize(("count", "says"), [(3, "has 2 layers.*from 1 to 2"), (0, "from 1 to 2"), (-1, "from 1 to 2")])
def test_number_that_the_encoder_cannot_give_is_told(
    count: int, says: str, encoders: dict[str, Path], schema: LabelSchema
) -> None:
    with pytest.raises(CheckpointError, match=f"layers = {count}: .*{says}"):
        keep_layers(fresh(encoders["bert-wordpiece"], schema).model, count)


def test_architecture_that_is_not_known_is_refused(encoders: dict[str, Path], schema: LabelSchema) -> None:
    model = fresh(encoders["bert-wordpiece"], schema).model
    model.config.model_type = "albert"
    with pytest.raises(CheckpointError, match="an encoder of type albert cannot lose layers"):
        keep_layers(model, 1)
