"""The folder of a run while it trains: whose it is, and the checkpoint from which an interrupted run goes on.

`train.json` is written first and says what is being trained; `run.json` is written last: its presence says that the run
is complete.
"""

import logging
import pickle
import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from naba.config import TrainConfig
from naba.errors import ConfigError, DataError
from naba.fingerprint import fingerprint
from naba.jsonl import read_json, write_json
from naba.paths import find
from naba.schema import LabelSchema

logger = logging.getLogger(__name__)


def prepare(config: TrainConfig, schema: LabelSchema, precision: str, overwrite: bool) -> None:
    """Make the run folder; find out whether it holds this run, unfinished, or something else.

    Raises ConfigError where it holds something that may not be replaced.
    """
    out = config.out
    # Weights trained on other data, labels or arithmetic are another run, whatever the configuration says.
    wanted = {
        "config": config.model_dump(mode="json"),
        "schema": schema.fingerprint,
        "precision": precision,
        "data": data_fingerprints(config),
    }
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: is a file, not a folder; choose another 'out'")
    if out.exists() and any(out.iterdir()):
        unfinished = (out / "train.json").is_file() and not (out / "run.json").is_file()
        if unfinished and read_json(out / "train.json") == wanted:
            return
        if not overwrite:
            state = "an unfinished run with another configuration or other data" if unfinished else "files already"
            raise ConfigError(f"{out}: holds {state}; choose another 'out', or pass --overwrite to replace it")
        if not (out / "train.json").is_file():
            raise ConfigError(f"{out}: holds files that are no run of naba; choose another 'out'")
        shutil.rmtree(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be made ({error.strerror}); choose another 'out'") from None
    write_json(out / "train.json", wanted)


def data_fingerprints(config: TrainConfig) -> dict[str, str]:
    """File → fingerprint, of all that a run is trained and validated on."""
    paths = (*(source.path for source in config.train), *config.validation)
    return {str(path): fingerprint(find(path)) for path in paths}


def last_whole_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that was written whole; broken ones, left by a kill while saving, are removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    for path in found:
        if _is_whole(path):
            return str(path)
        logger.warning("%s: broken, as after a kill while it was written; the one before it is used", path)
        shutil.rmtree(path)
    return None


def _is_whole(checkpoint: Path) -> bool:
    """Whether weights, optimiser and the trainer's state, which is written last, can all be read."""
    try:
        read_json(checkpoint / "trainer_state.json")
        with safe_open(checkpoint / "model.safetensors", "pt") as weights:
            weights.keys()
        torch.load(checkpoint / "optimizer.pt", map_location="cpu", weights_only=True)
    except (OSError, DataError, SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError):
        return False
    return True
