import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer, GPT2Config, GPT2Model

from naba.errors import CheckpointError
from naba.modelling import checkpoint as checkpoints
from naba.pretraining.encoder import check_length, load_masked, save_masked
from naba.schema import LabelSchema

NEW = {
    "bert-wordpiece": True,
    "bert-unigram": True,
    "roberta": False,
    "xlm-roberta": False,
    "electra": True,
    "modernbert": False,
}


@pytest.mark.parametrize("kind", NEW)
def test_saved_encoder_is_the_same_for_every_reader(encoders: dict[str, Path], kind: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    encoder = load_masked(str(encoders[kind]))
    assert encoder.head_is_new == NEW[kind]
    assert encoder.model.get_output_embeddings().weight is encoder.model.get_input_embeddings().weight
    with torch.no_grad():
        for parameter in encoder.model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.01)
    save_masked(encoder, tmp_path / "saved", torch.float32)
    ids = AutoTokenizer.from_pretrained(tmp_path / "saved")("أعلنت وزارة الصحة", return_tensors="pt")
    whole, found = AutoModelForMaskedLM.from_pretrained(tmp_path / "saved", output_loading_info=True)
    assert not found["missing_keys"]
    bare, found = AutoModel.from_pretrained(tmp_path / "saved", output_loading_info=True)
    if kind != "roberta" and kind != "xlm-roberta":  # saved without the pooler that AutoModel gives them
        assert not found["missing_keys"]
    with torch.no_grad():
        wanted = encoder.model.eval()(**ids, output_hidden_states=True)
        assert torch.equal(whole.eval()(**ids).logits, wanted.logits)
        assert torch.equal(bare.eval()(**ids).last_hidden_state, wanted.hidden_states[-1])
    again = load_masked(str(tmp_path / "saved"))
    assert not again.head_is_new
    if kind.startswith("bert"):
        pooler = AutoModel.from_pretrained(encoders[kind]).pooler.dense.weight
        assert torch.equal(bare.pooler.dense.weight, pooler)
        assert torch.equal(again.spare["pooler.dense.weight"], pooler)


def test_half_precision_halves_the_file(tiny_encoder: Path, tmp_path: Path) -> None:
    encoder = load_masked(str(tiny_encoder))
    sizes = []
    for dtype in (torch.float32, torch.float16):
        save_masked(encoder, tmp_path / str(dtype), dtype)
        sizes.append((tmp_path / str(dtype) / "model.safetensors").stat().st_size)
    assert sizes[1] < 0.6 * sizes[0]
    assert json.loads((tmp_path / str(torch.float16) / "config.json").read_text())["dtype"] == "float16"
    weights = load_masked(str(tmp_path / str(torch.float16))).model.state_dict()
    for name, tensor in encoder.model.state_dict().items():
        assert weights[name].dtype == tensor.dtype
        assert torch.allclose(weights[name], tensor, atol=1e-3)


def test_tokenizer_without_a_mask_token_gets_one_that_is_kept(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "without"
    shutil.copytree(tiny_encoder, folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    del settings["mask_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["added_tokens"] = [token for token in tokenizer["added_tokens"] if token["content"] != "[MASK]"]
    tokenizer["model"]["vocab"]["[OTHER]"] = tokenizer["model"]["vocab"].pop("[MASK]")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert AutoTokenizer.from_pretrained(folder).mask_token_id is None
    encoder = load_masked(str(folder))
    assert encoder.tokenizer.mask_token_id == 600
    assert encoder.model.get_input_embeddings().num_embeddings == 601
    save_masked(encoder, tmp_path / "saved", torch.float32)
    again = load_masked(str(tmp_path / "saved"))
    assert again.tokenizer.mask_token_id == 600
    assert AutoModel.from_pretrained(tmp_path / "saved").config.vocab_size == 601


def test_what_is_no_masked_encoder_is_told(
    tiny_run: Path, root: Path, tmp_path: Path, save_tokenizer: Callable[[Path, str], Any]
) -> None:
    with pytest.raises(CheckpointError, match="models/none: no such folder"):
        load_masked("models/none")
    with pytest.raises(CheckpointError, match="cannot be loaded as an encoder"):
        load_masked(str(root / "seeds"))
    with pytest.raises(CheckpointError, match="give the encoder that a run was trained from, not the run"):
        load_masked(str(tiny_run))
    save_tokenizer(tmp_path, "bytes")
    GPT2Model(GPT2Config(vocab_size=400, n_embd=32, n_layer=1, n_head=2)).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="gpt2 is no encoder with a masked-language form"):
        load_masked(str(tmp_path))


@pytest.mark.parametrize(("kind", "most"), [("bert-wordpiece", 128), ("roberta", 64), ("xlm-roberta", 64)])
def test_blocks_longer_than_the_positions_are_told(encoders: dict[str, Path], kind: str, most: int) -> None:
    # RoBERTa counts positions from the padding token's number, 1: of 66 it can use 64.
    encoder = load_masked(str(encoders[kind]))
    check_length(encoder, kind, most)
    with pytest.raises(CheckpointError, match=f"cannot read blocks of {most + 1} tokens.*lower block_tokens"):
        check_length(encoder, kind, most + 1)


def test_encoder_that_was_a_run_is_none_any_more(
    encoders: dict[str, Path], schema: LabelSchema, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"normalisation": "standard-1", "head": "plain", "max_tokens": 32, "dropout": 0.1}
    checkpoints.save(checkpoints.from_encoder(str(encoders["roberta"]), schema, **options), tmp_path / "run")
    encoder = load_masked(str(tmp_path / "run"))
    assert encoder.mark["name"] == str(tmp_path / "run")
    save_masked(encoder, tmp_path / "adapted", torch.float32)
    assert "naba" not in json.loads((tmp_path / "adapted" / "config.json").read_text())
