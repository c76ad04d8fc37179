"""The folder of a run while it trains: whose it is, and the checkpoint from which an interrupted run goes on.

`train.json` is written first and says what is being trained; `run.json` is written last: its presence says that the run
is complete.
"""

import logging
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from naba.config import TrainConfig
from naba.errors import ConfigError, DataError
from naba.fingerprint import fingerprint
from naba.jsonl import read_json, write_json
from naba.paths import find

logger = logging.getLogger(__name__)

CHECKPOINTS = "checkpoints"


def prepare(out: Path, inputs: Mapping[str, Any], overwrite: bool) -> None:
    """Make the run folder; find out whether it holds this run, unfinished, or something else.

    Args:
        inputs: what the weights follow from (`naba.run.describe_inputs`): with others it is another run, whatever the
            configuration says.

    Raises ConfigError where it holds something that may not be replaced.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: is a file, not a folder; choose another 'out'")
    if out.exists() and any(out.iterdir()):
        unfinished = (out / "train.json").is_file() and not (out / "run.json").is_file()
        before = read_json(out / "train.json") if unfinished else {}
        if before == inputs:
            return
        if not overwrite:
            state = f"an unfinished run with another {_changed(before, inputs)}" if unfinished else "files already"
            raise ConfigError(f"{out}: holds {state}; choose another 'out', or pass --overwrite to replace it")
        if not (out / "train.json").is_file():
            raise ConfigError(f"{out}: holds files that are no run of naba; choose another 'out'")
        shutil.rmtree(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be made ({error.strerror}); choose another 'out'") from None
    write_json(out / "train.json", inputs)


def data_fingerprints(config: TrainConfig) -> dict[str, str]:
    """File → fingerprint, of all that a run is trained and validated on."""
    paths = (*(source.path for source in config.train), *config.validation)
    return {str(path): fingerprint(find(path)) for path in paths}


def last_whole_checkpoint(folder: Path, processes: int | None = None) -> str | None:
    """The newest checkpoint that was written whole; broken ones, left by a kill or a full disk, are removed.

    Args:
        folder: of the checkpoints.
        processes: how many train, each with random states of its own; None: as many as left some.
    """
    found = [path for path in folder.glob("checkpoint-*") if re.fullmatch(r"checkpoint-\d+", path.name)]
    found.sort(key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    for number, path in enumerate(found, start=1):
        if _is_whole(path, processes):
            return str(path)
        left = "the one before it is used" if number < len(found) else "no other is left: the run starts anew"
        logger.warning("%s: broken, as after a kill while it was written; %s", path, left)
        shutil.rmtree(path)
    return None


def early_stop(checkpoint: str, patience: int) -> int | None:
    """The step of a checkpoint at which the patience had run out: nothing is left to train. None: it had not."""
    if not patience:
        return None
    state = read_json(Path(checkpoint) / "trainer_state.json")
    stopping = state.get("stateful_callbacks", {}).get("EarlyStoppingCallback", {}).get("attributes", {})
    return int(state["global_step"]) if stopping.get("early_stopping_patience_counter", 0) >= patience else None


def _is_whole(checkpoint: Path, processes: int | None) -> bool:
    """Whether all that a run goes on from can be read, the weights of its best checkpoint included."""
    states = [f"rng_state_{number}.pth" for number in range(processes)] if processes and processes > 1 else []
    states = states or [path.name for path in checkpoint.glob("rng_state*.pth")] or ["rng_state.pth"]
    try:
        state = read_json(checkpoint / "trainer_state.json")
        for folder in {checkpoint, Path(state.get("best_model_checkpoint") or checkpoint)}:
            with safe_open(folder / "model.safetensors", "pt") as weights:
                weights.keys()
        return all(_is_intact(checkpoint / name) for name in ("optimizer.pt", "scheduler.pt", *states))
    except (OSError, DataError, SafetensorError):
        return False


def _is_intact(saved: Path) -> bool:
    """Whether what torch.save wrote, an archive with checksums, is as it was written."""
    try:
        with zipfile.ZipFile(saved) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, RuntimeError, ValueError):
        return False


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The keys in which two inputs differ, for people."""
    settings, earlier = now["config"], before.get("config")
    earlier = earlier if isinstance(earlier, dict) else {}
    keys = [key for key in settings if earlier.get(key) != settings[key]]
    keys += [key for key in now if key != "config" and before.get(key) != now[key]]
    return ", ".join(keys) or "configuration"
