"""The labelled data that ships keeps the promises of its card."""

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from naba.corpus.articles import parse_page
from naba.corpus.segments import segment_article
from naba.dataset.labelled import load_labelled
from naba.dataset.overlap import HashedTexts
from naba.dataset.statistics import label_counts
from naba.jsonl import read_jsonl
from naba.records import LabelledSegment
from naba.schema import LabelSchema


@pytest.fixture(scope="module")
def authored(root: Path, schema: LabelSchema) -> list[LabelledSegment]:
    return load_labelled([root / "data" / "authored.jsonl"], schema)


@pytest.fixture(scope="module")
def dense(root: Path, schema: LabelSchema) -> list[LabelledSegment]:
    return load_labelled([root / "data" / "authored-dense.jsonl"], schema)


@pytest.fixture(scope="module")
def contrast(root: Path, schema: LabelSchema) -> list[LabelledSegment]:
    return load_labelled([root / "data" / "authored-contrast.jsonl"], schema)


@pytest.fixture(scope="module")
def gold(root: Path, schema: LabelSchema) -> list[LabelledSegment]:
    return load_labelled([root / "data" / "seed-gold.jsonl"], schema)


def pairs(item: LabelledSegment) -> set[tuple[str, str]]:
    return {(topic, label.stance) for topic, label in item.labels.items() if label.present and label.stance}


def test_card_states_the_true_counts(
    root: Path,
    schema: LabelSchema,
    authored: list[LabelledSegment],
    dense: list[LabelledSegment],
    contrast: list[LabelledSegment],
    gold: list[LabelledSegment],
) -> None:
    card = " ".join((root / "data" / "README.md").read_text(encoding="utf-8").split())
    for items in (authored, dense, contrast, gold):
        counts = label_counts(items, schema)
        for topic in schema.topic_ids:
            assert f"{topic} {' / '.join(str(counts[topic][stance]) for stance in schema.stance_ids)}" in card
        assert f"no topic {counts['no topic']}" in card
        assert f"| {len(items):,} |" in card
    agree = sum(item.extra["readings"][0] == item.extra["readings"][1] for item in authored)
    assert f"{agree:,} of 2,152 segments alike" in card


def test_authored_set_is_large_balanced_and_hard_enough(schema: LabelSchema, authored: list[LabelledSegment]) -> None:
    assert len(authored) >= 1200
    counts = label_counts(authored, schema)
    assert min(counts[topic][stance] for topic in schema.topic_ids for stance in schema.stance_ids) >= 80
    assert counts["no topic"] >= 250
    assert counts["several topics"] >= 150
    assert Counter(item.extra["hardness"] for item in authored)["near-miss"] >= 200
    assert len({item.extra["conflict"] for item in authored}) >= 10


def test_authored_rows_say_that_they_are_authored_and_who_labelled_them(authored: list[LabelledSegment]) -> None:
    for item in authored:
        assert item.provenance["authored"] is True
        assert item.provenance["annotator"] == "language-model"
        assert len(item.extra["readings"]) == 2


def test_no_actor_dominates_a_topic_and_stance(schema: LabelSchema, authored: list[LabelledSegment]) -> None:
    # Bodies of one party count as that party.
    party = {
        "israeli-army": "israel",
        "israeli-soldier": "israel",
        "irgc": "iran",
        "iran-parliament": "iran",
        "sudan-army": "sudan",
    }
    counts = label_counts(authored, schema)
    named: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for item in authored:
        for pair in pairs(item):
            named[pair].update({party.get(actor, actor) for actor in item.extra["actors"]})
    shares = [count / counts[topic][stance] for (topic, stance), actors in named.items() for count in actors.values()]
    assert max(shares) <= 0.30
    assert max(shares) < 0.10  # what the card says


def test_dense_rows_are_authored_read_twice_alike_and_new(
    authored: list[LabelledSegment], dense: list[LabelledSegment], gold: list[LabelledSegment]
) -> None:
    for item in dense:
        assert item.provenance["authored"] is True and item.provenance["annotator"] == "language-model"
        assert item.extra["readings"][0] == item.extra["readings"][1]
        assert 2007 <= item.extra["year"] <= 2025
    assert len({item.segment.id for item in (*authored, *dense, *gold)}) == 2150 + 4156 + 82
    runs = [HashedTexts.of(item.segment.text for item in items).runs(9)[0] for items in (dense, [*authored, *gold])]
    assert not set(runs[0].tolist()) & set(runs[1].tolist())
    assert len(set(runs[0].tolist())) == len(runs[0])  # nor do two of them share nine words


def test_contrast_sets_differ_in_labels_or_in_nothing_that_counts(contrast: list[LabelledSegment]) -> None:
    sets = defaultdict(list)
    for item in contrast:
        assert item.provenance["authored"] is True and item.provenance["annotator"] == "language-model"
        assert item.extra["readings"][0] == item.extra["readings"][1]
        sets[item.cluster].append(item)
    assert len(sets) == 688
    for members in sets.values():
        assert 2 <= len(members) <= 4
        labels = {tuple(sorted(pairs(item))) for item in members}
        changes = {item.extra["change"] for item in members}
        assert len(changes) == 1
        if changes == {"f"}:
            assert len(labels) < len(members)
        elif changes != {"h"}:
            assert len(labels) > 1, members[0].segment.text


def test_contrast_sets_share_no_words_with_one_another_the_other_data_or_the_behaviour_tests(
    root: Path,
    authored: list[LabelledSegment],
    dense: list[LabelledSegment],
    contrast: list[LabelledSegment],
    gold: list[LabelledSegment],
) -> None:
    assert len({item.segment.id for item in contrast}) == len(contrast)
    owner: dict[int, str | None] = {}
    runs, numbers = HashedTexts.of(item.segment.text for item in contrast).runs(10)
    for run, number in zip(runs.tolist(), numbers.tolist(), strict=True):
        cluster = contrast[number].cluster
        assert owner.setdefault(run, cluster) == cluster, contrast[number].segment.text
    others = HashedTexts.of(item.segment.text for item in (*authored, *dense, *gold)).runs(9)[0]
    own = set(HashedTexts.of(item.segment.text for item in contrast).runs(9)[0].tolist())
    assert not own & set(others.tolist())
    tests = [path.read_text(encoding="utf-8") for path in sorted((root / "configs" / "behaviour").glob("*.yaml"))]
    for items in (contrast, dense):
        own = set(HashedTexts.of(item.segment.text for item in items).runs(7)[0].tolist())
        assert not own & set(HashedTexts.of(tests).runs(7)[0].tolist())


def test_labels_by_hash_hold_no_text_and_leave_open_what_two_readings_differ_on(
    root: Path, schema: LabelSchema
) -> None:
    rows = list(read_jsonl(root / "data" / "read-labels.jsonl"))
    assert len({row["id"] for row in rows}) == len(rows) == 20358
    for row in rows:
        assert set(row) == {"id", "source", "annotator", "labels", "readings"}
        assert re.fullmatch("[0-9a-f]{12}", row["id"])
        for topic in schema.topic_ids:
            said = {reading[topic] for reading in row["readings"]}
            label = row["labels"][topic]
            if len(said) == 1:
                assert label == {"present": said != {None}, "stance": said.pop()}
            else:
                assert label == {"present": None if None in said else True, "stance": None}


def test_swapped_pairs_have_the_same_labels_and_mostly_the_same_words(authored: list[LabelledSegment]) -> None:
    by_cluster = defaultdict(list)
    for item in authored:
        if item.extra["hardness"] == "actor-swap":
            by_cluster[item.cluster].append(item)
    assert len(by_cluster) == 66
    for first, second in by_cluster.values():
        assert first.labels == second.labels
        assert first.segment.text != second.segment.text
        words = [set(item.segment.text.split()) for item in (first, second)]
        assert len(words[0] & words[1]) >= 0.4 * len(words[0] | words[1])


def test_no_two_segments_are_near_copies(authored: list[LabelledSegment]) -> None:
    owner: dict[int, str | None] = {}
    runs, numbers = HashedTexts.of(item.segment.text for item in authored).runs(10, short=True)
    for run, number in zip(runs.tolist(), numbers.tolist(), strict=True):
        cluster = authored[number].cluster
        assert owner.setdefault(run, cluster) == cluster, authored[number].segment.text


def test_gold_covers_every_seed_segment_at_its_offsets(root: Path, gold: list[LabelledSegment]) -> None:
    found = []
    for path in sorted((root / "seeds").glob("*.txt")):
        for article in parse_page(path.stem, path.read_bytes().decode()):
            found += segment_article(article)
    assert [item.segment for item in gold] == found


def test_ids_are_hashes_of_the_texts(root: Path, authored: list[LabelledSegment]) -> None:
    rows = read_jsonl(root / "data" / "authored.jsonl")
    assert [row["id"] for row in rows] == [item.segment.id for item in authored]


def test_nothing_authored_repeats_the_seeds(authored: list[LabelledSegment], gold: list[LabelledSegment]) -> None:
    runs = [HashedTexts.of(item.segment.text for item in items).runs(8, short=True)[0] for items in (gold, authored)]
    assert not set(runs[0].tolist()) & set(runs[1].tolist())


def test_schema_examples_follow_the_codebook(root: Path, schema: LabelSchema) -> None:
    # Every topic's target and every stance's meaning stand in the codebook in these words.
    codebook = re.sub(r"\s+", " ", (root / "data" / "CODEBOOK.md").read_text(encoding="utf-8"))
    for topic in schema.topics:
        assert topic.target in codebook
        assert f"`{topic.id}`" in codebook
        for word in topic.typical:
            assert word in codebook
    seeds = " ".join(" ".join(path.read_text(encoding="utf-8").split()) for path in (root / "seeds").glob("*.txt"))
    for example in schema.examples[:-1]:  # the last is of no seed
        words = example.text.split()
        runs = [" ".join(words[start : start + 5]) for start in range(len(words) - 4)]
        assert any(run in codebook or run in seeds for run in runs), example.text
