"""A run of naba as the encoder of another: its encoder alone, whichever head stood on it; and on what text it was trained.

config = AutoConfig.from_pretrained("models/naba-news")
if (settings := run_settings(config)) is not None:
    take_encoder(backbone, settings, weights, "models/naba-news")
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from naba.errors import CheckpointError, DataError
from naba.jsonl import read_json
from naba.notice import NOTICE
from naba.paths import find

logger = logging.getLogger(__name__)


def run_settings(config: Any) -> Mapping[str, Any] | None:
    """What naba wrote into a run's config.json; None for an encoder that is no run."""
    settings = getattr(config, "naba", None)
    return settings if isinstance(settings, dict) else None


def take_encoder(backbone: Any, settings: Mapping[str, Any], weights: Mapping[str, Tensor], name: str) -> None:
    """Give a model with fresh weights the encoder of a run; its heads, and a pooler that the run had not, stay fresh.

    Args:
        backbone: an `AutoModel` or `AutoModelForSequenceClassification` of the run's configuration.
        settings: the run's (`run_settings`).
        weights: the run's, by name, in any precision.
        name: of the run, for errors.

    Raises CheckpointError where the weights are not those of such an encoder.
    """
    prefix = {"attention": "encoder.", "plain": f"{backbone.base_model_prefix}."}.get(str(settings.get("head")))
    if prefix is None:
        raise CheckpointError(f"{name}: a run with another kind of head than this version of naba knows; update naba")
    own = {key.removeprefix(prefix): tensor for key, tensor in weights.items() if key.startswith(prefix)}
    try:
        found = backbone.base_model.load_state_dict(own, strict=False)
    except RuntimeError as error:
        raise CheckpointError(
            f"{name}: the weights do not fit config.json ({' '.join(str(error).split())[:160]})"
        ) from None
    if missing := [key for key in found.missing_keys if not key.startswith("pooler.")]:
        raise CheckpointError(
            f"{name}: its weights lack {missing[0]} and {len(missing) - 1} more; copy the run's folder again"
        )


def tell_origin(encoder: str, normalisation: str, config: Any) -> None:
    """Tell that a training starts from a run, and warn of another normalisation than the encoder's own.

    Args:
        encoder, normalisation, config: as in `check_normalisation`.
    """
    if run_settings(config) is not None:
        logger.log(NOTICE, "%s: a run of naba: training starts from its encoder, with new heads", encoder)
    check_normalisation(encoder, normalisation, config)


def check_normalisation(encoder: str, normalisation: str, config: Any = None) -> None:
    """Warn where an encoder is known to be trained on text that was normalised by another preset.

    Args:
        encoder: a folder or a Hub name.
        normalisation: the preset to be used.
        config: the encoder's, as `AutoConfig` reads it.
    """
    before = _recorded(encoder, config)
    if before not in (None, normalisation):
        logger.warning(
            "%s: was trained on text normalised by %s, and normalisation is %s; set normalisation=%s unless you mean it",
            encoder,
            before,
            normalisation,
            before,
        )


def _recorded(encoder: str, config: Any) -> str | None:
    """The preset that a run, or an encoder that `naba pretrain` made, was trained with; None where none is known."""
    settings: Any = run_settings(config)
    if settings is None:
        try:
            settings = read_json(find(Path(encoder)) / "pretrain.json").get("config")
        except DataError:
            return None
    preset = settings.get("normalisation") if isinstance(settings, dict) else None
    return preset if isinstance(preset, str) else None
