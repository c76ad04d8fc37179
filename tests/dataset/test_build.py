import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from naba.config import BuildConfig
from naba.dataset import build as module
from naba.dataset.build import build
from naba.dataset.labelled import load_labelled
from naba.dataset.statistics import label_counts
from naba.errors import DataError
from naba.jsonl import read_json, read_jsonl
from naba.records import LabelledSegment
from naba.schema import LabelSchema

Make = Callable[..., LabelledSegment]
Write = Callable[..., Path]
Rows = list[dict[str, Any]]

RULES = """
topic: diplomacy
lexicons:
  truce: {words: [هدنة]}
  rain: {words: [أمطار]}
rules:
  - {id: truce, vote: support, find: [truce], note: test}
  - {id: rain, vote: absent, find: [rain], note: test}
  - {id: rain-aid, topic: humanitarian_aid, vote: absent, find: [rain], note: test}
  - {id: rain-force, topic: military_action, vote: absent, find: [rain], note: test}
"""


def text(number: int, words: int = 20) -> str:
    """Words that no other number has."""
    return " ".join(f"كلمة{number}و{word}" for word in range(words))


def rows(numbers: range, stance: str = "support", **fields: Any) -> Rows:
    labels = {"diplomacy": {"present": True, "stance": stance}}
    return [{"text": text(number), "labels": labels} | fields for number in numbers]


def many() -> Rows:
    return [row for n, stance in enumerate(("support", "oppose")) for row in rows(range(100 * n, 100 * n + 40), stance)]


@pytest.fixture
def make_config(root: Path, tmp_path: Path) -> Callable[..., BuildConfig]:
    def make(**values: Any) -> BuildConfig:
        given = {"labels": root / "configs/labels.yaml", "out": tmp_path / "out", "inflation": False}
        return BuildConfig.model_validate(given | values)

    return make


def parts_of(out: Path, schema: LabelSchema) -> dict[str, str]:
    """Segment id → part."""
    found = {}
    for part in ("train", "validation", "test", "unlabelled"):
        if (out / f"{part}.jsonl").is_file():
            found |= {item.segment.id: part for item in load_labelled([out / f"{part}.jsonl"], schema)}
    return found


def files(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_counts_keep_absent_apart_from_unknown(labelled: Make, schema: LabelSchema) -> None:
    items = [
        labelled("أ", diplomacy="support", military_action="neutral"),
        labelled("ب"),
        labelled("ت", diplomacy=None),
    ]
    counts = label_counts(items, schema)
    assert counts["diplomacy"] == {"support": 1, "oppose": 0, "neutral": 0}
    assert counts["no topic"] == 1  # the third is not known to have none
    assert counts["several topics"] == 1


def test_shipped_build_drops_overlap_and_repeats_itself_byte_for_byte(
    root: Path, tmp_path: Path, schema: LabelSchema, make_config: Callable[..., BuildConfig]
) -> None:
    gold = root / "data" / "seed-gold.jsonl"
    authored = root / "data" / "authored.jsonl"
    mixed = tmp_path / "mixed.jsonl"
    # The gold rows themselves, as if somebody had mixed them in: they must not reach training.
    mixed.write_text(authored.read_text(encoding="utf-8") + gold.read_text(encoding="utf-8"), encoding="utf-8")
    config = make_config(train=[mixed], test=[gold], out=tmp_path / "one", name="mine")
    manifest = build(config)
    # 000 and 002 hold six paragraphs in the same words.
    assert manifest["set_aside"] == {"nearly duplicates data given as test": 78, "repeats a text": 6}
    test_ids = {item.segment.id for item in load_labelled([gold], schema)}
    for name in ("train", "validation"):
        assert not test_ids & {item.segment.id for item in load_labelled([tmp_path / "one" / f"{name}.jsonl"], schema)}
    assert len(list(read_jsonl(tmp_path / "one" / "set_aside.jsonl"))) == 84
    build(config.model_copy(update={"out": tmp_path / "two"}))
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    differing = {name for name in one if one[name].replace(b"/one", b"/two") != two[name]}
    assert not differing and one.keys() == two.keys()


def test_built_dataset_loads_with_datasets_as_it_is(
    root: Path, tmp_path: Path, make_config: Callable[..., BuildConfig]
) -> None:
    import datasets

    build(make_config(train=[root / "data/authored.jsonl"], test=[root / "data/seed-gold.jsonl"]))
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    manifest = read_json(tmp_path / "out" / "manifest.json")
    assert {name: len(part) for name, part in loaded.items()} == {
        name: count for name, count in manifest["segments"].items() if count
    }
    assert loaded["test"][0]["labels"]["diplomacy"] == {"present": True, "stance": "support"}


def test_stances_are_spread_by_the_shares(write_rows: Write, make_config: Callable[..., BuildConfig]) -> None:
    path = write_rows("a.jsonl", many())
    manifest = build(make_config(train=[path], split={"validation": 0.25, "test": 0.25}))
    counts = {name: manifest["labels"][name]["diplomacy"] for name in ("train", "validation", "test")}
    assert counts["train"] == {"support": 20, "oppose": 20, "neutral": 0}
    assert counts["validation"] == counts["test"] == {"support": 10, "oppose": 10, "neutral": 0}


def test_adding_segments_moves_none(
    tmp_path: Path, schema: LabelSchema, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    config = make_config(train=[write_rows("a.jsonl", many())], split={"validation": 0.25, "test": 0.25})
    build(config)
    before = parts_of(tmp_path / "out", schema)
    more = write_rows("b.jsonl", rows(range(500, 700)))
    build(config.model_copy(update={"train": [more, *config.train]}))
    after = parts_of(tmp_path / "out", schema)
    assert {key: after[key] for key in before} == before
    assert len(after) == 280 and sum(part == "test" for part in after.values()) == 70


def test_article_that_bridges_two_parts_is_set_aside_and_moves_nothing(
    tmp_path: Path, schema: LabelSchema, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    config = make_config(train=[write_rows("a.jsonl", many())], split={"validation": 0.25})
    build(config)
    before = parts_of(tmp_path / "out", schema)
    by_part = {part: row["text"] for row in many() for part in [before[_id(row["text"])]]}
    labels = many()[0]["labels"]
    bridge = {"text": f"{by_part['train']} {by_part['validation']}", "labels": labels}
    follower = {"text": by_part["train"].replace("و3 ", "بدل "), "labels": labels}
    manifest = build(config.model_copy(update={"train": [*config.train, write_rows("b.jsonl", [bridge, follower])]}))
    assert manifest["set_aside"] == {"bridges two parts of the ledger": 2}
    assert parts_of(tmp_path / "out", schema) == before
    # Without the bridge, the copy of the training segment alone joins it.
    build(config.model_copy(update={"train": [*config.train, write_rows("c.jsonl", [follower])]}))
    assert parts_of(tmp_path / "out", schema) == before | {_id(follower["text"]): "train"}


def _id(text: str) -> str:
    from naba.records import segment_id

    return segment_id(text)


def test_split_by_time_sets_the_undated_and_early_copies_aside(
    tmp_path: Path, schema: LabelSchema, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    early, late = {"date": "2024-01-01"}, {"date": "2024-06-01"}
    data = rows(range(10), provenance=early) + rows(range(10, 15), provenance=late) + rows(range(20, 22))
    copy = rows(range(1), provenance=late)[0]
    copy["text"] += " وزيادة"
    split = {"method": "time", "test_from": "2024-03-01", "validation": 0.2}
    manifest = build(make_config(train=[write_rows("a.jsonl", [*data, copy])], split=split))
    assert manifest["set_aside"] == {"has no date": 2, "its article or a near-duplicate is in test": 1}
    found = parts_of(tmp_path / "out", schema)
    assert {part for key, part in found.items() if key in {_id(row["text"]) for row in [*data[10:15], copy]}} == {
        "test"
    }
    assert sum(part == "validation" for part in found.values()) == 2


def test_split_by_source_holds_a_whole_outlet_out(
    tmp_path: Path, schema: LabelSchema, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    data = [row for n in range(4) for row in rows(range(20 * n, 20 * n + 10), provenance={"source": f"s{n}"})]
    split = {"method": "source", "test_sources": ["s3"], "validation_sources": ["s2"]}
    build(make_config(train=[write_rows("a.jsonl", data)], split=split))
    found = parts_of(tmp_path / "out", schema)
    by_source = {row["provenance"]["source"]: set() for row in data}
    for row in data:
        by_source[row["provenance"]["source"]].add(found[_id(row["text"])])
    assert by_source == {"s0": {"train"}, "s1": {"train"}, "s2": {"validation"}, "s3": {"test"}}


def write_articles(path: Path, count: int) -> Path:
    endings = ["بدأت الهدنة أمس.", "هطلت أمطار غزيرة.", "انتهى الخبر."]
    lines = [{"id": f"n{n}", "text": f"{text(1000 + n)} {endings[n % 3]}"} for n in range(count)]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(RULES, encoding="utf-8")
    return tmp_path / "rules"


def test_rules_label_raw_articles_weakly_and_only_for_training(
    tmp_path: Path, rules: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    articles = write_articles(tmp_path / "articles.jsonl", 30)
    held = {
        "text": f"{text(1000)} بدأت الهدنة أمس اليوم.",
        "labels": {"diplomacy": {"present": True, "stance": "oppose"}},
    }
    gold = write_rows("gold.jsonl", [held])
    config = make_config(articles=[articles], rules=rules, train=[write_rows("a.jsonl", many())], test=[gold])
    manifest = build(config)
    assert manifest["articles"] == {"read": 30, "rejected": 0}
    assert manifest["voters"] == ["rule:truce", "rule:rain", "rule:rain-aid", "rule:rain-force"]
    assert manifest["weak"] == 19 and manifest["segments"]["unlabelled"] == 10
    assert manifest["set_aside"] == {"nearly duplicates data given as test": 1}
    weak = [row for row in read_jsonl(tmp_path / "out" / "train.jsonl") if row["weak"]]
    labels = [row["labels"]["diplomacy"] for row in weak]
    assert labels.count({"present": True, "stance": "support"}) == 9
    assert labels.count({"present": False, "stance": None}) == 10
    truce = next(row for row in weak if row["labels"]["diplomacy"]["present"])
    assert truce["labels"]["military_action"] == {"present": None, "stance": None}  # nobody judged it
    assert truce["confidence"]["diplomacy"] == {"present": 1.0, "stance": 1.0}
    assert all(not row["weak"] for row in read_jsonl(tmp_path / "out" / "validation.jsonl"))


@pytest.mark.parametrize(("share", "kept"), [(0.5, 10), (0.2, 2), (0.0, 0), (0.9, 10)])
def test_segments_without_a_topic_are_thinned_out_and_stay_as_unlabelled_text(
    tmp_path: Path,
    rules: Path,
    write_rows: Write,
    make_config: Callable[..., BuildConfig],
    share: float,
    kept: int,
) -> None:
    # Ten articles have the topic, ten are known to have none, of ten nothing is known.
    articles = write_articles(tmp_path / "articles.jsonl", 30)
    data = write_rows("a.jsonl", many())
    manifest = build(make_config(articles=[articles], rules=rules, train=[data], resolve={"without_topic": share}))
    assert manifest["weak"] == 10 + kept
    assert manifest["segments"]["unlabelled"] == 20 - kept
    assert manifest["labels"]["train"]["no topic"] == kept


def test_weak_labels_alone_are_no_validation(
    tmp_path: Path, rules: Path, make_config: Callable[..., BuildConfig]
) -> None:
    config = make_config(articles=[write_articles(tmp_path / "articles.jsonl", 30)], rules=rules)
    with pytest.raises(DataError, match="all labels come from rules or models"):
        build(config)
    manifest = build(make_config(**config.model_dump(include={"articles", "rules"}), split={"weak_held_out": True}))
    assert manifest["segments"]["validation"] == 3


def test_what_a_person_read_is_for_people_to_decide(
    tmp_path: Path, rules: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    articles = write_articles(tmp_path / "articles.jsonl", 3)
    truce, rain, last = (
        f"{text(1000)} بدأت الهدنة أمس.",
        f"{text(1001)} هطلت أمطار غزيرة.",
        f"{text(1002)} انتهى الخبر.",
    )
    said = {"diplomacy": {"present": True, "stance": "oppose"}}
    votes = [
        {"text": truce, "labels": said, "annotator": "سلمى"},
        {"text": rain, "labels": said, "annotator": "سلمى"},
        {
            "text": rain,
            "labels": {"diplomacy": {"present": False, "stance": None}},
            "annotator": "عمر",
            "adjudicated": True,
        },
        {"text": last, "labels": said, "annotator": "model:x"},
        {"text": truce, "labels": {"diplomacy": {"present": False, "stance": None}}, "annotator": "model:x"},
    ]
    build(
        make_config(
            articles=[articles],
            rules=rules,
            votes=[write_rows("v.jsonl", votes)],
            train=[write_rows("a.jsonl", many())],
        )
    )
    found = {
        row["text"]: row for part in ("train", "validation") for row in read_jsonl(tmp_path / "out" / f"{part}.jsonl")
    }
    # Salma against a rule and a model: she decides, and what she did not judge the rules do not fill in.
    assert found[truce]["labels"]["diplomacy"]["stance"] == "oppose" and not found[truce].get("weak")
    assert found[truce]["article_id"] == "n0"  # the article's offsets stay with it
    assert found[rain]["labels"]["diplomacy"] == {"present": False, "stance": None}  # adjudicated
    assert found[rain]["labels"]["military_action"] == {"present": None, "stance": None}
    assert found[last]["weak"]


def test_build_stopped_anywhere_ends_in_the_same_bytes(
    tmp_path: Path,
    rules: Path,
    write_rows: Write,
    make_config: Callable[..., BuildConfig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from naba.dataset import harvest

    monkeypatch.setattr(harvest, "RECORDS", 7)
    articles = write_articles(tmp_path / "articles.jsonl", 30)
    data = write_rows("a.jsonl", many())

    def config(out: str) -> BuildConfig:
        return make_config(articles=[articles], rules=rules, train=[data], out=tmp_path / out, name="d")

    build(config("whole"))
    for name in ("write_jsonl", "write_ledger", "write_card", "write_json"):
        real = getattr(module, name)

        def stop(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(module, name, stop)
        with pytest.raises(KeyboardInterrupt):
            build(config("cut"))
        assert not (tmp_path / "cut" / "manifest.json").exists()
        monkeypatch.setattr(module, name, real)
    build(config("cut"))
    whole, cut = files(tmp_path / "whole"), files(tmp_path / "cut")
    assert whole.keys() == cut.keys()
    assert all(whole[name].replace(b"/whole", b"/cut") == cut[name] for name in whole)


def test_nothing_left_for_validation_is_an_error(
    tmp_path: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    config = make_config(train=[write_rows("a.jsonl", [{"text": "نص وحيد", "labels": {}}])])
    with pytest.raises(DataError, match=r"no segment is left for (train|validation)"):
        build(config)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_nothing_to_build_from_is_an_error(make_config: Callable[..., BuildConfig]) -> None:
    with pytest.raises(DataError, match="nothing to build from"):
        build(make_config())


def test_label_outside_the_schema_names_file_and_row(
    write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    path = write_rows("a.jsonl", [{"text": "نص", "labels": {"sport": {"present": True, "stance": None}}}])
    with pytest.raises(DataError, match=r"a\.jsonl:1: topic 'sport'"):
        build(make_config(train=[path]))


def test_rebuilding_without_a_test_set_leaves_no_old_one(
    root: Path, tmp_path: Path, make_config: Callable[..., BuildConfig]
) -> None:
    config = make_config(train=[root / "data" / "authored.jsonl"], test=[root / "data" / "seed-gold.jsonl"])
    build(config)
    assert (tmp_path / "out" / "test.jsonl").is_file()
    build(config.model_copy(update={"test": []}))
    assert not (tmp_path / "out" / "test.jsonl").exists()


def test_given_validation_that_is_all_dropped_is_not_replaced_by_a_split(
    root: Path, make_config: Callable[..., BuildConfig]
) -> None:
    gold = root / "data" / "seed-gold.jsonl"
    with pytest.raises(DataError, match="no segment is left for validation"):
        build(make_config(train=[root / "data" / "authored.jsonl"], validation=[gold], test=[gold]))


def test_contacts_are_masked_in_labelled_files_too(
    tmp_path: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    data = [*many(), {"text": f"{text(900)} هاتف 71 123 456", "labels": {}}]
    build(make_config(train=[write_rows("a.jsonl", data)]))
    content = b"".join(files(tmp_path / "out").values()).decode()
    assert "71 123 456" not in content and "## ### ###" in content


@pytest.mark.parametrize("name", ["train.jsonl", "README.md"])
def test_somebodys_own_files_are_not_written_over(
    tmp_path: Path, write_rows: Write, make_config: Callable[..., BuildConfig], name: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match="not written by naba build"):
        build(make_config(train=[write_rows("a.jsonl", many())]))
    assert (tmp_path / "out" / name).read_text(encoding="utf-8") == "mine"


def test_input_among_the_files_to_be_written_is_refused(
    tmp_path: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    build(make_config(train=[write_rows("a.jsonl", many())]))
    before = (tmp_path / "out" / "train.jsonl").read_bytes()
    with pytest.raises(DataError, match="is input and would be written over"):
        build(make_config(train=[tmp_path / "out" / "train.jsonl"]))
    assert (tmp_path / "out" / "train.jsonl").read_bytes() == before


def test_another_spelling_of_a_held_out_text_is_no_new_text(
    tmp_path: Path, schema: LabelSchema, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    held = "أكدت وزيرة الخارجية الأوكرانية أن إعادة إحياء المفاوضات مسؤولية الجميع في هذه المرحلة"
    other = "اكدت وزيره الخارجيه الاوكرانيه ان اعاده احياء المفاوضات مسوولية الجميع فى هذه المرحله"
    rows_ = [*many(), {"text": other, "labels": {}}]
    manifest = build(
        make_config(train=[write_rows("a.jsonl", rows_)], test=[write_rows("t.jsonl", [{"text": held, "labels": {}}])])
    )
    assert manifest["set_aside"] == {"nearly duplicates data given as test": 1}


def test_labels_that_contradict_a_repeated_text_are_told_and_the_first_file_wins(
    tmp_path: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    first, second = write_rows("a.jsonl", rows(range(1), "oppose")), write_rows("b.jsonl", many())
    manifest = build(make_config(train=[first, second]))
    assert manifest["set_aside"] == {"repeats a text with other labels": 1}
    (kept,) = [
        row
        for part in ("train", "validation")
        for row in read_jsonl(tmp_path / "out" / f"{part}.jsonl")
        if row["text"] == text(0)
    ]
    assert kept["labels"]["diplomacy"]["stance"] == "oppose"


def test_people_and_an_adjudicator_win_over_a_labelled_file(
    tmp_path: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    votes = [
        {"text": text(n), "labels": {"diplomacy": {"present": True, "stance": stance}}, "annotator": name}
        for n in range(2)
        for name, stance in (("أمل", "oppose"), ("سعد", "oppose" if n else "neutral"))
    ]
    decided = {
        "text": text(0),
        "at_issue": ["diplomacy"],
        "labels": {"diplomacy": {"present": True, "stance": "neutral"}},
    }
    manifest = build(
        make_config(
            train=[write_rows("a.jsonl", many())],
            votes=[write_rows("v.jsonl", votes)],
            adjudicated=[write_rows("d.jsonl", [decided])],
        )
    )
    found = {
        row["text"]: row["labels"]["diplomacy"]["stance"]
        for part in ("train", "validation")
        for row in read_jsonl(tmp_path / "out" / f"{part}.jsonl")
    }
    assert (found[text(0)], found[text(1)], found[text(2)]) == ("neutral", "oppose", "support")
    assert manifest["agreement"]["readings"] is None
    assert manifest["agreement"]["votes"][1]["segments"] == 2


def test_dates_of_labelled_files_are_read_before_they_are_compared(
    tmp_path: Path, schema: LabelSchema, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    data = rows(range(30), provenance={"date": "31/12/2021"}) + rows(range(40, 60), provenance={"date": "05/06/2025"})
    data += rows(range(70, 72), provenance={"date": "أمس"})
    split = {"method": "time", "test_from": "2024-01-01"}
    manifest = build(make_config(train=[write_rows("a.jsonl", data)], split=split))
    assert set(manifest["months"]) == {"2021-12", "2025-06"}
    assert manifest["segments"]["test"] == 20
    assert manifest["unreadable_dates"] == 2 and manifest["set_aside"] == {"has no date": 2}


def test_source_that_does_not_occur_is_an_error_that_names_those_that_do(
    write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    data = write_rows("a.jsonl", rows(range(30), provenance={"source": "antcorpus"}))
    with pytest.raises(DataError, match="no segment comes from Antcorpus; the sources are antcorpus"):
        build(make_config(train=[data], split={"method": "source", "test_sources": ["Antcorpus"]}))


def test_article_file_without_an_article_stops_the_build(
    tmp_path: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    (tmp_path / "x.csv").write_text("title,body\nأ,ب\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"x\.csv: no article could be read \(no column 'text'"):
        build(make_config(train=[write_rows("a.jsonl", many())], articles=[tmp_path / "x.csv"]))


def test_a_users_own_id_is_kept(tmp_path: Path, write_rows: Write, make_config: Callable[..., BuildConfig]) -> None:
    build(make_config(train=[write_rows("a.jsonl", [dict(row, id=f"mine-{n}") for n, row in enumerate(many())])]))
    ids = {row["provenance"]["id"] for row in read_jsonl(tmp_path / "out" / "train.jsonl")}
    assert ids <= {f"mine-{n}" for n in range(80)} and len(ids) > 50


def test_articles_under_one_headline_are_different_clusters(
    tmp_path: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    data = [
        {"text": line, "article_id": f"a{n}", "labels": {"diplomacy": {"present": True, "stance": "support"}}}
        for n in range(40)
        for line in ("النشرة السياسية ليوم غد", text(n), text(100 + n))
    ]
    manifest = build(make_config(train=[write_rows("a.jsonl", data)], split={"validation": 0.3}))
    assert manifest["near_duplicates"]["clusters"] == 40
    assert manifest["set_aside"] == {"repeats a text": 39}


def test_article_cut_otherwise_stays_where_it_was(
    tmp_path: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    labels = {"diplomacy": {"present": True, "stance": "support"}}

    def parts(pieces: int) -> dict[str, str]:
        rows_ = [
            {"text": piece, "article_id": f"a{n}", "labels": labels}
            for n in range(40)
            for piece in (
                [*text(n, 60).split("و30")[:1], text(200 + n)] if pieces == 1 else [text(n, 60), text(200 + n)[9:]]
            )
        ]
        build(make_config(train=[write_rows("a.jsonl", rows_)], split={"validation": 0.3, "test": 0.2}))
        return {
            row["article_id"]: part
            for part in ("train", "validation", "test")
            for row in read_jsonl(tmp_path / "out" / f"{part}.jsonl")
        }

    assert parts(1) == parts(2)


def test_copy_by_a_held_out_outlet_of_a_training_article_is_set_aside(
    tmp_path: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    data = [row for n in range(4) for row in rows(range(20 * n, 20 * n + 10), provenance={"source": f"s{n}"})]
    split = {"method": "source", "test_sources": ["s3"], "validation": 0.2}
    config = make_config(train=[write_rows("a.jsonl", data)], split=split)
    build(config)
    copy = {"text": text(0) + " وزيادة", "labels": data[0]["labels"], "provenance": {"source": "s3"}}
    manifest = build(config.model_copy(update={"train": [*config.train, write_rows("b.jsonl", [copy])]}))
    assert manifest["set_aside"] == {"belongs to another part than its near-duplicates": 1}


def test_rebuilding_gives_the_same_bytes_where_segments_were_dropped_for_overlap(
    tmp_path: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    # Pairs of long texts share one run of 13 words: no near-duplicates, but an overlap where they fall apart.
    data = []
    for n in range(60):
        shared = text(500 + n, 13)
        data += [{"text": f"{text(n, 70)} {shared}"}, {"text": f"{shared} {text(200 + n, 70)}"}]
    labels = {"diplomacy": {"present": True, "stance": "support"}}
    config = make_config(
        train=[write_rows("a.jsonl", [row | {"labels": labels} for row in data])],
        split={"validation": 0.3, "test": 0.2},
    )
    manifest = build(config)
    assert any(reason.startswith("shares text") for reason in manifest["set_aside"])
    first = files(tmp_path / "out")
    build(config)
    assert files(tmp_path / "out") == first


def test_given_parts_that_nearly_repeat_one_another_cost_the_validation_part(
    write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    test, validation = rows(range(900, 910)), rows(range(910, 930))
    validation.append({"text": test[0]["text"] + " وزيادة", "labels": test[0]["labels"]})
    manifest = build(
        make_config(
            train=[write_rows("a.jsonl", many())],
            validation=[write_rows("v.jsonl", validation)],
            test=[write_rows("t.jsonl", test)],
        )
    )
    assert manifest["segments"]["validation"] == 20
    assert manifest["set_aside"] == {"shares text with test": 1}


def test_weakly_labelled_articles_may_be_held_out_once_people_have_read_them(
    tmp_path: Path, rules: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    config = make_config(
        articles=[write_articles(tmp_path / "articles.jsonl", 60)],
        rules=rules,
        train=[write_rows("a.jsonl", many())],
        split={"validation": 0.2, "test": 0.2},
    )
    build(config)
    said = {"diplomacy": {"present": True, "stance": "support"}}
    votes = [
        {"text": f"{text(1000 + n)} بدأت الهدنة أمس.", "labels": said, "annotator": "أمل"} for n in range(0, 60, 3)
    ]
    build(config.model_copy(update={"votes": [write_rows("v.jsonl", votes)]}))
    held = {row["article_id"] for row in read_jsonl(tmp_path / "out" / "test.jsonl")} - {None}
    assert len(held) == 4  # a fifth of twenty


def test_articles_are_not_read_from_where_the_dataset_is_written(
    tmp_path: Path, write_rows: Write, make_config: Callable[..., BuildConfig]
) -> None:
    write_articles(tmp_path / "in.jsonl", 3)
    (tmp_path / "out").mkdir()
    write_articles(tmp_path / "out" / "more.jsonl", 3)
    with pytest.raises(DataError, match="an article file in 'out'"):
        build(make_config(train=[write_rows("a.jsonl", many())], articles=[tmp_path / "out"]))
