"""The encoder under pretraining, with its masked-language head and its tokenizer; read from and written to a folder.

The folder is read by `AutoModelForMaskedLM`, to go on, and by `AutoModel`, as `encoder` of `naba train`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, AutoTokenizer

from naba.errors import CheckpointError
from naba.jsonl import write_json
from naba.modelling.checkpoint import weights_file
from naba.modelling.pretrained import check_tokenizer, encoder_mark, explained, locate, without_report

_MASK = "[MASK]"
"""Given to a tokenizer that has no mask token."""


@dataclass
class MaskedEncoder:
    """A model with masked-language head."""

    model: Any
    tokenizer: Any
    head_is_new: bool
    """The encoder brought no head: what it says means nothing before the head was trained."""
    spare: dict[str, Tensor]
    """Weights of the encoder that the masked-language model leaves out, such as BERT's pooler; kept as they were."""
    mark: dict[str, str | None]
    """By what the encoder that was read is known again (`encoder_mark`)."""


def load_masked(encoder: str) -> MaskedEncoder:
    """An encoder to pretrain, its weights in float32; a head that it lacks is made anew, tied to its embeddings.

    Args:
        encoder: a folder or a Hub name.

    Raises:
        CheckpointError: it cannot be read, holds other weights than its kind of encoder, or has no masked-language form.
    """
    source, local = locate(encoder)
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": local}
    with explained(encoder, source), without_report():
        config = AutoConfig.from_pretrained(source, **options)
        if config.is_encoder_decoder or type(config) not in AutoModelForMaskedLM._model_mapping:
            raise CheckpointError(
                f"{encoder}: {config.model_type} is no encoder with a masked-language form in transformers; give one "
                "such as BERT, RoBERTa, ELECTRA or ModernBERT"
            )
        tokenizer = AutoTokenizer.from_pretrained(source, **options)
        options |= {"dtype": torch.float32, "use_safetensors": True, "output_loading_info": True}
        model, found = AutoModelForMaskedLM.from_pretrained(source, **options)
        bare, bare_found = AutoModel.from_pretrained(source, **options)
    check_tokenizer(encoder, tokenizer, bare)
    prefix = f"{model.base_model_prefix}."
    if lost := sorted(name for name in found["missing_keys"] if name.startswith(prefix)):
        raise CheckpointError(
            f"{encoder}: its weights are not those of a {config.model_type} encoder ({lost[0]} is missing); give the "
            "encoder that a run was trained from, not the run"
        )
    head_is_new = bool(found["missing_keys"])
    if head_is_new:
        model.config.tie_word_embeddings = True
        model.tie_weights()
    known = model.base_model.state_dict().keys() | set(bare_found["missing_keys"])
    spare = {name: tensor for name, tensor in bare.state_dict().items() if name not in known}
    if tokenizer.mask_token_id is None:
        tokenizer.add_special_tokens({"mask_token": _MASK})
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer))
    return MaskedEncoder(model, tokenizer, head_is_new, spare, encoder_mark(encoder, loaded=True))


def check_length(encoder: MaskedEncoder, name: str, block_tokens: int) -> None:
    """Have the model read one block. Raises CheckpointError where it has no positions for that many tokens."""
    positions = getattr(encoder.model.config, "max_position_embeddings", None)
    block = torch.full((1, block_tokens), int(encoder.tokenizer.mask_token_id))
    try:
        with torch.no_grad():
            encoder.model.eval()(input_ids=block)
    except (IndexError, RuntimeError):
        limit = f" (max_position_embeddings is {positions})" if positions else ""
        raise CheckpointError(
            f"{name}: cannot read blocks of {block_tokens} tokens{limit}; lower block_tokens"
        ) from None


def save_masked(encoder: MaskedEncoder, folder: Path, dtype: torch.dtype) -> None:
    """Write configuration, tokenizer and weights. Raises CheckpointError if the disk is full."""
    model, prefix = encoder.model, f"{encoder.model.base_model_prefix}."
    weights = model.state_dict() | {prefix + name: tensor for name, tensor in encoder.spare.items()}
    seen: set[int] = set()
    stored = {}
    # Tied weights are stored once, by the encoder's name for them: AutoModel knows no other.
    for name in sorted(weights, key=lambda name: not name.startswith(prefix)):
        tensor = weights[name]
        if tensor.data_ptr() not in seen:
            seen.add(tensor.data_ptr())
            stored[name] = (tensor.to(dtype) if tensor.is_floating_point() else tensor).contiguous()
    config = model.config.to_dict()
    config["architectures"] = [type(model).__name__]
    config.pop("naba", None)  # of a run that it started from: this is none
    config["dtype"] = str(dtype).removeprefix("torch.")
    write_json(folder / "config.json", config)
    with weights_file(folder) as file:
        encoder.tokenizer.save_pretrained(folder)
        save_file(stored, file, metadata={"format": "pt"})
