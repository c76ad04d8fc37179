import gzip
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from naba.errors import DataError
from naba.labelling.labelled_files import labelled_files, read_labelled
from naba.labelling.labeller import LabelledArticle
from naba.labelling.writer import article_row
from naba.notice import NOTICE
from naba.records import Article, Prediction, Segment, TopicPrediction

TOPICS = ("oil", "gold", "housing", "labour")
UP, DOWN = "optimistic", "pessimistic"

Answers = dict[str, tuple[str, float]]
"""Present topic → stance, and the probability of being optimistic."""


def labelled_article(identity: str, segments: Sequence[Answers], **fields: Any) -> dict[str, Any]:
    """A row of labelled output of the markets schema; segments are ten characters apart."""
    return {
        "id": identity,
        "title": f"عنوان {identity}",
        "date": None,
        "source": None,
        "url": None,
        "segments": [
            {
                "id": f"{identity}{number}", "start": 10 * number, "end": 10 * number + 9, "kind": "paragraph", "text": "ارتفعت الأسعار",
                "topics": {topic: answer(given.get(topic)) for topic in TOPICS},
            }
            for number, given in enumerate(segments)
        ],
        "summary": {},
    } | fields  # fmt: skip


def answer(given: tuple[str, float] | None) -> dict[str, Any]:
    stance, up = given or (None, 0.5)
    return {
        "present": given is not None,
        "probability": 0.9 if given else 0.1,
        "stance": stance,
        "stance_probability": {UP: up, DOWN: round(1 - up, 4)},
    }


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    return path


def ids(*paths: Path) -> list[str]:
    return [row.id for row in read_labelled(paths)]


def test_reads_what_the_writer_wrote(tmp_path: Path) -> None:
    shares = {"support": 0.7, "oppose": 0.2, "neutral": 0.1}
    answers = {"diplomacy": TopicPrediction(True, 0.9, "support", shares)}
    article = Article("a:1", "نص", (), "عنوان", "2024-05-31", "رويترز", "https://example.org/1", parent_id="a:0")
    labelled = LabelledArticle(
        article, [(Segment("a:1", "نص", "sentence", 3, 5), Prediction("نص", answers, windows=2))]
    )
    (row,) = read_labelled([write(tmp_path / "x.jsonl", article_row(labelled))])
    assert (row.id, row.parent_id, row.title) == ("a:1", "a:0", "عنوان")
    assert (row.date, row.source, row.url) == ("2024-05-31", "رويترز", "https://example.org/1")
    (segment,) = row.segments
    assert (segment.start, segment.end, segment.kind, segment.text, segment.windows) == (3, 5, "sentence", "نص", 2)
    assert segment.topics == answers


def test_reads_files_folders_and_patterns_each_file_once_and_shards_in_name_order(tmp_path: Path) -> None:
    a, b, c, d, e = (labelled_article(name, [{}]) for name in "abcde")
    folder = tmp_path / "shards"
    write(folder / "part-00000-00001.jsonl.gz", b)
    write(folder / "part-00000-00000.jsonl", a)
    write(folder / "part-00000-00000.rejected.jsonl", {"path": "x", "reason": "y", "line": 1})
    write(folder / ".part-00000-00002.jsonl", e)
    write(folder / "rejected.jsonl", {"path": "x", "reason": "y", "line": 1})
    write(folder / "manifest.json")
    whole = write(tmp_path / "whole" / "labelled.jsonl", c).parent
    single = write(tmp_path / "single.jsonl", d)
    assert ids(folder, whole, single, folder / "part-00000-00000.jsonl") == ["a", "b", "c", "d"]
    assert ids(folder / "part-*") == ["a", "b"]


def test_reads_past_a_byte_order_mark_blank_lines_and_empty_files(tmp_path: Path) -> None:
    line = json.dumps(labelled_article("a", [])).encode()
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + line + b"\n\n")
    (tmp_path / "empty.jsonl").touch()
    assert ids(tmp_path / "empty.jsonl", tmp_path / "a.jsonl") == ["a"]


def test_answers_keep_the_order_of_the_first_row(tmp_path: Path) -> None:
    turned = labelled_article("b", [{"gold": (UP, 0.9)}])
    turned["segments"][0]["topics"] = dict(reversed(turned["segments"][0]["topics"].items()))
    rows = [*read_labelled([write(tmp_path / "x.jsonl", labelled_article("a", [{}]), turned)])]
    assert tuple(rows[1].segments[0].topics) == TOPICS
    assert rows[1].segments[0].topics["gold"].stance == UP


def test_time_of_day_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", labelled_article("a", [], date="2023-01-24T12:02:00+02:00"))
    assert next(read_labelled([path])).date == "2023-01-24"


def test_unfinished_job_is_read_with_a_notice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write(tmp_path / "job" / "part-00000-00000.jsonl", labelled_article("a", [{}])).parent
    write(folder / ".job.json")
    with caplog.at_level(NOTICE):
        assert ids(folder) == ["a"]
    assert [record.levelno for record in caplog.records] == [NOTICE]
    assert "not finished" in caplog.text and str(folder) in caplog.text
    write(folder / "manifest.json")
    caplog.clear()
    with caplog.at_level(logging.INFO):
        ids(folder)
    assert caplog.text == ""


def test_paths_without_labelled_output_say_what_to_do(tmp_path: Path) -> None:
    write(tmp_path / "none" / "articles.jsonl", {"text": "نص"})
    write(tmp_path / "tables" / "labelled.csv")
    write(tmp_path / "begun" / ".job.json")
    write(tmp_path / "both" / "labelled.jsonl")
    write(tmp_path / "both" / "part-0.jsonl")
    told = {
        "missing.jsonl": "no such file",
        "none": "no labelled.jsonl and no part-",
        "tables": "tables of labelled output are not read",
        "begun": "has finished no shard yet",
        "both": "labelled.jsonl and shards",
        "tables/labelled.csv": "name the labelled JSONL",
        "x.parquet": "name the labelled JSONL",
        "x.jsonl.partial": "interrupted job",
        "x.txt": "ends in .jsonl or .jsonl.gz",
    }
    for name in ("x.parquet", "x.jsonl.partial", "x.txt"):
        write(tmp_path / name)
    for name, message in told.items():
        with pytest.raises(DataError, match=message) as error:
            labelled_files([tmp_path / name])
        assert str(error.value).startswith(str(tmp_path / name)) and "\n" not in str(error.value)


def changed(**fields: Any) -> dict[str, Any]:
    """A row whose first segment's answer on oil is changed."""
    row = labelled_article("a", [{"oil": (UP, 0.9)}])
    row["segments"][0]["topics"]["oil"] |= fields
    return row


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "1", "text": "خبر " * 20}, "an article that is not labelled; label it with `naba label`"),
        ({"text": "نص", "labels": {}}, "a labelled segment of a data set"),
        ({"path": "x", "reason": "y", "line": 1}, "set aside"),
        ({"text": "نص", "topics": {}}, "a single labelled text"),
        ({"id": "1"}, "no 'segments' list"),
        ({"segments": []}, "no 'id'"),
        ({"id": 1, "segments": []}, "id = 1; expected text"),
        ({"id": "1", "segments": [{"id": "s", "text": "نص"}]}, "segment 1: no 'topics' object"),
        ({"id": "1", "segments": ["نص"]}, "segment 1: no 'topics' object"),
        ({"id": "1", "segments": [{"id": "s", "text": "نص", "topics": {}}]}, "no topic with its"),
        (labelled_article("a", [], date="الأحد"), "expected a day as 2024-05-31"),
        (labelled_article("a", [], source=["x"]), "source = .* expected text"),
        (labelled_article("a", [], title="\ud800"), "half a character"),
        (changed(present=None), "oil: expected {present"),
        (changed(stance=None), "present = True with stance = None"),
        (changed(present=False), "present = False with stance = 'optimistic'"),
        (changed(stance="sideways"), "stance = 'sideways'"),
        (changed(stance=["x"]), "stance = "),
        (changed(probability=1.5), "probability = 1.5; expected a number from 0 to 1"),
        (changed(probability=float("nan")), "probability = nan"),
        (changed(probability=True), "probability = True"),
        (changed(stance_probability={UP: "1", DOWN: 0}), "stance_probability of optimistic = '1'"),
    ],
)
def test_line_that_is_no_labelled_article_is_named(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(labelled_article("z", [])) + "\n" + json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=message) as error:
        ids(path)
    assert str(error.value).startswith(f"{path}:2: ") and "\n" not in str(error.value)


def test_files_of_different_schemas_are_refused(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", labelled_article("a", [{}]))
    other_topics, other_stances = labelled_article("b", [{}]), labelled_article("b", [{}])
    del other_topics["segments"][0]["topics"]["oil"]
    for given in other_stances["segments"][0]["topics"].values():
        given["stance_probability"] = {"up": 0.5, "down": 0.5}
    for row, message in ((other_topics, "topics gold, housing, labour, but"), (other_stances, "of up, down, but")):
        second = write(tmp_path / "b.jsonl", row)
        with pytest.raises(DataError, match=message) as error:
            ids(first, second)
        assert "read output of one label schema at a time" in str(error.value)
        assert ids(second) == ["b"]


def test_damaged_files_are_named(tmp_path: Path) -> None:
    line = json.dumps(labelled_article("a", [{}])).encode()
    half = tmp_path / "half.jsonl.gz"
    half.write_bytes(gzip.compress(line * 50)[:-20])
    (tmp_path / "no.jsonl.gz").write_bytes(line)
    (tmp_path / "cut.jsonl").write_bytes(line + b"\n" + line[:50])
    for path, message in ((half, "cannot be read"), (tmp_path / "no.jsonl.gz", "cannot be read"), (tmp_path / "cut.jsonl", ":2: not JSON")):  # fmt: skip
        with pytest.raises(DataError, match=message):
            ids(path)


LATE = ["part-99999-00000.jsonl", "part-99999-99999.jsonl", "part-99999-100000.jsonl", "part-100000-00000.jsonl"]


def test_parts_beyond_five_digits_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number, name in enumerate(LATE):
        write(tmp_path / name, labelled_article(str(number), [{}]))
    assert sorted(LATE) != LATE
    assert ids(tmp_path) == ["0", "1", "2", "3"]
    assert ids(tmp_path / "part-*.jsonl") == ["0", "1", "2", "3"]


def test_parts_are_read_in_the_order_of_their_manifest_and_no_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shards = [{"files": {name: {}, name.replace(".jsonl", ".csv"): {}}} for name in reversed(LATE)]
    for number, name in enumerate(LATE):
        write(tmp_path / (name + ".gz" if number == 2 else name), labelled_article(str(number), [{}]))
    write(tmp_path / "part-00000-00000.jsonl", labelled_article("not listed", [{}]))
    (tmp_path / "manifest.json").write_text(json.dumps({"shards": shards}))
    assert ids(tmp_path) == ["3", "2", "1", "0"]
    assert "left out, as manifest.json does not name it: part-00000-00000.jsonl" in caplog.text
    (tmp_path / "manifest.json").write_text('{"shards": 1}')
    assert ids(tmp_path) == ["not listed", "0", "1", "2", "3"]


@pytest.mark.usefixtures("no_entry")
def test_folder_that_may_be_listed_but_not_entered_is_told(tmp_path: Path) -> None:
    write(tmp_path / "closed" / "part-00000-00000.jsonl", labelled_article("a", [{}]))
    for given in (tmp_path / "closed", tmp_path / "*"):
        with pytest.raises(DataError, match=r"00000\.jsonl: cannot be read \(Permission denied\); check its rights"):
            labelled_files([given])
