"""What a run folder says about itself: run.json, enough to repeat the run, and its model card."""

import platform
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from naba.config import TrainConfig, TrainingSource
from naba.errors import CheckpointError, DataError
from naba.fingerprint import fingerprint, fingerprint_files
from naba.jsonl import read_json, write_text
from naba.paths import CHECKOUT, find
from naba.schema import LabelSchema

CURVE = "learning-curve.svg"
_PACKAGES = ("naba", "torch", "transformers", "tokenizers", "datasets", "accelerate", "evaluate", "numpy")
_ENCODER_FILES = re.compile(
    r"config\.json|.*\.safetensors(\.index\.json)?|(tokenizer|special_tokens_map|added_tokens|vocab|merges).*|.*\.model"
)
"""What transformers reads of an encoder's folder."""


def describe_inputs(
    config: TrainConfig,
    schema: LabelSchema,
    *,
    encoder: Mapping[str, str | None],
    data: Mapping[str, str],
    precision: str,
    device: str,
    processes: int,
) -> dict[str, Any]:
    """What the weights of a run follow from: the content of train.json, and the head of run.json."""
    return {
        "config": config.model_dump(mode="json"),
        "schema": {"name": schema.name, "fingerprint": schema.fingerprint},
        "encoder": dict(encoder),
        "data": dict(data),
        "precision": precision,
        "device": device,
        "processes": processes,
    }


def describe_encoder(name: str, commit: str | None) -> dict[str, str | None]:
    """By what an encoder is known again: a folder by its content, a Hub name by the commit that was read.

    The folder of a run has a `base` too: the encoder that this run, or the first in a row of such runs, was fine-tuned from.
    """
    folder = find(Path(name))
    if not folder.is_dir():
        return {"name": name, "commit": commit}
    files = sorted(path for path in folder.iterdir() if _ENCODER_FILES.fullmatch(path.name))
    known: dict[str, str | None] = {"name": name, "fingerprint": fingerprint_files(files)}
    with suppress(DataError, AttributeError):  # no run, or none of naba's
        before = read_json(folder / "run.json").get("encoder", {})
        known |= {"base": base} if (base := before.get("base") or before.get("name")) else {}
    return known


def same_encoder(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two descriptions are of one encoder; what it began with follows from it, and older records lack that."""
    return {**one, "base": None} == {**other, "base": None}


def environment() -> dict[str, Any]:
    """Versions, commit and hardware: what a figure depends on besides data and configuration."""
    import torch  # takes seconds, and who only reads a run does not need it

    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": _commit(),
        "versions": {name: _version(name) for name in _PACKAGES} | {"python": platform.python_version()},
        "hardware": {
            "machine": platform.machine(),
            "processor": _processor(),
            "cpu": torch.backends.cpu.get_cpu_capability(),
            "threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        },
    }


def training_files(folder: Path) -> tuple[list[Path], bool]:
    """The files that a run was trained on, as far as they are still there unchanged, and whether these are all.

    Raises CheckpointError for a run.json that naba did not write.
    """
    path = folder / "run.json"
    if not path.is_file():
        return [], False
    record = read_json(path)
    try:
        sources = [TrainingSource.model_validate(source) for source in record["config"]["train"]]
        marks = {find(source.path): record["data"][str(source.path)] for source in sources}
    except (KeyError, TypeError, ValidationError) as error:
        raise CheckpointError(f"{path}: not as naba writes it ({error})") from None
    same = [file for file, mark in marks.items() if file.is_file() and fingerprint(file) == mark]
    return same, len(same) == len(marks) > 0


def validation_files(folder: Path) -> list[Path]:
    """The validation files that a run names, there or not; empty where run.json does not tell."""
    try:
        return [Path(path) for path in read_json(folder / "run.json")["config"]["validation"]]
    except (DataError, KeyError, TypeError):
        return []


def write_model_card(folder: Path, record: Mapping[str, Any], schema: LabelSchema) -> None:
    """A short card in the Hub's format; its figures are those of run.json."""
    validation, config = record["validation"], record["config"]
    lines = [
        "---",
        "language: ar",
        "library_name: naba",
        "pipeline_tag: text-classification",
        "tags: [arabic, news, topic, stance]",
        "---",
        f"# {folder.name}",
        "",
        "<!-- naba:begin all -->",
        f"Labels segments of Arabic news by topic ({', '.join(schema.topic_ids)}) and stance ({', '.join(schema.stance_ids)}).",
        f"Fine-tuned from `{config['encoder']}` with naba on {record['segments']['train']:,} segments in {record['seconds']:.0f} s.",
        "",
        f"On its own validation set ({record['segments']['validation']:,} segments, the set its checkpoint and thresholds were",
        "chosen on, so an optimistic figure; run `naba evaluate` on a test set for an honest one):",
        "",
        "| topic macro-F1 | stance macro-F1 given the topic | (topic, stance) pair F1 |",
        "|---|---|---|",
        f"| {_figure(validation['topics']['macro_f1'])} | {_figure(validation['stances']['macro_f1'])} | {_figure(validation['pairs']['f1'])} |",
        "",
        f"![Loss and validation scores over the steps]({CURVE})",
        "",
        "`run.json` holds configuration, fingerprints of data and encoder, seed, versions and every point of the curve:",
        "`naba train --from-run` with this folder gives the same weights on the same machine.",
        "<!-- naba:end all -->",
        "",
    ]
    write_text(folder / "README.md", "\n".join(lines))


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str | None:
    """The processor by the name that its maker gave it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip() or None
    return platform.processor() or None


def _commit() -> str | None:
    try:
        found = subprocess.run(
            ["git", "-C", str(CHECKOUT), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None
