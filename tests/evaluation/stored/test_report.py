import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from naba.config import EvaluateConfig
from naba.errors import DataError
from naba.evaluation.evaluate_run import REPORT_FORMAT, evaluate_run
from naba.evaluation.stored.report import READABLE, check_report, json_schema, read_report

COMMITTED = ["test", "seed-gold"]
BEHAVIOUR = """
kind: minimum
at_least: 0.5
kind_at_least: 0.9
tests:
  - {name: weather, description: No topic at all, labels: {}, cases: ["هطلت أمطار غزيرة على الساحل.", "ارتفعت الحرارة في المدن."]}
  - {name: strike, description: A plain strike, labels: {military_action: neutral}, cases: ["قصفت الطائرات المدينة."]}
"""


@pytest.fixture(scope="module")
def stored(root: Path) -> dict[str, Any]:
    path = root / "models" / "naba-news" / "reports" / "seed-gold" / "report.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.fixture
def report(stored: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(stored)


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_reports_are_read_unchanged(root: Path, name: str) -> None:
    path = root / "models" / "naba-news" / "reports" / name / "report.json"
    assert read_report(path) == json.loads(path.read_text(encoding="utf-8"))


def test_report_just_written_has_no_key_that_the_form_lacks(
    tiny_run: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "minimum.yaml").write_text(BEHAVIOUR, encoding="utf-8")
    config = EvaluateConfig(
        data=[root / "data" / "seed-gold.jsonl"],
        compare=[str(tiny_run)],
        cache=None,
        behaviour=tmp_path / "suite",
        resamples=200,
        device="cpu",
    )
    report = evaluate_run(tiny_run, config)
    assert max(READABLE) == REPORT_FORMAT
    # In memory some parts are tuples; as JSON they are lists.
    assert check_report(report, "report") is report
    assert report["behaviour"]["tests"]
    assert report["curves"]
    check_report(json.loads(json.dumps(report)), "report")
    # A run whose data is gone, and that no baseline can be fitted for.
    monkeypatch.setattr("naba.evaluation.material._recorded", lambda record, part: ([], []))
    bare = evaluate_run(tiny_run, config.model_copy(update={"texts": False, "behaviour": None, "compare": []}))
    assert (bare["train"], bare["behaviour"], bare["errors"]["texts"]) == (None, None, None)
    assert "scores" not in bare["systems"]["tfidf"]
    check_report(bare, "report")


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(report: dict[str, Any]) -> None:
        *above, last = path.split("/")
        place: Any = report
        for key in above:
            place = place[int(key) if isinstance(place, list) else key]
        place[last] = value

    return change


def _drop(path: str) -> Callable[[dict[str, Any]], None]:
    def change(report: dict[str, Any]) -> None:
        *above, last = path.split("/")
        place: Any = report
        for key in above:
            place = place[int(key) if isinstance(place, list) else key]
        del place[last]

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_drop("leaks"), "leaks: is missing"),
        (_drop("leaks/dropped"), "leaks.dropped: is missing"),
        (_set("leak", {}), "leak: is unknown"),
        (_set("errors/texts_of_test", []), "errors.texts_of_test: is unknown"),
        (_set("segments", "84"), "segments: input should be a valid integer"),
        (_set("segments", True), "segments: input should be a valid integer"),
        (_set("segments", -1), "segments: input should be greater than or equal to 0"),
        (_set("systems/model/scores/exact_match", 59.5), "systems.model.scores.exact_match: .*less than or equal to 1"),
        (_set("systems/model/scores/pairs/f1", float("nan")), "systems.model.scores.pairs.f1: .*finite"),
        (_set("systems/model/intervals/pairs.f1", [0.5]), "systems.model.intervals.pairs.f1.1: is missing"),
        (_set("slices/0/scores/pairs.f1/p", 1), "slices.0.scores.pairs.f1.p: is unknown"),
        (_set("trust/after/topics/diplomacy/ece", "low"), "trust.after.topics.diplomacy.ece: .*valid number"),
        (_set("date", None), "date: input should be a valid string"),
        (_drop("systems/model"), "systems.model.scores: is missing"),
        (_drop("systems/tfidf/scores"), "systems.tfidf: has neither scores nor a reason"),
        (_drop("systems/tfidf/detectable"), "systems.tfidf.detectable: is missing"),
        (_set("schema/topics", ["oil"]), "systems.model.scores.topics.per_topic: other topics than schema.topics"),
        (_set("format", 5), "report format 5 is of a newer naba; update naba"),
        (_set("format", 1), "report format 1 lacks most parts; evaluate the run again"),
        (_set("format", "2"), "format: "),
        (_drop("format"), "format: is missing"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_its_path(
    report: dict[str, Any], change: Callable[[dict[str, Any]], None], says: str
) -> None:
    change(report)
    with pytest.raises(DataError, match=rf"^here: .*{says}") as error:
        check_report(report, "here")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"format": 2}'])
def test_file_that_is_no_report_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"report\.json: "):
        read_report(path)
    with pytest.raises(DataError, match="no such file"):
        read_report(tmp_path / "none.json")


def test_json_schema_says_what_keys_mean_and_allows_no_other() -> None:
    for kind in ("report", "comparison"):
        form = json_schema(kind)  # type: ignore[arg-type]
        assert json.loads(json.dumps(form)) == form
        objects = [form, *(part for part in form["$defs"].values() if "properties" in part)]
        assert all(part["additionalProperties"] is False for part in objects)
        assert all(part["description"] for part in objects)
    form = json_schema()
    assert form["properties"]["format"]["enum"] == list(READABLE)
    assert "curves" not in form["required"]
