"""Resolvers against gold: noisy views of a training set, the labelling rules and a model vote on a validation set.

    python tests/benchmarks/resolve.py --train data/real/train.jsonl --validation data/real/validation.jsonl \\
        --rules configs/rules --model models/naba-news --out resolve.json
    python tests/benchmarks/resolve.py --speed 1000000          # seconds a resolver takes, on votes drawn at random
    python tests/benchmarks/resolve.py --synthetic              # annotators of known confusion

A view is a TF-IDF classifier trained on its own fifth of the training set; on that fifth it votes out of fold. Resolvers
see the votes on training and validation segments, except the model's, who votes on validation and a sample of training.
Everything is scored on the validation set or, with `--on train`, on the training segments that lend "weighted" no gold.
That resolver learns from the labels of `--gold-size` training segments; where the model votes, which knows those by
heart, from four fifths of validation for the other fifth.
"""

import argparse
import json
import random
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from naba.dataset.labelled import load_labelled
from naba.metrics import Labels
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema
from naba.text import normaliser
from naba.voting.aggregate import METHODS, Question
from naba.voting.resolve import Resolved, decide, resolve_table
from naba.voting.vote_quality import (
    Quality,
    annotator_quality,
    confidence_curve,
    curve_table,
    quality,
    quality_table,
    resolve_fairly,
)
from naba.voting.vote_table import VoteTable

ROOT = Path(__file__).resolve().parents[2]
ABSENT, PRESENT = -1, -2
"""Answers beside stance indices: the topic is not there; it is there, and the voter says no stance."""
Answers = np.ndarray[Any, np.dtype[np.int64]]


def words(**options: Any) -> TfidfVectorizer:
    return TfidfVectorizer(sublinear_tf=True, min_df=2, **options)


VIEWS: dict[str, Callable[[], Any]] = {
    "view:words-lr": lambda: make_pipeline(words(), LogisticRegression(C=10, class_weight="balanced", max_iter=1000)),
    "view:characters-svm": lambda: make_pipeline(
        words(analyzer="char_wb", ngram_range=(2, 4), max_features=30000), LinearSVC(class_weight="balanced")
    ),
    "view:pairs-complement-nb": lambda: make_pipeline(words(ngram_range=(1, 2)), ComplementNB()),
    "view:words-lr-timid": lambda: make_pipeline(words(), LogisticRegression(max_iter=1000)),
    "view:characters-nb": lambda: make_pipeline(
        words(analyzer="char_wb", ngram_range=(2, 3)), MultinomialNB(alpha=0.1)
    ),
}


def gold_labels(items: Sequence[LabelledSegment], schema: LabelSchema) -> Labels:
    """Labels [N, T]."""
    presence, stance = zip(*(item.targets(schema) for item in items), strict=True)
    return Labels(np.array(presence), np.array(stance))


def view_answers(texts: Sequence[str], gold: Labels, trained: int) -> dict[str, Answers]:
    """View → answers [N, T]; the first `trained` texts are the training set."""
    text = np.array([normaliser("standard-1")(value) for value in texts], dtype=object)
    fifth = np.full(len(text), -1)
    fifth[:trained] = np.random.default_rng(1).permutation(np.arange(trained) % len(VIEWS))
    voted = {}
    for number, (name, make) in enumerate(VIEWS.items()):
        own, others = np.flatnonzero(fifth == number), np.flatnonzero(fifth != number)
        answers = np.empty(gold.presence.shape, dtype=np.int64)
        answers[others] = fit_predict(make, text, gold, own, others)
        for fold in range(5):
            held = np.arange(len(own)) % 5 == fold
            answers[own[held]] = fit_predict(make, text, gold, own[~held], own[held])
        voted[name] = answers
    return voted


def fit_predict(make: Callable[[], Any], text: Any, gold: Labels, fit: Any, at: Any) -> Answers:
    """Answers [len(at), T] of classifiers of presence, and of stance where present, trained on the rows `fit`."""
    answers = np.full((len(at), gold.presence.shape[1]), ABSENT)
    for topic in range(gold.presence.shape[1]):
        known = fit[gold.presence[fit, topic] != UNKNOWN]
        here = make().fit(text[known], gold.presence[known, topic]).predict(text[at]) == 1
        known = fit[gold.stance[fit, topic] != UNKNOWN]
        if here.any():
            answers[here, topic] = make().fit(text[known], gold.stance[known, topic]).predict(text[at[here]])
    return answers


def rule_answers(folder: Path, texts: Sequence[str], schema: LabelSchema) -> dict[str, Answers]:
    """Rule → answers [N, T], UNKNOWN where it abstains."""
    from naba.voting.rules import RuleSet

    voted: dict[str, Answers] = {}
    rules = RuleSet.load(folder, schema)
    for row, text in enumerate(texts):
        for vote in rules.vote(text):
            answers = voted.setdefault(f"rule:{vote.rule}", np.full((len(texts), len(schema.topic_ids)), UNKNOWN))
            said = PRESENT if vote.stance is None else schema.stance_ids.index(vote.stance)
            answers[row, schema.topic_ids.index(vote.topic)] = said if vote.present else ABSENT
    return voted


def model_answers(
    folder: Path, texts: Sequence[str], asked: Sequence[int], schema: LabelSchema, sure: float
) -> tuple[Answers, Resolved]:
    """The model's answers [N, T] on the rows `asked`, UNKNOWN elsewhere and where its probability is below `sure`; and
    its probabilities, for the curve of what selecting by the model's own confidence gives."""
    from naba.labelling.labeller import Labeller

    shape = (len(texts), len(schema.topic_ids))
    answers = np.full(shape, UNKNOWN)
    alone = Resolved(np.full(shape, np.nan), np.full((*shape, len(schema.stance_ids)), np.nan))
    predictions = Labeller.load(folder, device="cpu").label([texts[row] for row in asked])
    for row, prediction in zip(asked, predictions, strict=True):
        for topic, name in enumerate(schema.topic_ids):
            said = prediction[name]
            alone.presence[row, topic] = said.probability
            alone.stance[row, topic] = [said.stance_probability[stance] for stance in schema.stance_ids]
            if max(said.probability, 1 - said.probability) >= sure:
                answers[row, topic] = schema.stance_ids.index(said.stance) if said.stance else ABSENT
    return answers, alone


def table_of(voted: dict[str, Answers]) -> VoteTable:
    """Answers of all voters as votes."""
    stacked = np.stack(list(voted.values()))  # [A, N, T]
    annotator, segment, topic = np.nonzero(stacked != UNKNOWN)
    answer = stacked[annotator, segment, topic]
    stance = np.where(answer >= 0, answer, UNKNOWN)
    judged = np.zeros(len(answer), dtype=bool)
    return VoteTable(stacked.shape[1], tuple(voted), segment, annotator, topic, answer != ABSENT, stance, judged)


def compare(
    title: str,
    voted: dict[str, Answers],
    schema: LabelSchema,
    gold: Labels,
    weigh: Labels | None,
    model: Resolved | None,
) -> dict[str, Any]:
    """Print and return each voter and resolver of one panel; rules are too many to list."""
    table = table_of(voted)
    alone = {name: answers for name, answers in voted.items() if not name.startswith("rule:")}
    rows: list[Quality] = annotator_quality(table_of(alone), gold, schema) if alone else []
    curves = {"model alone": confidence_curve(model, gold)} if model else {}
    for method in METHODS:
        started = time.perf_counter()
        if weigh is None:
            resolved = resolve_fairly(table, schema, method, gold)
        else:
            resolved = resolve_table(table, schema, method, gold=weigh)
        seconds = time.perf_counter() - started
        rows.append(quality(f"{method} ({seconds:.1f} s)", decide(resolved)[0], gold, schema))
        curves[method] = confidence_curve(resolved, gold)
    console = Console(width=110, highlight=False)
    segments = int((gold.presence != UNKNOWN).any(axis=1).sum())
    console.rule(f"{title}: {len(voted)} voters, {len(table):,} votes")
    console.print(quality_table(rows, segments))
    console.print(curve_table(curves))
    return {
        "voters": len(voted),
        "votes": len(table),
        "quality": [asdict(row) for row in rows],
        "curves": {name: [asdict(point) for point in curve] for name, curve in curves.items()},
    }


def only(labels: Labels, rows: Sequence[int]) -> Labels:
    """The labels of some rows, UNKNOWN elsewhere."""
    kept = Labels(np.full_like(labels.presence, UNKNOWN), np.full_like(labels.stance, UNKNOWN))
    kept.presence[rows], kept.stance[rows] = labels.presence[rows], labels.stance[rows]
    return kept


def real(arguments: argparse.Namespace) -> dict[str, Any]:
    """The panels on real segments."""
    schema = LabelSchema.load(arguments.labels)
    train, validation = load_labelled([arguments.train], schema), load_labelled([arguments.validation], schema)
    texts = [item.segment.text for item in (*train, *validation)]
    everything = gold_labels([*train, *validation], schema)
    trained = len(train)
    chosen = random.Random(1).sample(range(trained), min(arguments.gold_size, trained))
    scored = list(range(trained, len(texts)))
    if arguments.on == "train":
        scored = sorted(set(range(trained)) - set(chosen))
    gold, weigh = only(everything, scored), only(everything, chosen)
    views = view_answers(texts, everything, trained)
    panels, alone = {"five views": views}, None
    if arguments.rules:
        rules = rule_answers(arguments.rules, texts, schema)
        first = next(iter(views))
        panels |= {
            "rules": rules,
            "rules and one view": rules | {first: views[first]},
            "rules and views": rules | views,
        }
    if arguments.model and arguments.on == "validation":
        asked = [*chosen, *range(trained, len(texts))]
        answers, alone = model_answers(arguments.model, texts, asked, schema, arguments.sure)
        model = {f"model:{arguments.model.name}": answers}
        if arguments.rules:
            panels["rules and model"] = rules | model
        panels["everybody"] = (rules if arguments.rules else {}) | views | model
    measured = {}
    for name, voted in panels.items():
        with_model = any(voter.startswith("model:") for voter in voted)
        weights, probabilities = (None, alone) if with_model else (weigh, None)
        measured[name] = compare(name, voted, schema, gold, weights, probabilities)
    return measured


def speed(votes: int) -> dict[str, Any]:
    """Seconds of each resolver on one question: 40 annotators of accuracy 0.55 to 0.95, four votes a segment."""
    random_ = np.random.default_rng(0)
    segment, annotator = random_.integers(votes // 4, size=votes), random_.integers(40, size=votes)
    keep = np.unique(segment * 40 + annotator, return_index=True)[1]
    segment, annotator = segment[keep], annotator[keep]
    truth = random_.integers(2, size=votes // 4)
    right = random_.random(len(segment)) < np.linspace(0.55, 0.95, 40)[annotator]
    answer = np.where(right, truth[segment], 1 - truth[segment])
    gold = np.where(np.arange(votes // 4) < 500, truth, UNKNOWN)
    measured = {}
    for name, method in METHODS.items():
        started = time.perf_counter()
        judged, share = method(Question(segment, annotator, answer, 2, gold=gold))
        seconds = time.perf_counter() - started
        accuracy = float((share.argmax(axis=1) == truth[judged]).mean())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{len(segment):,} votes, {name}: {seconds:.1f} s, accuracy {accuracy:.4f}, peak so far {peak:.2f} GB")
        measured[name] = {"votes": len(segment), "seconds": seconds, "accuracy": accuracy}
    return measured


def synthetic() -> dict[str, Any]:
    """Accuracy on 2,000 segments of three answers, annotators of known kinds; the voters are told from nobody."""
    kinds = {
        "five of one accuracy, 0.7": [0.7] * 5,
        "two good, three poor": [0.95, 0.9, 0.45, 0.4, 0.4],
        "one good, four that mostly say the same answer": [0.9, "biased", "biased", "biased", "biased"],
        "three good, three that say one answer only": [0.8, 0.8, 0.8, 0, 1, 2],
    }
    measured = {}
    for title, annotators in kinds.items():
        random_ = np.random.default_rng(3)
        truth = random_.integers(3, size=2000)
        said = []
        for kind in annotators:
            if isinstance(kind, float):
                wrong = (truth + random_.integers(1, 3, size=2000)) % 3
                said.append(np.where(random_.random(2000) < kind, truth, wrong))
            elif kind == "biased":
                said.append(np.where(random_.random(2000) < 0.6, 0, truth))
            else:
                said.append(np.full(2000, kind))
        segment, annotator = np.tile(np.arange(2000), len(said)), np.repeat(np.arange(len(said)), 2000)
        gold = np.where(np.arange(2000) < 200, truth, UNKNOWN)
        question = Question(segment, annotator, np.concatenate(said), 3, gold=gold)
        accuracy = {
            name: float((method(question)[1].argmax(axis=1) == truth).mean()) for name, method in METHODS.items()
        }
        print(f"{title}: " + ", ".join(f"{name} {value:.3f}" for name, value in accuracy.items()))
        measured[title] = accuracy
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path)
    parser.add_argument("--validation", type=Path)
    parser.add_argument("--rules", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--on", choices=["validation", "train"], default="validation", help="train: the model sits out")
    parser.add_argument("--sure", type=float, default=0.5, help="the model abstains on a topic below this probability")
    parser.add_argument("--gold-size", type=int, default=300, help="training segments whose labels weigh the voters")
    parser.add_argument("--labels", type=Path, default=ROOT / "configs" / "labels.yaml")
    parser.add_argument("--speed", type=int, metavar="VOTES")
    parser.add_argument("--synthetic", action="store_true")
    parser.add_argument("--out", type=Path, help="all figures as JSON")
    arguments = parser.parse_args()
    measured: dict[str, Any] = {}
    if arguments.synthetic:
        measured["synthetic"] = synthetic()
    if arguments.speed:
        measured["speed"] = speed(arguments.speed)
    if arguments.train and arguments.validation:
        measured["real"] = real(arguments)
    if not measured:
        parser.error("nothing to do: give --train and --validation, --speed or --synthetic")
    if arguments.out:
        arguments.out.write_text(json.dumps(measured, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
