from pathlib import Path

import numpy as np
import pytest

from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.infer import score_texts


@pytest.fixture(scope="module")
def run(tiny_run: Path) -> Checkpoint:
    return checkpoints.load(tiny_run)


def test_answers_come_in_the_order_of_the_texts_whatever_the_batch(run: Checkpoint) -> None:
    texts = ["غارة", "قال الوزير إن المحادثات مستمرة في القاهرة منذ أمس", "معبر رفح", "هدنة في غزة"]
    together = score_texts(run, texts, batch_size=4)
    alone = [score_texts(run, [text], batch_size=1) for text in texts]
    assert np.allclose(together.topic, np.concatenate([one.topic for one in alone]), atol=1e-5)
    assert np.allclose(together.stance, np.concatenate([one.stance for one in alone]), atol=1e-5)


def test_long_text_is_windowed_and_takes_each_topic_where_it_is_likeliest(run: Checkpoint) -> None:
    long = "شنت الطائرات غارة على المدينة " * 40
    scores = score_texts(run, ["قصير", long, "قصير"])
    assert scores.windows[0] == scores.windows[2] == 1
    assert scores.windows[1] > 2
    assert np.allclose(scores.topic[0], scores.topic[2], atol=1e-5)
    # Every token is read: what stands only at the very end still counts.
    words = long.split()
    tail = score_texts(run, [" ".join([*words[:-1], "مساعدات"])])
    assert tail.windows[0] == scores.windows[1]
    assert (tail.topic[0] != scores.topic[1]).any() or (tail.stance[0] != scores.stance[1]).any()


def test_no_texts_give_no_scores(run: Checkpoint) -> None:
    scores = score_texts(run, [])
    assert scores.topic.shape == (0, 3)
    assert scores.stance.shape == (0, 3, 3)
    assert scores.windows == []
