import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from naba.config import ArticleSource
from naba.dataset import harvest as module
from naba.dataset.harvest import Harvest, harvest
from naba.records import Prediction, TopicPrediction
from naba.schema import UNKNOWN, LabelSchema
from naba.voting.rules import RuleSet
from naba.voting.voters import SegmentVote, Voters

RULES = """
topic: diplomacy
lexicons:
  truce: {words: [هدنة]}
rules:
  - {id: truce, vote: present, find: [truce], note: test}
"""
BODY = "قال وزير الخارجية إن الهدنة رقم {} تبدأ غدا. للتواصل: +216 71 123 456"


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECORDS", 4)


def write_articles(path: Path, count: int, first: int = 0) -> Path:
    rows = [{"id": f"n{n}", "text": BODY.format(n), "date": "2024-05-01"} for n in range(first, first + count)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def read(*paths: Path, out: Path, voters: Voters) -> Harvest:
    return harvest([ArticleSource(path=path) for path in paths], out, voters)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def nobody(schema: LabelSchema) -> Voters:
    return Voters(schema)


def test_segments_are_masked_at_true_offsets_and_know_where_they_come_from(tmp_path: Path, nobody: Voters) -> None:
    source = ArticleSource(path=write_articles(tmp_path / "outlet.jsonl", 1), licence="CC0")
    (found,) = harvest([source], tmp_path / "out", nobody).segments
    original = BODY.format(0)
    assert found.segment.text == original.replace("216 71 123 456", "### ## ### ###")
    assert original[found.segment.start : found.segment.end] == original
    assert found.provenance == {"source": "outlet", "date": "2024-05-01", "url": None, "licence": "CC0"}


def test_stopped_harvest_goes_on_and_ends_in_the_same_bytes(
    tmp_path: Path, nobody: Voters, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_articles(tmp_path / "a.jsonl", 18)
    whole = read(path, out=tmp_path / "whole", voters=nobody)
    assert (whole.written, whole.reused, whole.articles) == (5, 0, 18)
    notes = 0
    write_json = module.write_json

    def stop_at_third(target: Path, value: dict[str, Any]) -> None:
        nonlocal notes
        notes += 1
        if notes == 3:
            raise KeyboardInterrupt
        write_json(target, value)

    monkeypatch.setattr(module, "write_json", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        read(path, out=tmp_path / "cut", voters=nobody)
    monkeypatch.setattr(module, "write_json", write_json)
    resumed = read(path, out=tmp_path / "cut", voters=nobody)
    assert (resumed.written, resumed.reused) == (3, 2)
    assert content(tmp_path / "cut") == content(tmp_path / "whole")
    assert resumed.segments == whole.segments


def test_shard_that_was_cut_short_is_made_again(tmp_path: Path, nobody: Voters) -> None:
    path = write_articles(tmp_path / "a.jsonl", 10)
    whole = read(path, out=tmp_path / "out", voters=nobody)
    damaged = sorted((tmp_path / "out").glob("*00001.jsonl"))[0]
    before = damaged.read_bytes()
    damaged.write_bytes(before[:50])
    again = read(path, out=tmp_path / "out", voters=nobody)
    assert damaged.read_bytes() == before
    assert again.segments == whole.segments and again.reused == 1


def test_another_file_leaves_the_finished_shards_and_changed_content_does_not(tmp_path: Path, nobody: Voters) -> None:
    first, second = write_articles(tmp_path / "a.jsonl", 6), write_articles(tmp_path / "b.jsonl", 3, first=50)
    read(first, out=tmp_path / "out", voters=nobody)
    both = read(first, second, out=tmp_path / "out", voters=nobody)
    assert (both.written, both.reused) == (1, 2)
    write_articles(first, 6, first=100)
    changed = read(first, second, out=tmp_path / "out", voters=nobody)
    assert (changed.written, changed.reused) == (2, 1)
    assert len(list((tmp_path / "out").glob("*.jsonl"))) == 3  # what nobody needs is gone


def test_folder_of_pages_is_cut_into_shards_of_files(tmp_path: Path, nobody: Voters) -> None:
    (tmp_path / "pages").mkdir()
    for number in range(6):
        (tmp_path / "pages" / f"p{number}.txt").write_text(BODY.format(number) * 3, encoding="utf-8")
    found = read(tmp_path / "pages", out=tmp_path / "out", voters=nobody)
    assert (found.articles, found.written) == (6, 2)
    assert found.segments[0].provenance["source"] == "pages"


def test_ids_used_by_two_files_stay_apart(tmp_path: Path, nobody: Voters) -> None:
    first, second = write_articles(tmp_path / "a.jsonl", 1), write_articles(tmp_path / "b.jsonl", 1)
    found = read(first, second, out=tmp_path / "out", voters=nobody)
    assert [item.segment.article_id for item in found.segments] == ["n0", "b/n0"]


def test_rejected_records_are_kept_with_their_reason(tmp_path: Path, nobody: Voters) -> None:
    path = write_articles(tmp_path / "a.jsonl", 2)
    path.write_text(path.read_text(encoding="utf-8") + "{broken\n", encoding="utf-8")
    for _ in range(2):  # made, then read from the shard
        found = read(path, out=tmp_path / "out", voters=nobody)
        assert [(row["line"], found.articles) for row in found.rejected] == [(3, 2)]


def test_rules_and_a_model_vote_and_their_change_makes_new_shards(tmp_path: Path, schema: LabelSchema) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "a.yaml").write_text(RULES, encoding="utf-8")
    rules = RuleSet.load(folder, schema)

    def model(texts: Sequence[str]) -> list[Prediction]:
        absent = TopicPrediction(False, 0.1, None, {})
        said = dict.fromkeys(schema.topic_ids, absent) | {"diplomacy": TopicPrediction(True, 0.9, "neutral", {})}
        return [Prediction(text, said) for text in texts]

    voters = Voters(schema, rules, model, "m@1")
    assert voters.names == ("rule:truce", "model:m@1")
    path = write_articles(tmp_path / "a.jsonl", 1)
    (found,) = read(path, out=tmp_path / "out", voters=voters).segments
    neutral = schema.stance_ids.index("neutral")
    assert found.votes == [
        SegmentVote(0, 0, True, UNKNOWN),
        SegmentVote(1, 0, True, neutral),
        SegmentVote(1, 1, False, UNKNOWN),
        SegmentVote(1, 2, False, UNKNOWN),
    ]
    assert read(path, out=tmp_path / "out", voters=voters).written == 0
    assert read(path, out=tmp_path / "out", voters=Voters(schema, rules, model, "m@2")).written == 1
