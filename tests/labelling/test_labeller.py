import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from naba import Labeller
from naba.config import ReadConfig
from naba.corpus.readers import Rejected, read_articles
from naba.errors import CheckpointError
from naba.labelling import labeller as module
from naba.labelling.labeller import LabelledArticle


@pytest.fixture(scope="module")
def tiny(tiny_run: Path) -> Labeller:
    return Labeller.load(tiny_run, device="cpu")


def test_prediction_gives_presence_probability_and_all_stances_per_topic(tiny: Labeller) -> None:
    (prediction,) = tiny.label(["قال الوزير إن المحادثات مستمرة"])
    assert tuple(prediction.topics) == tiny.schema.topic_ids
    for topic in tiny.schema.topic_ids:
        answer = prediction[topic]
        assert 0 <= answer.probability <= 1
        assert (answer.stance is not None) == answer.present
        assert tuple(answer.stance_probability) == tiny.schema.stance_ids
        assert sum(answer.stance_probability.values()) == pytest.approx(1)
    row = json.loads(json.dumps(prediction.to_dict()))
    assert set(row["topics"]["diplomacy"]) == {"present", "probability", "stance", "stance_probability"}


def test_single_string_is_refused_and_no_texts_give_no_predictions(tiny: Labeller) -> None:
    with pytest.raises(TypeError, match=r"label\(\[text\]\)"):
        tiny.label("نص")
    with pytest.raises(TypeError, match="number 1 is a NoneType"):
        tiny.label(["نص", None])  # type: ignore[list-item]
    assert tiny.label([]) == []


def test_windowed_text_says_so(tiny: Labeller) -> None:
    (prediction,) = tiny.label(["كلمة أخرى " * 200])
    assert prediction.windows > 1
    assert prediction.to_dict()["windows"] == prediction.windows


def test_articles_keep_their_order_and_rejected_ones_pass_through(
    tiny: Labeller, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ARTICLES_AT_ONCE", 2)  # several rounds
    articles = list(read_articles([root / "seeds"], ReadConfig()))
    stream = [*articles[:1], Rejected("x", "broken"), *articles[1:]]
    out = list(tiny.label_articles(stream))
    assert [item.article.id if isinstance(item, LabelledArticle) else item.path for item in out] == [
        item.id if not isinstance(item, Rejected) else item.path for item in stream
    ]
    assert sum(len(item.segments) for item in out if isinstance(item, LabelledArticle)) == 84


def test_missing_shipped_model_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "SHIPPED_MODEL", tmp_path / "models" / "naba-news")
    with pytest.raises(CheckpointError, match="comes with a checkout"):
        Labeller.load()
    with pytest.raises(CheckpointError, match="no such model folder"):
        Labeller.load(tmp_path / "other")


def test_stream_of_texts_is_labelled_in_order_and_read_only_so_far_ahead(tiny: Labeller) -> None:
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        for number in range(50):
            taken += 1
            yield f"غارة على المدينة رقم {number % 7}"

    stream = tiny.label_iter(texts(), at_once=5)
    first = next(stream)
    assert taken == 10  # the portion that is answered, and the one that is begun
    rest = list(stream)
    together = tiny.label([f"غارة على المدينة رقم {number % 7}" for number in range(50)])
    assert [one.text for one in (first, *rest)] == [one.text for one in together]
    assert [one["diplomacy"].probability for one in (first, *rest)] == pytest.approx(
        [one["diplomacy"].probability for one in together], abs=1e-5
    )


def test_stream_refuses_a_single_string_at_once_and_what_is_no_text_when_it_comes(tiny: Labeller) -> None:
    with pytest.raises(TypeError, match=r"label\(\[text\]\)"):
        tiny.label_iter("نص")
    stream = tiny.label_iter(iter(["نص", None]), at_once=1)  # type: ignore[list-item]
    with pytest.raises(TypeError, match="NoneType"):
        list(stream)


def test_threads_share_a_labeller_and_get_their_own_answers(tiny: Labeller) -> None:
    # Long and short texts, for truncation is where a tokenizer keeps a state.
    texts = [[f"قصف {name} " * (1 + 40 * (name % 3)), f"هدنة {name}"] for name in range(24)]
    alone = [tiny.label(some) for some in texts]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(tiny.label, texts))
    for some, one, other in zip(texts, alone, together, strict=True):
        assert [answer.text for answer in other] == some
        assert [answer.windows for answer in other] == [answer.windows for answer in one]
        for a, b in zip(one, other, strict=True):
            for topic in tiny.schema.topic_ids:
                assert b[topic].probability == pytest.approx(a[topic].probability, abs=1e-5)


def test_repeated_text_is_scored_once(tiny: Labeller, monkeypatch: pytest.MonkeyPatch) -> None:
    scored: list[int] = []
    run = tiny._scorer.engine.run
    monkeypatch.setattr(tiny._scorer.engine, "run", lambda batch: scored.append(len(batch["input_ids"])) or run(batch))
    answers = tiny.label(["بيان", "خبر", "بيان", "بيان"])
    assert sum(scored) == 2
    assert [answer.text for answer in answers] == ["بيان", "خبر", "بيان", "بيان"]
    assert answers[0].topics == answers[2].topics == answers[3].topics


def test_fault_of_the_engine_reaches_the_caller(tiny: Labeller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(batch: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(tiny._scorer.engine, "run", broken)
    with pytest.raises(RuntimeError, match="no memory"):
        tiny.label(["بيان"])
