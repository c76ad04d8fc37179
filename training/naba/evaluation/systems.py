"""Anything that labels, as one kind of thing: a run, a checkpoint inside an unfinished run, somebody else's classifier.

    system = load_system("models/naba-news")                                       # a run folder
    system = load_system("models/naba-news/onnx")                                  # its int8 form
    system = load_system("models/mine/checkpoints/checkpoint-600")                 # while the run trains, or after a stop
    system = load_system("somebody/news", mapping=Path("configs/mappings/example.yaml"))  # Hub name or folder

Only safetensors are read, never pickle, and no code that comes with a model is ever run.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError
from safetensors.torch import load_file

from naba.calibration import Decision
from naba.config import load_config
from naba.errors import CheckpointError, DataError, SchemaError
from naba.evaluation.answers import Answers
from naba.evaluation.label_mapping import LabelMap, MappingConfig
from naba.evaluation.system import System
from naba.evaluation.text_classifier import TextClassifier
from naba.jsonl import read_json
from naba.modelling import checkpoint as checkpoints
from naba.modelling import exported
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.device import pick_device
from naba.modelling.infer import Scorer, Scores
from naba.modelling.layers import keep_layers
from naba.paths import find
from naba.progress import Progress
from naba.schema import LabelSchema

Device = Literal["auto", "cpu", "cuda"]

_CHECKPOINT = re.compile(r"checkpoint-\d+")


def load_system(
    model: str | Path, *, mapping: Path | None = None, device: Device = "auto", batch_size: int = 32
) -> System:
    """Load whatever has been named.

    Args:
        model: a run folder, its `onnx` folder, a Trainer's `checkpoint-N` inside one, or with `mapping` a folder or Hub name of any
            `AutoModelForSequenceClassification`.
        mapping: the YAML of a `MappingConfig`.
        batch_size: segments a forward pass.

    Raises:
        CheckpointError: it is not there, not whole, or none of these; the message says what to name instead.
        ConfigError, SchemaError: the mapping, or the label schema it names, cannot be used, or CUDA is absent.
    """
    folder = find(Path(model))
    if folder.name == exported.FOLDER or folder.suffix == ".onnx":
        return _exported(str(model), folder)
    if mapping is not None:
        if (_naba_part(folder) or {}).get("head") == "attention":
            raise CheckpointError(f"{model}: is a run of naba; evaluate it without a mapping")
        return _classifier(str(model), find(mapping), device, batch_size)
    if folder.is_dir() and _CHECKPOINT.fullmatch(folder.resolve().name) and not _is_run(folder):
        return _trainer_checkpoint(str(model), folder.resolve(), device, batch_size)
    if folder.is_dir() and (folder / "train.json").is_file() and not (folder / "config.json").is_file():
        found = [path for path in (folder / "checkpoints").glob("*") if _CHECKPOINT.fullmatch(path.name)]
        last = max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
        instead = f"name a checkpoint of it, the last is {last}" if last else "it has no checkpoint yet"
        raise CheckpointError(f"{model}: the run is not finished; {instead}")
    if not folder.is_dir() or ((folder / "config.json").is_file() and not _is_run(folder)):
        what = "no run of naba" if folder.is_dir() else "no such folder"
        raise CheckpointError(
            f"{model}: {what}; for a text classifier of another make, here or on the Hub, give --mapping with what its "
            "labels mean, see configs/mappings/example.yaml"
        )
    checkpoint = checkpoints.load(folder)
    scorer = _torch(checkpoint, device, batch_size)
    return _of_naba(str(model), "run", "run folder", checkpoint, _run_record(folder), scorer, folder=folder)


def _torch(checkpoint: Checkpoint, device: Device, batch_size: int) -> Scorer:
    checkpoint.model.to(pick_device(device))
    return Scorer(checkpoint, batch_size=batch_size)


def _exported(name: str, path: Path) -> System:
    """`<run>/onnx` or `<run>/onnx/int8.onnx`: the form that labels, with everything else the run's."""
    folder = path.parent if path.suffix == ".onnx" else path
    if folder.name != exported.FOLDER or path.name not in (exported.FOLDER, "int8.onnx"):
        raise CheckpointError(f"{name}: only what `naba export` made is known, RUN/{exported.FOLDER}/int8.onnx")
    run = folder.parent
    checkpoint = checkpoints.load(run)
    engine = exported.pick_engine(checkpoint, run, "int8", "cpu")
    description = f"int8 form of the run folder {run.name}"
    scorer = Scorer(checkpoint, engine)
    return _of_naba(name, "run", description, checkpoint, _run_record(run), scorer, folder=run)


def _run_record(folder: Path) -> Mapping[str, Any]:
    return read_json(folder / "run.json") if (folder / "run.json").is_file() else {}


def _is_run(folder: Path) -> bool:
    return _naba_part(folder) is not None


def _naba_part(folder: Path) -> dict[str, Any] | None:
    """What naba has written into config.json; None where that is another's. A broken file is left to who loads it."""
    path = folder / "config.json"
    try:
        part = read_json(path).get("naba") if path.is_file() else None
    except DataError:
        return {}
    return part if isinstance(part, dict) else None


def _of_naba(
    name: str,
    kind: Literal["run", "checkpoint"],
    description: str,
    checkpoint: Checkpoint,
    record: Mapping[str, Any],
    scorer: Scorer,
    notes: tuple[str, ...] = (),
    folder: Path | None = None,
) -> System:
    schema, decision = checkpoint.schema, checkpoint.decision

    def answer(texts: Sequence[str], progress: Progress) -> Answers:
        return decided(scorer.score(texts, progress=progress), decision, schema)

    return System(
        name,
        kind,
        description,
        schema,
        schema,
        answer,
        {topic: decision.of(topic).threshold for topic in schema.topic_ids},
        notes,
        normalisation=checkpoint.normalisation,
        max_tokens=checkpoint.max_tokens,
        record=record,
        folder=folder,
        checkpoint=checkpoint,
        scorer=scorer,
    )


def decided(scores: Scores, decision: Decision, schema: LabelSchema) -> Answers:
    """What raw scores come to by these temperatures and thresholds."""
    topic, stance = decision.probabilities(scores.topic, scores.stance, schema)
    return Answers(decision.labels(topic, stance, schema), topic, stance)


def _trainer_checkpoint(name: str, folder: Path, device: Device, batch_size: int) -> System:
    """`<run>/checkpoints/checkpoint-N`: weights alone; what they belong to stands in the run's train.json."""
    places = [above / "train.json" for above in (folder.parent.parent, folder.parent)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise CheckpointError(
            f"{name}: no train.json in {places[0].parent}; only checkpoints of `naba train` are known"
        )
    record = read_json(path)
    checkpoint = _built(record, path)
    weights = folder / "model.safetensors"
    try:
        checkpoint.model.load_state_dict(load_file(weights))
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{weights}: cannot be read ({error}); was it being written?") from None
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{weights}: does not fit the model that {path} describes ({reason})") from None
    checkpoint.model.eval()
    step = folder.name.rpartition("-")[2]
    state = "unfinished " if not (path.parent / "run.json").is_file() else ""
    return _of_naba(
        name,
        "checkpoint",
        f"checkpoint at step {step} of the {state}run {path.parent.name}",
        checkpoint,
        record,
        _torch(checkpoint, device, batch_size),
        ("Temperatures of 1 and thresholds of 0.5: those of a run are fitted when its training ends.",),
    )


def _built(record: Mapping[str, Any], path: Path) -> Checkpoint:
    """The model that a train.json describes, its weights still the encoder's own."""
    try:
        config = record["config"]
        options = {name: config[name] for name in ("normalisation", "head", "max_tokens", "dropout")}
        encoder, labels, fingerprint = config["encoder"], Path(config["labels"]), record["schema"]["fingerprint"]
        layers = config.get("layers")
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: not as naba writes it ({error})") from None
    try:
        schema = LabelSchema.load(find(labels))
    except SchemaError as error:
        raise CheckpointError(f"{path}: {error}") from None
    if schema.fingerprint != fingerprint:
        raise CheckpointError(
            f"{path}: the run began with other topics or stances than {labels} has now; restore the file"
        )
    checkpoint = checkpoints.from_encoder(encoder, schema, **options)
    if layers:
        keep_layers(checkpoint.model, layers)
    return checkpoint


def _classifier(name: str, path: Path, device: Device, batch_size: int) -> System:
    mapping = load_config(MappingConfig, path)
    schema = LabelSchema.load(find(mapping.labels))
    classifier = TextClassifier.load(
        name, normalisation=mapping.normalisation, max_tokens=mapping.max_tokens, device=device
    )
    label_map = LabelMap.of(mapping, classifier.labels, schema, name)

    def answer(texts: Sequence[str], progress: Progress) -> Answers:
        return label_map.answers(classifier.logits(texts, batch_size=batch_size, progress=progress))

    return System(
        name,
        "classifier",
        f"text classifier ({classifier.architecture}), its labels read by {path.name}",
        label_map.schema,
        schema,
        answer,
        label_map.decided_at,
        _left_out(label_map, schema),
        None if label_map.stances.all() else label_map.stances,
        mapping.normalisation,
        mapping.max_tokens,
    )


def _left_out(label_map: LabelMap, schema: LabelSchema) -> tuple[str, ...]:
    """What the classifier has no answer for, in words."""
    topics = [topic for topic in schema.topic_ids if topic not in label_map.schema.topic_ids]
    notes = [f"It has no label for {', '.join(topics)}: not scored."] if topics else []
    for topic, can in zip(label_map.schema.topic_ids, label_map.stances, strict=True):
        lacking = [stance for stance, said in zip(schema.stance_ids, can, strict=True) if not said]
        if lacking:
            what = "no stance" if len(lacking) == len(schema.stance_ids) else f"no {' or '.join(lacking)}"
            notes.append(
                f"Its labels for {topic} say {what}: segments with such a stance are scored on presence alone."
            )
    return tuple(notes)
