import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from naba.errors import DataError, NabaError
from naba.evaluation import error_analysis as module
from naba.evaluation.answers import Answers, TestSet
from naba.evaluation.error_analysis import ErrorAnalysis, Place, error_analysis
from naba.records import LabelledSegment
from naba.schema import UNKNOWN, LabelSchema
from naba.scores import Labels
from naba.tfidf import targets

UP, DOWN = 0, 1


def item(markets: LabelSchema, text: str, **fields: Any) -> LabelledSegment:
    stances = fields.pop("stances", {})
    labels = {t: {"present": t in stances, "stance": stances.get(t)} for t in markets.topic_ids}
    return LabelledSegment.from_row({"text": text, "labels": labels} | fields, markets, "test")


def answers(presence: list[list[int]], always: int = UP, **probabilities: Any) -> Answers:
    said = np.array(presence)
    return Answers(Labels(said, np.full(said.shape, always)), **probabilities)


@pytest.fixture
def test(markets: LabelSchema) -> TestSet:
    """Three segments of one article, out of order, and one that came alone."""
    up = {"oil": "optimistic"}
    article = {"article_id": "a", "end": 99}
    rows = [
        item(markets, "الثالثة", **article, start=80),
        item(markets, "الأولى", **article, start=0, stances=up),
        item(markets, "وحدها", stances={"gold": "pessimistic"}),
        item(markets, "الثانية", **article, start=40, stances=up),
    ]
    return TestSet.of(rows, markets)


@pytest.fixture
def said(markets: LabelSchema) -> Answers:
    """Wrong: labour invented in the third of the article, oil missed in the first, gold's stance flipped."""
    topic = np.array([[0.1, 0.2, 0.1, 0.7], [0.2, 0.1, 0.1, 0.1], [0.1, 0.9, 0.3, 0.1], [0.9, 0.1, 0.1, 0.1]])
    stance = np.full((4, 4, 2), 0.5)
    stance[2, 1] = [0.95, 0.05]
    presence = [[0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]]
    return answers(presence, topic=topic, stance=stance)


def test_surest_mistakes_come_first_with_the_probability_of_what_was_said(test: TestSet, said: Answers) -> None:
    found = error_analysis(test, said, suspects=False)
    assert found.most_confident is not None
    rows = [(m.kind, m.topic, m.gold, m.said, m.probability) for m in found.most_confident]
    assert rows == [
        ("stance_flipped", "gold", "pessimistic", "optimistic", 0.95),
        ("topic_missed", "oil", "optimistic", "absent", 0.8),
        ("topic_invented", "labour", "absent", "optimistic", 0.7),
    ]
    assert (found.segments, found.answers, found.mistakes) == (4, 16, 3)
    assert {one.kind: one.count for one in found.kinds if one.count} == dict.fromkeys([row[0] for row in rows], 1)


def test_mistake_stands_in_its_article(test: TestSet, said: Answers) -> None:
    found = error_analysis(test, said, suspects=False)
    assert found.most_confident is not None
    flipped, missed, invented = (mistake.place for mistake in found.most_confident)
    third, first, lone, second = (one.segment.id for one in test.items)
    assert flipped == Place(lone, None, None, None, None, None)
    assert missed == Place(first, "a", 1, 3, None, second)
    assert invented == Place(third, "a", 3, 3, second, None)
    # Neighbours are there to be read too.
    assert found.texts == {lone: "وحدها", first: "الأولى", second: "الثانية", third: "الثالثة"}


def test_segments_without_offsets_stand_in_the_order_of_the_file(markets: LabelSchema) -> None:
    rows = [item(markets, text, article_id="a") for text in ("واحد", "اثنان", "ثلاثة")]
    test = TestSet.of(rows, markets)
    found = error_analysis(test, answers([[0] * 4, [1, 0, 0, 0], [0] * 4], topic=np.full((3, 4), 0.6)), suspects=False)
    ids = [row.segment.id for row in rows]
    assert found.most_confident is not None
    assert found.most_confident[0].place == Place(ids[1], "a", 2, 3, ids[0], ids[2])
    assert list(found.texts) == [ids[1], ids[0], ids[2]]


def test_same_words_in_two_articles_keep_their_places(markets: LabelSchema) -> None:
    rows = [item(markets, "مكرر", article_id=name) for name in ("a", "b")]
    found = error_analysis(
        TestSet.of(rows, markets), answers([[1, 0, 0, 0]] * 2, topic=np.full((2, 4), 0.6)), suspects=False
    )
    assert found.most_confident is not None
    assert [mistake.place.article for mistake in found.most_confident] == ["a", "b"]
    assert len(found.texts) == 1


def test_report_without_texts_has_no_word_of_the_data(test: TestSet, said: Answers) -> None:
    found = error_analysis(test, said, suspects=False)
    bare = json.dumps(found.to_dict(texts=False), ensure_ascii=False)
    assert not any("\u0621" <= letter <= "\u064a" for letter in bare)
    assert found.to_dict(texts=False)["texts"] is None
    full = found.to_dict()
    assert {"id": test.items[2].segment.id, "text": "وحدها"} in full.pop("texts")
    assert json.loads(bare) == json.loads(json.dumps(full)) | {"texts": None}


def test_system_without_probabilities_has_no_surest_mistakes(test: TestSet, said: Answers) -> None:
    found = error_analysis(test, Answers(said.labels))
    assert found.most_confident is None
    assert found.suspects is None and found.suspected is None
    assert found.why_no_suspects == "the system gives no probabilities"
    assert found.mistakes == 3
    assert found.texts == {}


def test_stance_without_probability_is_shown_last(test: TestSet, said: Answers) -> None:
    found = error_analysis(test, Answers(said.labels, said.topic), suspects=False)
    assert found.most_confident is not None
    assert [mistake.probability for mistake in found.most_confident] == [0.8, 0.7, None]


def test_only_so_many_are_shown_and_all_are_counted(test: TestSet, said: Answers) -> None:
    found = error_analysis(test, said, show=1, suspects=False)
    assert found.most_confident is not None
    assert [mistake.kind for mistake in found.most_confident] == ["stance_flipped"]
    assert found.mistakes == 3
    assert error_analysis(test, said, show=0, suspects=False).most_confident == []


def test_mistakes_on_which_readings_differ_are_shown_with_them(markets: LabelSchema) -> None:
    every = dict.fromkeys(markets.topic_ids)
    up, down = every | {"oil": "optimistic"}, every | {"oil": "pessimistic"}
    rows = [
        item(markets, "أ", stances={"oil": "optimistic"}, readings=[up, down]),
        item(markets, "ب", stances={"oil": "optimistic"}, readings=[up, up]),
        item(markets, "ج", stances={"oil": "optimistic"}),
    ]
    test = TestSet.of(rows, markets)
    found = error_analysis(test, answers([[1, 0, 0, 0]] * 3, always=DOWN), suspects=False)
    assert [(m.place.id, m.readings) for m in found.on_differing] == [
        (rows[0].segment.id, ("optimistic", "pessimistic"))
    ]
    assert found.on_differing[0].probability is None
    differ = found.where_readers_differ
    assert differ is not None
    assert (differ.differ.mistakes, differ.agree.mistakes, differ.once.mistakes, differ.as_read) == (1, 1, 1, 1)


def planted(markets: LabelSchema, rows: list[dict[str, Any]]) -> tuple[TestSet, Answers]:
    """A system that is sure and right, against gold in which the first segment's topic is missing."""
    items = [LabelledSegment.from_row(row, markets, "test") for row in rows]
    truth = TestSet.of(items, markets).gold
    first = {topic: {"present": False, "stance": None} for topic in markets.topic_ids}
    items[0] = LabelledSegment.from_row(rows[0] | {"labels": first}, markets, "test")
    topic = np.where(truth.presence == 1, 0.97, 0.03)
    stance = np.where(np.arange(2) == np.maximum(truth.stance, 0)[..., None], 0.9, 0.1)
    return TestSet.of(items, markets), Answers(Labels(truth.presence, np.maximum(truth.stance, 0)), topic, stance)


def test_label_that_a_sure_system_speaks_against_is_a_suspect(
    markets: LabelSchema, market_rows: list[dict[str, Any]]
) -> None:
    pytest.importorskip("cleanlab")
    test, said = planted(markets, market_rows)
    found = error_analysis(test, said)
    assert found.suspects is not None
    suspect = found.suspects[0]
    assert (suspect.place.id, suspect.topic) == (test.items[0].segment.id, "oil")
    assert (suspect.question, suspect.given, suspect.suggested) == ("presence", "absent", "present")
    assert suspect.place.id in found.texts
    assert found.suspected == len(found.suspects)
    topic_only = error_analysis(test, Answers(said.labels, said.topic))
    assert topic_only.suspects is not None
    assert {one.question for one in topic_only.suspects} == {"presence"}


def test_evaluation_goes_on_without_cleanlab_and_says_so(
    markets: LabelSchema, market_rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*_: Any) -> Any:
        raise NabaError("label errors need cleanlab; install it with: pip install -e '.[build]'")

    monkeypatch.setattr(module, "find_suspects", absent)
    found: ErrorAnalysis = error_analysis(*planted(markets, market_rows))
    assert found.suspects is None
    assert found.why_no_suspects and "cleanlab" in found.why_no_suspects
    assert found.mistakes == 1


def test_suspects_are_of_the_labels_that_were_scored(
    markets: LabelSchema, market_rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    test, said = planted(markets, market_rows)
    asked: list[Labels] = []

    def watched(items: Any, *_: Any) -> list[Any]:
        asked.append(targets(items, markets))
        return []

    monkeypatch.setattr(module, "find_suspects", watched)
    aside = Labels(test.gold.presence.copy(), np.full_like(test.gold.stance, UNKNOWN))
    aside.presence[:, 1] = UNKNOWN
    for gold in (test.gold, aside):
        error_analysis(replace(test, gold=gold), said)
        there = asked.pop()
        assert (there.presence == gold.presence).all()
        assert (there.stance == np.where(gold.presence == 1, gold.stance, UNKNOWN)).all()


def test_what_gold_does_not_know_is_no_mistake(markets: LabelSchema) -> None:
    one = LabelledSegment.from_row(
        {"text": "نص", "labels": {"oil": {"present": True, "stance": None}}}, markets, "test"
    )
    test = TestSet.of([one], markets)
    assert test.gold.stance[0, 0] == UNKNOWN
    found = error_analysis(test, answers([[1, 1, 1, 1]], topic=np.full((1, 4), 0.9)), suspects=False)
    assert (found.answers, found.mistakes) == (1, 0)
    assert [table.segments for table in found.confusions] == [1, 0, 0, 0]


def test_unusable_answers_are_told_in_one_line(test: TestSet, said: Answers) -> None:
    assert said.topic is not None and said.stance is not None
    empty = TestSet(
        [], Labels(*(part[:0] for part in (test.gold.presence, test.gold.stance))), test.clusters[:0], test.schema
    )
    nothing = Answers(Labels(said.labels.presence[:0], said.labels.stance[:0]))
    for arguments in (
        (test, nothing),
        (test, Answers(said.labels, said.topic[:2])),
        (test, Answers(said.labels, said.topic, said.stance[:, :3])),
        (test, Answers(said.labels, said.topic, said.stance[..., :1])),
        (empty, nothing),
    ):
        with pytest.raises(DataError) as error:
            error_analysis(*arguments)
        assert "\n" not in str(error.value)
    with pytest.raises(DataError, match="show = -1"):
        error_analysis(test, said, show=-1)
