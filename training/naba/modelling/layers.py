"""Fewer layers of a pretrained encoder: where a small student starts that learns from a teacher's probabilities.

    keep_layers(checkpoint.model, 6)   # of twelve layers those numbered 0, 2, 4, 7, 9, 11

The student keeps layers of the encoder itself, spread evenly from the first to the last, as DistilBERT does (Sanh et al.
2019, "DistilBERT, a distilled version of BERT", section 3). It is called on fresh heads, before training.
"""

from collections.abc import Sequence
from operator import attrgetter

import numpy as np
from torch import nn

from naba.errors import CheckpointError
from naba.modelling.model import TopicStanceModel

_LAYERS = {
    "bert": "encoder.layer",
    "electra": "encoder.layer",
    "roberta": "encoder.layer",
    "xlm-roberta": "encoder.layer",
    "modernbert": "layers",
}
"""Architecture → where its layers are. Others may hang more on a layer's number than is known here."""


def keep_layers(model: TopicStanceModel, count: int) -> None:
    """Leave `count` evenly spaced layers in the model's encoder, and say so in its configuration.

    A layer stays what it was: in ModernBERT those kept go on attending to a window or to the whole text.

    Args:
        count: at least 1, at most what the encoder has.

    Raises:
        CheckpointError: the encoder has fewer layers, or is of an architecture that cannot lose layers.
    """
    kind = model.config.model_type
    if kind not in _LAYERS:
        raise CheckpointError(
            f"layers = {count}: an encoder of type {kind} cannot lose layers, only {', '.join(_LAYERS)}; leave 'layers' out, or "
            "name another encoder"
        )
    encoder = model.classifier.base_model if model.head_kind == "plain" else model.encoder
    layers = attrgetter(_LAYERS[kind])(encoder)
    if not 1 <= count <= len(layers):
        raise CheckpointError(
            f"layers = {count}: the encoder has {len(layers)} layers; give a number from 1 to {len(layers)}"
        )
    kept = spaced(len(layers), count)
    if types := getattr(model.config, "layer_types", None):
        model.config.layer_types = [types[number] for number in kept]
    model.config.num_hidden_layers = count
    _replace(encoder, _LAYERS[kind], nn.ModuleList([layers[number] for number in kept]))


def spaced(layers: int, count: int) -> Sequence[int]:
    """Numbers of `count` of the layers, from the first to the last at distances as even as can be; of one, the first."""
    return [round(float(number)) for number in np.linspace(0, layers - 1, count)]


def _replace(encoder: nn.Module, path: str, layers: nn.ModuleList) -> None:
    parent, _, name = path.rpartition(".")
    setattr(encoder.get_submodule(parent), name, layers)
