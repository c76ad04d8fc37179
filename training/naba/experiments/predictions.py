"""What runs say of segments they were not trained on, as rows that scores and comparisons are computed from.

A row of `predictions.jsonl` has the segment's id, never its text:

    {"id", "fold", "seed", "cluster", "labels": {topic: {present, stance}},
     "topics": {topic: {"present", "probability", "stance_probability": {stance: …}}}}

Scores are computed from the rows as they are written, so that whoever reads the file gets the same ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from naba.errors import DataError
from naba.jsonl import read_numbered
from naba.metrics import Labels
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

DIGITS = 6
"""Of the probabilities that are written."""


@dataclass(frozen=True)
class Answers:
    """What a run says of N segments."""

    present: NDArray[np.bool_]  # [N, T]
    probability: Floats  # [N, T]
    stance: Floats  # [N, T, S]
    """Probability of every stance given that the topic is present."""


class Predict(Protocol):
    """`predict_run`, or what stands in for it."""

    def __call__(self, run: Path, texts: Sequence[str], *, device: str, progress: Progress = SILENT) -> Answers:
        """What the run in the folder says of the texts."""
        ...


@dataclass(frozen=True)
class Predictions:
    """N answers, one a segment and seed."""

    ids: Sequence[str]
    fold: Sequence[str | None]
    seed: Ints  # [N]
    cluster: Ints  # [N]
    gold: Labels
    said: Labels
    """Presence as decided, and for every topic the likeliest stance."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def seeds(self) -> list[int]:
        """The seeds, ascending."""
        return sorted(set(self.seed.tolist()))

    @property
    def folds(self) -> list[str | None]:
        """The folds, in the order of the rows; [None] where there are none."""
        return list(dict.fromkeys(self.fold))

    def where(self, *, fold: str | None = None, seed: int | None = None) -> "Predictions":
        """Those of a fold, of a seed, or of both."""
        numbers = [
            number
            for number, (of_fold, of_seed) in enumerate(zip(self.fold, self.seed.tolist(), strict=True))
            if fold in (None, of_fold) and seed in (None, of_seed)
        ]
        return self.pick(numbers)

    def pick(self, numbers: Sequence[int]) -> "Predictions":
        """Those with these numbers, in their order."""
        rows = np.asarray(numbers, dtype=np.int64)
        return Predictions(
            [self.ids[number] for number in numbers],
            [self.fold[number] for number in numbers],
            self.seed[rows],
            self.cluster[rows],
            Labels(self.gold.presence[rows], self.gold.stance[rows]),
            Labels(self.said.presence[rows], self.said.stance[rows]),
        )


def predict_run(run: Path, texts: Sequence[str], *, device: str = "auto", progress: Progress = SILENT) -> Answers:
    """What a run folder says of texts, with its own temperatures and thresholds.

    Raises CheckpointError where the folder cannot be loaded.
    """
    from naba.modelling import checkpoint as checkpoints
    from naba.modelling.device import pick_device
    from naba.modelling.infer import score_texts

    checkpoint = checkpoints.load(run)
    checkpoint.model.to(pick_device(device))
    scores = score_texts(checkpoint, texts, progress=progress)
    decision, schema = checkpoint.decision, checkpoint.schema
    probability, stance = decision.probabilities(scores.topic, scores.stance, schema)
    return Answers(probability >= decision.thresholds(schema), probability, stance)


def prediction_rows(
    items: Sequence[LabelledSegment],
    clusters: Ints,
    answers: Answers,
    schema: LabelSchema,
    *,
    seed: int,
    fold: str | None = None,
) -> list[dict[str, Any]]:
    """The rows of one run's answers on N segments, with gold and cluster numbers [N] beside them."""
    rows = []
    for number, item in enumerate(items):
        topics = {}
        for t, topic in enumerate(schema.topic_ids):
            stances = zip(schema.stance_ids, answers.stance[number, t].tolist(), strict=True)
            topics[topic] = {
                "present": bool(answers.present[number, t]),
                "probability": round(float(answers.probability[number, t]), DIGITS),
                "stance_probability": {stance: round(float(value), DIGITS) for stance, value in stances},
            }
        gold = {topic: {"present": label.present, "stance": label.stance} for topic, label in item.labels.items()}
        rows.append(
            {"id": item.segment.id, "fold": fold, "seed": seed, "cluster": int(clusters[number])}
            | {"labels": gold, "topics": topics}
        )
    return rows


def load_predictions(path: Path, schema: LabelSchema) -> Predictions:
    """Read `predictions.jsonl`.

    Raises DataError naming file and line for a row of another form or schema, and for an empty file.
    """
    return parse_predictions([(f"{path}:{line}", row) for line, row in read_numbered(path)], schema, str(path))


def parse_predictions(rows: Sequence[tuple[str, Mapping[str, Any]]], schema: LabelSchema, origin: str) -> Predictions:
    """Predictions from rows, each with its place for errors, which are DataErrors."""
    if not rows:
        raise DataError(f"{origin}: no predictions")
    shape = (len(rows), len(schema.topic_ids))
    gold, said = (Labels(np.full(shape, UNKNOWN), np.full(shape, UNKNOWN)) for _ in range(2))
    for number, (where, row) in enumerate(rows):
        try:
            _fill(number, row, gold, said, schema)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise DataError(f"{where}: not a prediction of this version of naba for {schema.name!r}") from None
    try:
        return Predictions(
            [str(row["id"]) for _, row in rows],
            [row["fold"] for _, row in rows],
            np.array([row["seed"] for _, row in rows], dtype=np.int64),
            np.array([row["cluster"] for _, row in rows], dtype=np.int64),
            gold,
            said,
        )
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{origin}: rows without id, fold, seed or cluster; not predictions of naba") from None


def _fill(number: int, row: Mapping[str, Any], gold: Labels, said: Labels, schema: LabelSchema) -> None:
    if set(row["topics"]) != set(schema.topic_ids):
        raise ValueError
    for t, topic in enumerate(schema.topic_ids):
        label, answer = row["labels"][topic], row["topics"][topic]
        if label["present"] is not None:
            gold.presence[number, t] = int(label["present"])
        if label["stance"] is not None:
            gold.stance[number, t] = schema.stance_ids.index(label["stance"])
        said.presence[number, t] = int(answer["present"])
        said.stance[number, t] = int(np.argmax([answer["stance_probability"][stance] for stance in schema.stance_ids]))
