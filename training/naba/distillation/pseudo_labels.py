"""Self-training and distillation: teachers label a pool of segments, and what they are sure of becomes training data.

    summary = pseudo_label(PseudoLabelConfig(teachers=[…], pool=[…], held_out=[…], out=Path("data/labelled/pseudo.jsonl")))

lay the pool down (pool) → answer (teachers) → select (confident) → write. The rows hold hard labels and, under `teacher`,
the probabilities that a student learns (`naba.modelling.targets`): name the file under `train` with a weight. With a least
confidence of 0 all segments are kept, and the student is distilled (Hinton et al. 2015, "Distilling the Knowledge in a
Neural Network").
"""

import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from naba.config import ArticleSource, Config
from naba.distillation.confident import Selection, SelectionRules, confidence, select_confident
from naba.distillation.pool import Pool, PoolSources, lay_down
from naba.distillation.teachers import Consensus, Teacher, answer_pool, answers_mark, consensus, open_teachers
from naba.errors import ConfigError, DataError
from naba.jsonl import write_json, write_jsonl
from naba.modelling.device import pick_device, pick_precision
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment, TopicLabel
from naba.run import environment
from naba.schema import LabelSchema

logger = logging.getLogger(__name__)

FORMAT = 1
"""Version of the summary."""
STANCE_CONFIDENCE, NEGATIVES = 0.7, 0.5
"""The defaults where a least confidence is asked for. A model is less sure of stances than of topics: at 0.9 few would be
left of what it has right (`tests/benchmarks/pseudo_labels.py`)."""
_MARK = re.compile(r"[0-9a-f]{16}")


class PseudoLabelConfig(Config):
    """`naba pseudo-label`: teachers, a pool, and what is kept."""

    teachers: list[Path] = Field(min_length=1)
    """Run folders; of several the mean of their probabilities counts."""
    pool: list[Path] = Field(default_factory=list)
    """JSONL of segments, a text a row; labels in it are not looked at."""
    articles: list[ArticleSource] = Field(default_factory=list)
    """Article files, to be cut into segments."""
    held_out: list[Path] = Field(default_factory=list)
    """JSONL of validation and test segments: what overlaps them, and all else of its article, is dropped."""
    overlap_words: int = Field(13, ge=5)
    """A segment sharing a run of this many words with a held-out one is dropped."""
    out: Path
    """The JSONL file to write; a summary is written beside it."""
    min_confidence: float = Field(0.9, ge=0, le=1)
    """A segment is kept where each topic is present or absent with at least this probability; 0 keeps all, and only
    limits given below hold then."""
    min_stance_confidence: float | None = Field(None, ge=0, le=1)
    """The same for the stance of each present topic, given the topic; None: 0.7, or 0 where min_confidence is 0."""
    negatives: float | None = Field(None, ge=0, le=1)
    """Largest share of kept segments without a topic, of which most news has none; None: 0.5, or 1 where min_confidence
    is 0."""
    count: int | None = Field(None, ge=1)
    """Most segments of a class (topic, stance), the surest; a segment of two classes may come in by either. None: any."""
    in_fold: bool = False
    """Let a teacher vote on texts that it was trained on: for distillation on the teacher's own training data."""
    answers: Path | None = None
    """Folder that keeps the teachers' answers, so that another selection costs no new labelling; None: they are kept
    beside `out` until it is written."""
    batch_size: int = Field(32, ge=1)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the teachers' arithmetic; auto: bfloat16 where the processor multiplies it natively."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: int = Field(1, ge=0, lt=2**32)
    """Of the draw of segments without a topic."""

    @property
    def rules(self) -> SelectionRules:
        """What is kept, defaults filled in."""
        everything = self.min_confidence == 0
        stance, negatives = (0.0, 1.0) if everything else (STANCE_CONFIDENCE, NEGATIVES)
        return SelectionRules(
            self.min_confidence,
            stance if self.min_stance_confidence is None else self.min_stance_confidence,
            negatives if self.negatives is None else self.negatives,
            self.count,
        )


def pseudo_label(config: PseudoLabelConfig, *, overwrite: bool = False, progress: Progress = SILENT) -> dict[str, Any]:
    """Label the pool and write what is kept; returns the summary, which stands beside the output as `NAME.summary.json`.

    Stopped and started again, it goes on after the last chunk that a teacher answered.

    Args:
        config: teachers, pool and what to keep.
        overwrite: replace an output that is there already.
        progress: where reading and labelling are reported.

    Raises:
        ConfigError: no pool is named, teachers differ in topics or stances, or CUDA asked for and absent.
        CheckpointError: a teacher is no finished run.
        DataError: the pool cannot be read or is empty, nothing is sure enough, or the output may not be written.
    """
    if not config.pool and not config.articles:
        raise ConfigError(
            "no pool: name JSONL of segments (--pool), or article files to be cut into segments (--articles)"
        )
    _check_out(config, overwrite)
    teachers = open_teachers(config.teachers, in_fold=config.in_fold)
    device = pick_device(config.device)
    precision = pick_precision(config.precision, device)
    sources = PoolSources(config.pool, config.articles, config.held_out, config.overlap_words)
    sources.check()
    if not config.held_out:
        logger.warning("no held-out file is named: a student must not be scored on segments that are in this pool")
    inputs = sources.fingerprints()
    work = config.answers or config.out.with_name(config.out.name + ".parts")
    mark = sources.mark(inputs, teachers[0].schema)
    folder = work / mark
    pool = lay_down(sources, folder, teachers[0].schema, progress)
    answers = [folder / answers_mark(teacher, precision) for teacher in teachers]
    for teacher, own in zip(teachers, answers, strict=True):
        answer_pool(
            teacher, pool, own, device=device, precision=precision, batch_size=config.batch_size, progress=progress
        )
    said = consensus(teachers, pool, answers)
    selection = select_confident(said, config.rules, config.seed)
    if not selection.kept.any():
        raise DataError(f"{config.out}: {_why(said, selection, config.rules)}")
    write_jsonl(config.out, (item.to_row() for item in _labelled(pool, said, selection, teachers)))
    summary = {
        "format": FORMAT,
        "config": config.model_dump(mode="json"),
        "schema": {"name": pool.schema.name, "fingerprint": pool.schema.fingerprint},
        "inputs": inputs,
        "pool": pool.counts | {"fingerprint": mark},
        "teachers": [
            {"run": str(teacher.folder), "name": teacher.name, "voted": int(said.voted[:, number].sum())}
            for number, teacher in enumerate(teachers)
        ],
        "precision": precision,
        "kept": int(selection.kept.sum()),
        "not_kept": selection.reasons,
        "disagreement": _disagreement(said, pool.schema),
    }
    summary |= _classes(said, selection, pool.schema) | environment()
    write_json(summary_path(config.out), summary)
    if config.answers is None:
        _remove(work)
    return summary


def summary_path(out: Path) -> Path:
    """Where the summary of an output stands."""
    return out.with_suffix(".summary.json")


def _check_out(config: PseudoLabelConfig, overwrite: bool) -> None:
    if config.out.suffix != ".jsonl":
        raise DataError(f"{config.out}: the output is JSONL; name a file that ends in .jsonl")
    inputs = {find(path).resolve() for path in (*config.pool, *config.held_out)}
    if config.out.resolve() in inputs:
        raise DataError(f"{config.out}: is input and would be written over; choose another --out")
    for path in (config.out, summary_path(config.out)):
        if path.exists() and not overwrite:
            raise DataError(f"{path}: is there already; choose another --out, or pass --overwrite to replace it")


def _labelled(pool: Pool, said: Consensus, selection: Selection, teachers: list[Teacher]) -> Iterator[LabelledSegment]:
    """The kept segments, in the pool's order."""
    number = -1
    for chunk in range(pool.chunks):
        for item in pool.chunk(chunk):
            number += 1
            if selection.kept[number]:
                voters = [f"model:{teacher.name}" for teacher, v in zip(teachers, said.voted[number], strict=True) if v]
                labels, teacher = _answer(said, number, pool.schema)
                about = dict(item.provenance) | {"annotator": ", ".join(voters)}
                # `weak`: read by nobody; a build never holds it out.
                yield LabelledSegment(item.segment, labels, about, item.cluster, {"weak": True, "teacher": teacher})


def _answer(said: Consensus, number: int, schema: LabelSchema) -> tuple[dict[str, TopicLabel], dict[str, Any]]:
    labels, teacher = {}, {}
    for t, topic in enumerate(schema.topic_ids):
        by_stance = dict(zip(schema.stance_ids, said.stance[number, t].tolist(), strict=True))
        present = bool(said.present[number, t])
        labels[topic] = TopicLabel(present, max(by_stance, key=by_stance.__getitem__) if present else None)
        teacher[topic] = {"probability": float(said.presence[number, t]), "stance_probability": by_stance}
    return labels, teacher


def _disagreement(said: Consensus, schema: LabelSchema) -> dict[str, Any] | None:
    """Share of segments on which two teachers decided differently, of those that two or more voted on."""
    differs = said.differs[said.voted.sum(axis=1) > 1]  # [M, T]
    if not len(differs):
        return None
    of_topics = dict(zip(schema.topic_ids, differs.mean(axis=0).round(4).tolist(), strict=True))
    return {"compared": len(differs), "segments": round(float(differs.any(axis=1).mean()), 4), "topics": of_topics}


def _classes(said: Consensus, selection: Selection, schema: LabelSchema) -> dict[str, Any]:
    """Topic → absent or stance → how many segments of the pool, and how many kept; and those without any topic."""
    voted, likeliest = said.voted.any(axis=1), said.stance.argmax(axis=-1)

    def counts(of: Any) -> dict[str, int]:
        return {"pool": int(of.sum()), "kept": int((of & selection.kept).sum())}

    classes: dict[str, Any] = {}
    for t, topic in enumerate(schema.topic_ids):
        present = said.present[:, t]
        by_stance = {stance: counts(present & (likeliest[:, t] == s)) for s, stance in enumerate(schema.stance_ids)}
        classes[topic] = by_stance | {"absent": counts(voted & ~present)}
    return {"classes": classes, "without_topic": counts(voted & ~said.present.any(axis=1))}


def _why(said: Consensus, selection: Selection, rules: SelectionRules) -> str:
    """What to change where nothing is kept."""
    told = "; ".join(f"{count:,}: {reason}" for reason, count in selection.reasons.items())
    said_so = f"none of {len(said.windows):,} segments is kept ({told})"
    usable = (said.windows == 1) & said.voted.any(axis=1)
    if not usable.any():
        return f"{said_so}; cut articles into segments (under 'articles'), or allow in_fold=true"
    topic, stance = (of[usable] for of in confidence(said))
    if topic.max() < rules.min_confidence:
        return f"{said_so}; the surest is sure of its topics by {topic.max():.2f}: lower min_confidence"
    sure = stance[topic >= rules.min_confidence]
    if sure.max() < rules.min_stance_confidence:
        return f"{said_so}; the surest is sure of its stances by {sure.max():.2f}: lower min_stance_confidence"
    return (
        f"{said_so}; no segment with a topic is sure: raise negatives, or lower min_confidence or min_stance_confidence"
    )


def _remove(work: Path) -> None:
    """Remove what this command wrote there, and the folder if nothing else is in it."""
    for folder in work.iterdir():
        if _MARK.fullmatch(folder.name):
            shutil.rmtree(folder)
    if not any(work.iterdir()):
        work.rmdir()
