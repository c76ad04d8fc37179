import csv
import json
from pathlib import Path

import pytest

from naba import Labeller
from naba.calibration import Decision, TopicDecision
from naba.config import LabelConfig, ReadConfig
from naba.corpus.readers import Rejected, read_articles
from naba.errors import CheckpointError, DataError
from naba.labelling import labeller as module
from naba.labelling.job import label_paths
from naba.labelling.labeller import LabelledArticle
from naba.labelling.writer import article_row, csv_rows, write_labelled_articles


@pytest.fixture(scope="module")
def tiny(tiny_run: Path) -> Labeller:
    return Labeller.load(tiny_run, device="cpu")


def test_prediction_gives_presence_probability_and_all_stances_per_topic(tiny: Labeller) -> None:
    (prediction,) = tiny.label(["قال الوزير إن المحادثات مستمرة"])
    assert tuple(prediction.topics) == tiny.schema.topic_ids
    for topic in tiny.schema.topic_ids:
        answer = prediction[topic]
        assert 0 <= answer.probability <= 1
        assert (answer.stance is not None) == answer.present
        assert tuple(answer.stance_probability) == tiny.schema.stance_ids
        assert sum(answer.stance_probability.values()) == pytest.approx(1)
    row = json.loads(json.dumps(prediction.to_dict()))
    assert set(row["topics"]["diplomacy"]) == {"present", "probability", "stance", "stance_probability"}


def test_single_string_is_refused_and_no_texts_give_no_predictions(tiny: Labeller) -> None:
    with pytest.raises(TypeError, match=r"label\(\[text\]\)"):
        tiny.label("نص")
    with pytest.raises(TypeError, match="number 1 is a NoneType"):
        tiny.label(["نص", None])  # type: ignore[list-item]
    assert tiny.label([]) == []


def test_windowed_text_says_so(tiny: Labeller) -> None:
    (prediction,) = tiny.label(["كلمة أخرى " * 200])
    assert prediction.windows > 1
    assert prediction.to_dict()["windows"] == prediction.windows


def test_articles_keep_their_order_and_rejected_ones_pass_through(
    tiny: Labeller, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ARTICLES_AT_ONCE", 2)  # several rounds
    articles = list(read_articles([root / "seeds"], ReadConfig()))
    stream = [*articles[:1], Rejected("x", "broken"), *articles[1:]]
    out = list(tiny.label_articles(stream))
    assert [item.article.id if isinstance(item, LabelledArticle) else item.path for item in out] == [
        item.id if not isinstance(item, Rejected) else item.path for item in stream
    ]
    assert sum(len(item.segments) for item in out if isinstance(item, LabelledArticle)) == 84


def test_missing_shipped_model_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "SHIPPED_MODEL", tmp_path / "models" / "naba-news")
    with pytest.raises(CheckpointError, match="comes with a checkout"):
        Labeller.load()
    with pytest.raises(CheckpointError, match="no such model folder"):
        Labeller.load(tmp_path / "other")


def test_folder_gets_jsonl_and_csv_that_agree(tiny_run: Path, root: Path, tmp_path: Path) -> None:
    totals = label_paths([root / "seeds"], tmp_path / "out", LabelConfig(model=str(tiny_run)))
    assert (totals.articles, totals.segments, totals.rejected) == (9, 84, 0)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["labelled.csv", "labelled.jsonl"]
    articles = [
        json.loads(line) for line in (tmp_path / "out" / "labelled.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    with (tmp_path / "out" / "labelled.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 84 * 3
    flat = [
        (a["id"], s["id"], t, str(int(v["present"])))
        for a in articles
        for s in a["segments"]
        for t, v in s["topics"].items()
    ]
    assert flat == [(row["article_id"], row["segment_id"], row["topic"], row["present"]) for row in rows]
    for article in articles:
        path = root / "seeds" / (article.get("parent_id") or article["id"])
        text = path.with_suffix(".txt").read_bytes().decode()
        for segment in article["segments"]:
            assert text[segment["start"] : segment["end"]] == segment["text"]


def test_summary_counts_stances_and_nets_nothing(tiny_run: Path, root: Path) -> None:
    tiny = Labeller.load(tiny_run, device="cpu")
    # So low a threshold that every topic is present.
    tiny.checkpoint.decision = Decision({topic: TopicDecision(threshold=0.0) for topic in tiny.schema.topic_ids})
    item = next(tiny.label_articles(read_articles([root / "seeds"], ReadConfig())))
    assert isinstance(item, LabelledArticle)
    row = article_row(item)
    assert row["summary"]
    for topic in tiny.schema.topic_ids:
        stances = [
            segment["topics"][topic]["stance"] for segment in row["segments"] if segment["topics"][topic]["present"]
        ]
        if stances:
            assert row["summary"][topic]["segments"] == len(stances) == sum(row["summary"][topic]["stances"].values())
        else:
            assert topic not in row["summary"]


def test_bad_files_of_a_batch_are_set_aside_and_the_rest_is_labelled(tiny_run: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("قال الوزير إن المحادثات مستمرة.", encoding="utf-8")
    (tmp_path / "in" / "b.txt").write_text("")
    (tmp_path / "in" / "c.txt").write_text("قصفت الطائرات المدينة أمس.", encoding="utf-8")
    totals = label_paths([tmp_path / "in"], tmp_path / "out.jsonl", LabelConfig(model=str(tiny_run)))
    assert (totals.articles, totals.rejected) == (2, 1)
    (rejected,) = [json.loads(line) for line in totals.rejected_file.read_text(encoding="utf-8").splitlines()]
    assert rejected["path"].endswith("b.txt")
    assert "empty" in rejected["reason"]
    assert len((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_interruption_leaves_the_old_output_and_keeps_what_was_done(tiny: Labeller, root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("old\n")

    def broken_off():  # type: ignore[no-untyped-def]
        stream = tiny.label_articles(read_articles([root / "seeds"], ReadConfig()))
        yield next(stream)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_labelled_articles(broken_off(), out, tiny.schema)
    assert out.read_text() == "old\n"
    assert json.loads((tmp_path / "out.jsonl.partial").read_text(encoding="utf-8"))["id"].startswith("000")
    write_labelled_articles([], out, tiny.schema)  # another try keeps what the first had done
    assert json.loads((tmp_path / "out.jsonl.partial.1").read_text(encoding="utf-8"))["id"].startswith("000")


def test_unwritable_output_is_one_clear_error(tiny: Labeller, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_labelled_articles([], tmp_path / "file" / "out.jsonl", tiny.schema)


def test_output_that_is_there_is_replaced_only_on_request(tiny_run: Path, root: Path, tmp_path: Path) -> None:
    config = LabelConfig(model=str(tiny_run))
    label_paths([root / "seeds"], tmp_path / "out", config)
    with pytest.raises(DataError, match="--overwrite"):
        label_paths([root / "seeds"], tmp_path / "out", config)
    label_paths([root / "seeds"], tmp_path / "out", config, overwrite=True)
    with pytest.raises(DataError, match=r"naba writes \.jsonl and \.csv"):
        label_paths([root / "seeds"], tmp_path / "out.txt", config)


def test_metadata_of_the_article_is_written(tiny: Labeller, root: Path) -> None:
    items = list(tiny.label_articles(read_articles([root / "seeds"], ReadConfig())))
    assert article_row(items[0])["keywords"][:2] == ["بلينكن", "اتفاق"]  # type: ignore[arg-type]
    row = next(csv_rows(items[1]))  # type: ignore[arg-type]
    assert (row["article_id"], row["parent_id"]) == ("000_910b9648db09fefd#2", "000_910b9648db09fefd")
