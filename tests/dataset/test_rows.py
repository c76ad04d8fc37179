import json
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from naba.dataset.rows import same_fields


def load(folder: Path, parts: dict[str, list[dict[str, Any]]]) -> Any:
    """Write the parts as a dataset folder and let `datasets` read it."""
    import datasets

    fields = same_fields(list(parts.values()))
    files = []
    for name, rows in zip(parts, fields.rows, strict=True):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        files.append({"split": name, "path": f"{name}.jsonl"})
    head = {
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": {"features": fields.features},
    }
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump(head)}---\n")
    return datasets.load_dataset(str(folder), cache_dir=str(folder / "cache"))


def test_rows_of_different_shape_load_as_one_dataset(tmp_path: Path) -> None:
    parts = {
        "train": [
            {"text": "أ", "start": None, "labels": {"a": {"present": True, "stance": None}}, "readings": None},
            {"text": "ب", "score": 1, "mixed": "x", "nothing": {}, "tags": []},
        ],
        "test": [
            {"text": "ت", "start": 3, "labels": {"a": {"present": None, "stance": "support"}}, "score": 0.5},
            {"text": "ث", "readings": [{"a": "oppose"}, {"b": None}], "mixed": 3, "tags": ["x"]},
        ],
    }
    loaded = load(tmp_path, parts)
    assert loaded["train"].features == loaded["test"].features
    assert loaded["train"][0]["labels"] == {"a": {"present": True, "stance": None}}
    assert loaded["test"][0]["start"] == 3 and loaded["train"][0]["start"] is None
    assert loaded["train"][1]["score"] == 1.0
    assert loaded["test"][1]["readings"] == [{"a": "oppose", "b": None}, {"a": None, "b": None}]
    assert [json.loads(loaded[part][1]["mixed"]) for part in ("train", "test")] == ["x", 3]


def test_every_row_gets_every_field_in_order_of_appearance() -> None:
    fields = same_fields([[{"b": 1}, {"a": "x"}], [{"c": None}]])
    assert fields.rows == [
        [{"b": 1, "a": None, "c": None}, {"b": None, "a": "x", "c": None}],
        [{"b": None, "a": None, "c": None}],
    ]
    assert fields.features == [
        {"name": "b", "dtype": "int64"},
        {"name": "a", "dtype": "string"},
        {"name": "c", "dtype": "string"},
    ]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("اب", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=2),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), values, max_size=3), max_size=4))
def test_any_rows_come_to_one_shape_that_is_stable(rows: list[dict[str, Any]]) -> None:
    once = same_fields([rows])
    again = same_fields(once.rows)
    assert again.rows == once.rows
    assert [list(row) for row in once.rows[0]] == [list(once.rows[0][0])] * len(rows) if rows else True
