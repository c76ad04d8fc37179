"""Pretrained encoders: a folder or a Hub name becomes tokenizer and weights, or one line saying why not.

Only safetensors are read, never pickle, and no code that comes with an encoder is ever run. A Hub that does not answer
costs seconds: what an earlier run left in its cache is used, else the error is told at once.

    tokenizer, backbone = load_pretrained("aubmindlab/bert-base-arabertv02", head="attention", labels=12, dropout=0.1)
    check_reach("aubmindlab/bert-base-arabertv02", tokenizer, backbone, max_tokens=192)
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import cached_file
from transformers.utils import logging as transformers_logging

from naba.errors import CheckpointError
from naba.modelling.encode import PAD_TO
from naba.modelling.run_encoder import run_settings, take_encoder
from naba.paths import find
from naba.run import describe_encoder

HUB_TIMEOUT = 5.0
"""Seconds the Hub has to answer before an encoder is looked for in its cache alone."""

logger = logging.getLogger(__name__)


def load_pretrained(encoder: str, *, head: str, labels: int, dropout: float) -> tuple[Any, Any]:
    """Tokenizer and model of an encoder, weights in float32.

    Args:
        encoder: a folder or a Hub name of any encoder that `AutoModel` loads, or of a run of naba, whose encoder is taken.
        head: "attention": the bare encoder; "plain": the architecture's own sequence classifier with `labels` logits.
        dropout: of the plain head's input.

    Raises:
        CheckpointError: it is not there, cannot be reached, is not whole, or needs code or pickle of its own.
    """
    source, local = locate(encoder)
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": local}
    with explained(encoder, source), without_report():
        config = AutoConfig.from_pretrained(source, **options)
        if config.is_encoder_decoder:
            raise CheckpointError(
                f"{encoder}: encodes and decodes ({config.model_type}); give a model that only encodes"
            )
        tokenizer = AutoTokenizer.from_pretrained(source, **options)
        kind: Any = AutoModel
        if head == "plain":
            kind, config.num_labels = AutoModelForSequenceClassification, labels
            # The heads' dropout has one of two names, by architecture.
            name = "seq_classif_dropout" if hasattr(config, "seq_classif_dropout") else "classifier_dropout"
            setattr(config, name, dropout)
        if (settings := run_settings(config)) is not None:
            config.problem_type = None
            backbone = kind.from_config(config, dtype=torch.float32)
            weights = load_file(str(cached_file(source, "model.safetensors", local_files_only=local)))
            take_encoder(backbone, settings, weights, encoder)
        else:
            options |= {"dtype": torch.float32, "use_safetensors": True, "output_loading_info": True}
            options["ignore_mismatched_sizes"] = True  # of a head for other labels; the encoder's own are refused here
            backbone, loaded = kind.from_pretrained(source, config=config, **options)
            _check_whole(encoder, backbone, loaded)
    check_tokenizer(encoder, tokenizer, backbone)
    return tokenizer, backbone


def encoder_mark(name: str, *, loaded: bool = False) -> dict[str, str | None]:
    """By what an encoder is known again: the content of a folder, the commit that a Hub name stands for.

    Args:
        name: a folder or a Hub name.
        loaded: it was loaded here just now: the commit that was read is told, and the Hub is not asked again.

    Raises CheckpointError for a folder that is not there, or a Hub name that cannot be reached.
    """
    source, local = (str(find(Path(name))), True) if loaded else locate(name)
    if Path(source).is_dir():
        return describe_encoder(name, None)
    with explained(name, source):
        # The cache keeps what was read of a commit in a folder of that name; transformers tells it no more.
        file = Path(hf_hub_download(source, "config.json", local_files_only=local))
    return describe_encoder(name, file.parent.name)


def check_reach(encoder: str, tokenizer: Any, backbone: Any, max_tokens: int) -> None:
    """Raise CheckpointError where an encoder cannot read `max_tokens` tokens; warn where its tokenizer advises less."""
    reach = _reach(backbone)
    if reach is not None and max_tokens > reach:
        raise CheckpointError(f"{encoder}: reads at most {reach} tokens, max_tokens is {max_tokens}; lower max_tokens")
    if max_tokens > tokenizer.model_max_length:
        logger.warning(
            "%s: its tokenizer is made for %d tokens, max_tokens is %d; what stands beyond may not have been trained",
            encoder,
            tokenizer.model_max_length,
            max_tokens,
        )


@contextmanager
def explained(name: str, source: str, advice: str = "") -> Iterator[None]:
    """Turn whatever reading a model's files raises into a CheckpointError of one line.

    Args:
        name: the model as the user named it.
        source: the folder or Hub name it is read from.
        advice: what to do where nothing more is known of the fault; empty: what an encoder has to have.
    """
    try:
        yield
    except (CheckpointError, MemoryError):
        raise
    except Exception as error:  # the tokenizers library raises no narrower class
        reason = str(error)
        if "trust_remote_code" in reason:
            raise CheckpointError(
                f"{name}: comes with code of its own, which is never run; choose an architecture that transformers has"
            ) from None
        if "tiktoken" in reason or "sentencepiece" in reason.lower():
            raise CheckpointError(
                f"{name}: its tokenizer is a SentencePiece model alone; pip install sentencepiece, or add a tokenizer.json"
            ) from None
        if "safetensors" in reason and not Path(source).is_dir():
            raise CheckpointError(f"{name}: {_CONVERT.format(name=source, folder=Path(source).name)}") from None
        raise CheckpointError(f"{name}: cannot be loaded {advice or _ADVICE} ({_short(error)})") from None


_ADVICE = (
    "as an encoder; give a folder with config.json, model.safetensors and tokenizer, or a Hub name that can be reached "
    "from here"
)
_CONVERT = (
    "has no model.safetensors, and pickled weights are never read; convert them once, where you trust them, and name the "
    'new folder: python -c "from transformers import AutoModelForMaskedLM as M, AutoTokenizer as T; '
    "M.from_pretrained('{name}').save_pretrained('models/{folder}'); "
    "T.from_pretrained('{name}').save_pretrained('models/{folder}')\""
)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160]


def locate(encoder: str) -> tuple[str, bool]:
    """Where to load from, and whether without the network."""
    folder = find(Path(encoder))
    if folder.is_dir():
        weights = {path.suffix for path in folder.iterdir() if path.suffix in (".safetensors", ".bin")}
        if weights == {".bin"}:
            raise CheckpointError(f"{encoder}: {_CONVERT.format(name=folder, folder=folder.name + '-safe')}")
        return str(folder), True
    if folder.exists():
        raise CheckpointError(f"{encoder}: is a file; an encoder is a folder or a Hub name")
    named = folder.is_absolute() or encoder.startswith(".") or encoder.count("/") > 1
    if named or find(folder.parent).name == "models":
        raise CheckpointError(f"{encoder}: no such folder; cannot be loaded as an encoder")
    return encoder, _without_hub(encoder)


def _without_hub(name: str) -> bool:
    """Whether a Hub name has to be read from the cache. Raises CheckpointError where it is in neither."""
    try:
        get_hf_file_metadata(hf_hub_url(name, "config.json"), timeout=HUB_TIMEOUT)
        return False
    except GatedRepoError:
        fault = f"is gated; accept its terms at https://huggingface.co/{name}, then log in with `hf auth login`"
    except EntryNotFoundError:
        fault = "has no config.json on the Hub; it is no model of transformers"
    except (RepositoryNotFoundError, HFValidationError):
        fault = (
            "is neither a folder here nor a public model on the Hub; check the spelling, or log in with `hf auth login`"
        )
    except Exception as error:  # of whichever library the Hub's client speaks HTTP with
        wanted = isinstance(error, OfflineModeIsEnabled)
        if isinstance(try_to_load_from_cache(name, "config.json"), str):
            if not wanted:
                logger.warning("%s: the Hub does not answer; the copy in its cache is used", name)
            return True
        reason = "HF_HUB_OFFLINE is set" if wanted else f"the Hub does not answer: {_short(error)}"
        fault = f"is not in the Hub's cache here, and cannot be fetched ({reason}); go online, or name a folder"
    raise CheckpointError(f"{name}: cannot be loaded as an encoder: it {fault}") from None


def _check_whole(encoder: str, backbone: Any, loaded: dict[str, Any]) -> None:
    """Raise CheckpointError where part of the encoder itself would start from chance; heads and poolers may."""
    prefix = f"{backbone.base_model_prefix}." if hasattr(backbone, backbone.base_model_prefix) else ""
    absent = {*loaded["missing_keys"], *(key for key, *_ in loaded["mismatched_keys"])}
    faulty = sorted(key for key in absent if key.startswith(prefix) and "pooler." not in key)
    if faulty:
        raise CheckpointError(
            f"{encoder}: its weights lack {faulty[0]}, or have it in another size, and {len(faulty) - 1} more; they are "
            "not of the architecture that config.json names"
        )


def check_tokenizer(encoder: str, tokenizer: Any, backbone: Any) -> None:
    if len(tokenizer) <= len(tokenizer.all_special_tokens):  # what transformers makes up where there are no files
        raise CheckpointError(f"{encoder}: has no tokenizer; put its tokenizer.json, or vocab.txt, beside config.json")
    if not getattr(tokenizer, "is_fast", False):
        raise CheckpointError(f"{encoder}: its tokenizer has no fast form; give a folder with a tokenizer.json")
    if tokenizer.pad_token_id is None:
        raise CheckpointError(f"{encoder}: its tokenizer has no pad_token; name one in its tokenizer_config.json")
    pieces = backbone.get_input_embeddings().num_embeddings
    if len(tokenizer) > pieces:
        raise CheckpointError(
            f"{encoder}: its tokenizer has {len(tokenizer):,} pieces, its weights {pieces:,}; they are not of one model"
        )
    table = _positions(backbone)
    if table is not None and table.padding_idx not in (None, tokenizer.pad_token_id):
        raise CheckpointError(
            f"{encoder}: its tokenizer pads with {tokenizer.pad_token_id}, its config.json with {table.padding_idx}; "
            "set pad_token_id to the tokenizer's"
        )


def _reach(backbone: Any) -> int | None:
    """Most tokens that a batch of an encoder can hold; None where nothing limits them."""
    table = _positions(backbone)
    if table is None:
        return getattr(backbone.config, "max_position_embeddings", None)
    if table.padding_idx is None:
        return table.num_embeddings // PAD_TO * PAD_TO  # batches are rounded up, and padding takes a position too
    return table.num_embeddings - table.padding_idx - 1  # RoBERTa's family: the rows up to padding's hold no token


def _positions(backbone: Any) -> torch.nn.Embedding | None:
    """The table of learnt absolute positions, where the architecture has one."""
    for name, module in backbone.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            return module
    return None


@contextmanager
def without_report() -> Iterator[None]:
    """Keep transformers from printing which weights it left out: heads always are, and `_check_whole` sees the rest."""
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(before)
