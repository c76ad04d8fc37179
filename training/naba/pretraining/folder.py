"""The folder of a pretraining while it runs: whose it is, and whether it may be used.

`pretraining.json` is written first and says what is being trained on what; `pretrain.json` is written last: its presence
says that the encoder is complete.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from naba.corpus.files import article_files
from naba.errors import ConfigError, DataError
from naba.finetuning.run_folder import Kind
from naba.fingerprint import fingerprint, fingerprint_files
from naba.paths import find
from naba.pretraining.config import PretrainConfig
from naba.text import normaliser

PRETRAINING = Kind("pretraining", "pretraining.json", "pretrain.json")
TOKENS, EVENTS = "tokens", "tensorboard"


def describe_inputs(
    config: PretrainConfig, encoder: Mapping[str, str | None], precision: str, device: str, processes: int
) -> dict[str, Any]:
    """All that the weights follow from; `encoder` is the mark of the one to start from (`encoder_mark`).

    Raises DataError for a file that is not there.
    """
    check_inputs(config)
    data = {str(source.path): _mark(source.path) for source in config.articles}
    return {
        "config": config.model_dump(mode="json"),
        "encoder": dict(encoder),
        "data": data | {str(path): fingerprint(find(path)) for path in config.held_out},
        "precision": precision,
        "device": device,
        "processes": processes,
    }


def check_inputs(config: PretrainConfig) -> None:
    """Look for article and held-out files and the normalisation preset, before seconds go into loading what trains.

    Raises:
        ConfigError: the output is the encoder itself, or the preset is unknown.
        DataError: a file is not there, or is a folder.
    """
    if find(Path(config.encoder)).resolve() == config.out.resolve():
        raise ConfigError(f"{config.out}: 'out' is the encoder itself; choose another 'out'")
    normaliser(config.normalisation)
    for path in config.held_out:
        if find(path).is_dir():
            raise DataError(f"{path}: is a folder; name under 'held_out' the JSONL files in it")
        if not find(path).is_file():
            raise DataError(f"{path}: no such file, named under 'held_out'")
    article_files(source.path for source in config.articles)


def _mark(articles: Path) -> str:
    return fingerprint_files(path for _, path in article_files([articles]))
