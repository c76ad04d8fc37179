import sys
from typing import Any

import numpy as np
import pytest

from naba.errors import ConfigError, DataError, NabaError
from naba.schema import UNKNOWN
from naba.voting.aggregate import METHODS, Question, weighted

FROM_VOTES_ALONE = ["majority", "dawid-skene", "mace"]


def question(*votes: tuple[int, int, int], answers: int = 2, **rest: Any) -> Question:
    """Votes as (segment, annotator, answer)."""
    segment, annotator, answer = np.array(votes, dtype=np.int64).T
    return Question(segment, annotator, answer, answers, **rest)


def crowd(kinds: list[Any], segments: int = 600, answers: int = 3, seed: int = 0) -> tuple[Question, Any]:
    """Votes of annotators that are right with a probability, or (an int) always say the same; and the truth."""
    random = np.random.default_rng(seed)
    truth = random.integers(answers, size=segments)
    said = []
    for kind in kinds:
        wrong = (truth + random.integers(1, answers, size=segments)) % answers
        right = random.random(segments) < kind
        said.append(np.full(segments, kind) if isinstance(kind, int) else np.where(right, truth, wrong))
    segment, annotator = np.tile(np.arange(segments), len(kinds)), np.repeat(np.arange(len(kinds)), segments)
    return Question(segment, annotator, np.concatenate(said), answers), truth


def accuracy(method: str, votes: Question, truth: Any) -> float:
    judged, share = METHODS[method](votes)
    assert judged.tolist() == list(range(len(truth)))
    return float((share.argmax(axis=1) == truth).mean())


def test_majority_gives_shares_in_the_order_of_the_segments() -> None:
    # Segment 7: two say 2, one says 0. Segment 4: one says 1.
    judged, share = METHODS["majority"](question((7, 0, 2), (7, 1, 0), (4, 0, 1), (7, 2, 2), answers=3))
    assert judged.tolist() == [4, 7]
    assert share == pytest.approx(np.array([[0, 1, 0], [1 / 3, 0, 2 / 3]]))


@pytest.mark.parametrize("method", ["dawid-skene", "mace"])
def test_learnt_resolvers_beat_majority_where_few_are_good(method: str) -> None:
    # Two annotators are right nine times of ten, three little more than by chance; two of five never win a vote.
    votes, truth = crowd([0.95, 0.9, 0.45, 0.4, 0.4])
    assert accuracy("majority", votes, truth) < 0.85
    assert accuracy(method, votes, truth) > 0.93


def test_dawid_skene_turns_round_one_who_always_takes_one_answer_for_another() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(3, size=600)
    swapped = np.array([1, 0, 2])[truth]
    good = [np.where(random.random(600) < 0.85, truth, (truth + 1) % 3) for _ in range(3)]
    segment, annotator = np.tile(np.arange(600), 5), np.repeat(np.arange(5), 600)
    votes = Question(segment, annotator, np.concatenate([*good, swapped, swapped]), 3)
    assert accuracy("dawid-skene", votes, truth) > 0.99 > accuracy("majority", votes, truth)


@pytest.mark.parametrize("method", ["dawid-skene", "mace"])
def test_who_is_numbered_how_makes_no_difference(method: str) -> None:
    # crowd-kit's MACE mixes annotators up unless they and their answers come sorted.
    votes, _ = crowd([0.9, 0.8, 0.8, 2, 2, 2], segments=300)
    shuffle = np.random.default_rng(5).permutation(len(votes.segment))
    turned = Question(votes.segment[shuffle], 5 - votes.annotator[shuffle], votes.answer[shuffle], 3)
    shares = [METHODS[method](each)[1] for each in (votes, turned)]
    assert (shares[0].argmax(axis=1) == shares[1].argmax(axis=1)).mean() > 0.98


def test_mace_is_not_outvoted_by_voices_that_never_vary() -> None:
    votes, truth = crowd([0.9, 0.8, 0.8, 2, 2, 2])
    assert accuracy("mace", votes, truth) > 0.9 > accuracy("majority", votes, truth)


@pytest.mark.parametrize("method", FROM_VOTES_ALONE)
def test_the_same_votes_and_seed_give_the_same_bytes(method: str) -> None:
    votes, _ = crowd([0.8, 0.7, 0.6, 0.6], segments=80)
    first, again = (METHODS[method](votes)[1].tobytes() for _ in range(2))
    assert first == again


DEGENERATE = {
    "one vote": [(0, 0, 1)],
    "one annotator": [(0, 0, 1), (1, 0, 0), (2, 0, 1)],
    "one answer": [(0, 0, 1), (0, 1, 1), (1, 0, 1)],
    "no overlap": [(0, 0, 1), (1, 1, 0), (2, 2, 1)],
    "two who contradict each other": [(i, a, (i + a) % 2) for i in range(9) for a in (0, 1)],
    "rules of one answer each": [(i, 0, 1) for i in range(50)] + [(i, 1, 0) for i in range(25, 75)],
    "the last answers unused": [(i, a, 0) for i in range(5) for a in (0, 1)] + [(5, 0, 1)],
}


@pytest.mark.parametrize("method", FROM_VOTES_ALONE)
@pytest.mark.parametrize("case", DEGENERATE)
def test_few_and_odd_votes_still_give_probabilities(case: str, method: str) -> None:
    votes = DEGENERATE[case]
    judged, share = METHODS[method](question(*votes, answers=3))
    assert judged.tolist() == sorted({segment for segment, _, _ in votes})
    assert share.shape == (len(judged), 3)
    assert np.isfinite(share).all()
    assert share.sum(axis=1) == pytest.approx(np.ones(len(judged)))


def test_dawid_skene_learns_nothing_of_rules_that_have_one_answer() -> None:
    # Annotator 0 only says 1 and annotator 1 only says 0: every segment gets the same, their answers' shares.
    _, share = METHODS["dawid-skene"](question(*DEGENERATE["rules of one answer each"]))
    assert share[0] == pytest.approx(share[-1])


def test_more_votes_than_mace_can_multiply_are_an_error_and_no_nan() -> None:
    votes = [(0, annotator, int(annotator % 3 == 0)) for annotator in range(3000)] + [(1, 0, 0)]
    with pytest.raises(DataError, match="so many votes"):
        METHODS["mace"](question(*votes))
    assert np.isfinite(METHODS["dawid-skene"](question(*votes))[1]).all()


@pytest.mark.parametrize("method", ["dawid-skene", "mace"])
def test_without_crowd_kit_only_its_resolvers_fail(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crowdkit", None)
    assert METHODS["majority"](question((0, 0, 1)))[1].tolist() == [[0.0, 1.0]]
    with pytest.raises(NabaError, match=r"need crowd-kit; install it with: pip install -e '\.\[build\]'"):
        METHODS[method](question((0, 0, 1)))


def test_weighted_needs_gold() -> None:
    with pytest.raises(ConfigError, match="give some with --gold FILE"):
        weighted(question((0, 0, 1)))


def test_weighted_equals_the_hand_computed_value() -> None:
    # Gold of segments 0-3 is 1, 1, 0, 0; annotator 0 says 1 on all but segment 3, and on segment 4, which is asked.
    # It said 1 three times, right twice: counts [1, 2] (true 0, true 1). It is the only one, so what "1" means to all is
    # [1 + 1, 2 + 1 + 20] / 25 = [0.08, 0.92], and to it ([1, 2] + 20 · [0.08, 0.92]) / 23 = [2.6, 20.4] / 23.
    # The prior is [2 + 1, 2 + 1] / 6 = 1/2, which cancels: the posterior of 1 is 20.4 / 23.
    gold = np.array([1, 1, 0, 0, UNKNOWN])
    votes = [(0, 0, 1), (1, 0, 1), (2, 0, 1), (4, 0, 1)]
    judged, share = weighted(question(*votes, gold=gold))
    assert judged.tolist() == [0, 1, 2, 4]
    assert share[-1] == pytest.approx([2.6 / 23, 20.4 / 23])


def test_weighted_trusts_a_rule_as_far_as_gold_bears_it_out() -> None:
    # Two rules that only say 1: the first is right on forty of forty gold segments, the second on four of forty.
    gold = np.array([1] * 44 + [0] * 96 + [UNKNOWN] * 2)
    votes = [(i, 0, 1) for i in range(40)] + [(40 + i, 1, 1) for i in range(40)] + [(140, 0, 1), (141, 1, 1)]
    _, share = weighted(question(*votes, gold=gold))
    assert share[-2, 1] > 0.85
    assert share[-1, 1] < 0.4


def test_weighted_without_gold_on_a_question_counts_votes_alike() -> None:
    votes = [(0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 1, 1), (2, 0, 1), (2, 1, 1), (2, 2, 0)]
    _, share = weighted(question(*votes, gold=np.full(3, UNKNOWN)))
    assert share[1] == pytest.approx([0.5, 0.5])
    assert share[0, 1] > share[2, 1] > 0.9
