"""A run trained before, to be trained again: its configuration, and whether what it was made from is still the same.

    before = RecordedRun.read(Path("models/mine"))
    train(before.config(Path("models/again")), repeats=before)

On the machine of the first run, with as many threads and the same versions, the weights come out the same bit for bit.
Other data, labels or another encoder than recorded are refused, except where `--set` changed them on purpose.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from naba.config import TrainConfig, load_config
from naba.errors import CheckpointError, ConfigError, DataError
from naba.jsonl import read_json
from naba.paths import find
from naba.run import environment, same_encoder

logger = logging.getLogger(__name__)

_INPUTS = ("config", "schema", "encoder", "data", "precision", "device", "processes")
_PACKAGES = ("naba", "torch", "transformers", "tokenizers", "accelerate", "numpy", "python")
"""Those that weights can depend on."""
_ROUNDING = ": sums are rounded otherwise, so the weights may differ, most likely in their last digits"


@dataclass(frozen=True)
class RecordedRun:
    """What a run folder says of how it was trained."""

    folder: Path
    record: Mapping[str, Any]
    """The content of run.json; of train.json where the run is not finished."""
    overrides: Sequence[str] = ()
    """`key=value` as of `--set`: what is to be otherwise, and is therefore not compared."""

    @classmethod
    def read(cls, folder: Path, overrides: Sequence[str] = ()) -> "RecordedRun":
        """Read a run folder.

        Raises CheckpointError where there is no run, or it does not record what it takes to repeat it.
        """
        files = [path for name in ("run.json", "train.json") if (path := find(folder) / name).is_file()]
        if not files:
            raise CheckpointError(f"{folder}: no run of naba (run.json is missing); --from-run takes a run folder")
        try:
            record = read_json(files[0])
        except DataError as error:
            raise CheckpointError(str(error)) from None
        if missing := [key for key in _INPUTS if key not in record]:
            raise CheckpointError(
                f"{files[0]}: does not record {', '.join(missing)}, as runs of an earlier naba; it cannot be repeated to "
                "the same weights. Write what stands under 'config' there into a YAML file and train that"
            )
        groups = [record[key] for key in _INPUTS[:4]] + [record.get(key, {}) for key in ("versions", "hardware")]
        if not all(isinstance(group, dict) for group in groups):
            raise CheckpointError(f"{files[0]}: not as naba writes it; restore the file")
        return cls(folder, record, overrides)

    def config(self, out: Path | None = None) -> TrainConfig:
        """The recorded configuration, with the precision and the device that were used, and the overrides.

        Args:
            out: the new run folder.

        Raises:
            ConfigError: the configuration cannot be used any more, or no new folder is named.
            DataError: a data file is not there.
        """
        if out is None and "out" not in self._changed():
            raise ConfigError(f"--from-run {self.folder}: name the folder of the new run with --out")
        used = {key: self.record[key] for key in ("precision", "device")}
        try:
            config = load_config(TrainConfig, None, [*self.overrides], {"out": out}, self.record["config"] | used)
        except ConfigError as error:
            raise ConfigError(f"--from-run {self.folder}: {error}") from None
        for name, path in self._data(config.model_dump(mode="json")):
            if not find(Path(path)).is_file():
                raise DataError(
                    f"{path}: no such file, and {self.folder} was trained on it; start from the folder where it lies, or "
                    f"name it with --set {name}=[…]"
                )
        return config

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Compare what the run was made from with what it would be made from now; warn where the machinery differs.

        Args:
            inputs: `naba.run.describe_inputs` of the new run.

        Raises:
            DataError: a data file has another content.
            CheckpointError: the encoder, or topics and stances, are others.
        """
        config, changed = inputs["config"], self._changed()
        for name, path in self._data(config):
            if inputs["data"][path] != self.record["data"].get(path):
                raise DataError(self._refusal(path, "content", f"{name}=[…]"))
        if "labels" not in changed and inputs["schema"]["fingerprint"] != self.record["schema"].get("fingerprint"):
            raise CheckpointError(self._refusal(config["labels"], "topics and stances", "labels=…"))
        if "encoder" not in changed and not same_encoder(inputs["encoder"], self.record["encoder"]):
            raise CheckpointError(self._refusal(config["encoder"], "weights", "encoder=…"))
        for difference in differences(self.record, dict(inputs) | environment()):
            logger.warning("%s: %s", self.folder, difference)

    def _changed(self) -> set[str]:
        """The keys of the configuration that are to be otherwise."""
        return {override.partition("=")[0] for override in self.overrides}

    def _data(self, config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Name of the part and path of all data that is to be as it was."""
        for name in [name for name in ("train", "validation") if name not in self._changed()]:
            for source in config[name]:
                yield name, source["path"] if isinstance(source, dict) else source

    def _refusal(self, path: str, what: str, key: str) -> str:
        return (
            f"{path}: has other {what} than when {self.folder} was trained; restore it, or say with --set {key} that it is to "
            "be otherwise"
        )


def differences(record: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In what the machinery of a recorded run and that of now differ, each in words, with what follows from it.

    Args:
        record: the content of a run.json, or of a train.json, which says less.
        now: `naba.run.describe_inputs` and `environment` together.
    """
    found = []
    if record["processes"] != now["processes"]:
        found.append(
            f"was trained by {_many(record['processes'], 'process', 'es')}, now by {now['processes']}: each draws its own "
            "dropout, so this gives another model, as another seed would"
        )
    hardware = {key: value for key, value in record.get("hardware", {}).items() if now["hardware"].get(key) != value}
    if "threads" in hardware:
        found.append(
            f"was trained with {_many(hardware.pop('threads'), 'thread')}, now with {now['hardware']['threads']} "
            f"(OMP_NUM_THREADS sets them){_ROUNDING}"
        )
    found += [
        f"was trained on {value} ({key}), now {now['hardware'].get(key)}{_ROUNDING}" for key, value in hardware.items()
    ]
    versions = {name: record["versions"][name] for name in _PACKAGES if name in record.get("versions", {})}
    changed = [
        f"{name} {version}, now {now['versions'].get(name)}"
        for name, version in versions.items()
        if version != now["versions"].get(name)
    ]
    if record.get("commit") and now["commit"] and record["commit"] != now["commit"]:
        changed.append(f"naba's commit {record['commit'][:12]}, now {now['commit'][:12]}")
    if changed:
        found.append("was trained with " + "; ".join(changed) + ": the weights may be others")
    return found


def _many(count: int, one: str, more: str = "s") -> str:
    return f"{count} {one}{'' if count == 1 else more}"
