import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from naba.calibration import Decision
from naba.config import EvaluateConfig
from naba.errors import CheckpointError, ConfigError, DataError
from naba.evaluation.card.card import write_card
from naba.evaluation.card.facts import RunFacts, gather, plain
from naba.evaluation.card.sections import SECTIONS, sections
from naba.evaluation.evaluate_run import evaluate_run
from naba.evaluation.figures import figure
from naba.evaluation.report import write_report
from naba.evaluation.wording import warnings
from naba.fingerprint import run_mark
from naba.schema import LabelSchema


@pytest.fixture(scope="module")
def run(tiny_run: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a report that holds words of its test data."""
    folder = tmp_path_factory.mktemp("card") / "mine"
    shutil.copytree(tiny_run, folder)
    config = EvaluateConfig(data=[root / "data" / "seed-gold.jsonl"], baselines="fast", resamples=200, device="cpu")
    report = json.loads(json.dumps(evaluate_run(folder, config)))
    assert report["errors"]["texts"]
    report["behaviour"] = {
        "distinct_texts": 3,
        "given_segments": 0,
        "kinds": {
            "minimum": {
                "tests": 2,
                "gates_missed": 1,
                "cases": 3,
                "passed": 2,
                "pass_rate": 0.6667,
                "mean_test_pass_rate": 0.75,
                "at_least": 0.9,
            }
        },
        "gates_missed": {"minimum": [0.6667, 0.9]},
        "tests": [],
    }
    write_report(folder, report)
    return folder


@pytest.fixture(scope="module")
def facts(run: Path) -> RunFacts:
    return gather(run)


@pytest.fixture
def card(facts: RunFacts, tmp_path: Path) -> str:
    write_card(tmp_path / "README.md", facts, license="apache-2.0")
    return (tmp_path / "README.md").read_text(encoding="utf-8")


def test_metadata_is_what_the_hub_reads_and_its_figures_are_the_reports(
    card: str, facts: RunFacts, tmp_path: Path
) -> None:
    loaded = ModelCard.load(tmp_path / "README.md")
    assert (loaded.data.language, loaded.data.license) == ("ar", "apache-2.0")
    assert (loaded.data.library_name, loaded.data.pipeline_tag) == ("naba", "text-classification")
    assert loaded.data.model_name == "mine"
    scores = facts.reports[0]["systems"]["model"]["scores"]
    results = {result.metric_name: result for result in loaded.data.eval_results or []}
    assert {name: result.metric_value for name, result in results.items()} == {
        "(topic, stance) pair F1": scores["pairs"]["f1"],
        "topic macro-F1": scores["topics"]["macro_f1"],
        "stance macro-F1 given the topic": scores["stances"]["macro_f1"],
        "exact match": scores["exact_match"],
    }
    for result in results.values():
        assert (result.dataset_name, [result.dataset_revision]) == (
            "seed-gold.jsonl",
            list(facts.reports[0]["data"].values()),
        )
    # Hub clients write a card again as they have read it.
    loaded.save(tmp_path / "saved.md")
    assert (tmp_path / "saved.md").read_text(encoding="utf-8") == card


def test_card_says_everything_of_its_report(card: str, facts: RunFacts, schema: LabelSchema) -> None:
    model = facts.reports[0]["systems"]["model"]
    for topic in schema.topics:
        assert f"**{topic.id}**" in card
        assert " ".join(topic.definition.split()) in card
        rates = model["scores"]["topics"]["per_topic"][topic.id]
        assert (
            f"| {topic.id} | {figure(rates['precision'])} | {figure(rates['recall'])} | {figure(rates['f1'])}" in card
        )
        for stance, meaning in topic.stances.items():
            assert f"- {stance}: {' '.join(meaning.split())}" in card
            pair = model["scores"]["pairs"]["per_pair"][topic.id][stance]
            shown = f"{figure(pair['precision'])} | {figure(pair['recall'])} | {figure(pair['f1'])}"
            dashes = "– | – | –"
            assert f"| {topic.id} | {stance} | {shown if pair['support'] or pair['predicted'] else dashes}" in card
    tfidf = facts.reports[0]["systems"]["tfidf"]
    low, high = tfidf["intervals"]["pairs.f1"]
    assert f"{tfidf['scores']['pairs']['f1']:.3f} [{low:.3f}, {high:.3f}]" in card
    for line in (
        "| TF-IDF + logistic regression |",
        "one reader twice (consistency, not a human ceiling)",
        "- no segment shares an article, 13 words in a row or a near-duplicate with the training data",
        "| minimum | 2 | 1 | 3 | 0.667 | 0.90 |",
        "160 of 160 segments of the training data were authored, not published: they say nothing about real news",
        "84 of 84 segments of seed-gold.jsonl were labelled by language-model, not by people",
        "| naba-authored | 160 |",
        "| Apache-2.0 | 160 |",
        "naba label articles.jsonl --out labelled --model mine",
        "| military_action | presence |",
    ):
        assert line in card, line


def test_card_holds_no_words_of_the_data(card: str, root: Path) -> None:
    files = [root / "data" / "seed-gold.jsonl", root / "data" / "authored.jsonl"]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    texts = [json.loads(line)["text"].split() for line in lines]
    said = {" ".join(words[n : n + 3]) for words in texts for n in range(len(words) - 2)}
    assert [run for run in said if run in card] == []


def test_same_facts_give_the_same_card(card: str, run: Path, tmp_path: Path) -> None:
    write_card(tmp_path / "again.md", gather(run, [run]), license="apache-2.0")
    assert (tmp_path / "again.md").read_text(encoding="utf-8") == card
    write_card(tmp_path / "again.md", gather(run, [run / "report.json"]))
    assert (tmp_path / "again.md").read_text(encoding="utf-8") == card


def test_learning_curve_is_shown_where_it_stands_beside_the_card(facts: RunFacts, run: Path, tmp_path: Path) -> None:
    assert facts.curve
    write_card(tmp_path / "README.md", facts)
    assert facts.curve not in (tmp_path / "README.md").read_text(encoding="utf-8")
    shutil.copy(run / facts.curve, tmp_path)
    write_card(tmp_path / "README.md", facts)
    assert f"]({facts.curve})" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_what_its_owner_wrote_stays(card: str, facts: RunFacts, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    mine = card.replace("library_name: naba\n", "library_name: naba\nthumbnail: cover.png\n")
    mine = mine.replace("# mine\n", "# My labeller\n\nتعليق بيدي.\n")
    mine = mine.replace("<!-- naba:begin data -->", "Between sections.\n\n<!-- naba:begin data -->")
    mine = re.sub(r"<!-- naba:begin recipe -->.*<!-- naba:end recipe -->\n", "", mine, flags=re.S)
    mine = mine.replace("## Limits", "## Old limits").replace("value: ", "value: 9", 1) + "\nThe end.\n"
    path.write_text(mine, encoding="utf-8")
    write_card(path, facts)
    written = path.read_text(encoding="utf-8")
    for kept in (
        "thumbnail: cover.png\n",
        "# My labeller\n\nتعليق بيدي.\n",
        "Between sections.\n",
        "\nThe end.\n",
        "license: apache-2.0",
    ):
        assert kept in written, kept
    assert "## Recipe" not in written
    assert "## Limits" in written
    assert "## Old limits" not in written
    assert (
        ModelCard.load(path).data.eval_results[0].metric_value
        == facts.reports[0]["systems"]["model"]["scores"]["pairs"]["f1"]
    )  # type: ignore[index]
    write_card(path, facts)
    assert path.read_text(encoding="utf-8") == written
    write_card(path, facts, languages=["ar", "arz"], license="cc-by-4.0")
    loaded = ModelCard.load(path)
    assert (loaded.data.language, loaded.data.license) == (["ar", "arz"], "cc-by-4.0")
    assert next(iter(loaded.data.to_dict())) == "language"


def test_what_is_known_of_data_that_is_gone_is_kept_for_the_same_run(
    card: str, facts: RunFacts, tmp_path: Path
) -> None:
    path = tmp_path / "README.md"
    elsewhere = replace(facts, training=None, tests=[None])
    write_card(path, elsewhere)
    assert path.read_text(encoding="utf-8") == card
    write_card(path, replace(elsewhere, record={**facts.record, "date": "2030-01-01T00:00:00Z"}))
    text = path.read_text(encoding="utf-8")
    assert "The training files were not at hand" in text
    assert "labelled by language-model" not in text


def test_card_without_markers_is_not_lost(card: str, facts: RunFacts, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("---\nlicense: mit\n---\n# By hand\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"without naba's markers.*--overwrite"):
        write_card(path, facts)
    assert "By hand" in path.read_text(encoding="utf-8")
    path.write_text("# By hand\n\n<!-- naba:begin all -->\n<!-- naba:end all -->\n\nEnd.\n", encoding="utf-8")
    write_card(path, facts, license="apache-2.0")
    written = path.read_text(encoding="utf-8")
    assert written.startswith("---\nlanguage: ar\n")
    assert "# By hand\n\n<!-- naba:begin labels -->" in written
    assert "<!-- naba:end provenance -->\n\nEnd.\n" in written
    write_card(path, facts, license="apache-2.0", overwrite=True)
    assert path.read_text(encoding="utf-8") == card


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<!-- naba:begin use -->\n", "section use does not end"),
        ("<!-- naba:end use -->\n", "section use ends but has not begun"),
        ("<!-- naba:begin use -->\n<!-- naba:begin data -->\n", "section data begins inside section use"),
        ("<!-- naba:begin use -->\n<!-- naba:end use -->\n" * 2, "section use begins a second time"),
        ("<!-- naba:begin usage -->\n", "no section 'usage'; there are all, labels, use"),
        (
            "---\nlicense: [\n---\n<!-- naba:begin use -->\n<!-- naba:end use -->\n",
            "metadata at its head cannot be read",
        ),
        ("---\n- a\n---\n<!-- naba:begin use -->\n<!-- naba:end use -->\n", "metadata at its head cannot be read"),
    ],
)
def test_broken_card_is_told_and_left(facts: RunFacts, tmp_path: Path, body: str, says: str) -> None:
    path = tmp_path / "README.md"
    path.write_text(body, encoding="utf-8")
    with pytest.raises(DataError, match=rf"README\.md: .*{says}") as error:
        write_card(path, facts)
    assert "\n" not in str(error.value)
    assert path.read_text(encoding="utf-8") == body


def test_report_of_another_run_is_refused(run: Path, tmp_path: Path) -> None:
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))

    def written(**changes: Any) -> Path:
        (tmp_path / "report.json").write_text(json.dumps(report | changes))
        return tmp_path

    with pytest.raises(DataError, match="is of another run, or of this one before it was trained anew"):
        gather(run, [written(mark=None, history=report["history"][:-1])])
    with pytest.raises(DataError, match="other topics or stances"):
        gather(run, [written(schema=report["schema"] | {"fingerprint": "0" * 12})])
    with pytest.raises(DataError, match="a second report on the same data"):
        gather(run, [run, written()])
    assert len(gather(run, [run, written(data={"other.jsonl": "0" * 16})]).reports) == 2
    with pytest.raises(DataError, match="is of another run"):
        gather(run, [written(mark=f"mine@{'0' * 16}")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty/report\.json: no such file"):
        gather(run, [tmp_path / "empty"])


def test_report_is_known_by_the_files_of_its_run_or_else_by_its_learning_curve(run: Path, tmp_path: Path) -> None:
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    moved, other, bare = (shutil.copytree(run, tmp_path / name) for name in ("moved", "other", "bare"))
    (bare / "model.safetensors").unlink()
    with (other / "decision.json").open("a") as file:
        file.write("\n")  # other bytes stand for other thresholds

    def cards(folder: Path, **changes: Any) -> bool:
        path = tmp_path / "report.json"
        path.write_text(json.dumps({key: value for key, value in (report | changes).items() if value != "absent"}))
        try:
            return bool(gather(folder, [path]).reports)
        except DataError as error:
            assert "is of another run, or of this one before it was trained anew; evaluate this run" in str(error)
            return False

    marked = {"mark": run_mark(run)}
    assert cards(run, **marked) and cards(moved, **marked) and not cards(other, **marked)
    assert cards(run, **marked, history=None)
    # Nothing to compare a mark with, or no mark: the curve, which knows no thresholds.
    assert cards(bare, **marked) and not cards(bare, **marked, history=[])
    for mark in ("absent", None):
        assert cards(moved, mark=mark) and cards(other, mark=mark) and not cards(run, mark=mark, history=[])
    # Neither has a curve: the name.
    record = json.loads((moved / "run.json").read_text())
    (moved / "run.json").write_text(json.dumps(record | {"history": None}))
    assert [
        cards(moved, mark="absent", history=None, run=name)
        for name in ("models/moved", "runs\\moved\\", "models/mine", "moved/checkpoint-3", "")
    ] == [True, True, False, False, False]
    assert not cards(run, mark="absent", history=None, run="mine")


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"authored": 1}, False),
        ({"leaks": {"in_training": 3, "in_validation": 0, "dropped": False, "allowed": True}}, False),
        ({"leaks": {"in_training": 0, "in_validation": 3, "dropped": True, "allowed": True}}, False),
        ({"leaks": {"in_training": None, "in_validation": 0, "dropped": True, "allowed": True}}, False),
        ({"leaks": {"in_training": 3, "in_validation": 0, "dropped": True, "allowed": True}}, True),
        ({"leaks": {"in_training": 0, "in_validation": 0, "dropped": False, "allowed": True}}, True),
        ({"leaks": {"in_training": None, "in_validation": None, "dropped": False, "allowed": False}}, True),
    ],
)
def test_hub_is_given_no_figures_that_say_nothing_of_new_text(
    facts: RunFacts, tmp_path: Path, changes: dict[str, Any], kept: bool
) -> None:
    report = json.loads(json.dumps(facts.reports[0])) | changes | {"data": {"other.jsonl": "0" * 16}}
    path = tmp_path / "README.md"
    for reports in ([report], [facts.reports[0], report]):
        write_card(path, replace(facts, reports=reports, tests=[None] * len(reports)))
        results = ModelCard.load(path).data.eval_results or []
        assert ("other.jsonl" in {result.dataset_name for result in results}) is kept
        assert len(results) == 4 * (len(reports) - (not kept))
        text = path.read_text(encoding="utf-8")
        assert ("model-index" in text) is bool(results)
        assert "### On other.jsonl" in text
        for line in warnings(report):
            assert line in text
    assert any("**" in line for line in warnings(report)) or kept or changes["leaks"]["in_training"] is None


def test_what_is_no_finished_run_is_told(run: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json is missing; a card is made for a finished run"):
        gather(tmp_path)
    shutil.copytree(run, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    del record["segments"]["train"]
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match=r"run\.json: not as naba writes it: segments\.train: is missing"):
        gather(tmp_path / "run")


def test_run_that_was_not_evaluated_has_a_card_that_says_so(tiny_run: Path, tmp_path: Path) -> None:
    facts = replace(gather(tiny_run), training=None)
    assert facts.reports == []
    write_card(tmp_path / "README.md", facts)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "it was not evaluated: its figures are of validation alone" in text
    assert "The training files were not at hand" in text
    assert "model-index" not in text
    assert ModelCard.load(tmp_path / "README.md").data.eval_results is None


def test_names_from_outside_cannot_break_out_of_a_section(facts: RunFacts, tmp_path: Path) -> None:
    hostile = "<!-- naba:end data -->\n\n<script>alert(1)</script> `x` | \u202eevil" + "ا" * 500
    assert facts.training
    sources = {hostile: next(iter(facts.training["sources"].values()))}
    path = tmp_path / "README.md"
    for _ in range(2):
        write_card(path, replace(facts, training={**facts.training, "sources": sources, "licences": {hostile: 160}}))
        text = path.read_text(encoding="utf-8")
        assert "<script" not in text
        assert "\u202e" not in text
        assert text.count("naba:end data -->") == 1 + 2  # its own marker, and twice what cannot be one
        assert len(re.findall(r"^<!-- naba:end data -->$", text, re.M)) == 1
    assert plain("a\nb  <b>") == "a b &lt;b>"


def test_schema_of_a_user_needs_nothing_but_itself(facts: RunFacts, markets: LabelSchema, tmp_path: Path) -> None:
    other = replace(facts, schema=markets, decision=Decision({}), reports=[], tests=[], training=None)
    made = sections(other)
    assert tuple(made) == SECTIONS
    text = "\n".join(line for lines in made.values() for line in lines)
    assert "**housing** (housing, عقار): test" in text
    assert "- pessimistic: falling" in text
    assert "| labour | 0.500 | 1.000 | 1.000 |" in text


@pytest.mark.parametrize(
    ("options", "says"),
    [({"license": "Apache 2.0"}, "--license Apache 2.0"), ({"languages": ["Arabic"]}, "--language Arabic")],
)
def test_ids_that_the_hub_would_refuse_are_told(
    facts: RunFacts, tmp_path: Path, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        write_card(tmp_path / "README.md", facts, **options)
    assert not (tmp_path / "README.md").exists()
