from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from naba.config import BuildConfig
from naba.dataset.build import build
from naba.dataset.inflation import inflation
from naba.dataset.statistics import describe_parts
from naba.records import LabelledSegment
from naba.schema import LabelSchema


def item(schema: LabelSchema, text: str, source: str, date: str | None, **stances: str) -> LabelledSegment:
    labels = {topic: {"present": topic in stances, "stance": stances.get(topic)} for topic in schema.topic_ids}
    row = {"text": text, "labels": labels, "provenance": {"source": source, "date": date, "licence": "CC0"}}
    return LabelledSegment.from_row(row, schema, "test")


def test_statistics_group_by_source_and_month(schema: LabelSchema) -> None:
    items = [
        item(schema, "أ", "واحد", "2024-05-03", diplomacy="oppose"),
        item(schema, "ب", "واحد", None),
        item(schema, "ت", "اثنان", "2024-05-30T10:00", diplomacy="oppose", military_action="neutral"),
    ]
    found = describe_parts({"train": items, "test": []}, schema)
    assert {name: counts["all segments"] for name, counts in found["months"].items()} == {"2024-05": 2, "not stated": 1}
    assert found["sources"]["واحد"]["diplomacy"]["oppose"] == 1 and found["sources"]["واحد"]["no topic"] == 1
    assert found["licences"] == {"CC0": 3}
    assert list(found["labels"]) == ["train"]


def test_card_says_what_the_manifest_says(root: Path, tmp_path: Path, schema: LabelSchema, write_rows: Any) -> None:
    # One outlet gives every "oppose": half of all segments, all of the stance.
    rows = [
        item(
            schema,
            "قال إن " + " ".join(f"ك{n}و{w}" for w in range(15)),
            f"s{n % 2}",
            "2024-01-01",
            diplomacy=("oppose", "support")[n % 2],
        )
        for n in range(240)
    ]
    path = write_rows("a.jsonl", [row.to_row() for row in rows])
    manifest = build(BuildConfig(labels=root / "configs/labels.yaml", train=[path], out=tmp_path / "out"))
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    head = yaml.safe_load(card.split("---\n")[1])
    assert [file["path"] for file in head["configs"][0]["data_files"]] == ["train.jsonl", "validation.jsonl"]
    assert "100% of `diplomacy: oppose` (120) come from s0, which has 50% of the judged segments" in card
    assert "`humanitarian_aid: support` has 0 segments: too few" in card
    assert "| train / validation | 0 | 0 | 0 | 0 | 0 | 0.0 |" in card
    assert "| 2024-01 | 240 | 120 / 120 / 0 |" in card
    assert "No segment was read more than once." in card
    assert f"{manifest['naive_split']['segments']:,} segments" in card


def test_copies_flatter_a_naive_split_and_not_one_by_clusters(
    schema: LabelSchema, labelled: Callable[..., LabelledSegment]
) -> None:
    # Forty texts of random words with a random stance, each in five copies: only a leak lets a classifier be right.
    random = np.random.default_rng(0)
    items, clusters = [], []
    for cluster in range(40):
        words = " ".join(f"ك{n}" for n in random.integers(0, 5000, 20))
        stance = schema.stance_ids[int(random.integers(0, 3))]
        for copy in range(5):
            items.append(labelled(f"{words} نسخة{copy}", diplomacy=stance))
            clusters.append(cluster)
    found = inflation(items, np.array(clusters), np.zeros(200, dtype=bool), schema, seed=1)
    assert found is not None
    assert found["naive"]["pair_f1"] > 0.95
    assert found["clustered"]["pair_f1"] < 0.6


def test_too_few_segments_measure_no_inflation(schema: LabelSchema, labelled: Callable[..., LabelledSegment]) -> None:
    items = [labelled(f"نص {n}") for n in range(20)]
    assert inflation(items, np.arange(20), np.zeros(20, dtype=bool), schema, seed=1) is None
