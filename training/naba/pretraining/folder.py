"""The folder of a pretraining while it runs: whose it is, and whether it may be used.

`pretraining.json` is written first and says what is being trained on what; `pretrain.json` is written last: its presence
says that the encoder is complete.
"""

import shutil
from pathlib import Path
from typing import Any

from naba.corpus.files import article_files
from naba.errors import ConfigError, DataError
from naba.fingerprint import fingerprint, fingerprint_files
from naba.jsonl import read_json, write_json
from naba.paths import find
from naba.pretraining.config import PretrainConfig
from naba.run import describe_encoder

STARTED, DONE = "pretraining.json", "pretrain.json"
TOKENS, CHECKPOINTS, EVENTS = "tokens", "checkpoints", "tensorboard"


def prepare(out: Path, inputs: dict[str, Any], overwrite: bool) -> None:
    """Make the folder, or find in it the same pretraining, unfinished.

    Args:
        inputs: all that the weights follow from.
        overwrite: replace a finished pretraining, or an unfinished one of something else.

    Raises:
        ConfigError: the folder holds something that may not be replaced, or cannot be made.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: is a file, not a folder; choose another 'out'")
    if out.exists() and any(out.iterdir()):
        started, done = (out / STARTED).is_file(), (out / DONE).is_file()
        if not started:
            raise ConfigError(f"{out}: holds files that are no pretraining of naba; choose another 'out'")
        if not done and read_json(out / STARTED) == inputs:
            return
        # Without a checkpoint there is nothing to lose.
        if not overwrite and (done or any((out / CHECKPOINTS).glob("checkpoint-*"))):
            state = (
                "a finished pretraining" if done else "an unfinished pretraining of another configuration or other data"
            )
            raise ConfigError(f"{out}: holds {state}; choose another 'out', or pass --overwrite to replace it")
        shutil.rmtree(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be made ({error.strerror}); choose another 'out'") from None
    write_json(out / STARTED, inputs)


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
