from pathlib import Path

import numpy as np
import pytest

from naba.modelling import checkpoint as checkpoints
from naba.modelling.checkpoint import Checkpoint
from naba.modelling.infer import merge, score_texts
from naba.modelling.windows import OVERLAP, WindowReader, Windows


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


def test_windows_of_a_long_text_hold_every_token_in_order(run: Checkpoint) -> None:
    text = " ".join(f"كلمة{number} غارة مساعدات" for number in range(60))
    read_in = WindowReader(run).read(["قصير", text])
    windows = read_in.ids
    assert read_in.owners == [0] + [1] * (len(windows) - 1)
    whole = run.tokenizer(run.normalise(text))["input_ids"][1:-1]  # without the special tokens
    overlap = run.max_tokens // OVERLAP
    first, *rest = [window[1:-1] for window in windows[1:]]
    read = first + [token for window in rest for token in window[overlap:]]
    assert max(map(len, windows)) <= run.max_tokens
    assert read == whole


def test_topic_of_a_long_text_has_the_scores_of_its_likeliest_window() -> None:
    # Three windows of the second of three texts; topic 0 is likeliest in the last of them, topic 1 in the first.
    topic = np.array([[1, 2], [-1, 5], [0, 4], [3, -2], [7, 8]], dtype=np.float32)
    stance = np.arange(20, dtype=np.float32).reshape(5, 2, 2)  # window w, topic t: 4w + 2t and one more
    scores = merge(topic, stance, Windows([[2]] * 5, [0, 1, 1, 1, 2], 3))
    assert scores.windows == [1, 3, 1]
    assert scores.topic.tolist() == [[1, 2], [3, 5], [7, 8]]
    assert scores.stance.tolist() == [[[0, 1], [2, 3]], [[12, 13], [6, 7]], [[16, 17], [18, 19]]]


def test_no_texts_give_no_scores(run: Checkpoint) -> None:
    scores = score_texts(run, [])
    assert scores.topic.shape == (0, 3)
    assert scores.stance.shape == (0, 3, 3)
    assert scores.windows == []
