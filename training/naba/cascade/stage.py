"""The first stage as it lies in a run's `cascade/` folder: a linear model over the pieces of words.

    cascade = Cascade.load(Path("models/naba-news"), 0.99)
    verdict = cascade.read(["…", "…"])
    verdict.passes                             # [N]; the model reads only these

cascade.json says what it was made from, and for which recalls there is a certified threshold; weights.safetensors has the
weights. It is used only with the very run that it was made for.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from naba.calibration import sigmoid
from naba.cascade.words import pieces_of, words_of
from naba.errors import CheckpointError, ConfigError, DataError
from naba.fingerprint import fingerprint
from naba.jsonl import read_json, write_json
from naba.modelling.exported import run_fingerprint
from naba.schema import LabelSchema
from naba.scores import Labels
from naba.text import normaliser

logger = logging.getLogger(__name__)

FOLDER, RECORD, WEIGHTS = "cascade", "cascade.json", "weights.safetensors"
FORMAT = 1
KNOWN_WORDS = 400_000
"""Words whose sums are kept; beyond that they are computed anew."""


@dataclass(frozen=True)
class Verdict:
    """What the first stage says of N texts."""

    passes: NDArray[np.bool_]  # [N]
    """Whether the model is to read it."""
    probability: NDArray[np.float64]  # [N, T]
    """Its own estimate that a topic is present, calibrated on the labelled segments it was made from."""
    stance: NDArray[np.float64]  # [T, S]
    """How often a present topic has each stance there: all it knows of stances."""


class LinearStage:
    """Scores of texts by topic. Threads may share it."""

    def __init__(self, weights: NDArray[Any], bias: NDArray[Any], normalisation: str) -> None:
        """Wrap weights [buckets, T] and biases [T]."""
        self.weights, self.bias, self.normalisation = weights, bias, normalisation
        self._normalise = normaliser(normalisation)
        self._lock = Lock()
        self._forget()

    def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Scores [N, T]: the log-odds of each topic, up to what calibration adds. A text's score depends on it alone."""
        words = [words_of(text, self._normalise) for text in texts]
        with self._lock:
            places, sums = self._learn(words)
        counts = np.array([len(some) for some in words], dtype=np.int64)
        flat = np.fromiter(chain.from_iterable(places), dtype=np.int64, count=int(counts.sum()))
        found = np.zeros((len(texts), sums.shape[1]))
        filled = np.flatnonzero(counts)
        if len(filled):
            starts = np.concatenate([[0], np.cumsum(counts[filled])[:-1]])
            found[filled] = np.add.reduceat(sums[flat], starts, axis=0)
        length = np.sqrt(np.maximum(found[:, -1:], 1))
        return np.asarray(found[:, :-1] / length + self.bias)

    def _forget(self) -> None:
        self._places: dict[str, int] = {}
        self._sums = np.zeros((1024, self.weights.shape[1] + 1))

    def _learn(self, words: Sequence[Sequence[str]]) -> tuple[list[list[int]], NDArray[np.float64]]:
        """Of each word its place among the sums, and the sums [W, T + 1], the last column counting pieces."""
        if len(self._places) > KNOWN_WORDS:
            self._forget()
        places = self._places
        new = [word for word in dict.fromkeys(chain.from_iterable(words)) if word not in places]
        if new:
            numbers, lengths = pieces_of(new, len(self.weights))
            rows = self.weights[numbers]
            starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
            first, end = len(places), len(places) + len(new)
            if end > len(self._sums):
                grown = np.zeros((max(end, 2 * len(self._sums)), self._sums.shape[1]))
                grown[:first] = self._sums[:first]
                self._sums = grown
            self._sums[first:end, :-1] = np.add.reduceat(rows.astype(np.float64), starts, axis=0)
            self._sums[first:end, -1] = lengths
            places.update(zip(new, range(first, end), strict=True))
        return [list(map(places.__getitem__, some)) for some in words], self._sums


class Cascade:
    """A first stage with the threshold of one certified recall."""

    def __init__(self, stage: LinearStage, record: Mapping[str, Any], recall: float) -> None:
        """Take the threshold of `recall` from what cascade.json says. Raises ConfigError where it has none."""
        levels = {float(level): values for level, values in record["recalls"].items()}
        if recall not in levels:
            raise ConfigError(
                f"cascade = {recall}: the run's first stage was made for recall {', '.join(map(str, sorted(levels)))}; use "
                f"one of these, or make it anew with --recall {recall}"
            )
        self.stage, self.recall = stage, recall
        self.data: Mapping[str, str] = record["data"]
        """The labelled files that it was fitted and certified on, and their fingerprints."""
        self.threshold: float | None = levels[recall]["threshold"]
        calibration = [record["topics"][topic]["calibration"] for topic in record["topics"]]
        self._slope, self._offset = np.array(calibration, dtype=np.float64).reshape(-1, 2).T
        self._stance = np.array([list(values["stances"].values()) for values in record["topics"].values()])

    @classmethod
    def load(cls, folder: Path, recall: float, schema: LabelSchema) -> "Cascade":
        """Read a run's first stage.

        Raises:
            CheckpointError: the run has none, it is damaged, or was made for the run with other weights.
            ConfigError: it was not made for this recall.
        """
        path = folder / FOLDER / RECORD
        if not path.is_file():
            raise CheckpointError(f"{folder}: has no first stage; make it with: naba cascade {folder}")
        try:
            record = read_json(path)
            if record["format"] != FORMAT or record["run"] != run_fingerprint(folder):
                raise CheckpointError(
                    f"{path}: made for other weights than the run has now; make it anew: naba cascade {folder}"
                )
            weights = folder / FOLDER / WEIGHTS
            if not weights.is_file() or fingerprint(weights) != record["weights"]["fingerprint"]:
                raise CheckpointError(f"{weights}: is missing or damaged; make it anew: naba cascade {folder}")
            tensors = load_file(weights)
            if tuple(record["topics"]) != schema.topic_ids:
                raise CheckpointError(f"{path}: has other topics than the run; make it anew: naba cascade {folder}")
            stage = LinearStage(tensors["weights"], tensors["bias"], record["normalisation"])
            if record["segments"]["authored"]:
                logger.warning(
                    "%s: this first stage was certified on authored segments alone; how much of published news it loses is "
                    "not known",
                    folder,
                )
            return cls(stage, record, recall)
        except (DataError, SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(
                f"{path}: not as naba writes it ({' '.join(str(error).split())[:200]}); make it anew: naba cascade {folder}"
            ) from None

    def passes(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Which of N texts the model is to read [N]."""
        return passing(self.stage.scores(texts), self.threshold)

    def read(self, texts: Sequence[str]) -> Verdict:
        """Which texts pass, and what the first stage itself believes of all."""
        scores = self.stage.scores(texts)
        return Verdict(
            passing(scores, self.threshold),
            np.asarray(sigmoid(scores * self._slope + self._offset), dtype=np.float64).reshape(scores.shape),
            self._stance,
        )


def recalls_of(folder: Path) -> list[float]:
    """For which recalls a run's first stage was made; none where it has no first stage.

    Raises CheckpointError where its record cannot be read.
    """
    path = folder / FOLDER / RECORD
    try:
        return sorted(map(float, read_json(path)["recalls"])) if path.is_file() else []
    except (DataError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: not as naba writes it ({error}); make it anew: naba cascade {folder}") from None


def cascade_mark(folder: Path, recall: float | None) -> str | None:
    """What the answers of a run's first stage follow from: recall and weights; None without a recall.

    Raises CheckpointError for a run that has no first stage.
    """
    if recall is None:
        return None
    try:
        return f"{recall}@{read_json(folder / FOLDER / RECORD)['weights']['fingerprint']}"
    except (DataError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{folder}: has no usable first stage ({error}); make it with: naba cascade {folder}"
        ) from None


def passing(scores: NDArray[np.floating[Any]], threshold: float | None) -> NDArray[np.bool_]:
    """Which of N texts with scores [N, T] pass: those with any topic at the threshold; without a threshold all."""
    if threshold is None:
        return np.ones(len(scores), dtype=bool)
    return np.asarray(scores.max(axis=1) >= threshold)


def behind(labels: Labels, passes: NDArray[np.bool_]) -> Labels:
    """A run's labels of N segments where it reads only those that pass [N]: the others have no topic."""
    return Labels(labels.presence * passes[:, None], labels.stance)


def write_stage(folder: Path, stage: LinearStage, record: Mapping[str, Any]) -> dict[str, Any]:
    """Write a run's first stage in place of an earlier one; cascade.json goes first and comes last, so that no half is used.

    Returns what cascade.json says. Raises CheckpointError where it cannot be written.
    """
    target = folder / FOLDER
    temporary = target / f".{WEIGHTS}.tmp"
    try:
        target.mkdir(exist_ok=True)
        (target / RECORD).unlink(missing_ok=True)
        save_file({"weights": stage.weights.astype(np.float16), "bias": stage.bias.astype(np.float64)}, temporary)
        temporary.chmod((folder / "config.json").stat().st_mode)  # safetensors makes files only their owner can read
        temporary.replace(target / WEIGHTS)
    except (OSError, SafetensorError) as error:
        temporary.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or error
        raise CheckpointError(f"{target}: cannot be written ({reason}); check its rights and the disk") from None
    path = target / WEIGHTS
    written = {"format": FORMAT, **record, "weights": {"fingerprint": fingerprint(path), "bytes": path.stat().st_size}}
    write_json(target / RECORD, written)
    return written
