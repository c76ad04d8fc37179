"""Run folders: everything a model needs to label, in one folder that can be moved.

`config.json` holds the encoder's configuration and, under "naba", the label schema, the normalisation preset and the
head; `model.safetensors` the weights; beside them the tokenizer's files and `decision.json`. Only safetensors are read,
never pickle, and no code from a model folder is ever run.

    checkpoint = load(Path("models/naba-news"))
    logits = checkpoint.model(**batch)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from naba.calibration import Decision
from naba.errors import CheckpointError, DataError, NabaError
from naba.jsonl import read_json, write_json
from naba.modelling.model import TopicStanceModel
from naba.modelling.pretrained import check_reach, explained, load_pretrained
from naba.paths import find
from naba.schema import LabelSchema
from naba.text import normaliser

FORMAT = 1
"""Version of the "naba" part of config.json; a reader refuses a newer one."""


@dataclass
class Checkpoint:
    """A model with all it needs to read text and decide."""

    model: TopicStanceModel
    tokenizer: Any
    schema: LabelSchema
    normalisation: str
    max_tokens: int
    decision: Decision = field(default_factory=lambda: Decision({}))

    @property
    def normalise(self) -> Callable[[str], str]:
        """The text normalisation the model was trained with."""
        return normaliser(self.normalisation)


def from_encoder(
    encoder: str, schema: LabelSchema, *, normalisation: str, head: str, max_tokens: int, dropout: float
) -> Checkpoint:
    """A model with pretrained encoder and fresh heads.

    Args:
        encoder: a folder or a Hub name of any encoder that `AutoModel` loads, or of a run of naba, whose heads are left.

    Raises:
        CheckpointError: it is neither a readable folder nor reachable on the Hub, or cannot read `max_tokens` tokens.
    """
    normaliser(normalisation)
    topics, stances = len(schema.topic_ids), len(schema.stance_ids)
    tokenizer, backbone = load_pretrained(encoder, head=head, labels=topics * (1 + stances), dropout=dropout)
    check_reach(encoder, tokenizer, backbone, max_tokens)
    model = TopicStanceModel(backbone, topics, stances, head, dropout)
    return Checkpoint(model, tokenizer, schema, normalisation, max_tokens)


def save(checkpoint: Checkpoint, folder: Path, dtype: torch.dtype | None = None) -> None:
    """Write weights, configuration, tokenizer and decision; `dtype` float16 halves the file."""
    folder.mkdir(parents=True, exist_ok=True)
    model = checkpoint.model
    config = model.config.to_dict()
    config["architectures"] = [type(model.classifier).__name__] if model.head_kind == "plain" else ["TopicStanceModel"]
    config["dtype"] = str(dtype or torch.float32).removeprefix("torch.")
    config["naba"] = {
        "format": FORMAT,
        "head": model.head_kind,
        "normalisation": checkpoint.normalisation,
        "max_tokens": checkpoint.max_tokens,
        "schema_fingerprint": checkpoint.schema.fingerprint,
        "schema": checkpoint.schema.model_dump(mode="json"),
    }
    if model.head_kind == "plain":
        names = _plain_labels(checkpoint.schema)
        config |= {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
        config["problem_type"] = "multi_label_classification"
    weights = {
        name: (tensor.to(dtype) if dtype and tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in _weights(model).state_dict().items()
    }
    checkpoint.tokenizer.save_pretrained(folder)
    with weights_file(folder) as file:
        save_file(weights, file, metadata={"format": "pt"})
    write_json(folder / "config.json", config)
    write_json(folder / "decision.json", checkpoint.decision.to_dict())


@contextmanager
def weights_file(folder: Path) -> Iterator[Path]:
    """Where the block writes weights that become model.safetensors once they are whole, readable as its neighbours are.

    Raises CheckpointError where the block, or this, cannot write.
    """
    temporary = folder / ".model.safetensors.tmp"
    try:
        yield temporary
        # safetensors makes files only their owner can read.
        temporary.chmod((folder / "tokenizer_config.json").stat().st_mode)
        temporary.replace(folder / "model.safetensors")
    except (OSError, SafetensorError) as error:
        temporary.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or error
        raise CheckpointError(
            f"{folder}: the weights cannot be written ({reason}); free some space and start again"
        ) from None


def load(folder: Path) -> Checkpoint:
    """Read a run folder; weights become float32 whatever they are stored as.

    Raises:
        CheckpointError: the folder is missing or incomplete, or does not fit this version of naba or its own schema.
    """
    folder = find(folder)
    if not folder.is_dir():
        raise CheckpointError(
            f"{folder}: no such model folder; train one with `naba train` or name another with --model"
        )
    # Where the tokenizer's files are gone, transformers would make one up that knows no word.
    for name in ("config.json", "model.safetensors", "decision.json", "tokenizer.json", "tokenizer_config.json"):
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder}: {name} is missing; this is not a complete run folder of naba")
    settings, schema = _settings(folder)
    with explained(str(folder), str(folder), "as a run; copy the folder again, or train anew"):
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        kind = AutoModelForSequenceClassification if settings["head"] == "plain" else AutoModel
        backbone = kind.from_config(config, dtype=torch.float32)
        weights = load_file(folder / "model.safetensors")
    model = TopicStanceModel(backbone, len(schema.topic_ids), len(schema.stance_ids), settings["head"])
    try:
        _weights(model).load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"{folder}: the weights do not fit config.json ({' '.join(str(error).split())[:200]})"
        ) from None
    try:
        decision = Decision.from_dict(read_json(folder / "decision.json"), schema)
    except DataError as error:
        raise CheckpointError(str(error)) from None
    return Checkpoint(model.eval(), tokenizer, schema, settings["normalisation"], settings["max_tokens"], decision)


def _settings(folder: Path) -> tuple[dict[str, Any], LabelSchema]:
    try:
        settings = read_json(folder / "config.json").get("naba")
    except DataError as error:
        raise CheckpointError(str(error)) from None
    if not isinstance(settings, dict) or settings.get("format") != FORMAT:
        raise CheckpointError(f"{folder}: not a run of this version of naba (config.json has no naba format {FORMAT})")
    try:
        schema = LabelSchema.parse(settings.get("schema"), str(folder / "config.json"))
        normaliser(str(settings.get("normalisation")))
    except NabaError as error:
        raise CheckpointError(str(error)) from None
    if schema.fingerprint != settings.get("schema_fingerprint"):
        raise CheckpointError(f"{folder}: the label schema in config.json was changed after training; restore the file")
    return settings, schema


def _weights(model: TopicStanceModel) -> torch.nn.Module:
    """What is stored: a plain model's own classifier, so that the folder loads as `…ForSequenceClassification`."""
    return model.classifier if model.head_kind == "plain" else model


def _plain_labels(schema: LabelSchema) -> list[str]:
    pairs = [f"{topic}:{stance}" for topic in schema.topic_ids for stance in schema.stance_ids]
    return [*schema.topic_ids, *pairs]
