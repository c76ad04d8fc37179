"""What is known of each test segment besides its labels, so that scores can be split by it.

An attribute gives every segment one value (its source, its month, a band of its length), or several (a pair of topics
that occur together). A value that is missing is a value of its own, and an attribute in which all segments are alike is
left out: it splits nothing. Quotation and negation are found by words, as labelling rules find them, and err as these do.

    attributes(test.items, test.gold, test.schema)["source"]   # {"outlet": row numbers, …}
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, groupby
from operator import attrgetter
from typing import Any

import numpy as np

from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Ints, Labels
from naba.voting.rules.lexicon import Lexicon, LexiconIndex
from naba.voting.rules.scope import negated
from naba.voting.rules.words import Word, words_of

FIELDS = ("register",)
"""Fields of the row itself that are attributes where the data has them."""
LENGTHS = (10, 20, 40, 80)
"""First words of the bands after the first: headlines stay under 10, agency sentences mostly under 40, paragraphs under 80."""
MOST_TOPICS = 3
"""From this number of topics on, segments are counted together."""
MOST_VALUES = 60
"""Values an attribute may have; the rarer ones are taken together."""
MISSING = "not given"
OTHERS = "all others"
NOT_JUDGED = "not all judged"

_MONTH = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))(?!\d)")
_THAT = re.compile("ب?ان(ه|ها|هما|هم|هن|نا|ني|ي|ك|كم)?")
"""إن and أن with their pronouns, in the folded spelling of words."""
_REACH = 15
"""Words from the verb of speech to its إن: the speaker's name, title and the day stand between."""
_COLON = re.compile(r":(?!\d)")
_QUOTED_RUN = 3
"""Fewest words between marks that are a quotation: one or two are a name, or an outlet's habit of marking one."""
_IDIOMS = {"لا": ("سيما", "بد", "شك", "ريب", "محاله", "محالة", "يقل", "تقل"), "غير": ("ان", "انه", "انها", "انهم")}
"""Particle → the words after which it negates nothing: لا سيما, لا بد, لا يقل عن, غير أن."""

_LEXICONS = LexiconIndex(
    {
        "speech": Lexicon(
            verbs=[
                "قال/يقول", "أكد/يؤكد", "أوضح", "أعلن", "أضاف/يضيف", "صرح", "ذكر", "أفاد/يفيد", "رأى/يرى", "اعتبر", "شدد",
                "أشار/يشير", "لفت", "كشف", "زعم", "ادعى/يدعي", "نفى/ينفي", "حذر", "تابع", "كتب", "أبلغ", "أخبر", "جزم",
            ],
            words=["قائلا", "=قائلة", "=قائلين", "مضيفا", "مؤكدا", "موضحا", "مشيرا", "معتبرا", "مشددا", "لافتا", "معلنا",
                   "=قوله", "=قولها", "=قولهم"],
        ),
        "refusal": Lexicon(
            verbs=["رفض", "نفى/ينفي", "أنكر", "امتنع", "استبعد"],
            words=["رفض", "رافض", "=رافضة", "نفي", "نافيا", "إنكار", "امتناع"],
        ),
    }
)  # fmt: skip


def attributes(
    items: Sequence[LabelledSegment], gold: Labels, schema: LabelSchema, *, fields: Sequence[str] = FIELDS
) -> dict[str, dict[str, Ints]]:
    """Attribute → value → the numbers of the segments that have it, rising; values in the order of their names.

    Args:
        gold: [N, T] labels of the N items; fields: names of fields in the rows that are attributes too.
    """
    said = [item.provenance for item in items]
    wordings = [_wording(item.segment.text) for item in items]
    columns: dict[str, Iterable[Sequence[str]]] = {
        "source": (_values(one.get("source")) for one in said),
        "month": ((_month(one.get("date")),) for one in said),
        "length": (wording[:1] for wording in wordings),
        "topics": ((count,) for count in _topic_counts(gold)),
        "quotation": (wording[1:2] for wording in wordings),
        "negation": (wording[2:] for wording in wordings),
        "topic_pair": _topic_pairs(gold, schema),
        "kind": (_values(item.segment.kind) for item in items),
        "annotator": (_values(one.get("annotator")) for one in said),
        "authored": (_values(bool(one.get("authored"))) for one in said),
    }
    for name in fields:
        columns.setdefault(name, (_values(item.extra.get(name)) for item in items))
    found = {name: _members(column) for name, column in columns.items()}
    return {
        name: members for name, members in found.items() if any(len(rows) < len(items) for rows in members.values())
    }


def has_quotation(text: str) -> bool:
    """Whether the text quotes: three words or more between quotation marks, or a verb of speech with إن, أن or a colon."""
    return _has_quotation(text, words_of(text))


def has_negation(text: str) -> bool:
    """Whether the text negates: a particle with something in its reach (`naba.voting.rules.scope`), or a verb of refusal.

    Of ما only "ما من" and "ما كان" at the head of a clause count: before other verbs it is nearly always "which" in news.
    """
    return _has_negation(words_of(text))


def length_band(words: int) -> str:
    """The band of a number of words, as "20-39 words"."""
    edges = (0, *LENGTHS)
    place = max(n for n, edge in enumerate(edges) if words >= edge)
    if place == len(LENGTHS):
        return f"{edges[place]} words and more"
    return f"under {edges[1]} words" if place == 0 else f"{edges[place]}-{edges[place + 1] - 1} words"


def _wording(text: str) -> tuple[str, str, str]:
    words = words_of(text)
    answers = (_has_quotation(text, words), _has_negation(words))
    return (length_band(len(words)), *("yes" if answer else "no" for answer in answers))  # type: ignore[return-value]


def _has_quotation(text: str, words: Sequence[Word]) -> bool:
    if any(quoted and len(list(run)) >= _QUOTED_RUN for quoted, run in groupby(words, attrgetter("quoted"))):
        return True
    for _, end in _LEXICONS.spans(words).get("speech", ()):
        after = words[end : end + _REACH]
        if any(word.sentence == words[end - 1].sentence and _THAT.fullmatch(word.form) for word in after):
            return True
    return any(_speaks_at_the_end(part) for part in _COLON.split(text)[:-1])


def _speaks_at_the_end(part: str) -> bool:
    """Whether the last sentence of what stands before a colon has a verb of speech."""
    words = words_of(part)
    spans = _LEXICONS.spans(words).get("speech", ())
    return any(words[start].sentence == words[-1].sentence and start >= len(words) - _REACH for start, _ in spans)


def _has_negation(words: Sequence[Word]) -> bool:
    words = [word for place, word in enumerate(words) if not _in_idiom(words, place)]
    if any(negated(words, place) for place in range(1, len(words))) or "refusal" in _LEXICONS.spans(words):
        return True
    return any(_negating_ma(words, place) for place in range(len(words) - 1))


def _in_idiom(words: Sequence[Word], place: int) -> bool:
    after = _IDIOMS.get(words[place].form.lstrip("وف"))
    return after is not None and place + 1 < len(words) and words[place + 1].form in after


def _negating_ma(words: Sequence[Word], place: int) -> bool:
    heads = place == 0 or words[place - 1].clause != words[place].clause
    return heads and words[place].form in ("ما", "وما", "فما") and words[place + 1].form in ("من", "كان", "كانت")


def _month(date: Any) -> str:
    found = _MONTH.match(date) if isinstance(date, str) else None
    return found.group(1) if found else MISSING


def _values(value: Any) -> tuple[str, ...]:
    """The values of one field as text; each member of a list is one."""
    if isinstance(value, list | tuple):
        return tuple(dict.fromkeys(text for member in value for text in _values(member))) or (MISSING,)
    if isinstance(value, bool):
        return ("yes" if value else "no",)
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    return (text or MISSING,)


def _topic_counts(gold: Labels) -> Iterator[str]:
    counts = (gold.presence == 1).sum(axis=1)
    judged = (gold.presence != UNKNOWN).all(axis=1)
    names = [*map(str, range(MOST_TOPICS)), f"{MOST_TOPICS} and more"]
    for count, known in zip(np.minimum(counts, MOST_TOPICS).tolist(), judged.tolist(), strict=True):
        yield names[count] if known else NOT_JUDGED


def _topic_pairs(gold: Labels, schema: LabelSchema) -> Iterator[tuple[str, ...]]:
    for row in gold.presence == 1:
        topics = np.flatnonzero(row).tolist()
        yield tuple(f"{schema.topic_ids[one]} + {schema.topic_ids[other]}" for one, other in combinations(topics, 2))


def _members(column: Iterable[Sequence[str]]) -> dict[str, Ints]:
    codes: dict[str, int] = {}
    pairs = ((row, codes.setdefault(value, len(codes))) for row, values in enumerate(column) for value in values)
    table = np.fromiter(pairs, dtype=[("row", np.int64), ("code", np.int32)])
    order = np.argsort(table["code"], kind="stable")
    ends = np.cumsum(np.bincount(table["code"], minlength=len(codes)))[:-1]
    parts = np.split(table["row"][order], ends) if codes else []
    return _fewer(dict(sorted(zip(codes, parts, strict=True))))


def _fewer(members: Mapping[str, Ints]) -> dict[str, Ints]:
    """The commonest values, and the others as one."""
    if len(members) <= MOST_VALUES:
        return dict(members)
    common = set(sorted(members, key=lambda value: (-len(members[value]), value))[: MOST_VALUES - 1])
    rest = np.unique(np.concatenate([rows for value, rows in members.items() if value not in common]))
    kept = {value: rows for value, rows in members.items() if value in common}
    return kept | {OTHERS: rest}
