"""The folder of a run while it trains: whose it is, and the checkpoint from which an interrupted run goes on.

`train.json` is written first and says what is being trained; `run.json` is written last: its presence says that the run
is complete. A pretraining has other names for them, and is otherwise the same.

    with claimed(config.out, inputs, overwrite=False):
        start = resume_point(config.out, processes=1)
"""

import logging
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from naba.config import TrainConfig
from naba.errors import ConfigError, DataError
from naba.fingerprint import fingerprint
from naba.jsonl import read_json, write_json
from naba.notice import NOTICE
from naba.out_folder import contents, empty, hold
from naba.paths import find

logger = logging.getLogger(__name__)

CHECKPOINTS = "checkpoints"

_KEPT = 2
"""Checkpoints from which a run can go on: the newest, and the one before it should the newest be broken."""


@dataclass(frozen=True)
class Kind:
    """What a folder is filled with."""

    name: str
    started: str
    """The file written first."""
    done: str
    """The file written last."""


RUN = Kind("run", "train.json", "run.json")


def check_free(out: Path, *, overwrite: bool, kind: Kind = RUN) -> None:
    """What can be told of a folder before anything is known of the training that is to fill it.

    Raises ConfigError where it is a file, a stranger's, or holds a finished training that is not to be replaced.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: is a file, not a folder; choose another 'out'")
    if not contents(out, kind.started):
        return
    if not (out / kind.started).is_file():
        raise ConfigError(f"{out}: holds files that are no {kind.name} of naba; choose another 'out'")
    if (out / kind.done).is_file() and not overwrite:
        raise ConfigError(_taken(out, f"a finished {kind.name}"))


@contextmanager
def claimed(out: Path, inputs: Mapping[str, Any], *, overwrite: bool, kind: Kind = RUN) -> Iterator[None]:
    """Hold the folder for the block, made new or found with the same training, unfinished.

    Args:
        out: the folder.
        inputs: what the weights follow from (`naba.run.describe_inputs`): with others it is another run, whatever the
            configuration says.
        overwrite: replace a finished training, or an unfinished one of something else.

    Raises ConfigError where it holds something that may not be replaced, or another process works there.
    """
    with hold(out, lambda: _goes_on(out, inputs, overwrite, kind)) as goes_on:
        if not goes_on:
            empty(out, kind.started, kind.done)
            write_json(out / kind.started, inputs)
        yield


def data_fingerprints(config: TrainConfig) -> dict[str, str]:
    """File → fingerprint, of all that a run is trained and validated on."""
    paths = (*(source.path for source in config.train), *config.validation)
    return {str(path): fingerprint(find(path)) for path in paths}


def last_whole_checkpoint(folder: Path, processes: int | None = None, *, quiet: bool = False) -> str | None:
    """The newest checkpoint that was written whole; broken ones, left by a kill or a full disk, are removed.

    Args:
        folder: of the checkpoints.
        processes: how many train, each with random states of its own; None: as many as left some.
        quiet: do not tell of broken ones: the user is told of what broke them.
    """
    found = _newest_first(folder)
    for number, path in enumerate(found, start=1):
        if _is_whole(path, processes):
            return str(path)
        left = "the one before it is used" if number < len(found) else "no other is left: the run starts anew"
        if not quiet:
            logger.warning("%s: broken, as after a kill while it was written; %s", path, left)
        shutil.rmtree(path, ignore_errors=quiet)
    return None


def resume_point(out: Path, processes: int) -> str | None:
    """The checkpoint from which the training in a folder goes on, as `last_whole_checkpoint`; the user is told."""
    start = last_whole_checkpoint(out / CHECKPOINTS, processes)
    if start:
        logger.log(NOTICE, "%s: going on from the checkpoint of step %d of an interrupted run", out, step_of(start))
    return start


def step_of(checkpoint: str) -> int:
    """The step at which a checkpoint was saved."""
    return int(checkpoint.rpartition("-")[2])


def drop_old_checkpoints(folder: Path) -> None:
    """Keep the newest checkpoints, and those that they name as the best: without it a checkpoint is of no use."""
    kept: set[str] = set()
    for path in _newest_first(folder)[:_KEPT]:
        with suppress(DataError):
            kept |= {path.name, _best(path).name}
    for path in _newest_first(folder):
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


def early_stop(checkpoint: str, patience: int) -> int | None:
    """The step of a checkpoint at which the patience had run out: nothing is left to train. None: it had not."""
    if not patience:
        return None
    state = read_json(Path(checkpoint) / "trainer_state.json")
    stopping = state.get("stateful_callbacks", {}).get("EarlyStopping", {}).get("attributes", {})
    return int(state["global_step"]) if stopping.get("early_stopping_patience_counter", 0) >= patience else None


def _goes_on(out: Path, inputs: Mapping[str, Any], overwrite: bool, kind: Kind) -> bool:
    """Whether the folder holds this training, unfinished; False where it is to be filled anew, and may be."""
    check_free(out, overwrite=overwrite, kind=kind)
    if not contents(out, kind.started):
        return False
    done = (out / kind.done).is_file()
    before = read_json(out / kind.started)
    if before == inputs and not done:
        return True
    # Without a checkpoint there is nothing to lose.
    if not overwrite and any((out / CHECKPOINTS).glob("checkpoint-*")):
        raise ConfigError(_taken(out, f"an unfinished {kind.name} that differs in {_changed(before, inputs)}"))
    return False


def _taken(out: Path, what: str) -> str:
    return f"{out}: holds {what}; choose another 'out', or pass --overwrite to replace it"


def _newest_first(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("checkpoint-*") if re.fullmatch(r"checkpoint-\d+", path.name)]
    return sorted(found, key=lambda path: step_of(path.name), reverse=True)


def _best(checkpoint: Path) -> Path:
    """The best checkpoint until this one was saved; itself where none is named. Raises DataError where it is broken."""
    return Path(read_json(checkpoint / "trainer_state.json").get("best_model_checkpoint") or checkpoint)


def _is_whole(checkpoint: Path, processes: int | None) -> bool:
    """Whether all that a run goes on from can be read, the weights of its best checkpoint included.

    Where the model computes with rounded weights, the others stand with the optimiser.
    """
    states = [f"rng_state_{number}.pth" for number in range(processes)] if processes and processes > 1 else []
    states = states or [path.name for path in checkpoint.glob("rng_state*.pth")] or ["rng_state.pth"]
    try:
        for folder in {checkpoint, _best(checkpoint)}:
            with safe_open(folder / "model.safetensors", "pt") as weights:
                weights.keys()
        saved = [checkpoint / name for name in ("optimizer.pt", "scheduler.pt", *states)]
        return all(map(_is_intact, {*saved, _best(checkpoint) / "optimizer.pt"}))
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
