"""Teachers: finished runs that label a pool together, and what they come to as an ensemble.

    teachers = open_teachers([Path("models/repeat/seed-1"), Path("models/repeat/seed-2")])
    for teacher in teachers:
        answer_pool(teacher, pool, folder, …)
    consensus(teachers, pool, folder)

One model is in memory at a time, and its answers go to disk chunk by chunk. The ensemble's probability is the mean of
its teachers' calibrated ones (deep ensembles: Lakshminarayanan et al. 2017, section 2.4).
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.calibration import Decision
from naba.corpus.mask import mask
from naba.dataset.ledger import text_key
from naba.distillation.pool import Pool
from naba.errors import CheckpointError, ConfigError
from naba.fingerprint import DECIDING, fingerprint, fingerprint_of, run_mark
from naba.jsonl import read_json, read_jsonl, write_jsonl
from naba.modelling import checkpoint as checkpoints
from naba.modelling.device import Precision, lower_precision
from naba.modelling.infer import score_texts
from naba.paths import find
from naba.progress import SILENT, Advance, Progress
from naba.run import training_files
from naba.schema import UNKNOWN, LabelSchema

logger = logging.getLogger(__name__)

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]

DIGITS = 4
"""Of the ensemble's probabilities; what is decided is decided by these."""
_FIELDS = ("presence", "stance", "windows")
_NOBODY = UNKNOWN - 1


@dataclass(frozen=True)
class Teacher:
    """A run that labels."""

    folder: Path
    name: str
    """The folder's name with a mark of weights, tokenizer and decision."""
    schema: LabelSchema
    decision: Decision
    training: Sequence[Path]
    """The files it was trained on, where it may not vote on what they hold; empty where it may."""

    def seen(self) -> set[str]:
        """Keys of the texts it may not vote on, contacts masked as in a pool."""
        return {text_key(mask(str(row.get("text")))) for path in self.training for row in read_jsonl(path)}


@dataclass(frozen=True)
class Consensus:
    """What R teachers together say of N segments. Where none may vote, probabilities are NaN."""

    presence: Floats  # [N, T]
    """Mean probability of the topic."""
    stance: Floats  # [N, T, S]
    """Mean probability of every stance given the topic."""
    threshold: Floats  # [N, T]
    """Mean threshold of those who voted."""
    voted: Bools  # [N, R]
    differs: Bools  # [N, T]
    """Two teachers decided the topic or its stance differently."""
    windows: NDArray[np.int64]  # [N]
    """Windows that some teacher read the text in; 1 where all read it whole."""

    @property
    def present(self) -> Bools:
        """The topics that are decided to be there. [N, T]"""
        return np.asarray(self.presence >= self.threshold)


def open_teachers(folders: Sequence[Path], *, in_fold: bool = False) -> list[Teacher]:
    """Find out what the runs are, without loading their weights.

    Args:
        in_fold: let a teacher vote on what it was trained on.

    Raises:
        CheckpointError: a folder is no complete run. ConfigError: two are the same, or label other topics or stances.
    """
    teachers = [_open(find(folder), in_fold) for folder in folders]
    first = teachers[0]
    names: dict[str, Path] = {}
    for teacher in teachers:
        mark = teacher.name.rpartition("@")[2]
        if mark in names:
            raise ConfigError(f"{teacher.folder}: the same model as {names[mark]}; name each teacher once")
        names[mark] = teacher.folder
        if teacher.schema.fingerprint != first.schema.fingerprint:
            raise ConfigError(
                f"{teacher.folder}: labels {_labels(teacher.schema)}, and {first.folder} {_labels(first.schema)}; "
                "teachers must have the same topics and stances in the same order"
            )
    return teachers


def answer_pool(
    teacher: Teacher,
    pool: Pool,
    folder: Path,
    *,
    device: str,
    precision: Precision,
    batch_size: int,
    progress: Progress = SILENT,
) -> None:
    """Write the teacher's answers on the pool into `folder`, chunk by chunk; chunks that are there already are kept.

    Args:
        device: "cpu" or "cuda".
        batch_size: segments per forward pass.

    Raises:
        CheckpointError: the run cannot be loaded. DataError: the answers cannot be written.
    """
    missing = [number for number in range(pool.chunks) if not _path(folder, number).is_file()]
    if not missing:
        return
    checkpoint = checkpoints.load(teacher.folder)
    lower_precision(checkpoint.model, precision)
    checkpoint.model.to(device)
    seen = teacher.seen()
    with progress.task(teacher.name.partition("@")[0], len(pool), "segments") as advance:
        advance(len(pool) - sum(pool.size(number) for number in missing), "")
        for number in missing:
            texts = [item.segment.text for item in pool.chunk(number)]
            may = [text_key(text) not in seen for text in texts]
            advance(may.count(False), "")
            asked = [text for text, may_vote in zip(texts, may, strict=True) if may_vote]
            scores = score_texts(checkpoint, asked, batch_size=batch_size, progress=_Within(advance))
            presence, stance = teacher.decision.probabilities(scores.topic, scores.stance, teacher.schema)
            said = zip(presence.round(6).tolist(), stance.round(6).tolist(), scores.windows, strict=True)
            rows = (dict(zip(_FIELDS, next(said), strict=True)) if may_vote else {} for may_vote in may)
            write_jsonl(_path(folder, number), rows)


def consensus(teachers: Sequence[Teacher], pool: Pool, folders: Sequence[Path]) -> Consensus:
    """What the teachers' answers, each in its own folder, come to."""
    schema = teachers[0].schema
    shape = (len(pool), len(schema.topic_ids))
    presence, threshold, stance = np.zeros(shape), np.zeros(shape), np.zeros((*shape, len(schema.stance_ids)))
    voted, differs = np.zeros((len(pool), len(teachers)), dtype=bool), np.zeros(shape, dtype=bool)
    windows, first = np.ones(len(pool), dtype=np.int64), np.full(shape, _NOBODY)
    for number, (teacher, folder) in enumerate(zip(teachers, folders, strict=True)):
        for rows, said in _answers(pool, folder):
            voted[rows, number] = True
            presence[rows] += said[0]
            stance[rows] += said[1]
            thresholds = teacher.decision.thresholds(schema)
            threshold[rows] += thresholds
            windows[rows] = np.maximum(windows[rows], said[2])
            decided = np.where(said[0] >= thresholds, said[1].argmax(-1), UNKNOWN)
            differs[rows] |= (first[rows] != _NOBODY) & (first[rows] != decided)
            first[rows] = decided
    with np.errstate(invalid="ignore"):  # nobody voted: 0 / 0
        votes = voted.sum(axis=1)[:, None].astype(float)  # [N, 1]
        return Consensus(
            (presence / votes).round(DIGITS),
            (stance / votes[..., None]).round(DIGITS),
            threshold / votes,
            voted,
            differs,
            windows,
        )


def answers_mark(teacher: Teacher, precision: Precision) -> str:
    """Changes when the teacher might answer otherwise, or be asked of other segments."""
    return fingerprint_of([teacher.name, precision, sorted(fingerprint(path) for path in teacher.training)])


def _answers(pool: Pool, folder: Path) -> Iterator[tuple[Any, tuple[Any, Any, Any]]]:
    """Of each chunk the numbers [K] of the segments that were voted on, with presence [K, T], stance [K, T, S], windows [K]."""
    start = 0
    for number in range(pool.chunks):
        rows = [(start + at, row) for at, row in enumerate(read_jsonl(_path(folder, number))) if row]
        if rows:
            columns = (np.array([row[name] for _, row in rows]) for name in _FIELDS)
            yield np.array([at for at, _ in rows]), tuple(columns)  # type: ignore[misc]
        start += pool.size(number)


def _open(folder: Path, in_fold: bool) -> Teacher:
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such run folder; train one with `naba train`")
    missing = [name for name in DECIDING if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(
            f"{folder}: {missing[0]} is missing; a teacher is a finished run folder (of folds, `naba repeat` keeps the "
            "weights with keep_weights only)"
        )
    settings = read_json(folder / "config.json").get("naba")
    schema = LabelSchema.parse(settings.get("schema") if isinstance(settings, dict) else None, f"{folder}/config.json")
    decision = Decision.from_dict(read_json(folder / "decision.json"), schema)
    files: Sequence[Path] = []
    if not in_fold:
        files, all_there = training_files(folder)
        if not all_there:
            logger.warning(
                "%s: not all it was trained on is here as it was; it may vote on segments that it has learnt by heart",
                folder,
            )
    return Teacher(folder, run_mark(folder), schema, decision, files)


def _labels(schema: LabelSchema) -> str:
    return f"{', '.join(schema.topic_ids)} ({', '.join(schema.stance_ids)})"


def _path(folder: Path, number: int) -> Path:
    return folder / f"answers-{number:05}.jsonl"


class _Within:
    """Has a longer task advance in place of the tasks it consists of."""

    def __init__(self, advance: Advance) -> None:
        self.advance = advance

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Advance]:
        yield self.advance
