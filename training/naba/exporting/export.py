"""`naba export`: a run's int8 form in its `onnx/` folder, refused where it does not answer as the run does.

    record = export_run(Path("models/naba-news"), ExportConfig(data=[Path("validation.jsonl")]))

The folder holds int8.onnx and export.json: what it was made from, how far its answers are from the run's, and its logits
for a few probe inputs, by which another machine tells whether it computes the same. It is replaced as a whole.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from naba.config import ExportConfig
from naba.dataset.labelled import load_labelled
from naba.errors import CheckpointError, ConfigError
from naba.exporting.graph import write_graph
from naba.exporting.parity import Parity, compare
from naba.fingerprint import fingerprint
from naba.jsonl import read_json, write_json
from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.device import cpu_has_bfloat16
from naba.modelling.encode import pad
from naba.modelling.engines import Engine, OnnxEngine, TorchEngine
from naba.modelling.exported import FOLDER, FORMAT, RECORD, run_fingerprint
from naba.modelling.infer import Scorer, Scores
from naba.modelling.windows import WindowReader
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment
from naba.run import environment, validation_files

LEAST_ANSWERS = 100
"""Segments times topics that the forms are compared on at least: fewer cannot show that under 1 % changed."""
ALLOWED = 0.1
"""How far a processor's logits for the probe may be from those found here: roundings differ by hundredths."""
PROBE = (
    "بحث وزيرا خارجية البلدين في جنيف سبل تثبيت الهدنة وإطلاق مفاوضات مباشرة برعاية الأمم المتحدة.",
    "دخلت قافلة من أربعين شاحنة محملة بالغذاء والدواء عبر المعبر بعد توقف دام أسبوعين.",
    "قصفت المدفعية مواقع في محيط المدينة ليل أمس وأسفر القصف عن سقوط خمسة قتلى.",
    "ارتفعت أسعار الخضار في الأسواق المحلية بنسبة عشرة في المئة مع بداية الموسم.",
)
"""What the probe reads; written for it."""


def export_run(model: str | Path, config: ExportConfig, *, progress: Progress = SILENT) -> dict[str, Any]:
    """Export a run into its own folder; returns what export.json says.

    Raises:
        CheckpointError: no such run, an architecture that cannot be exported, or answers that differ too much from the
            run's: the message has the figures, and an earlier export stays as it is.
        ConfigError: no labelled segments to compare on, or packages that are not installed.
        DataError: labelled segments that cannot be read.
    """
    folder = find(Path(model))
    checkpoint = checkpoints.load(folder)
    files = _data(folder, config)
    items = load_labelled(files, checkpoint.schema)
    answers = len(items) * len(checkpoint.schema.topic_ids)
    if answers < LEAST_ANSWERS:
        raise ConfigError(
            f"{', '.join(map(str, files))}: {len(items)} segments are too few to tell whether the exported form answers as "
            f"the run does; name a file of more with --data"
        )
    float32 = _scores(checkpoint, items, TorchEngine(checkpoint.model), progress)
    record: dict[str, Any] = {
        "format": FORMAT,
        "run": run_fingerprint(folder),
        "data": {str(path): fingerprint(find(path)) for path in files},
        "forms": {},
    }
    if cpu_has_bfloat16():
        half = checkpoints.load(folder)
        scores = _scores(half, items, TorchEngine(half.model, "bfloat16"), progress)
        record["bfloat16"] = compare(float32, scores, items, checkpoint.decision, checkpoint.schema).to_dict()
    try:
        with tempfile.TemporaryDirectory(prefix=".onnx-", dir=folder) as temporary:
            made = Path(temporary)
            _int8(checkpoint, items, float32, made, record, config, progress)
            write_json(made / RECORD, record | environment())
            _replace(made, folder / FOLDER)
    except OSError as error:
        raise CheckpointError(
            f"{folder}: cannot be written ({error.strerror or error}); check its rights and the disk"
        ) from None
    return record


def _int8(
    checkpoint: Checkpoint,
    items: Sequence[LabelledSegment],
    float32: Scores,
    made: Path,
    record: dict[str, Any],
    config: ExportConfig,
    progress: Progress,
) -> None:
    graph, path = made / "float32.onnx", made / "int8.onnx"
    write_graph(checkpoint, graph)
    from naba.exporting.int8 import quantise  # needs onnx, of whose absence write_graph tells

    quantise(graph, path)
    engine = OnnxEngine(path, "int8")
    parity = compare(
        float32, _scores(checkpoint, items, engine, progress), items, checkpoint.decision, checkpoint.schema
    )
    if not parity.passed:
        raise CheckpointError(_refusal(parity))
    record["forms"]["int8"] = _described(path) | {"parity": parity.to_dict(), "probe": _probe(checkpoint, engine)}
    if config.float32:
        record["forms"]["float32"] = _described(graph)
    else:
        graph.unlink()


def _refusal(parity: Parity) -> str:
    return f"the int8 form does not answer as the run does, and was not kept: {parity}; label with engine=bfloat16 or float32"


def _scores(checkpoint: Checkpoint, items: Sequence[LabelledSegment], engine: Engine, progress: Progress) -> Scores:
    return Scorer(checkpoint, engine).score([item.segment.text for item in items], progress=progress)


def _probe(checkpoint: Checkpoint, engine: Engine) -> dict[str, Any]:
    ids = WindowReader(checkpoint).read(PROBE).ids
    topic, _ = engine.run(pad(ids, checkpoint.tokenizer.pad_token_id))
    return {"ids": ids, "topic": topic.astype(float).round(5).tolist(), "allowed": ALLOWED}


def _described(path: Path) -> dict[str, Any]:
    return {"file": path.name, "bytes": path.stat().st_size, "fingerprint": fingerprint(path)}


def _replace(made: Path, target: Path) -> None:
    """Put a new folder in an old one's place; export.json goes last and comes last, so that no half is ever used."""
    target.mkdir(exist_ok=True)
    (target / RECORD).unlink(missing_ok=True)
    for path in sorted(made.iterdir(), key=lambda path: path.name == RECORD):
        path.replace(target / path.name)
    for path in target.glob("*.onnx"):
        if path.name not in {form["file"] for form in read_json(target / RECORD)["forms"].values()}:
            path.unlink()


def _data(folder: Path, config: ExportConfig) -> list[Path]:
    if config.data:
        return config.data
    recorded = validation_files(folder)
    missing = [path for path in recorded if not find(path).is_file()]
    if missing or not recorded:
        why = f"the run's validation file {missing[0]} is not here" if missing else "the run names no validation file"
        raise ConfigError(f"{folder}: {why}; name a file of labelled segments with --data")
    return recorded
