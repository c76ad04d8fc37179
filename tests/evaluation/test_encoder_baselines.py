import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naba.errors import DataError
from naba.evaluation.encoder_baselines import FEWEST_TEXTS, descriptions, frozen, otsu, zero_shot
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Labels


@pytest.mark.parametrize(
    ("values", "cut"),
    [
        ([0, 0, 0, 1, 1], 0.5),
        ([3, 1], 2.0),
        # Cuts after 0, 1 and 2: share · rest · distance² = 3/16·(13/3)², 1/4·(6-½)², 3/16·(10-1)² → 3.5, 7.6, 15.2.
        ([0, 1, 2, 10], 6.0),
        ([4, 4, 4], np.inf),  # nothing to tell apart: no topic is present
        ([1], np.inf),
        ([], np.inf),
    ],
)
def test_otsu_cuts_where_most_variance_lies_between(values: list[float], cut: float) -> None:
    assert otsu(np.array(values)) == cut


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=30))
def test_no_cut_leaves_more_variance_between_the_two(values: list[int]) -> None:
    numbers = np.array(values, dtype=float)
    best = between(numbers, otsu(numbers))
    assert all(between(numbers, value) <= best + 1e-9 for value in values)


def between(values: np.ndarray, cut: float) -> float:
    """The variance between the values above the cut and the others."""
    above, rest = values[values > cut], values[values <= cut]
    if not len(above) or not len(rest):
        return 0.0
    return float(len(above) * len(rest) / len(values) ** 2 * (above.mean() - rest.mean()) ** 2)


def test_zero_shot_takes_what_is_nearer_than_usual(markets: LabelSchema) -> None:
    unit = np.eye(6)
    # Half of the background is about oil (axis 0), half about nothing (axis 5); the other topics are equally far from all.
    background = np.stack([unit[0] if i % 2 else unit[5] for i in range(FEWEST_TEXTS)])
    topics = unit[:4]
    stances = np.tile(
        np.stack([unit[5], unit[4]]), (4, 1)
    )  # the first is near half of the background, the second to none
    texts = np.stack([unit[0], unit[5], (unit[0] + unit[4]) / np.sqrt(2)])
    said = zero_shot(texts, topics, stances, background, markets)
    assert said.labels.presence.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    # Cosines less their means over the background (0.5, 0): (-0.5, 0), (0.5, 0), (-0.5, 0.7).
    assert said.labels.stance[:, 0].tolist() == [1, 0, 1]
    assert said.topic is None
    assert said.stance is None


def test_too_few_texts_set_no_threshold(markets: LabelSchema) -> None:
    few = np.eye(4)
    with pytest.raises(DataError, match="too few"):
        zero_shot(few, few, np.tile(few, (2, 1)), few, markets)


def test_frozen_learns_from_vectors_and_passes_over_what_nobody_judged(markets: LabelSchema) -> None:
    vectors = np.tile(np.eye(2), (10, 1))  # oil up, oil down, …
    presence = np.tile([1, 0, 0, UNKNOWN], (20, 1))
    stance = np.tile([[0, UNKNOWN, UNKNOWN, UNKNOWN], [1, UNKNOWN, UNKNOWN, UNKNOWN]], (10, 1))
    said = frozen(vectors, Labels(presence, stance), np.eye(2), markets)
    assert said.labels.presence.tolist() == [[1, 0, 0, 0]] * 2
    assert said.labels.stance[:, 0].tolist() == [0, 1]
    assert said.stance is not None
    assert said.stance.shape == (2, 4, 2)


def test_descriptions_are_in_the_language_of_the_segments(schema: LabelSchema, markets: LabelSchema) -> None:
    topics, stances = descriptions(schema)
    assert topics[1].startswith("مساعدات إنسانية: مساعدات، إغاثة")
    assert stances[:3] == ["تأييد: دبلوماسية", "معارضة: دبلوماسية", "محايد: دبلوماسية"]
    assert len(stances) == 9
    assert descriptions(markets)[0][0] == "نفط: test"  # no typical words: the definition
