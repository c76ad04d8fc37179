"""What a build starts from: every segment of the labelled files, the votes and the raw articles, each with its labels.

    material = gather(config, schema, model)

Labels are READ (a labelled file's, or resolved from votes with a person's among them), WEAK (resolved from rules and
models alone) or absent (UNLABELLED). Phone numbers and e-mail addresses are masked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naba.config import BuildConfig
from naba.corpus.dates import parse_date
from naba.corpus.mask import mask
from naba.dataset.harvest import Harvest, Harvested, harvest
from naba.dataset.labelled import load_labelled
from naba.dataset.ledger import Ledger, text_key
from naba.dataset.split import NOWHERE, PARTS
from naba.errors import DataError
from naba.fingerprint import fingerprint_of, run_mark
from naba.paths import find
from naba.progress import SILENT, Progress
from naba.records import LabelledSegment, TopicLabel, Vote
from naba.schema import LabelSchema
from naba.voting.adjudication import adjudicated_votes
from naba.voting.resolve import decide, labels_of, resolve_table
from naba.voting.rules import RuleSet
from naba.voting.vote_table import VoteTable
from naba.voting.voters import Model, Voters
from naba.voting.votes import load_votes

READ, WEAK, UNLABELLED = range(3)
KINDS = ("read", "weak", "unlabelled")

_UNREADABLE = "unreadable_date"
"""Where a date that could not be read is kept."""


@dataclass(frozen=True)
class Material:
    """N segments, those of given parts first, then labelled, voted and raw ones."""

    items: Sequence[LabelledSegment]
    given: NDArray[np.int64]  # [N]
    """The part whose file a segment comes from; NOWHERE where it is to be placed."""
    kind: NDArray[np.int64]  # [N]
    """READ, WEAK or UNLABELLED."""
    repeats: NDArray[np.bool_]  # [N]
    """The text, spelling and spacing aside, stands among the segments to be placed with better labels, or earlier."""
    harvest: Harvest | None
    voters: Sequence[str]
    """Who voted on raw articles."""
    people: Sequence[Vote]
    """What people said: votes that no rule or model gave."""
    contradicts: NDArray[np.bool_]  # [N]
    """A repeat that was read, and whose labels differ from those that are kept."""
    undated: int
    """Segments of labelled files and votes whose date could not be read; it is null."""

    def to_place(self) -> NDArray[np.bool_]:
        """The segments that no file gives a part, each text once. [N]"""
        return np.asarray((self.given == NOWHERE) & ~self.repeats)


def gather(
    config: BuildConfig, schema: LabelSchema, model: Model | None, ledger: Ledger, *, progress: Progress = SILENT
) -> Material:
    """Read everything that the configuration names; of repeats, the copy whose article the ledger knows is kept.

    Raises:
        DataError: an input cannot be read, or there is none. ConfigError: a rule is wrong.
    """
    items: list[LabelledSegment] = []
    given: list[int] = []
    for part in ("test", "validation", "train"):
        paths = getattr(config, part)
        found = [_cleaned(item) for item in load_labelled(paths, schema)] if paths else []
        items += found
        given += [NOWHERE if part == "train" else PARTS.index(part)] * len(found)
    kind = [_kind_of(item) for item in items]
    labelled = len(items)
    votes = load_votes(config.votes, schema) if config.votes else []
    for path in config.adjudicated:
        votes += adjudicated_votes(load_labelled([path], schema), str(path))
    votes = [replace(vote, item=_cleaned(vote.item)) for vote in votes]
    read = None
    names: tuple[str, ...] = ()
    if config.articles or votes:
        rules = RuleSet.load(find(config.rules), schema) if config.rules else None
        voters = Voters(schema, rules, model, run_mark(find(Path(config.model))) if config.model else "")
        read = harvest(config.articles, config.out / "shards", voters, progress=progress)
        voted, kinds, names = _resolve(config, schema, read.segments, voters, votes)
        items, kind, given = items + voted, kind + kinds, given + [NOWHERE] * len(voted)
    if not items:
        raise DataError("nothing to build from: name labelled files under 'train', or articles with 'rules' or 'votes'")
    placed = np.array(given, dtype=np.int64)
    people = [vote for vote in votes if vote.by_person]
    # What people voted on comes before the labelled files: it is how their labels are corrected.
    voted_first = [-1 if number >= labelled and of == READ else of for number, of in enumerate(kind)]
    repeats, contradicts = _repeats(items, placed, voted_first, ledger)
    contradicts &= np.array(kind) == READ  # that rules differ from a reader is no contradiction to look into
    undated = sum(bool(item.provenance.get(_UNREADABLE)) for item in items)
    return Material(items, placed, np.array(kind), repeats, read, names, people, contradicts, undated)


def _kind_of(item: LabelledSegment) -> int:
    if all(label.present is None for label in item.labels.values()):
        return UNLABELLED
    return WEAK if item.extra.get("weak") else READ


def _cleaned(item: LabelledSegment) -> LabelledSegment:
    """The segment with contacts masked, and its date as an ISO day or null."""
    given = item.provenance.get("date")
    if given is not None:
        day = parse_date(str(given))
        said = {"date": day} | ({} if day else {_UNREADABLE: str(given)})
        item = replace(item, provenance=dict(item.provenance) | said)
    text = mask(item.segment.text)
    return item if text == item.segment.text else replace(item, segment=replace(item.segment, text=text))


def _resolve(
    config: BuildConfig, schema: LabelSchema, raw: Sequence[Harvested], voters: Voters, votes: Sequence[Vote]
) -> tuple[list[LabelledSegment], list[int], tuple[str, ...]]:
    """Raw segments and those people voted on as labelled segments, with kinds, and the names of all who voted."""
    # Where a person has judged a segment, machines have no say in it: it is read, and may be held out.
    people = {vote.item.segment.id for vote in votes if vote.by_person and _kind_of(vote.item) != UNLABELLED}
    votes = [vote for vote in votes if vote.by_person or vote.item.segment.id not in people]
    table, people_items = VoteTable.from_votes(votes, schema)
    numbers = {item.segment.id: number for number, item in enumerate(people_items)}
    own = [numbers.setdefault(found.segment.id, len(numbers)) for found in raw]
    first: dict[int, Harvested] = {}
    for number, found in zip(own, raw, strict=True):
        first.setdefault(number, found)
    ids = list(numbers)
    rows = [(number, *vote) for number, found in first.items() if ids[number] not in people for vote in found.votes]
    machine = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    names = (*table.annotators, *voters.names)
    both = VoteTable(
        len(numbers),
        names,
        np.concatenate([table.segment, machine[0]]),
        np.concatenate([table.annotator, machine[1] + len(table.annotators)]),
        np.concatenate([table.topic, machine[2]]),
        np.concatenate([table.present, machine[3].astype(bool)]),
        np.concatenate([table.stance, machine[4]]),
        np.concatenate([table.adjudicated, np.zeros(machine.shape[1], dtype=bool)]),
        tuple(numbers),
    )
    resolved = resolve_table(both, schema, config.resolve.method, config.seed)
    labels = labels_of(resolved, schema, config.resolve.min_confidence)
    _, sure, certain = decide(resolved)
    kinds = [
        _kind(labels[number], ids[number] in people, voted)
        for number, voted in enumerate((np.bincount(both.segment, minlength=len(numbers)) > 0).tolist())
    ]
    _thin_out(kinds, ids, labels, config.resolve.without_topic, config.seed)
    unlabelled = {topic: TopicLabel(None) for topic in schema.topic_ids}

    def make(item: LabelledSegment, number: int) -> tuple[LabelledSegment, int]:
        kind = kinds[number]
        if kind == UNLABELLED:
            return replace(item, labels=unlabelled), kind
        confidence = _confidence(labels[number], schema, sure[number], certain[number])
        by = {"annotator": f"resolved:{config.resolve.method}"}
        extra = dict(item.extra) | {"confidence": confidence} | ({"weak": True} if kind == WEAK else {})
        return replace(item, labels=labels[number], provenance=dict(item.provenance) | by, extra=extra), kind

    raw_ids = {found.segment.id for found in raw}
    made = [make(item, number) for number, item in enumerate(people_items) if item.segment.id not in raw_ids]
    made += [
        make(LabelledSegment(found.segment, unlabelled, found.provenance), number)
        for number, found in zip(own, raw, strict=True)
    ]
    used = {names[number] for number in np.unique(both.annotator).tolist()}
    return [item for item, _ in made], [kind for _, kind in made], tuple(name for name in names if name in used)


def _kind(labels: Mapping[str, TopicLabel], read: bool, voted: bool) -> int:
    """READ, WEAK or UNLABELLED: machines that found no topic, and did not judge all, have said nothing to learn from."""
    present = [label.present for label in labels.values()]
    if not voted or all(known is None for known in present):
        return UNLABELLED
    if read:
        return READ
    return WEAK if any(present) or None not in present else UNLABELLED


def _thin_out(
    kinds: list[int], ids: Sequence[str], labels: Sequence[Mapping[str, TopicLabel]], share: float, seed: int
) -> None:
    """Leave so many weakly labelled segments without a topic that they are at most `share` of all weak ones."""
    weak = [number for number, kind in enumerate(kinds) if kind == WEAK]
    bare = [number for number in weak if not any(label.present for label in labels[number].values())]
    kept = int((len(weak) - len(bare)) * share / (1 - share))
    for number in sorted(bare, key=lambda number: fingerprint_of([seed, ids[number]]))[kept:]:
        kinds[number] = UNLABELLED


def _confidence(
    labels: Mapping[str, TopicLabel], schema: LabelSchema, sure: NDArray[np.float64], certain: NDArray[np.float64]
) -> dict[str, Any]:
    """For every known label the probability of the answer, in three digits: presence, and stance where there is one."""
    found: dict[str, Any] = {}
    for number, topic in enumerate(schema.topic_ids):
        label = labels[topic]
        if label.present is not None:
            found[topic] = {"present": round(float(sure[number]), 3)}
            found[topic]["stance"] = round(float(certain[number]), 3) if label.stance else None
    return found


def _repeats(
    items: Sequence[LabelledSegment], given: NDArray[np.int64], rank: Sequence[int], ledger: Ledger
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which segments to place repeat one of a lower rank, or an earlier one; and whose labels differ from its."""
    kept: dict[str, LabelledSegment] = {}
    repeats, contradicts = np.zeros(len(items), dtype=bool), np.zeros(len(items), dtype=bool)
    keys = {number: text_key(items[number].segment.text) for number in np.flatnonzero(given == NOWHERE).tolist()}
    recorded = {number: ledger.knows_article(items[number], key) for number, key in keys.items()}
    for number in sorted(keys, key=lambda number: (rank[number], not recorded[number])):
        item = items[number]
        other = kept.setdefault(keys[number], item)
        repeats[number] = other is not item
        contradicts[number] = any(_differ(item.labels[topic], label) for topic, label in other.labels.items())
    return repeats, contradicts


def _differ(one: TopicLabel, other: TopicLabel) -> bool:
    """Whether two labels exclude each other; what is unknown excludes nothing."""
    if None in (one.present, other.present):
        return False
    return one.present != other.present or (None not in (one.stance, other.stance) and one.stance != other.stance)
