"""Votes into labels: people, rules and models vote, a resolver weighs them, and every label keeps its confidence.

Presence and stance are two questions: the stance is resolved among the votes that found the topic and gave one. Nobody's
silence is a vote, so what nobody judged stays unknown. An adjudicated vote is the last word, with confidence 1.

    labelled = resolve(votes, schema, "majority", min_confidence=0.6)     # records
    resolved = resolve_table(table, schema, "dawid-skene")                # arrays, for millions of votes

The resolvers, and what each can't do, stand in `naba.voting.aggregate`. One annotator's later vote on a segment and topic
replaces the earlier one; two adjudicators who differ are an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from naba.errors import ConfigError, DataError
from naba.metrics import Labels
from naba.records import LabelledSegment, TopicLabel, Vote
from naba.schema import UNKNOWN, LabelSchema
from naba.voting.aggregate import METHODS, Floats, Question
from naba.voting.vote_table import Ints, VoteTable, gold_of

_WORKING = ("answers", "at_issue", "confidence", "readings", "selected_by", "suspected")
"""Fields of a row that belong to voting and adjudication, not to the segment."""


@dataclass(frozen=True)
class Resolved:
    """What the votes come to, for N segments, T topics and S stances; NaN where nobody judged."""

    presence: Floats
    """[N, T] probability that the topic is present."""
    stance: Floats
    """[N, T, S] probability of each stance given that the topic is present; sums to 1."""


def resolve_table(
    table: VoteTable, schema: LabelSchema, method: str = "majority", seed: int = 1, gold: Labels | None = None
) -> Resolved:
    """Resolve votes that stand in arrays.

    Args:
        method: one of `METHODS`.
        seed: of MACE's random starts; the others need none.
        gold: labels [N, T] of some of the segments, UNKNOWN elsewhere, from which "weighted" learns its weights.

    Raises:
        ConfigError: no such method, or "weighted" without gold.
        NabaError: the method needs crowd-kit, which is not installed.
        DataError: adjudicated votes contradict each other, gold has none of the segments, or a segment has more votes
            than MACE can multiply.
    """
    if method not in METHODS:
        raise ConfigError(f"no resolver {method!r}; known: {', '.join(METHODS)}")
    if method == "weighted" and gold is not None and (gold.presence == UNKNOWN).all():
        raise DataError("no segment of the gold was voted on, so there are no weights to learn; texts must be the same")
    table = table.latest()
    ordinary = table.take(~table.adjudicated)
    shape, stances = (table.segments, len(schema.topic_ids)), len(schema.stance_ids)
    presence, stance = np.full(shape, np.nan), np.full((*shape, stances), np.nan)
    for topic in range(len(schema.topic_ids)):
        votes = ordinary.take(ordinary.topic == topic)
        if len(votes):
            right = None if gold is None else gold.presence[:, topic].astype(np.int64)
            judged, share = METHODS[method](
                Question(votes.segment, votes.annotator, votes.present.astype(np.int64), 2, seed, right)
            )
            presence[judged, topic] = share[:, 1]
        votes = votes.take(votes.stance != UNKNOWN)
        if len(votes):
            right = None if gold is None else gold.stance[:, topic].astype(np.int64)
            judged, share = METHODS[method](
                Question(votes.segment, votes.annotator, votes.stance, stances, seed, right)
            )
            stance[judged, topic] = share
    _adjudicate(table.take(table.adjudicated), schema, presence, stance)
    return Resolved(presence, stance)


def decide(resolved: Resolved, min_confidence: float = 0.5) -> tuple[Labels, Floats, Floats]:
    """The likeliest answers, each with its probability.

    Returns:
        Labels: UNKNOWN below `min_confidence`, at a tie, and where nobody judged; the stance is given for every topic
        whose stance was judged, also where presence is not.
        Confidence of presence [N, T] and of stance [N, T]: the probability of the likeliest answer, NaN where nobody judged.
    """
    both = np.stack([1 - resolved.presence, resolved.presence], axis=-1)  # [N, T, 2]
    presence, sure = _likeliest(both, min_confidence)
    stance, certain = _likeliest(resolved.stance, min_confidence)
    return Labels(presence, stance), sure, certain


def labels_of(resolved: Resolved, schema: LabelSchema, min_confidence: float = 0.5) -> list[dict[str, TopicLabel]]:
    """Topic → label for each segment; unknown below `min_confidence`, at a tie, and where nobody judged."""
    labels, _, _ = decide(resolved, min_confidence)
    return [
        {
            topic: TopicLabel(
                None if here == UNKNOWN else bool(here),
                schema.stance_ids[said] if here == 1 and said != UNKNOWN else None,
            )
            for topic, here, said in zip(schema.topic_ids, presence, stance, strict=True)
        }
        for presence, stance in zip(labels.presence, labels.stance, strict=True)
    ]


def resolve(
    votes: Sequence[Vote],
    schema: LabelSchema,
    method: str = "majority",
    min_confidence: float = 0.5,
    seed: int = 1,
    gold: Sequence[LabelledSegment] = (),
) -> list[LabelledSegment]:
    """One labelled segment for each segment that was voted on, in order of first appearance.

    A row keeps the fields, cluster and provenance of its votes, the first vote's where they differ; its annotator says
    how it was resolved ("resolved:mace of 7"), and `confidence` has for each topic that was judged the probability of the
    answer on presence ("present") and, where the topic is present, of the stance. `gold` is what "weighted" learns from;
    it does not become a label. Where no person voted, the row is `weak`.

    Raises as `resolve_table` does.
    """
    table, _ = VoteTable.from_votes(votes, schema)
    known = gold_of(gold, table.segment_ids, schema) if gold else None
    resolved = resolve_table(table, schema, method, seed, known)
    labels = labels_of(resolved, schema, min_confidence)
    _, present, stance = decide(resolved)
    voters = _voters(table)
    adjudicated = set(table.segment[table.adjudicated].tolist())
    read = {vote.item.segment.id for vote in votes if vote.by_person}
    rows = []
    for number, item in enumerate(_merged(votes).values()):
        judged = ([f"resolved:{method} of {voters[number]}"] if voters[number] else []) + (
            ["adjudicated"] if number in adjudicated else []
        )
        confidence = {
            topic: _confidence(labels[number][topic], float(sure), float(certain))
            for topic, sure, certain in zip(schema.topic_ids, present[number], stance[number], strict=True)
            if not np.isnan(sure)
        }
        rows.append(
            replace(
                item,
                labels=labels[number],
                provenance=dict(item.provenance) | {"annotator": ", ".join(judged) or "nobody"},
                extra=dict(item.extra)
                | {"confidence": confidence}
                | ({} if item.segment.id in read else {"weak": True}),
            )
        )
    return rows


def _voters(table: VoteTable) -> Ints:
    """How many annotators judged each segment [N], adjudication left out."""
    ordinary = table.take(~table.adjudicated)
    pairs = np.unique(ordinary.segment * max(len(table.annotators), 1) + ordinary.annotator)
    return np.bincount(pairs // max(len(table.annotators), 1), minlength=table.segments)


def _merged(votes: Sequence[Vote]) -> dict[str, LabelledSegment]:
    """Segment id → a row with the fields, cluster and provenance of its votes, earlier votes before later ones."""
    merged: dict[str, LabelledSegment] = {}
    for vote in votes:
        item, key = vote.item, vote.item.segment.id
        extra = {name: value for name, value in item.extra.items() if name not in _WORKING}
        before = merged.get(key)
        merged[key] = (
            replace(item, extra=extra)
            if before is None
            else replace(
                before,
                cluster=before.cluster if before.cluster is not None else item.cluster,
                provenance={**item.provenance, **before.provenance},
                extra={**extra, **before.extra},
            )
        )
    return merged


def _confidence(label: TopicLabel, present: float, stance: float) -> dict[str, float]:
    """Four digits; the stance's only where the topic is present and its stance was judged."""
    said = {"present": round(present, 4)}
    return said | ({"stance": round(stance, 4)} if label.present and not np.isnan(stance) else {})


def _likeliest(share: Floats, min_confidence: float) -> tuple[Ints, Floats]:
    """Index [...] of the highest of share [..., answers], UNKNOWN where tied, too low or NaN; and its value [...]."""
    ranked = np.sort(share, axis=-1)
    best, second = ranked[..., -1], ranked[..., -2]
    certain = (best >= min_confidence - 1e-9) & ~np.isclose(best, second)
    return np.where(certain, share.argmax(axis=-1), UNKNOWN), best


def _adjudicate(votes: VoteTable, schema: LabelSchema, presence: Floats, stance: Floats) -> None:
    """Write adjudicated votes over the resolved arrays; what an adjudicator left unsaid stays with the votes."""
    said: dict[tuple[int, int], tuple[bool, int, str]] = {}
    for segment, annotator, topic, present, chosen in zip(
        votes.segment, votes.annotator, votes.topic, votes.present, votes.stance, strict=True
    ):
        name = votes.annotators[annotator]
        before = said.setdefault((segment, topic), (present, chosen, name))
        if before[0] != present or (UNKNOWN not in (before[1], chosen) and before[1] != chosen):
            raise DataError(
                f"{votes.name(segment)}, {schema.topic_ids[topic]}: {before[2]} and {name} adjudicated it differently; "
                "leave one of the two"
            )
        presence[segment, topic] = float(present)
        if chosen != UNKNOWN:
            said[segment, topic] = (present, chosen, name)
            stance[segment, topic] = 0.0
            stance[segment, topic, chosen] = 1.0
