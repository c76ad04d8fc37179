import sys
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from naba.errors import NabaError, SchemaError
from naba.records import LabelledSegment, Vote
from naba.schema import LabelSchema
from naba.voting.agreement import (
    agreement,
    agreement_of,
    agreement_report,
    agreement_table,
    confusion_table,
    confusions,
    segments_in_common,
)
from naba.voting.vote_table import VoteTable

Make = Callable[..., LabelledSegment]

A, B = {"diplomacy": "support"}, {"diplomacy": None}


def measure(readings: list[list[dict[str, str | None]]], schema: LabelSchema, question: str) -> tuple[object, ...]:
    (row,) = [row for row in agreement(readings, schema) if (row.topic, row.question) == ("diplomacy", question)]
    return row.segments, row.observed, row.kappa, row.alpha


def test_presence_agreement_equals_the_hand_computed_values(schema: LabelSchema) -> None:
    # Twenty segments, two readers: both present 8, both absent 8, they differ 2 and 2. Observed 0.8, chance 0.5,
    # kappa (0.8 − 0.5) / 0.5 = 0.6. Alpha: expected disagreement 20·20·2 / (40·39) = 0.5128; 1 − 0.2 / 0.5128 = 0.61.
    readings = [[A, A]] * 8 + [[B, B]] * 8 + [[A, B]] * 2 + [[B, A]] * 2
    segments, observed, kappa, alpha = measure(readings, schema, "presence")
    assert (segments, observed) == (20, pytest.approx(0.8))
    assert kappa == pytest.approx(0.6)
    assert alpha == pytest.approx(0.61)


def test_stance_is_compared_only_where_both_found_the_topic(schema: LabelSchema) -> None:
    oppose = {"diplomacy": "oppose"}
    readings = [[A, A], [oppose, oppose], [A, oppose], [A, B], [B, B]]
    segments, observed, _, _ = measure(readings, schema, "stance")
    assert segments == 3
    assert observed == pytest.approx(2 / 3)


def test_topic_that_a_reader_did_not_judge_is_no_disagreement(schema: LabelSchema) -> None:
    assert measure([[A, {}], [A, A], [B, B]], schema, "presence")[:2] == (2, 1.0)


def test_one_label_throughout_leaves_chance_undefined(schema: LabelSchema) -> None:
    assert measure([[A, A]] * 5, schema, "presence") == (5, 1.0, None, None)
    assert measure([], schema, "presence") == (0, None, None, None)


def krippendorffs_schema() -> LabelSchema:
    """One topic and the five values of the worked example."""
    values = [f"value_{number}" for number in range(1, 6)]
    stances = [{"id": value, "name_ar": value, "name_en": value} for value in values]
    topic = {"id": "unit", "name_ar": "وحدة", "name_en": "unit", "definition": "", "target": ""}
    content = {"name": "example", "stances": stances, "topics": [topic | {"stances": dict.fromkeys(values, "")}]}
    return LabelSchema.parse(content, "test")


def test_alpha_equals_krippendorffs_worked_example() -> None:
    # Krippendorff 2011, section C: four observers, twelve units, holes; nominal alpha 0.743. Of 40 pairable values
    # n_c = 9, 13, 10, 5, 3 and the coincidences on the diagonal sum to 32:
    # (39 · 32 - (72 + 156 + 90 + 20 + 6)) / (40 · 39 - 344) = 904 / 1216 = 0.743.
    observers = ["12332141 2...", "12332241 25.3", ".3332342 251.", "12332441 251."]
    units = list(zip(*(row.replace(" ", "") for row in observers), strict=True))
    readings = [[{} if value == "." else {"unit": f"value_{value}"} for value in unit] for unit in units]
    _, stance = agreement(readings, krippendorffs_schema())
    assert stance.segments == 11  # the twelfth unit has one value, which pairs with nothing
    assert stance.alpha == pytest.approx(904 / 1216)


def test_kappa_is_the_mean_over_pairs_of_scikit_learns(markets: LabelSchema) -> None:
    random = np.random.default_rng(4)
    truth = random.integers(2, size=60)
    said = [np.where(random.random(60) < share, truth, 1 - truth) for share in (0.9, 0.8, 0.6)]
    names = markets.stance_ids
    readings = [[{"oil": names[answer]} for answer in of_segment] for of_segment in zip(*said, strict=True)]
    stance = next(row for row in agreement(readings, markets) if (row.topic, row.question) == ("oil", "stance"))
    assert stance.kappa == pytest.approx(np.mean([cohen_kappa_score(a, b) for a, b in combinations(said, 2)]))


def test_two_who_never_vary_and_never_agree_have_a_kappa_of_nought(schema: LabelSchema) -> None:
    assert measure([[A, B]] * 4, schema, "presence")[:3] == (4, 0.0, 0.0)


def test_a_reading_outside_the_schema_is_an_error(schema: LabelSchema) -> None:
    with pytest.raises(SchemaError, match="'pro' is not in the label schema"):
        agreement([[{"diplomacy": "pro"}, A]], schema)


def votes_table(schema: LabelSchema, *votes: tuple[str, LabelledSegment] | Vote) -> VoteTable:
    given = [vote if isinstance(vote, Vote) else Vote(vote[1], vote[0]) for vote in votes]
    return VoteTable.from_votes(given, schema)[0]


def test_votes_of_annotators_who_saw_different_segments_are_compared_where_they_meet(
    labelled: Make, schema: LabelSchema
) -> None:
    one, two, three = (
        (labelled(text, diplomacy="support"), labelled(text, diplomacy="oppose")) for text in ("أ", "ب", "ج")
    )
    table = votes_table(
        schema, ("x", one[0]), ("y", one[0]), ("y", two[0]), ("z", two[1]), ("x", three[0]), Vote(three[1], "z", True)
    )
    assert segments_in_common(table) == 2  # the third has one vote beside the adjudicator's, who saw the others
    stance = next(row for row in agreement_of(table, schema) if (row.topic, row.question) == ("diplomacy", "stance"))
    assert (stance.segments, stance.observed) == (2, 0.5)
    found = [each for each in confusions(table, schema) if each.topic == "diplomacy"]
    assert [(each.first, each.second, each.segments) for each in found] == [("x", "y", 1), ("y", "z", 1)]


def test_confusions_count_absence_every_stance_and_a_stance_left_open(labelled: Make, schema: LabelSchema) -> None:
    absent = labelled("نص")
    bare = LabelledSegment.from_row({"text": "نص", "labels": {"diplomacy": {"present": True}}}, schema, "test")
    pairs = [
        (labelled("أ", diplomacy="support"), labelled("أ", diplomacy="oppose")),
        (labelled("ب", diplomacy="support"), labelled("ب")),
        (labelled("ج", diplomacy="support"), labelled("ج", diplomacy="support")),
        (absent, bare),
        (labelled("د", diplomacy=None), labelled("د", diplomacy="support")),
    ]
    table = votes_table(schema, *[(name, item) for pair in pairs for name, item in zip("xy", pair, strict=True)])
    confusion = confusions(table, schema)[0]
    assert confusion.answers == ("absent", "support", "oppose", "neutral", "no stance")
    assert confusion.counts == (
        (0, 0, 0, 0, 1),  # x: absent
        (1, 1, 1, 0, 0),  # x: support
        (0, 0, 0, 0, 0),
        (0, 0, 0, 0, 0),
        (0, 0, 0, 0, 0),
    )
    # Presence: x says 1 1 1 0, y says 1 0 1 1: observed 1/2, chance 3/4·3/4 + 1/4·1/4 = 5/8, kappa -1/3.
    assert confusion.kappa["presence"] == pytest.approx(-1 / 3)
    # Stance, where both gave one: support-oppose and support-support; x never varies, so kappa is 0.
    assert confusion.kappa["stance"] == 0.0


def test_the_report_is_plain_and_the_tables_show_what_was_used(markets: LabelSchema, rendered: Any) -> None:
    readings = [[{"oil": "optimistic"}, {"oil": None}], [{"oil": "optimistic"}, {"oil": "optimistic"}]]
    rows = agreement(readings, markets)
    report = agreement_report(rows, confusions(votes_table(markets), markets), 2)
    assert report["human_range"]["kappa"] == (0.33, 0.65)
    assert report["agreement"][0] == {
        "topic": "oil", "question": "presence", "segments": 2, "observed": 0.5, "kappa": 0.0, "alpha": 0.0,
    }  # fmt: skip
    assert "0.33–0.65" in rendered(agreement_table(rows, 2))
    made = LabelledSegment.from_row({"text": "سعر", "labels": {"oil": {"present": False}}}, markets, "test")
    (confusion,) = confusions(votes_table(markets, ("سلمى", made), ("rule:oil", made)), markets)
    shown = rendered(confusion_table(confusion))
    assert "rule:oil ↓ سلمى →" in shown
    assert "absent" in shown and "pessimistic" not in shown


@pytest.fixture
def rendered() -> Any:
    from rich.console import Console

    def render(table: Any) -> str:
        console = Console(width=120)
        with console.capture() as capture:
            console.print(table)
        return capture.get()

    return render


def test_without_crowd_kit_the_error_says_what_to_install(schema: LabelSchema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crowdkit", None)
    monkeypatch.setitem(sys.modules, "crowdkit.metrics.data", None)
    with pytest.raises(NabaError, match=r"agreement needs crowd-kit; install it with: pip install -e '\.\[build\]'"):
        agreement([[A, B]], schema)
