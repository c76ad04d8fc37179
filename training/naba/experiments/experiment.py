"""The folder of an experiment: several runs that belong together, made in one go or in several after interruptions.

`naba repeat` and `naba search` plan their runs, then hold the folder while they work:

    with hold(out, plan, overwrite=False):
        record = train_once(config, train)

`experiment.json` says what the folder is for. Started again with the same plan, finished runs are kept and an
unfinished one goes on; with another plan the folder is refused.
"""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from naba.config import TrainConfig
from naba.errors import ConfigError, DataError
from naba.fingerprint import fingerprint
from naba.jsonl import read_json, write_json
from naba.paths import find
from naba.progress import SILENT, Advance, Progress

logger = logging.getLogger(__name__)

PLAN = "experiment.json"
_LOCK = ".lock"
_WEIGHTS = ("model.safetensors", "tokenizer.json")
"""The large files of a run folder."""


class Train(Protocol):
    """`naba.finetuning.train.train`, or what stands in for it."""

    def __call__(self, config: TrainConfig, *, overwrite: bool = False, progress: Progress = SILENT) -> dict[str, Any]:
        """Train one run, write its folder and return its run.json."""
        ...


class NamedProgress:
    """A progress whose tasks say which run they are of."""

    def __init__(self, progress: Progress, label: str) -> None:
        self.progress, self.label = progress, label

    def task(self, label: str, total: int | None, unit: str) -> AbstractContextManager[Advance]:
        """Start a task, with the run's name before it."""
        return self.progress.task(f"{self.label}: {label}", total, unit)


def training_paths(config: TrainConfig) -> list[Path]:
    """The training files."""
    return [source.path for source in config.train]


def fingerprints(paths: Sequence[Path]) -> dict[str, str]:
    """Path → mark of its content. Raises DataError for a missing file."""
    for path in paths:
        if not find(path).is_file():
            raise DataError(f"{path}: no such file")
    return {str(path): fingerprint(find(path)) for path in paths}


@contextmanager
def hold(out: Path, plan: Mapping[str, Any], *, overwrite: bool = False) -> Iterator[None]:
    """Hold the folder of an experiment for the block, made new or found with the same plan.

    Args:
        out: the folder.
        plan: JSON that tells this experiment from every other; what may be extended later stays out of it.
        overwrite: replace an experiment with another plan, or the same one, from the beginning.

    Raises:
        ConfigError: the folder holds something else, or another process works in it.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: is a file, not a folder; choose another 'out'")
    wanted = json.loads(json.dumps(plan))
    _check(out, wanted, overwrite)  # before anything is written into a folder that is not ours
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / _LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise ConfigError(
            f"{out}: another naba command works there; wait for its end, or choose another 'out'"
        ) from None
    except NotImplementedError:  # a cluster's file system without locks
        logger.warning("%s: cannot be locked on this file system; start no second command on it", out)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be made ({error.strerror}); choose another 'out'") from None
    try:
        _check(out, wanted, overwrite)
        if overwrite:
            _clear(out)
        write_json(out / PLAN, wanted)
        yield
    finally:
        lock.release()


def finished(config: TrainConfig) -> dict[str, Any] | None:
    """The run.json of a finished run of this configuration on this data; None where there is no finished run.

    The folder may have been moved: paths are not compared, contents are.

    Raises:
        ConfigError: the finished run is another.
    """
    path = config.out / "run.json"
    if not path.is_file():
        return None
    record = read_json(path)
    wanted = config.model_dump(mode="json")
    places = {"out", "train", "validation"}
    if (key := difference(wanted, record.get("config"), places)) is not None:
        raise ConfigError(f"{config.out}: holds a run with another {key}; pass --overwrite to start from the beginning")
    marks = fingerprints([*training_paths(config), *config.validation])
    if not set(marks.values()) <= set(record.get("data", {}).values()):
        raise ConfigError(f"{config.out}: holds a run on other data; pass --overwrite to start from the beginning")
    return record


def train_once(config: TrainConfig, train: Train, *, progress: Progress = SILENT) -> dict[str, Any]:
    """Train a run, go on with it, or return the run.json of the one that is there and finished.

    An unfinished run that is another, as after the folder was moved or naba was updated, is replaced.
    """
    record = finished(config)
    return train(config, overwrite=True, progress=progress) if record is None else record


def drop_weights(run: Path) -> None:
    """Remove the large files of a run folder; what it says about itself stays."""
    for name in _WEIGHTS:
        (run / name).unlink(missing_ok=True)


def has_weights(run: Path) -> bool:
    """Whether a run folder still holds its weights."""
    return (run / _WEIGHTS[0]).is_file()


def difference(one: Any, other: Any, ignored: set[str] | frozenset[str] = frozenset()) -> str | None:
    """The dotted key in which two JSON values first differ; "" for the values themselves, None where they are equal."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return None if one == other else ""
    for key in sorted((set(one) | set(other)) - ignored):
        if key not in one or key not in other:
            return str(key)
        if (inner := difference(one[key], other[key])) is not None:
            return f"{key}.{inner}".rstrip(".")
    return None


def _check(out: Path, wanted: Mapping[str, Any], overwrite: bool) -> None:
    """Raise ConfigError unless the folder is empty, absent, or this experiment's."""
    found = [path for path in out.iterdir() if path.name != _LOCK] if out.is_dir() else []
    if not found:
        return
    command = wanted["command"]
    plan = read_json(out / PLAN) if (out / PLAN).is_file() else {}
    if plan.get("command") != command:
        raise ConfigError(f"{out}: holds files that no 'naba {command}' wrote; choose another 'out' (--set out=…)")
    if not overwrite and (key := difference(plan, wanted)) is not None:
        raise ConfigError(
            f"{out}: was begun with another {key}; choose another 'out' (--set out=…), or pass --overwrite to replace it"
        )


def _clear(out: Path) -> None:
    # The plan goes last: without it the folder would be a stranger's after a kill in between.
    for path in sorted(out.iterdir(), key=lambda path: path.name == PLAN):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink()
