"""Simple systems that a model must beat, always beside it: on the same texts, fitted on the same training data.

- `majority` says for each topic what most training segments have, and its commonest stance.
- `rules`: the labelling rules, resolved by majority as `naba build` does. Needs no training data.
- `tfidf`: TF-IDF over word and character n-grams with logistic regression (`naba.tfidf`).
- `frozen`: logistic regression on the vectors of the encoder, not fine-tuned (`naba.evaluation.encoder_baselines`).
- `zero_shot`: the topics whose descriptions are nearest by the same vectors. Needs no labels.

    for baseline in run_baselines(ALL, texts, schema, train=train, encoder=EncoderSource("models/naba-base")):
        print(baseline.name, baseline.answers or baseline.reason)
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from naba.errors import CheckpointError, ConfigError, DataError, NabaError
from naba.evaluation.answers import Answers
from naba.metrics import Labels
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Floats, Ints, taking_sides
from naba.tfidf import TfidfClassifier, targets
from naba.voting.resolve import decide, resolve_table
from naba.voting.rules import RuleSet
from naba.voting.vote_table import VoteTable
from naba.voting.voters import Voters

if TYPE_CHECKING:  # loads torch
    from naba.evaluation.embeddings import Embedder, EncoderSource

__all__ = [
    "ALL",
    "FAST",
    "Baseline",
    "by_rules",
    "majority",
    "prior",
    "run_baselines",
    "targets",
    "tfidf",
    "tfidf_answers",
]

FAST = ("majority", "rules", "tfidf")
"""Seconds."""
ALL = (*FAST, "frozen", "zero_shot")
"""With those that run the training segments through the encoder: minutes, the first time."""
RULES = Path("configs/rules")


@dataclass(frozen=True)
class Baseline:
    """One baseline's answers, or why there are none."""

    name: str
    basis: str
    """What it rests on, for the report."""
    answers: Answers | None
    reason: str | None
    """Why it could not be had; None where it could."""
    seconds: float
    """Fitting and answering. The first that asks the encoder pays for the vectors of both."""


def run_baselines(
    names: Sequence[str],
    texts: Sequence[str],
    schema: LabelSchema,
    *,
    train: Sequence[LabelledSegment] = (),
    rules: Path = RULES,
    encoder: "EncoderSource | None" = None,
    progress: Progress = SILENT,
) -> list[Baseline]:
    """Run baselines on texts. One that cannot be had says why, and never keeps the others from running.

    Args:
        names: of `ALL`, in the order wanted.
        texts: N segments.
        train: what they are fitted on; may have more topics than the schema.
        rules: the folder of the labelling rules.
        encoder: of `frozen` and `zero_shot`; usually the one that the run was fine-tuned from.

    Raises:
        ConfigError: there is no baseline of that name.
    """
    if unknown := [name for name in names if name not in ALL]:
        raise ConfigError(f"no baseline {unknown[0]!r}; known: {', '.join(ALL)}")
    gold = targets(train, schema)
    vectors = _Vectors(encoder, texts, train, progress)

    def fitted(answer: Callable[[], Answers]) -> Callable[[], Answers]:
        def run() -> Answers:
            if not train:
                raise DataError("there is no training data to fit it on; name the run's with --set train=[FILE]")
            return answer()

        return run

    from_train, found = f"{len(train):,} training segments", find(rules)
    known: dict[str, tuple[str, Callable[[], Answers]]] = {
        "majority": (from_train, fitted(lambda: prior(gold, len(texts), schema))),
        "rules": (f"the rules of {rules}, without training data", lambda: by_rules(RuleSet.load(found, schema), texts, schema)),
        "tfidf": (from_train, fitted(lambda: tfidf_answers(train, texts, schema))),
        "frozen": (f"{vectors.name}, not fine-tuned; {from_train}", fitted(lambda: vectors.frozen(gold, schema))),
        "zero_shot": (f"{vectors.name}, not fine-tuned; {vectors.background}", lambda: vectors.zero_shot(schema)),
    }  # fmt: skip
    return [_run(name, *known[name]) for name in names]


def majority(train: Labels, count: int, schema: LabelSchema) -> Labels:
    """The same answer for each of `count` segments."""
    return prior(train, count, schema).labels


def prior(train: Labels, count: int, schema: LabelSchema) -> Answers:
    """The commonest answer of training for each of `count` segments, with its share as the probability."""
    topics, stances = len(schema.topic_ids), len(schema.stance_ids)
    presence, stance = np.zeros(topics), np.full((topics, stances), 1 / stances)
    for t in range(topics):
        known = train.presence[:, t] != UNKNOWN
        presence[t] = train.presence[known, t].mean() if known.any() else 0.0
        judged = train.stance[:, t][train.stance[:, t] != UNKNOWN]
        if len(judged):
            stance[t] = np.bincount(judged, minlength=stances) / len(judged)
    labels = Labels(np.tile((presence > 0.5).astype(int), (count, 1)), np.tile(stance.argmax(-1), (count, 1)))
    return Answers(labels, np.tile(presence, (count, 1)), np.tile(stance, (count, 1, 1)))


def tfidf(train: Sequence[LabelledSegment], test: Sequence[str], schema: LabelSchema) -> Labels:
    """TF-IDF + logistic regression, fitted on `train`, answering for the texts of `test`."""
    return tfidf_answers(train, test, schema).labels


def tfidf_answers(train: Sequence[LabelledSegment], texts: Sequence[str], schema: LabelSchema) -> Answers:
    """As `tfidf`, with the probabilities. Raises DataError where training has no words to learn from."""
    said = TfidfClassifier(train, schema).probabilities(texts)
    labels = Labels((said.presence > 0.5).astype(int), np.asarray(said.stance.argmax(-1)))
    return Answers(labels, said.presence, said.stance)


def by_rules(rules: RuleSet, texts: Sequence[str], schema: LabelSchema) -> Answers:
    """What the rules' votes come to; without probabilities, for shares of votes are none.

    A topic on which all rules are silent, or which as many find as deny, is absent: in doubt it is left out. Where the
    topic is found but no stance, or two stances equally, the stance is the one that takes no side; in a schema without
    such a stance, the one that the rules give the topic most often on these texts.
    """
    rows = [(number, *vote) for number, votes in enumerate(Voters(schema, rules).vote(texts)) for vote in votes]
    segment, rule, topic, present, stance = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    never = np.zeros(len(rows), dtype=bool)
    table = VoteTable(len(texts), rules.names, segment, rule, topic, present.astype(bool), stance, never)
    said, _, _ = decide(resolve_table(table, schema))
    fallback = np.array([_fallback(said.stance[:, t], schema) for t in range(len(schema.topic_ids))])
    stances = np.where(said.stance == UNKNOWN, fallback, said.stance)
    return Answers(Labels((said.presence == 1).astype(int), stances))


def _fallback(stances: Ints, schema: LabelSchema) -> int:
    no_side = [s for s in range(len(schema.stance_ids)) if s not in taking_sides(schema)]
    judged = stances[stances != UNKNOWN]
    return no_side[0] if no_side else int(np.bincount(judged).argmax()) if len(judged) else 0


class _Vectors:
    """The encoder, loaded when it is first asked, or the error that it gave then."""

    def __init__(
        self,
        source: "EncoderSource | None",
        texts: Sequence[str],
        train: Sequence[LabelledSegment],
        progress: Progress,
    ) -> None:
        self._source, self._texts, self._progress = source, texts, progress
        self._train = [item.segment.text for item in train]
        self._loaded: Embedder | NabaError | None = None
        self.name = source.name if source else "no encoder"
        self.background = f"thresholds set on {len(self._train or texts):,} {'training' if train else 'of the same'} segments without their labels"

    def frozen(self, gold: Labels, schema: LabelSchema) -> Answers:
        """The baseline `frozen`."""
        from naba.evaluation.encoder_baselines import frozen

        vectors = self._embed([*self._train, *self._texts])
        return frozen(vectors[: len(self._train)], gold, vectors[len(self._train) :], schema)

    def zero_shot(self, schema: LabelSchema) -> Answers:
        """The baseline `zero_shot`."""
        from naba.evaluation.encoder_baselines import descriptions, zero_shot

        topics, stances = descriptions(schema)
        vectors = self._embed([*self._train, *self._texts])
        background, texts = vectors[: len(self._train)], vectors[len(self._train) :]
        return zero_shot(texts, self._embed(topics), self._embed(stances), background if self._train else texts, schema)

    def _embed(self, texts: Sequence[str]) -> Floats:
        if self._source is None:
            raise CheckpointError("the encoder that the model was fine-tuned from is not known; name one")
        if self._loaded is None:
            from naba.evaluation.embeddings import Embedder

            try:
                self._loaded = Embedder.load(self._source)
            except NabaError as error:  # asked once: a Hub that does not answer takes seconds each time
                self._loaded = error
        if isinstance(self._loaded, NabaError):
            raise self._loaded
        return self._loaded.embed(texts, progress=self._progress)


def _run(name: str, basis: str, answer: Callable[[], Answers]) -> Baseline:
    started = time.perf_counter()
    answers, reason = None, None
    try:
        answers = answer()
    except NabaError as error:
        reason = str(error)
    return Baseline(name, basis, answers, reason, round(time.perf_counter() - started, 1))
