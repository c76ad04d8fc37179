"""What an annotator can answer, and how every tool writes it: ids, names, ticks and keyboard shortcuts.

A topic has exactly one answer: a stance, absent, present with no stance judged, or not sure (which stays unknown). Tools
that only tick labels have one label a topic and answer, and `NONE`. Ids beginning with "_" are naba's own: a schema's
begin with a letter, so neither a topic nor a stance can be taken for one.

    answer_of(TopicLabel(True, "support"))     # "support"
    ticks(labels, schema)                      # ["diplomacy:support"], or ["_none"] where all topics are absent
"""

from collections.abc import Iterable, Mapping, Sequence

from naba.errors import DataError
from naba.records import TopicLabel
from naba.schema import LabelSchema

ABSENT, PRESENT, UNSURE, NONE = "_absent", "_present", "_unsure", "_none"

ARABIC = {
    ABSENT: "غير موجود",
    PRESENT: "موجود، الموقف غير واضح",
    UNSURE: "لست متأكدا",
    NONE: "لا شيء من هذه المواضيع",
}
ENGLISH = {
    ABSENT: "absent",
    PRESENT: "present, stance unclear",
    UNSURE: "not sure whether it is there",
    NONE: "none of these topics",
}

Labels = Mapping[str, TopicLabel]
"""Topic id → label."""


def answer_ids(schema: LabelSchema) -> tuple[str, ...]:
    """Every answer to a topic, in the order in which tools offer them."""
    return (*schema.stance_ids, ABSENT, PRESENT, UNSURE)


def answer_of(label: TopicLabel) -> str:
    """The answer that says what a label says."""
    if label.present is None:
        return UNSURE
    return (label.stance or PRESENT) if label.present else ABSENT


def label_of(answer: str, schema: LabelSchema, where: str) -> TopicLabel:
    """The label that an answer gives. Raises DataError naming `where` for one that is not the schema's."""
    if answer in schema.stance_ids:
        return TopicLabel(True, answer)
    labels = {ABSENT: TopicLabel(False), PRESENT: TopicLabel(True), UNSURE: TopicLabel(None)}
    if answer not in labels:
        raise DataError(f"{where}: answer {answer!r} is not in the label schema; {_offer(answer_ids(schema))}")
    return labels[answer]


def answer_names(schema: LabelSchema) -> dict[str, str]:
    """Answer id → Arabic name, each name once."""
    stances = {stance.id: stance.name_ar for stance in schema.stances}
    return _distinct({answer: stances.get(answer) or ARABIC[answer] for answer in answer_ids(schema)})


def tick_ids(schema: LabelSchema) -> list[str]:
    """Every label a ticking tool offers: "topic:answer" (absent needs none: see `labels_of`), and `NONE`."""
    offered = [answer for answer in answer_ids(schema) if answer != ABSENT]
    return [f"{topic}:{answer}" for topic in schema.topic_ids for answer in offered] + [NONE]


def tick_names(schema: LabelSchema) -> dict[str, str]:
    """Tick id → Arabic name ("topic: answer"), each name once."""
    topics, answers = {topic.id: topic.name_ar for topic in schema.topics}, answer_names(schema)
    names = {NONE: ARABIC[NONE]}
    for tick in tick_ids(schema)[:-1]:
        topic, _, answer = tick.partition(":")
        names[tick] = f"{topics[topic]}: {answers[answer]}"
    return _distinct(names)


def ticks(labels: Labels, schema: LabelSchema, *, suggested: bool = False) -> list[str]:
    """The ticks that say what labels say; `labels_of` reads them back.

    Args:
        suggested: leave unknown topics unticked instead of ticking "not sure": that is for the annotator to say. Empty
            where nothing is known to be there and something is unknown.
    """
    said = [(topic, answer_of(labels[topic])) for topic in schema.topic_ids]
    ticked = [f"{topic}:{answer}" for topic, answer in said if answer != ABSENT]
    if suggested:
        ticked = [tick for tick in ticked if not tick.endswith(f":{UNSURE}")]
    return ticked or ([NONE] if all(answer == ABSENT for _, answer in said) else [])


def labels_of(ticked: Iterable[str], schema: LabelSchema, where: str) -> dict[str, TopicLabel] | None:
    """What ticks say: topics without one are absent. None where they contradict each other: two for a topic, or `NONE`
    beside others.

    The caller sets no ticks at all aside as no answer. Raises DataError naming `where` for a tick the schema lacks.
    """
    chosen: dict[str, TopicLabel] = {}
    given, known = set(ticked), tick_ids(schema)
    for tick in sorted(given):
        if tick not in known:
            raise DataError(f"{where}: label {tick!r} is not in the label schema; {_offer(known)}")
        topic, _, answer = tick.partition(":")
        if tick != NONE and topic in chosen:
            return None
        if tick != NONE:
            chosen[topic] = label_of(answer, schema, where)
    if NONE in given and chosen:
        return None
    return {topic: chosen.get(topic, TopicLabel(False)) for topic in schema.topic_ids}


def shortcuts(sizes: Sequence[int], rows: Sequence[str]) -> list[list[str | None]]:
    """A key for each option of each group, no key twice; None where the keys have run out.

    A group takes one keyboard row, so that the first option is always the row's first key; a group too long for its row
    has no key for the rest, and groups beyond the last row have none.

    Args:
        sizes: options in each group.
        rows: the keys of each keyboard row.
    """
    padded = [*rows, *[""] * len(sizes)]
    return [
        [row[at] if at < len(row) else None for at in range(size)] for size, row in zip(sizes, padded, strict=False)
    ]


def _distinct(names: Mapping[str, str]) -> dict[str, str]:
    """Names with the id appended where two are the same."""
    shared = {name for name in names.values() if list(names.values()).count(name) > 1}
    return {key: f"{name} ({key})" if name in shared else name for key, name in names.items()}


def _offer(known: Iterable[str]) -> str:
    return f"it offers {', '.join(known)}: was another schema used? Name it with --labels"
