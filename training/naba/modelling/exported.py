"""The exported forms in a run's `onnx/` folder, and the choice of the engine that labels fastest on this machine.

    engine = pick_engine(checkpoint, folder, "auto", "cpu")

export.json says which forms passed the gate, what they were made from, and what the run answers to a few probe inputs. A
form is used only where the weights are still those, and where this processor gives the same answers to the probe: one
without instructions for bytes overflows silently.
"""

import logging
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

import numpy as np

from naba.errors import CheckpointError, ConfigError, DataError
from naba.fingerprint import DECIDING, fingerprint, fingerprint_files
from naba.jsonl import read_json
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.device import cpu_has_bfloat16
from naba.modelling.encode import pad
from naba.modelling.engines import Engine, OnnxEngine, TorchEngine
from naba.notice import NOTICE

logger = logging.getLogger(__name__)

FOLDER = "onnx"
RECORD = "export.json"
FORMAT = 1
EngineName = Literal["auto", "int8", "bfloat16", "float16", "float32"]
TRIAL_SECONDS = 1.0
"""How long the choice between engines may take, all together."""
_TRIAL_SHAPE = 8, 64
"""Rows and tokens of the batch that they are tried with: what batches of news look like."""


def run_fingerprint(folder: Path) -> str:
    """A mark of all that a run's answers follow from."""
    return fingerprint_files(path for name in DECIDING if (path := folder / name).is_file())


def form_fingerprint(folder: Path) -> str | None:
    """The mark of a run's int8 form; None where it has none that fits its weights."""
    form = _record(folder).get("forms", {}).get("int8")
    return str(form["fingerprint"]) if form else None


def pick_engine(
    checkpoint: Checkpoint, folder: Path, wanted: EngineName, device: str, workers: int | None = None
) -> Engine:
    """The engine that was asked for, or the fastest of those that answer as the run does.

    Args:
        checkpoint: the run as loaded, its weights on `device`.
        folder: its folder.
        wanted: "int8" is the exported form; the others are PyTorch's precisions. "auto" on a CPU is whichever is
            fastest of float32 and what passed the gate when the run was exported, on a GPU float16.
        device: "cpu" or "cuda".
        workers: threads of the int8 form; as many as the process may use cores where not given.

    Raises:
        ConfigError: the engine that was asked for does not go with the device.
        CheckpointError: int8 was asked for, and the run has no such form, or none that can be used here.
    """
    if device == "cuda":
        if wanted == "int8":
            raise ConfigError("engine = 'int8' runs on a CPU; use device=cpu, or engine=float16 on the GPU")
        return TorchEngine(checkpoint.model, "float16" if wanted == "auto" else wanted)
    if wanted == "float16":
        raise ConfigError("engine = 'float16' runs on a GPU; on a CPU use auto, int8, bfloat16 or float32")
    if wanted == "int8":
        return _int8(checkpoint, folder, workers)
    if wanted != "auto":
        return TorchEngine(checkpoint.model, wanted)
    record = _record(folder)
    ways: dict[str, Callable[[], Engine]] = {}
    if "int8" in record.get("forms", {}):
        ways["int8"] = lambda: _int8(checkpoint, folder, workers)
    if cpu_has_bfloat16() and record.get("bfloat16", {}).get("passed"):
        ways["bfloat16"] = lambda: TorchEngine(deepcopy(checkpoint.model), "bfloat16")
    ways["float32"] = lambda: TorchEngine(checkpoint.model)
    return _fastest(ways, checkpoint)


def _fastest(ways: dict[str, Callable[[], Engine]], checkpoint: Checkpoint) -> Engine:
    """The engine with most rows a second in a short trial; one that cannot be used here is told and left out."""
    best: tuple[float, Engine] | None = None
    for number, (name, make) in enumerate(ways.items()):
        try:
            engine = make()
        except CheckpointError as error:
            logger.warning("%s", error)
            continue
        if best is None and number == len(ways) - 1:
            return engine
        speed = _speed(engine, checkpoint, TRIAL_SECONDS / len(ways))
        logger.info("engine %s: %.0f segments/s in a trial", name, speed)
        if best is None or speed > best[0]:
            best = speed, engine
    if best is None:  # float32 can always be made
        raise RuntimeError("no engine could be made")
    return best[1]


def _speed(engine: Engine, checkpoint: Checkpoint, seconds: float) -> float:
    """Rows a second of all its workers, taken from one of them."""
    rows, tokens = _TRIAL_SHAPE
    tokens = min(tokens, checkpoint.max_tokens)
    batch = pad([[checkpoint.tokenizer.pad_token_id] * tokens] * rows, checkpoint.tokenizer.pad_token_id)
    engine.run(batch)  # the first run builds kernels
    done, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds * 0.8 or not done:
        engine.run(batch)
        done += 1
    return done * rows * engine.workers / passed if passed else 0.0


def _record(folder: Path) -> dict[str, Any]:
    """export.json; empty where there is none, and where the run was changed since, which is told."""
    path = folder / FOLDER / RECORD
    if not path.is_file():
        return {}
    try:
        record = read_json(path)
    except DataError as error:
        logger.warning("%s; labelling goes on without the exported forms", error)
        return {}
    if record.get("format") != FORMAT or record.get("run") != run_fingerprint(folder):
        logger.log(NOTICE, "%s: exported from other weights than the run has now; export it again to use it", path)
        return {}
    return record


def _int8(checkpoint: Checkpoint, folder: Path, workers: int | None) -> OnnxEngine:
    form = _record(folder).get("forms", {}).get("int8")
    if not form:
        raise CheckpointError(f"{folder}: has no int8 form; make it with: naba export {folder}")
    path = folder / FOLDER / str(form["file"])
    if not path.is_file() or fingerprint(path) != form["fingerprint"]:
        raise CheckpointError(f"{path}: is missing or damaged; export the run again")
    engine = OnnxEngine(path, "int8", workers)
    error = probe_error(engine, form["probe"], checkpoint)
    if not error <= form["probe"]["allowed"]:  # also where it is NaN
        raise CheckpointError(
            f"{path}: this processor does not compute it as it should (logits are off by {error:.2f}); "
            "use engine=float32"
        )
    return engine


def probe_error(engine: Engine, probe: dict[str, Any], checkpoint: Checkpoint) -> float:
    """Largest difference between an engine's topic logits for the probe's inputs and those it is said to have."""
    topic, _ = engine.run(pad(probe["ids"], checkpoint.tokenizer.pad_token_id))
    return float(np.abs(topic - np.array(probe["topic"])).max())
