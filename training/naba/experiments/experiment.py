"""The folder of an experiment: several runs that belong together, made in one go or in several after interruptions.

`naba repeat` and `naba search` plan their runs, then hold the folder while they work:

    with hold(out, plan, overwrite=False):
        record = train_once(config, train, encoder_mark(config.encoder))

`experiment.json` says what the folder is for. Started again with the same plan, finished runs are kept and an
unfinished one goes on; with another plan the folder is refused.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from naba import out_folder
from naba.config import TrainConfig
from naba.errors import ConfigError
from naba.experiments.data_marks import data_marks, fingerprints, training_paths
from naba.jsonl import read_json, write_json
from naba.progress import SILENT, Advance, Progress

PLAN = "experiment.json"
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
    wanted = json.loads(json.dumps(plan))
    with out_folder.hold(out, lambda: _check(out, wanted, overwrite)):
        if overwrite:
            out_folder.empty(out, PLAN)
        write_json(out / PLAN, wanted)
        yield


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
        raise ConfigError(
            f"{config.out}: holds a run that differs in {key}; pass --overwrite to start from the beginning"
        )
    try:
        before = data_marks(record["config"], record["data"])
    except (KeyError, TypeError):
        raise ConfigError(f"{path}: not as naba writes it; restore the file, or remove the folder") from None
    now = data_marks(wanted, fingerprints([*training_paths(config), *config.validation]))
    if (key := difference(now, before)) is not None:
        raise ConfigError(
            f"{config.out}: holds a run that differs in its data ({key}); pass --overwrite to start from the beginning"
        )
    return record


def train_once(
    config: TrainConfig, train: Train, encoder: Mapping[str, str | None], *, progress: Progress = SILENT
) -> dict[str, Any]:
    """Train a run, go on with it, or return the run.json of the one that is there and finished.

    An unfinished run that is another, as after the folder was moved or naba was updated, is replaced.

    Args:
        encoder: by what the encoder of the whole experiment is known (`encoder_mark`).

    Raises:
        ConfigError: the finished run is another, or its encoder was changed since the experiment was begun.
    """
    record = finished(config)
    if record is None:
        record = train(config, overwrite=True, progress=progress)
    # A run may not know the commit that a Hub name stood for.
    said = {key: value for key, value in record.get("encoder", {}).items() if value is not None}
    if not said.items() <= encoder.items():
        raise ConfigError(
            f"{config.out}: was trained from a different version of {config.encoder} than the other runs; remove this folder "
            "to train it again, or pass --overwrite to start from the beginning"
        )
    return record


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
    if not out_folder.contents(out, PLAN):
        return
    command = wanted["command"]
    plan = read_json(out / PLAN) if (out / PLAN).is_file() else {}
    if plan.get("command") != command:
        raise ConfigError(f"{out}: holds files that no 'naba {command}' wrote; choose another 'out' (--set out=…)")
    if not overwrite and (key := difference(plan, wanted)) is not None:
        raise ConfigError(
            f"{out}: holds an experiment that differs from this one in {key}; choose another 'out' (--set out=…), or pass "
            "--overwrite to replace it"
        )
