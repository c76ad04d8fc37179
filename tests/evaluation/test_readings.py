import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from naba.dataset.labelled import load_labelled
from naba.errors import SchemaError
from naba.evaluation.label_mapping import narrow_schema
from naba.evaluation.mistakes import NOT_JUDGED, mistake_kinds, said_codes
from naba.evaluation.readings import (
    READERS,
    consistency,
    readers_differ,
    reading_codes,
    reading_name,
    where_readers_differ,
)
from naba.metrics import score
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.scores import Labels
from naba.tfidf import targets
from naba.voting.adjudication import readings_of
from naba.voting.agreement import agreement

UP, DOWN = "optimistic", "pessimistic"


def item(markets: LabelSchema, *readings: Any, text: str = "x", **stances: str) -> LabelledSegment:
    labels = {t: {"present": t in stances, "stance": stances.get(t)} for t in markets.topic_ids}
    row = {"text": text, "labels": labels} | ({"readings": list(readings)} if readings else {})
    return LabelledSegment.from_row(row, markets, "test")


def test_readings_are_coded_with_holes_where_nothing_was_judged(markets: LabelSchema) -> None:
    items = [
        item(markets, {"oil": UP, "gold": None}, {"oil": DOWN, "gold": None, "labour": UP}),
        item(markets, {"oil": UP}),
        item(markets),
    ]
    codes = reading_codes(items, markets)
    assert codes.shape == (3, 4, 2)
    assert codes[0].tolist() == [[0, 1], [2, 2], [NOT_JUDGED, NOT_JUDGED], [NOT_JUDGED, 0]]
    assert codes[1, 0].tolist() == [0, NOT_JUDGED]
    assert (codes[2] == NOT_JUDGED).all()
    twice, differ = readers_differ(codes)
    assert twice.tolist() == [[True, True, False, False], [False] * 4, [False] * 4]
    assert np.argwhere(differ).tolist() == [[0, 0]]


@pytest.mark.parametrize("readings", [["oil"], "two", [], None, [1, 2]])
def test_what_is_no_reading_is_passed_over(markets: LabelSchema, readings: Any) -> None:
    row = {"text": "x", "labels": {}, "readings": readings}
    items = [LabelledSegment.from_row(row, markets, "test")]
    assert reading_codes(items, markets).shape == (1, 4, 0)
    assert not readers_differ(reading_codes(items, markets))[0].any()
    assert consistency(items, markets) is None


@pytest.mark.parametrize("reading", [{"oil": "bullish"}, {"oil": 3}, {"oil": [UP]}])
def test_reading_outside_the_schema_names_its_segment(markets: LabelSchema, reading: Any) -> None:
    one = item(markets, {"oil": UP}, reading)
    with pytest.raises(SchemaError, match=f"segment {one.segment.id}: reading 2: "):
        reading_codes([one], markets)


def test_consistency_scores_the_second_reading_against_the_first(markets: LabelSchema) -> None:
    every = dict.fromkeys(markets.topic_ids)
    items = [
        item(markets, every | {"oil": UP}, every | {"oil": UP}, text="1"),
        item(markets, every | {"oil": UP}, every | {"oil": DOWN}, text="2"),
        item(markets, every | {"oil": DOWN}, every, text="3"),
        item(markets, every, every, text="4"),
        item(markets, every | {"oil": UP}, text="5"),  # read once
    ]
    found = consistency(items, markets)
    assert found is not None
    assert found.segments == 4
    assert found.scores["exact_match"] == 0.5
    assert found.scores["topics"]["per_topic"]["oil"]["f1"] == pytest.approx(0.8)  # P 1, R 2/3
    assert found.scores["pairs"]["f1"] == pytest.approx(0.4)  # 1 hit, 2 said, 3 true
    # Both found oil in segments 1 and 2, and agree on one: what the second says of segment 3 is no stance.
    assert (found.scores["stances"]["accuracy"], found.scores["stances"]["support"]) == (0.5, 2)
    assert found.kappa["oil"]["segments"] == 4 and found.kappa["oil"]["both"] == 2
    # Presence: same in 3 of 4; by chance 3/4 · 2/4 + 1/4 · 2/4 = 1/2; (3/4 − 1/2) / (1 − 1/2)
    assert found.kappa["oil"]["presence"] == pytest.approx(0.5)
    assert found.kappa["gold"] == {"presence": None, "stance": None, "segments": 4, "both": 0}
    json.dumps(found.scores)


def test_consistency_agrees_with_the_agreement_of_votes(root: Path, schema: LabelSchema) -> None:
    items = load_labelled([root / "data" / "authored.jsonl"], schema)[:800]
    found = consistency(items, schema)
    assert found is not None
    pytest.importorskip("crowdkit")
    for row in agreement([readings_of(one) for one in items], schema):
        kappa = found.kappa[row.topic]
        assert kappa[row.question] == pytest.approx(row.kappa)
        assert kappa["segments" if row.question == "presence" else "both"] == row.segments


def test_reading_that_left_a_topic_out_is_not_compared_on_it(markets: LabelSchema) -> None:
    items = [item(markets, {"oil": UP, "gold": UP}, {"oil": UP}), item(markets, {"gold": UP}, {"oil": UP})]
    found = consistency(items, markets)
    assert found is not None
    assert found.segments == 1
    assert found.scores["pairs"]["support"] == 1
    assert found.kappa["gold"]["segments"] == 0
    assert consistency(items[1:], markets) is None


def test_mistakes_are_counted_where_readings_differ_and_where_they_agree(markets: LabelSchema) -> None:
    every = dict.fromkeys(markets.topic_ids)
    items = [
        item(markets, every | {"oil": UP}, every | {"oil": DOWN}, oil=UP),  # wrong, as the second reading has it
        item(markets, every | {"oil": UP}, every, oil=UP),  # wrong, as neither has it
        item(markets, every | {"oil": UP}, every | {"oil": DOWN}, oil=UP),  # right
        item(markets, every | {"oil": UP}, every | {"oil": UP}, oil=UP),  # wrong
        item(markets, oil=UP),  # wrong, read once
    ]
    gold = targets(items, markets)
    presence = np.zeros((5, 4), dtype=int)
    presence[:, 0] = [1, 1, 1, 0, 0]
    stance = np.array([[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    said = Labels(presence, stance)
    codes = reading_codes(items, markets)
    kinds = mistake_kinds(gold, said, markets)
    found = where_readers_differ(codes, kinds, gold.presence >= 0, said_codes(said, markets), markets)
    assert found is not None
    assert (found.differ.answers, found.differ.mistakes, found.as_read) == (3, 2, 1)
    assert (found.agree.answers, found.agree.mistakes, found.agree.rate) == (13, 1, 1 / 13)
    assert (found.once.answers, found.once.mistakes) == (4, 1)
    assert found.by_topic["oil"]["differ"] == found.differ
    assert found.by_topic["gold"]["differ"].rate is None
    nothing = reading_codes([item(markets)] * 5, markets)
    assert where_readers_differ(nothing, kinds, gold.presence >= 0, said_codes(said, markets), markets) is None


def test_topics_that_a_test_set_was_narrowed_from_are_passed_over(markets: LabelSchema) -> None:
    narrowed = narrow_schema(markets, ["gold", "oil"])
    items = [item(markets, {"oil": UP, "labour": DOWN}, {"oil": DOWN, "gold": None, "silver": UP})]
    codes = dict(zip(narrowed.topic_ids, reading_codes(items, narrowed)[0].tolist(), strict=True))
    assert codes == {"oil": [0, 1], "gold": [NOT_JUDGED, 2]}
    found = consistency(items, narrowed)
    assert found is not None and set(found.kappa) == {"oil", "gold"}


def test_name_says_what_is_known_of_the_readers(markets: LabelSchema) -> None:
    def read_by(annotator: str | None, readings: int = 2) -> LabelledSegment:
        row = {"text": "x", "labels": {}, "readings": [{"oil": UP}] * readings}
        return LabelledSegment.from_row(row | {"provenance": {"annotator": annotator}}, markets, "test")

    machine, people = read_by("language-model"), read_by("ann-1")
    assert reading_name([machine, read_by("Language model X")]) == READERS
    assert "one reader twice" in READERS and "not a human ceiling" in READERS
    for items in ([people], [machine, people], [read_by(None)]):
        assert reading_name(items) == "second reading against the first (consistency, not a ceiling)"
    assert reading_name([machine, read_by("ann-1", readings=1)]) == READERS


def test_same_readings_score_as_gold_against_itself(markets: LabelSchema, market_rows: list[dict[str, Any]]) -> None:
    items = [LabelledSegment.from_row(row, markets, "test") for row in market_rows]
    gold = targets(items, markets)
    doubled = []
    for row in market_rows:
        reading = {topic: label["stance"] for topic, label in row["labels"].items()}
        doubled.append(LabelledSegment.from_row(row | {"readings": [reading, reading]}, markets, "test"))
    found = consistency(doubled, markets)
    assert found is not None
    assert found.scores == score(gold, gold, markets)
    assert found.kappa["oil"] == {"presence": 1.0, "stance": 1.0, "segments": 96, "both": 24}
