import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from naba.cli.select import Method
from naba.cli.select import select as select_command
from naba.dataset.labelled import load_labelled
from naba.dataset.select import (
    Chosen,
    embed,
    likelihood,
    nearest_to_centres,
    parse_want,
    select_segments,
    to_label,
    uncertainty,
)
from naba.errors import ConfigError, DataError
from naba.records import LabelledSegment, TopicLabel
from naba.schema import LabelSchema
from naba.tfidf import Probabilities

Make = Callable[..., LabelledSegment]

WORDS = [f"كلمة{i}" for i in range(400)]


@pytest.fixture
def pool(labelled: Make) -> list[LabelledSegment]:
    """40 segments of eight words that no two share."""
    return [labelled(" ".join(WORDS[i * 8 : i * 8 + 8])) for i in range(40)]


def test_uncertainty_is_one_where_all_answers_are_alike_and_nothing_where_one_is_certain() -> None:
    # One topic, three stances: absent 1/4 and each stance 1/4 is the greatest entropy, log 4.
    presence = np.array([[0.75], [0.0], [1.0], [0.5], [0.5]])
    stance = np.array([[1 / 3] * 3, [1 / 3] * 3, [1, 0, 0], [1, 0, 0], [0.5, 0.5, 0]]).reshape(5, 1, 3)
    # (log 2) / log 4 = 1/2; (log 2 + 1/2 log 2) / log 4 = 3/4
    np.testing.assert_allclose(uncertainty(Probabilities(presence, stance)), [1, 0, 0, 0.5, 0.75])


def test_uncertainty_is_a_mean_over_topics() -> None:
    presence, stance = np.array([[0.5, 0.0]]), np.zeros((1, 2, 3))
    stance[..., 0] = 1
    np.testing.assert_allclose(uncertainty(Probabilities(presence, stance)), [0.25])


def test_the_wanted_class_is_likely_as_topic_times_stance(schema: LabelSchema) -> None:
    said = Probabilities(np.array([[0.5, 0.2, 0]]), np.array([[[0.1, 0.6, 0.3], [0, 1, 0], [1, 0, 0]]]))
    assert likelihood(said, *parse_want("diplomacy:oppose", schema)).tolist() == pytest.approx([0.3])
    assert likelihood(said, *parse_want("humanitarian_aid", schema)).tolist() == [0.2]


@pytest.mark.parametrize(
    ("want", "says"), [("oil:up", "topic 'oil'"), ("diplomacy:up", "'up'.*support"), ("diplomacy:", "''")]
)
def test_a_wanted_class_outside_the_schema_is_told(schema: LabelSchema, want: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        parse_want(want, schema)


def test_uncertainty_takes_the_highest_scores_in_order(pool: list[LabelledSegment]) -> None:
    scores = np.linspace(0, 1, 40)
    chosen = select_segments(pool, [], scores, 3, method="uncertainty")
    assert [pick.number for pick in chosen] == [39, 38, 37]
    assert chosen[0].score == 1


def test_diverse_takes_one_of_each_group_and_the_surest_of_none(labelled: Make) -> None:
    # Four subjects of five wordings each, all unsure; twenty sure ones that share nothing.
    unsure = [
        labelled(f"{WORDS[s]} {WORDS[s + 10]} {WORDS[s + 20]} {WORDS[60 + 5 * s + w]}")
        for s in range(4)
        for w in range(5)
    ]
    sure = [labelled(" ".join(WORDS[200 + i * 5 : 205 + i * 5])) for i in range(20)]
    scores = np.array([0.9] * 20 + [0.1] * 20)
    chosen = select_segments([*unsure, *sure], [], scores, 4, method="diverse", beta=5)
    assert sorted(pick.number // 5 for pick in chosen) == [0, 1, 2, 3]


def test_random_draws_by_the_seed_and_has_no_score(pool: list[LabelledSegment]) -> None:
    one, same, other = (select_segments(pool, [], None, 10, method="random", seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert len({pick.number for pick in one}) == 10
    assert one[0].score is None


@pytest.mark.parametrize("method", ["random", "uncertainty", "diverse"])
def test_near_duplicates_of_each_other_and_of_what_is_labelled_are_not_picked(
    pool: list[LabelledSegment], labelled: Make, method: Any
) -> None:
    # 5 is labelled; 6 is a copy of 7 but for its last word.
    pool[6] = labelled(" ".join([*pool[7].segment.text.split()[:7], "أخرى"]))
    scores = np.full(40, 0.5)
    scores[6] = 0.9
    numbers = [
        pick.number
        for pick in select_segments(pool, [labelled(pool[5].segment.text + " ")], scores, 100, method=method)
    ]
    assert len(numbers) == 38
    assert 5 not in numbers
    assert len({6, 7} & set(numbers)) == 1
    if method != "random":
        assert 6 in numbers  # of copies the one that is less sure


def test_the_pools_labels_make_no_difference(pool: list[LabelledSegment], labelled: Make) -> None:
    scores = np.linspace(0, 1, 40)
    told = [labelled(item.segment.text, diplomacy="support") for item in pool]
    assert select_segments(pool, [], scores, 5) == select_segments(told, [], scores, 5)


def test_each_centre_has_a_vector_of_its_own() -> None:
    # Two points stand on one spot: the second centre must take another.
    vectors = np.array([[0.0, 0], [0, 0], [0, 0.1], [9, 9]])
    assert len(nearest_to_centres(vectors, np.array([1.0, 1, 0, 0]), 3, seed=1)) == 3
    assert nearest_to_centres(vectors, np.ones(4), 4, seed=1).tolist() == [0, 1, 2, 3]


def test_texts_that_share_words_have_near_vectors_and_odd_input_has_some() -> None:
    vectors = embed(["هدنة في غزة", "هدنة في رفح", "قصف مدفعي عنيف", "قصف مدفعي كثيف"])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1)
    assert embed(["…", "!"]).shape[0] == 2
    assert embed(["واحد"]).shape == (1, 1)


def test_a_chosen_segment_has_unknown_labels_and_says_how_it_was_picked(labelled: Make, schema: LabelSchema) -> None:
    row = labelled("نص", diplomacy="support").to_row() | {"readings": [{}], "cluster": "c"}
    row["provenance"] = {"source": "s", "annotator": "x", "licence": "MIT"}
    item = to_label(LabelledSegment.from_row(row, schema, "x"), Chosen(0, 0.5), 1, "diverse", "diplomacy:oppose")
    assert set(item.labels.values()) == {TopicLabel(None)}
    assert item.provenance == {"source": "s", "licence": "MIT"}
    assert item.cluster == "c"
    assert item.extra == {"selected_by": {"method": "diverse", "score": 0.5, "rank": 1, "want": "diplomacy:oppose"}}


@pytest.fixture
def files(root: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A pool of texts alone and a labelled set, of which the first ten are in the pool too."""
    lines = (root / "data" / "authored.jsonl").read_text(encoding="utf-8").splitlines()[:300]
    (tmp_path / "labelled.jsonl").write_text("\n".join(lines[:150]), encoding="utf-8")
    texts = [{"text": json.loads(line)["text"]} for line in (*lines[150:], *lines[:10])]
    (tmp_path / "pool.jsonl").write_text("\n".join(json.dumps(row) for row in texts), encoding="utf-8")
    return tmp_path / "pool.jsonl", tmp_path / "labelled.jsonl"


def test_command_writes_what_annotators_can_be_given(
    files: tuple[Path, Path], root: Path, schema: LabelSchema, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pool, known = files
    out, labels = tmp_path / "next.jsonl", root / "configs" / "labels.yaml"
    select_command([pool], 20, out, labelled=[known], labels=labels)
    assert "20 of 160 segments to label" in capsys.readouterr().out
    chosen, before = load_labelled([out], schema), load_labelled([known], schema)
    assert not {item.segment.id for item in chosen} & {item.segment.id for item in before}
    assert [item.extra["selected_by"]["rank"] for item in chosen] == list(range(1, 21))
    first = out.read_bytes()
    with pytest.raises(DataError, match="is there already"):
        select_command([pool], 20, out, labelled=[known], labels=labels)
    select_command([pool], 20, out, labelled=[known], labels=labels, overwrite=True)
    assert out.read_bytes() == first
    select_command([pool], 999, out, labelled=[known], labels=labels, overwrite=True, want="humanitarian_aid:oppose")
    assert "999 were asked for" in capsys.readouterr().err
    wanted = load_labelled([out], schema)
    assert wanted[0].extra["selected_by"]["want"] == "humanitarian_aid:oppose"
    scores = [item.extra["selected_by"]["score"] for item in wanted]
    assert scores == sorted(scores, reverse=True)


def test_command_by_a_model_leaves_out_what_it_was_trained_on(
    tiny_run: Path, files: tuple[Path, Path], tmp_path: Path, schema: LabelSchema
) -> None:
    pool, _ = files
    select_command([pool], 500, tmp_path / "next.jsonl", model=tiny_run, method=Method.uncertainty)
    trained = {item.segment.id for item in load_labelled([tiny_run.parent / "train.jsonl"], schema)}
    chosen = load_labelled([tmp_path / "next.jsonl"], schema)
    assert chosen
    assert not {item.segment.id for item in chosen} & trained


def test_command_tells_what_it_cannot_do(
    files: tuple[Path, Path], root: Path, tmp_path: Path, write_rows: Callable[..., Path], labelled: Make
) -> None:
    pool, known = files
    out, labels = tmp_path / "next.jsonl", root / "configs" / "labels.yaml"
    with pytest.raises(ConfigError, match="give --labelled DATA or --model RUN"):
        select_command([pool], 5, out, labels=labels)
    with pytest.raises(ConfigError, match="a random draw wants nothing"):
        select_command([pool], 5, out, labels=labels, method=Method.random, want="diplomacy")
    alike = write_rows("alike.jsonl", [labelled(f"نص رقم {i}").to_row() for i in range(4)])
    with pytest.raises(DataError, match=r"all labelled alike.*--method random"):
        select_command([pool], 5, out, labelled=[alike], labels=labels)
    some = [labelled("هدنة", diplomacy="support").to_row(), labelled("قصف", military_action="neutral").to_row()]
    with pytest.raises(DataError, match="diplomacy:oppose: none of the labelled"):
        select_command(
            [pool], 5, out, labelled=[write_rows("some.jsonl", some)], labels=labels, want="diplomacy:oppose"
        )
    with pytest.raises(DataError, match=r"bad\.jsonl:1: no 'text'"):
        select_command([write_rows("bad.jsonl", [{"body": "نص"}])], 5, out, labels=labels, method=Method.random)
    with pytest.raises(DataError, match="no segments"):
        select_command([write_rows("empty.jsonl", [])], 5, out, labels=labels, method=Method.random)
    with pytest.raises(DataError, match="every segment is labelled already"):
        select_command([known], 5, out, labelled=[known], labels=labels)
    assert not out.exists()
