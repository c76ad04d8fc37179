from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from naba.errors import DataError
from naba.evaluation.leaks import find_leaks, refuse
from naba.evaluation.material import Material
from naba.evaluation.system import System
from naba.fingerprint import fingerprint
from naba.records import LabelledSegment
from naba.schema import LabelSchema

WORDS = [f"كلمة{i}" for i in range(100)]
OTHER = [f"غيرها{i}" for i in range(100)]
Make = Callable[..., LabelledSegment]


@pytest.fixture
def make(schema: LabelSchema) -> Make:
    def make(words: Sequence[str], **fields: Any) -> LabelledSegment:
        return LabelledSegment.from_row({"text": " ".join(words), "labels": {}} | fields, schema, "test")

    return make


def met(training: Sequence[LabelledSegment], validation: Sequence[LabelledSegment]) -> Material:
    return Material(list(training), list(validation), [], list(training), list(validation), [])


SHARED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "article": ({"words": OTHER[:20], "article_id": "a"}, {"words": WORDS[50:70], "article_id": "a"}),
    "cluster": ({"words": OTHER[:20], "cluster": "c"}, {"words": WORDS[50:70], "cluster": "c"}),
    "text": ({"words": OTHER[:3]}, {"words": OTHER[:3]}),
    "text and a space": ({"words": OTHER[:3]}, {"words": [*OTHER[:3], ""]}),
    "text, other punctuation": ({"words": OTHER[:3]}, {"words": ["«", *OTHER[:3], "»."]}),
    # Nine of 56 shingles: no near-duplicate.
    "run of 13 words": ({"words": WORDS[:60]}, {"words": [*OTHER[:40], *WORDS[5:18], *OTHER[40:47]]}),
    # Every eighth word replaced: no run of thirteen.
    "near-duplicate": ({"words": WORDS[:40]}, {"words": [w if i % 8 else "بدل" for i, w in enumerate(WORDS[:40])]}),
}


@pytest.mark.parametrize("shared", SHARED)
def test_whatever_is_shared_with_training_or_validation_is_counted_there(make: Make, shared: str) -> None:
    known, seen = (make(**fields) for fields in SHARED[shared])
    new = make([f"جديد{i}" for i in range(30)], article_id="n")
    elsewhere = make([f"سواه{i}" for i in range(30)], article_id="s")
    of_training = find_leaks([seen, new], met([known], [elsewhere]))
    assert (of_training.in_training, of_training.in_validation, of_training.unseen) == (1, 0, [new])
    of_validation = find_leaks([seen, new], met([elsewhere], [known]))
    assert (of_validation.in_training, of_validation.in_validation) == (0, 1)
    both = find_leaks([seen, new], met([known], [known]))
    assert (both.in_training, both.in_validation) == (1, 1)
    with pytest.raises(DataError, match=r"test\.jsonl: 1 of 2 segments .*validation set"):
        refuse({"this run": of_validation}, [seen, new], "test.jsonl", drop_seen=False, allow_leak=False)
    with pytest.raises(DataError, match=r"test\.jsonl: 1 of 2 segments share .*training data"):
        refuse({"this run": of_training}, [seen, new], "test.jsonl", drop_seen=False, allow_leak=False)


def test_clean_test_set_is_counted_as_none_and_an_unchecked_one_as_unknown(make: Make) -> None:
    # Twelve words in common, eight of 56 shingles, are no leak.
    test, known = make(WORDS[:60]), make([*OTHER[:48], *WORDS[5:17]])
    clean = find_leaks([test], met([known], [known]))
    assert (clean.in_training, clean.in_validation, clean.unseen) == (0, 0, [test])
    refuse({"this run": clean}, [test], "test.jsonl", drop_seen=False, allow_leak=False)
    unknown = find_leaks([test], met([], []))
    assert (unknown.in_training, unknown.in_validation, unknown.unseen) == (None, None, [test])


@pytest.mark.parametrize("part", ["training", "validation"])
@pytest.mark.parametrize("differ", ["last word", "punctuation"])
def test_copies_of_a_report_that_is_stock_text_from_end_to_end_all_leak(make: Make, part: str, differ: str) -> None:
    ends = [f"ختام{i}" if differ == "last word" else f"{WORDS[39]}{'.' * i}" for i in range(30)]
    copies = [make([*WORDS[:39], end]) for end in ends]
    test, known = [*copies[:15], make(OTHER[:40])], copies[15:]
    leaks = find_leaks(test, met(known, []) if part == "training" else met([], known))
    assert (leaks.in_training, leaks.in_validation) == ((15, None) if part == "training" else (None, 15))


def test_segment_that_stands_often_in_training_is_no_stock_text(make: Make) -> None:
    test = [make([*WORDS[:40], *OTHER[:50]])]
    assert find_leaks(test, met([make(WORDS[:40])] * 20, [])).in_training == 1


def test_sentence_that_many_texts_hold_is_no_leak(make: Make) -> None:
    # Thirteen words in thirty different texts.
    texts = [make([*WORDS[:13], *(f"و{number}ص{i}" for i in range(40))]) for number in range(30)]
    assert find_leaks(texts[:15], met(texts[15:], [])).in_training == 0


@dataclass(frozen=True)
class Recorded:
    """What of a system its material is found by."""

    source_schema: LabelSchema
    record: dict[str, Any] = field(default_factory=dict)


@pytest.fixture
def files(write_rows: Callable[[str, list[dict[str, Any]]], Path]) -> dict[str, Path]:
    """Files of one segment each."""
    starts = {"one": 0, "two": 20, "three": 40, "chosen": 60}
    return {
        name: write_rows(f"{name}.jsonl", [{"text": " ".join(WORDS[at : at + 20]), "labels": {}}])
        for name, at in starts.items()
    }


@pytest.fixture
def recorded(files: dict[str, Path], schema: LabelSchema) -> Recorded:
    """A run that was trained on files one and two, and chosen on another."""
    parts = {"train": [str(files["one"]), str(files["two"])], "validation": [str(files["chosen"])]}
    data = {path: fingerprint(Path(path)) for paths in parts.values() for path in paths}
    return Recorded(schema, {"config": parts, "data": data})


def leaks_of(system: Recorded, test: Sequence[LabelledSegment], **named: list[Path]) -> tuple[Any, ...]:
    leaks = find_leaks(test, Material.of(cast(System, system), **named))
    return leaks.in_training, leaks.in_validation, [Path(name).name for name in leaks.not_checked]


def test_files_that_are_named_are_checked_beside_those_of_the_record(
    recorded: Recorded, files: dict[str, Path], make: Make
) -> None:
    test = [make(WORDS[at : at + 20]) for at in (0, 20, 40, 60, 80)]
    assert leaks_of(recorded, test) == (2, 1, [])
    assert leaks_of(recorded, test, train=[files["three"]]) == (3, 1, [])
    assert leaks_of(recorded, test, train=[files["one"]], validation=[files["three"]]) == (2, 2, [])
    named = Material.of(cast(System, recorded), train=[files["three"]])
    assert [item.segment.text for item in named.fitted_on] == [" ".join(WORDS[40:60])]


def test_file_that_is_gone_or_changed_is_named_and_the_others_are_checked(
    recorded: Recorded, files: dict[str, Path], make: Make
) -> None:
    test = [make(WORDS[at : at + 20]) for at in (0, 20, 60)]
    files["one"].unlink()
    assert leaks_of(recorded, test) == (1, 1, ["one.jsonl"])
    assert Material.of(cast(System, recorded)).fitted_on == []
    files["chosen"].write_text(files["two"].read_text(encoding="utf-8"), encoding="utf-8")
    assert leaks_of(recorded, test) == (1, None, ["one.jsonl", "chosen.jsonl"])
    assert leaks_of(recorded, test, validation=[files["chosen"]]) == (1, 1, ["one.jsonl", "chosen.jsonl"])
    assert leaks_of(replace(recorded, record={}), test) == (None, None, [])
