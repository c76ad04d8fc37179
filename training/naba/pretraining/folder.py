"""The folder of a pretraining while it runs: whose it is, and whether it may be used.

`pretraining.json` is written first and says what is being trained on what; `pretrain.json` is written last: its presence
says that the encoder is complete.
"""

from pathlib import Path
from typing import Any

from naba.corpus.files import article_files
from naba.errors import DataError
from naba.finetuning.run_folder import Kind
from naba.fingerprint import fingerprint, fingerprint_files
from naba.paths import find
from naba.pretraining.config import PretrainConfig
from naba.run import describe_encoder

PRETRAINING = Kind("pretraining", "pretraining.json", "pretrain.json")
TOKENS, EVENTS = "tokens", "tensorboard"


def describe_inputs(
    config: PretrainConfig, commit: str | None, precision: str, device: str, processes: int
) -> dict[str, Any]:
    """All that the weights follow from; `commit` is that of an encoder read from the Hub.

    Raises DataError for a file that is not there.
    """
    data = {str(source.path): _mark(source.path) for source in config.articles}
    if missing := [path for path in config.held_out if not find(path).is_file()]:
        raise DataError(f"{missing[0]}: no such file")
    return {
        "config": config.model_dump(mode="json"),
        "encoder": describe_encoder(config.encoder, commit),
        "data": data | {str(path): fingerprint(find(path)) for path in config.held_out},
        "precision": precision,
        "device": device,
        "processes": processes,
    }


def _mark(articles: Path) -> str:
    return fingerprint_files(path for _, path in article_files([articles]))
