import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from naba.evaluation.mistakes import KINDS, RIGHT, confusions, kind_shares, mistake_kinds, topic_confusion
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Labels, exact

X = UNKNOWN
S, A, N = 0, 1, 2  # support, oppose (against), neutral


def labels(presence: list[list[int]], stance: list[list[int]]) -> Labels:
    return Labels(np.array(presence), np.array(stance))


def test_each_kind_of_mistake_is_told_from_the_others(schema: LabelSchema) -> None:
    gold = labels([[1, 0, X], [1, 1, 1], [1, 1, 1], [1, 0, 0]], [[S, X, X], [S, A, N], [N, S, X], [X, X, X]])
    said = labels([[0, 1, 1], [1, 1, 1], [1, 1, 1], [0, 0, 0]], [[S, S, S], [A, N, S], [N, S, A], [S, S, S]])
    names = [
        [KINDS[code] if code != RIGHT else "" for code in row] for row in mistake_kinds(gold, said, schema).tolist()
    ]
    assert names == [
        ["topic_missed", "topic_invented", ""],  # the third topic was not judged
        ["stance_flipped", "stance_to_neutral", "neutral_to_stance"],
        ["", "", ""],  # the third is present with a stance that nobody judged
        ["topic_missed", "", ""],  # as here, but missed
    ]


def test_kinds_have_shares_of_all_mistakes_and_rates_of_the_possible_ones(schema: LabelSchema) -> None:
    gold = labels([[1, 1, 0], [1, 0, 0]], [[S, N, X], [A, X, X]])
    said = labels([[1, 1, 1], [0, 0, 0]], [[A, S, S], [A, A, A]])
    found = {one.kind: one for one in kind_shares(gold, said, schema)}
    assert list(found) == list(KINDS)
    counts = {kind: (one.count, one.share, one.possible, one.rate) for kind, one in found.items()}
    assert counts["topic_missed"] == (1, 0.25, 3, 1 / 3)
    assert counts["topic_invented"] == (1, 0.25, 3, 1 / 3)
    assert counts["stance_flipped"] == (1, 0.25, 1, 1.0)  # of the two found topics one takes a side
    assert counts["stance_to_neutral"] == (0, 0.0, 1, 0.0)
    assert counts["neutral_to_stance"] == (1, 0.25, 1, 1.0)
    assert found["topic_invented"].by_topic == {"diplomacy": 0, "humanitarian_aid": 0, "military_action": 1}


def test_nothing_wrong_has_no_shares(schema: LabelSchema) -> None:
    gold = labels([[0, 0, 0]], [[X, X, X]])
    assert {one.share for one in kind_shares(gold, gold, schema)} == {None}
    assert [one.rate for one in kind_shares(gold, gold, schema)] == [None, 0.0, None, None, None, None]


def test_schema_without_a_neutral_stance_only_flips(markets: LabelSchema) -> None:
    gold = labels([[1, 1, 1, 0]], [[0, 1, 0, X]])
    said = labels([[1, 1, 1, 0]], [[1, 0, X, 0]])  # the third is found, without a stance
    kinds = mistake_kinds(gold, said, markets)[0].tolist()
    assert kinds == [KINDS.index("stance_flipped")] * 2 + [KINDS.index("stance_other"), RIGHT]


def test_confusion_counts_gold_down_and_answers_across(schema: LabelSchema) -> None:
    gold = labels([[1, 0, X], [1, 0, 0], [0, 0, 0], [1, 0, 1]], [[S, X, X], [N, X, X], [X, X, X], [S, X, X]])
    said = labels([[1, 0, 1], [0, 0, 0], [1, 0, 0], [1, 0, 1]], [[S, S, S], [S, S, S], [A, S, S], [N, S, S]])
    first, second, third = confusions(gold, said, schema)
    assert first.answers == ("support", "oppose", "neutral", "absent")
    assert first.counts == ((1, 0, 1, 0), (0, 0, 0, 0), (0, 0, 0, 1), (0, 1, 0, 0))
    assert (first.topic, first.segments) == ("diplomacy", 4)
    assert second.counts[3] == (0, 0, 0, 4)
    assert third.answers[-1] == "no stance"  # gold has a topic whose stance nobody judged
    assert (third.segments, third.counts[4]) == (3, (1, 0, 0, 0, 0))


def test_topics_said_in_place_of_others_are_counted(schema: LabelSchema) -> None:
    # missed, invented: 0 for 1; 0 for nothing; nothing for 2; 0 and 1 for 2; nothing wrong
    gold = labels([[1, 0, 0], [1, 0, 0], [0, 0, 0], [1, 1, 0], [1, 1, 1]], [[S, S, S]] * 5)
    gold = Labels(gold.presence, np.where(gold.presence == 1, S, X))
    said = labels([[0, 1, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1], [1, 1, 1]], [[S, S, S]] * 5)
    found = topic_confusion(gold, said, schema)
    assert found.topics == ("diplomacy", "humanitarian_aid", "military_action", "none")
    assert found.counts == ((0, 1, 1, 1), (0, 0, 1, 0), (0, 0, 0, 0), (0, 0, 1, 0))


@given(st.integers(0, 2**32 - 1))
def test_segment_is_exactly_right_where_it_has_no_mistake(markets: LabelSchema, seed: int) -> None:
    random = np.random.default_rng(seed)
    presence = random.choice([0, 1, UNKNOWN], (12, 4), p=[0.5, 0.4, 0.1])
    stance = np.where(presence == 1, random.choice([0, 1, UNKNOWN], (12, 4)), UNKNOWN)
    gold = Labels(presence, stance)
    said = Labels(random.integers(0, 2, (12, 4)), random.integers(0, 2, (12, 4)))
    kinds = mistake_kinds(gold, said, markets)
    whole, right = exact(gold, said, markets)
    assert ((kinds == RIGHT).all(axis=1) == right)[whole].all()
    wrong = int((kinds != RIGHT).sum())
    assert sum(one.count for one in kind_shares(gold, said, markets)) == wrong
    tables = confusions(gold, said, markets)
    assert sum(one.segments for one in tables) == (presence != UNKNOWN).sum()
    off = sum(sum(map(sum, one.counts)) - sum(one.counts[n][n] for n in range(len(one.counts))) for one in tables)
    unjudged = int(((presence == 1) & (stance == UNKNOWN) & (said.presence == 1)).sum())
    assert off == wrong + unjudged
