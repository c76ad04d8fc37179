"""Fine-tuning: labelled segments and an encoder in, a complete run folder out.

    result = train(TrainConfig(train=[…], validation=[…], out=Path("models/mine")))

The best checkpoint is the one with the highest (topic, stance) pair F1 on validation; thresholds and temperatures are
fitted there too. A run that was interrupted goes on from its last checkpoint when started again.
"""

import logging
import pickle
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import set_seed

from naba.calibration import fit_decision
from naba.config import TrainConfig
from naba.dataset.labelled import load_labelled
from naba.errors import ConfigError, DataError
from naba.finetuning.trainer import StepBar, make_trainer, saving_interrupts
from naba.fingerprint import fingerprint
from naba.jsonl import read_json, write_json
from naba.metrics import Labels, score
from naba.modelling import checkpoint as checkpoints
from naba.modelling.device import pick_device
from naba.modelling.encode import EncodedSegments
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.run import describe_run, write_model_card
from naba.schema import LabelSchema

logger = logging.getLogger(__name__)


def train(config: TrainConfig, *, overwrite: bool = False, progress: Progress = SILENT) -> dict[str, Any]:
    """Train one run; returns what stands in its run.json.

    Args:
        config: the run.
        overwrite: replace a finished or foreign run in `config.out` instead of refusing.
        progress: where the steps are reported.

    Raises:
        ConfigError: CUDA asked for and absent, or the output holds another run.
        DataError: no data, or labels outside the schema.
        CheckpointError: the encoder cannot be loaded.
    """
    device = pick_device(config.device)
    schema = LabelSchema.load(find(config.labels))
    training = load_labelled(config.train, schema)
    validation = load_labelled(config.validation, schema)
    started = time.perf_counter()
    set_seed(config.seed)
    run = checkpoints.from_encoder(
        config.encoder,
        schema,
        normalisation=config.normalisation,
        head=config.head,
        max_tokens=config.max_tokens,
        dropout=config.dropout,
    )
    # Only now: a mistyped encoder must neither leave a folder behind nor cost the run that is there.
    _prepare(config, schema, overwrite)
    encode = [
        EncodedSegments(items, schema, run.tokenizer, run.normalise, config.max_tokens)
        for items in (training, validation)
    ]
    trainer = make_trainer(config, run, encode[0], encode[1], device)
    start = last_whole_checkpoint(config.out / "checkpoints")
    if start:
        logger.warning(
            "%s: going on from %s of an interrupted run", config.out, Path(start).name.replace("-", " of step ")
        )
    with progress.task("training", int(trainer.args.max_steps), "steps") as advance, saving_interrupts(trainer):
        trainer.add_callback(StepBar(advance))
        trainer.train(resume_from_checkpoint=start)
    logits = trainer.predict(encode[1])  # type: ignore[arg-type]
    (topic, stance), (presence, gold_stance) = logits.predictions, logits.label_ids  # type: ignore[misc]
    run.decision = fit_decision(topic, stance, presence, gold_stance, schema)
    probability, _ = run.decision.probabilities(topic, stance, schema)
    predicted = Labels((probability >= run.decision.thresholds(schema)).astype(int), stance.argmax(-1))
    scores = score(Labels(presence, gold_stance), predicted, schema)
    if scores["pairs"]["f1"] == 0:
        logger.warning("%s: no (topic, stance) pair of validation is right; train longer or on more data", config.out)
    run.model.to("cpu")
    checkpoints.save(run, config.out, getattr(torch, config.weights))
    record = describe_run(
        config,
        schema,
        sizes={"train": len(training), "validation": len(validation)},
        seconds=time.perf_counter() - started,
        validation=scores,
        history=[entry for entry in trainer.state.log_history if "loss" in entry or "eval_pair_f1" in entry],
        best_step=trainer.state.best_global_step,
    )
    write_model_card(config.out, record, schema)
    # Written last: its presence says that the run is complete.
    write_json(config.out / "run.json", record)
    shutil.rmtree(config.out / "checkpoints", ignore_errors=True)
    return record


def _prepare(config: TrainConfig, schema: LabelSchema, overwrite: bool) -> None:
    """Make the run folder; find out whether it holds this run, unfinished, or something else."""
    out = config.out
    # Weights trained on other data or labels are another run, whatever the configuration says.
    wanted = {
        "config": config.model_dump(mode="json"),
        "schema": schema.fingerprint,
        "data": {str(path): fingerprint(find(path)) for path in (*config.train, *config.validation)},
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
