"""Somebody else's text classifier: any `AutoModelForSequenceClassification`, from a folder or the Hub, as raw scores.

    classifier = TextClassifier.load("somebody/news")
    classifier.logits(["…"])  # [1, K], in the order of classifier.labels

What its labels mean is `naba.evaluation.label_mapping`'s.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from naba.errors import CheckpointError
from naba.modelling.device import pick_device
from naba.modelling.encode import pad
from naba.modelling.pretrained import check_reach, check_tokenizer, explained, locate, without_report
from naba.progress import SILENT, Progress
from naba.scores import Floats
from naba.text import normaliser

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TextClassifier:
    """A loaded classifier with K labels."""

    name: str
    tokenizer: Any
    model: Any
    normalise: Callable[[str], str]
    max_tokens: int
    """Longer texts are cut, as such classifiers are used."""

    @classmethod
    def load(
        cls, name: str, *, normalisation: str = "standard-1", max_tokens: int = 192, device: str = "auto"
    ) -> "TextClassifier":
        """Load a folder or Hub name.

        Raises:
            CheckpointError: it is not there, cannot be reached, needs code or pickle of its own, has no trained
                classifier, or cannot read `max_tokens` tokens.
            ConfigError: the normalisation is unknown, or CUDA asked for and absent.
        """
        normalise = normaliser(normalisation)
        source, local = locate(name)
        options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": local}
        with explained(name, source), without_report():
            tokenizer = AutoTokenizer.from_pretrained(source, **options)
            options |= {"dtype": torch.float32, "use_safetensors": True, "output_loading_info": True}
            model, loaded = AutoModelForSequenceClassification.from_pretrained(source, **options)
        if untrained := {*loaded["missing_keys"], *(key for key, *_ in loaded["mismatched_keys"])}:
            raise CheckpointError(
                f"{name}: has no trained classifier, its weights lack {min(untrained)}; an encoder is for `naba train` to "
                "fine-tune"
            )
        check_tokenizer(name, tokenizer, model)
        check_reach(name, tokenizer, model, max_tokens)
        return cls(name, tokenizer, model.eval().to(pick_device(device)), normalise, max_tokens)

    @property
    def labels(self) -> list[str]:
        """Names of the labels [K], as its config.json has them."""
        return [str(label) for _, label in sorted(self.model.config.id2label.items())]

    @property
    def architecture(self) -> str:
        """Name of its architecture, such as "bert"."""
        return str(self.model.config.model_type)

    def logits(self, texts: Sequence[str], *, batch_size: int = 32, progress: Progress = SILENT) -> Floats:
        """Raw scores [N, K] in the order of the texts."""
        found = np.zeros((len(texts), len(self.labels)), dtype=np.float32)
        pieces = self._encoded(texts) if texts else []
        order = sorted(range(len(pieces)), key=lambda row: len(pieces[row]), reverse=True)
        with torch.inference_mode(), progress.task("labelling", len(pieces), "segments") as advance:
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                batch = pad([pieces[row] for row in rows], self.tokenizer.pad_token_id)
                scores = self.model(**{name: tensor.to(self.model.device) for name, tensor in batch.items()}).logits
                found[rows] = scores.float().cpu().numpy()
                advance(len(rows), "")
        return found

    def _encoded(self, texts: Sequence[str]) -> list[list[int]]:
        # One token more than is read, so that what is cut can be counted.
        encoded = self.tokenizer(
            [self.normalise(text) for text in texts], truncation=True, max_length=self.max_tokens + 1
        )
        if cut := sum(len(ids) > self.max_tokens for ids in encoded["input_ids"]):
            logger.warning("%s: %d of %d texts are cut at %d tokens", self.name, cut, len(texts), self.max_tokens)
            encoded = self.tokenizer(
                [self.normalise(text) for text in texts], truncation=True, max_length=self.max_tokens
            )
        pieces: list[list[int]] = encoded["input_ids"]
        return pieces
