from pathlib import Path

import pytest
import torch
from torch import nn

from naba.modelling.checkpoint import from_encoder
from naba.schema import LabelSchema

BATCH = {"input_ids": torch.tensor([[2, 7, 8, 9, 3], [2, 7, 3, 0, 0]]), "attention_mask": torch.ones(2, 5).long()}


def test_head_computes_in_float32_whatever_autocast_does_to_the_encoder(
    tiny_encoder: Path, schema: LabelSchema
) -> None:
    torch.manual_seed(0)
    run = from_encoder(
        str(tiny_encoder), schema, normalisation="standard-1", head="attention", max_tokens=32, dropout=0.0
    )
    model = run.model.eval()
    nn.init.normal_(model.head.stance_weight)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        states = model.encoder(**BATCH).last_hidden_state
        logits = model(**BATCH)
    with torch.no_grad():
        wanted = model.head(states.float(), BATCH["attention_mask"])
    assert logits.stance.dtype == logits.topic.dtype == torch.float32
    assert torch.equal(logits.stance, wanted.stance)
    assert torch.equal(logits.topic, wanted.topic)


def test_input_that_the_model_does_not_read_is_refused(tiny_encoder: Path, schema: LabelSchema) -> None:
    run = from_encoder(str(tiny_encoder), schema, normalisation="standard-1", head="plain", max_tokens=32, dropout=0.0)
    with pytest.raises(TypeError, match="atention_mask"):
        run.model(**BATCH, atention_mask=BATCH["attention_mask"])
