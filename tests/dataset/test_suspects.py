import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from naba.cli.select import suspects as suspects_command
from naba.dataset.suspects import find_suspects, out_of_fold, suspect_rows
from naba.errors import DataError, NabaError
from naba.records import LabelledSegment
from naba.schema import LabelSchema
from naba.tfidf import Probabilities

Make = Callable[..., LabelledSegment]


@pytest.fixture
def plain(labelled: Make) -> list[LabelledSegment]:
    """60 segments whose words give topic and stance away, but for three whose labels are wrong."""
    items = [labelled(f"مفاوضات الهدنة تتقدم رقم {i}", diplomacy="support") for i in range(15)]
    items += [labelled(f"مفاوضات الهدنة مرفوضة رقم {i}", diplomacy="oppose") for i in range(15)]
    items += [labelled(f"غارة قصف مدفعي رقم {i}", military_action="neutral") for i in range(30)]
    items[3] = labelled("مفاوضات الهدنة تتقدم رقم 3")  # absent
    items[20] = labelled("مفاوضات الهدنة مرفوضة رقم 5", diplomacy="support")
    items[40] = labelled("غارة قصف مدفعي رقم 10", diplomacy="support", military_action="neutral")
    return items


def alone(items: Sequence[LabelledSegment]) -> list[int]:
    return list(range(len(items)))


def test_planted_errors_are_found_with_question_and_suggestion(
    plain: list[LabelledSegment], schema: LabelSchema
) -> None:
    found = find_suspects(plain, out_of_fold(plain, alone(plain), schema), schema)
    told = {(s.number, s.topic, s.question, s.given, s.suggested) for s in found}
    assert {
        (3, "diplomacy", "presence", "absent", "present"),
        (20, "diplomacy", "stance", "support", "oppose"),
        (40, "diplomacy", "presence", "present", "absent"),
    } <= told
    assert len(told) <= 6
    assert [s.score for s in found] == sorted(s.score for s in found)
    assert all(0 <= s.score <= 1 for s in found)


def test_the_score_is_half_of_one_plus_the_margin(labelled: Make, schema: LabelSchema) -> None:
    # Nine absent and nine present that are believed, one absent believed present at 0.9: (1 + 0.1 - 0.9) / 2 = 0.1.
    items = [labelled(f"أ {i}", diplomacy="support") for i in range(9)] + [labelled(f"ب {i}") for i in range(10)]
    presence = np.zeros((19, 3))
    presence[:, 0] = [0.9] * 9 + [0.1] * 9 + [0.9]
    (found,) = find_suspects(items, Probabilities(presence, np.full((19, 3, 3), 1 / 3)), schema)
    assert (found.number, found.given, found.suggested, found.score) == (18, "absent", "present", 0.1)


def test_unknown_labels_take_no_part(plain: list[LabelledSegment], labelled: Make, schema: LabelSchema) -> None:
    plain[3] = labelled("مفاوضات الهدنة تتقدم رقم 3", diplomacy=None)
    found = find_suspects(plain, out_of_fold(plain, alone(plain), schema), schema)
    assert not [s for s in found if s.number == 3 and s.topic == "diplomacy"]


def test_a_segment_is_judged_without_its_cluster(labelled: Make, schema: LabelSchema) -> None:
    # The only "oppose" are in one cluster: the other folds know no such class, so that it cannot be judged.
    items = [labelled(f"مفاوضات تتقدم رقم {i}", diplomacy="support" if i % 2 else "neutral") for i in range(12)]
    items += [labelled(f"مفاوضات مرفوضة رقم {i}", diplomacy="oppose") for i in range(3)]
    said = out_of_fold(items, [*range(12), 99, 99, 99], schema)
    assert np.isnan(said.stance[12:, 0]).all()
    assert not np.isnan(said.stance[:12, 0]).any()
    assert not [s for s in find_suspects(items, said, schema) if s.number >= 12 and s.question == "stance"]


def test_a_topic_with_one_class_has_no_suspects(labelled: Make, schema: LabelSchema) -> None:
    items = [labelled(f"نص {i}", diplomacy="support") for i in range(8)]
    assert find_suspects(items, out_of_fold(items, alone(items), schema), schema) == []


def test_the_same_seed_gives_the_same_folds(plain: list[LabelledSegment], schema: LabelSchema) -> None:
    one, other = (out_of_fold(plain, alone(plain), schema, seed=4).presence for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_one_cluster_alone_is_told(labelled: Make, schema: LabelSchema) -> None:
    with pytest.raises(DataError, match="all of one article or cluster"):
        out_of_fold([labelled("أ"), labelled("ب")], [7, 7], schema)


def test_rows_name_each_segment_once_with_all_that_is_at_issue(
    plain: list[LabelledSegment], schema: LabelSchema
) -> None:
    found = find_suspects(plain, out_of_fold(plain, alone(plain), schema), schema)
    rows = list(suspect_rows(found, plain))
    assert len({row["id"] for row in rows}) == len(rows)
    assert rows[0]["at_issue"]
    assert LabelledSegment.from_row(rows[0], schema, "x").labels == plain[found[0].number].labels
    assert list(suspect_rows(found, plain, 2)) == rows[:2]


def test_missing_cleanlab_is_told(
    plain: list[LabelledSegment], schema: LabelSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(NabaError, match=r"pip install -e '\.\[build\]'"):
        find_suspects(plain, out_of_fold(plain, alone(plain), schema), schema)


def test_command_writes_an_adjudication_file_and_does_not_replace_it(
    root: Path, tmp_path: Path, schema: LabelSchema, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (root / "data" / "authored.jsonl").read_text(encoding="utf-8").splitlines()[:240]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    out = tmp_path / "suspects.jsonl"
    suspects_command([tmp_path / "a.jsonl"], out=out, top=3, labels=root / "configs" / "labels.yaml")
    assert "text" in capsys.readouterr().out
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert 1 <= len(rows) <= 3
    assert set(rows[0]["suspected"][0]) == {"topic", "question", "given", "suggested", "score"}
    with pytest.raises(DataError, match="is there already"):
        suspects_command([tmp_path / "a.jsonl"], out=out, labels=root / "configs" / "labels.yaml")


def test_a_model_that_was_trained_on_the_data_is_warned_of(
    tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suspects_command([tiny_run.parent / "train.jsonl"], model=tiny_run, labels=Path("none.yaml"))
    assert "160 of 160 segments share an article or text" in capsys.readouterr().err
