import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from naba.config import BuildConfig
from naba.corpus.build import build, clusters_of, label_counts, split
from naba.corpus.labelled import load_labelled
from naba.errors import DataError
from naba.records import LabelledSegment
from naba.schema import LabelSchema

Make = Callable[..., LabelledSegment]


def test_split_keeps_a_cluster_together(labelled: Make) -> None:
    items = [labelled(f"نص رقم {i}", cluster=f"c{i // 3}") for i in range(300)]
    train, validation = split(items, [str(item.cluster) for item in items], 0.3, seed=1)
    assert not {item.cluster for item in train} & {item.cluster for item in validation}
    assert 60 <= len(validation) <= 120


def test_adding_segments_moves_none(labelled: Make) -> None:
    items = [labelled(f"نص رقم {i}") for i in range(100)]
    names = [item.segment.id for item in items]
    before = {item.segment.id for item in split(items[:50], names[:50], 0.3, seed=1)[1]}
    after = {item.segment.id for item in split(items, names, 0.3, seed=1)[1]}
    assert before == after & {item.segment.id for item in items[:50]}


def test_counts_keep_absent_apart_from_unknown(labelled: Make, schema: LabelSchema) -> None:
    items = [
        labelled("أ", diplomacy="support", military_action="neutral"),
        labelled("ب"),
        labelled("ت", diplomacy=None),
    ]
    counts = label_counts(items, schema)
    assert counts["diplomacy"] == {"support": 1, "oppose": 0, "neutral": 0}
    assert counts["none"] == 1  # the third is not known to have none
    assert counts["several_topics"] == 1


def test_shipped_build_drops_overlap_writes_a_manifest_and_repeats_itself(
    root: Path, tmp_path: Path, schema: LabelSchema
) -> None:
    gold = root / "data" / "seed-gold.jsonl"
    authored = root / "data" / "authored.jsonl"
    mixed = tmp_path / "mixed.jsonl"
    # The gold rows themselves, as if somebody had mixed them in: they must not reach training.
    mixed.write_text(authored.read_text(encoding="utf-8") + gold.read_text(encoding="utf-8"), encoding="utf-8")
    config = BuildConfig(labels=root / "configs/labels.yaml", train=[mixed], test=[gold], out=tmp_path / "one")
    manifest = build(config)
    assert manifest["dropped"]["repeated_text"] == 6  # 000 and 002 hold six paragraphs in the same words
    assert manifest["dropped"]["train_overlapping_held_out"] == 78
    test_ids = {item.segment.id for item in load_labelled([gold], schema)}
    for name in ("train", "validation"):
        assert not test_ids & {item.segment.id for item in load_labelled([tmp_path / "one" / f"{name}.jsonl"], schema)}
    build(config.model_copy(update={"out": tmp_path / "two"}))
    for name in ("train", "validation", "test"):
        assert (tmp_path / "one" / f"{name}.jsonl").read_bytes() == (tmp_path / "two" / f"{name}.jsonl").read_bytes()


def test_nothing_left_for_validation_is_an_error(tmp_path: Path, root: Path, write_rows: Callable[..., Path]) -> None:
    rows: list[dict[str, Any]] = [{"text": "نص وحيد", "labels": {}}]
    config = BuildConfig(labels=root / "configs/labels.yaml", train=[write_rows("a.jsonl", rows)], out=tmp_path / "out")
    with pytest.raises(DataError, match="no segment is left for validation"):
        build(config)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_label_outside_the_schema_names_file_and_row(tmp_path: Path, root: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        json.dumps({"text": "نص", "labels": {"sport": {"present": True, "stance": None}}})
    )
    config = BuildConfig(labels=root / "configs/labels.yaml", train=[tmp_path / "a.jsonl"], out=tmp_path / "out")
    with pytest.raises(DataError, match=r"a\.jsonl:1: topic 'sport'"):
        build(config)


def test_what_belongs_together_is_joined_through_articles_clusters_and_copies(schema: LabelSchema) -> None:
    def item(text: str, **fields: str) -> LabelledSegment:
        return LabelledSegment.from_row({"text": text, "labels": {}} | fields, schema, "test")

    stock = " ".join(f"كلمة{i}" for i in range(13))
    items = [
        item(f"أول {stock}"),
        item("غيره تماما"),
        item(f"ثان {stock}", article_id="a"),  # a copy of the first
        item("نص من المقال نفسه", article_id="a"),
        item("نص من الزوج", cluster="p"),
        item("نص آخر من الزوج", cluster="p"),
    ]
    names = clusters_of(items)
    assert names[0] == names[2] == names[3]
    assert names[4] == names[5] == "p"
    assert len(set(names)) == 3


def test_rebuilding_without_a_test_set_leaves_no_old_one(root: Path, tmp_path: Path) -> None:
    config = BuildConfig(
        labels=root / "configs/labels.yaml",
        train=[root / "data" / "authored.jsonl"],
        test=[root / "data" / "seed-gold.jsonl"],
        out=tmp_path / "out",
    )
    build(config)
    assert (tmp_path / "out" / "test.jsonl").is_file()
    build(config.model_copy(update={"test": []}))
    assert not (tmp_path / "out" / "test.jsonl").exists()


def test_given_validation_that_is_all_dropped_is_not_replaced_by_a_split(root: Path, tmp_path: Path) -> None:
    gold = root / "data" / "seed-gold.jsonl"
    config = BuildConfig(
        labels=root / "configs/labels.yaml",
        train=[root / "data" / "authored.jsonl"],
        validation=[gold],
        test=[gold],
        out=tmp_path / "out",
    )
    with pytest.raises(DataError, match="no segment is left for validation"):
        build(config)
