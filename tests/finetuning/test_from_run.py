import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from naba.errors import CheckpointError, ConfigError, DataError
from naba.finetuning.from_run import RecordedRun, differences
from naba.run import environment
from tests.conftest import FOUR_TOPICS, Run


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path) -> Path:
    """A finished run in another place than it was trained in."""
    return shutil.copytree(tiny_run, tmp_path / "elsewhere" / "run")


def changed(folder: Path, change: Callable[[dict[str, Any]], Any], *overrides: str) -> RecordedRun:
    record = json.loads((folder / "run.json").read_text())
    change(record)
    (folder / "run.json").write_text(json.dumps(record))
    return RecordedRun.read(folder, overrides)


def fault(result: tuple[int, str, str]) -> str:
    code, _, errors = result
    assert code == 2
    assert len(errors.strip().splitlines()) == 1, errors
    return errors


def test_run_trained_again_has_the_same_weights(naba: Run, run: Path, tmp_path: Path) -> None:
    code, _, errors = naba("train", "--from-run", run, "--out", "again")
    assert code == 0, errors
    assert "going on" not in errors
    assert "may differ" not in errors
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()
    before, after = (json.loads((folder / "run.json").read_text()) for folder in (run, tmp_path / "again"))
    varying = {"config", "date", "seconds", "commit", "history"}
    assert {key: before[key] for key in before.keys() - varying} == {key: after[key] for key in after.keys() - varying}
    assert after["config"]["precision"] == before["precision"]
    # The run itself is replaced only where that is asked for.
    assert "--overwrite" in fault(naba("train", "--from-run", run, "--out", run))
    assert (run / "model.safetensors").is_file()


def test_configuration_is_the_recorded_one_with_the_machinery_that_was_used(run: Path) -> None:
    def older(record: dict[str, Any]) -> None:
        record["precision"] = "bfloat16"
        record["config"]["device"] = "auto"

    before = changed(run, older, "epochs=1", "dropout=0")
    config = before.config(Path("again"))
    assert (config.out, config.epochs, config.dropout) == (Path("again"), 1, 0)
    assert (config.precision, config.device) == ("bfloat16", "cpu")
    assert [str(source.path) for source in config.train] == [item["path"] for item in before.record["config"]["train"]]
    assert RecordedRun.read(run, ["device=auto", "out=x"]).config().device == "auto"


def test_data_that_changed_since_is_refused_and_named(naba: Run, run: Path, tmp_path: Path) -> None:
    changed(run, lambda record: record["data"].update({record["config"]["validation"][0]: "0000"}))
    told = fault(naba("train", "--from-run", run, "--out", "again"))
    assert "validation.jsonl: has other content than when" in told
    assert "--set validation=[…]" in told
    assert not (tmp_path / "again").exists()


def test_encoder_and_schema_that_changed_since_are_refused(naba: Run, run: Path, tmp_path: Path) -> None:
    changed(run, lambda record: record["encoder"].update(fingerprint="0000"))
    assert "has other weights than when" in fault(naba("train", "--from-run", run, "--out", "again"))
    (tmp_path / "labels.yaml").write_text(yaml.safe_dump(FOUR_TOPICS, allow_unicode=True), encoding="utf-8")
    changed(run, lambda record: record["config"].update(labels=str(tmp_path / "labels.yaml")))
    told = fault(naba("train", "--from-run", run, "--out", "again"))
    assert "is not in the label schema" in told  # the data still has the topics of the run
    assert not (tmp_path / "again").exists()


def test_what_set_changes_on_purpose_is_not_compared(run: Path) -> None:
    record = RecordedRun.read(run).record
    train, validation = record["data"]
    other = dict(record) | {"encoder": {"fingerprint": "0"}, "schema": {"fingerprint": "0"}}
    other["data"] = {train: "0", validation: "0"}
    # One after the other is said to be meant, and the next is found.
    overrides: list[str] = []
    for override, says in {
        f"train=[{train}]": "train.jsonl: has other content",
        f"validation=[{validation}]": "validation.jsonl: has other content",
        f"labels={record['config']['labels']}": "other topics and stances",
        f"encoder={record['config']['encoder']}": "other weights",
    }.items():
        with pytest.raises((DataError, CheckpointError), match=says):
            RecordedRun.read(run, overrides).check(other)
        overrides.append(override)
    RecordedRun.read(run, overrides).check(other)


def test_data_that_is_not_there_is_told_with_what_to_do(naba: Run, run: Path) -> None:
    changed(run, lambda record: record["config"].update(validation=["data/mine.jsonl"]))
    told = fault(naba("train", "--from-run", run, "--out", "again"))
    assert "data/mine.jsonl: no such file" in told
    assert "--set validation=[…]" in told


def test_other_machinery_is_warned_of(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    def older(record: dict[str, Any]) -> None:
        record["processes"], record["hardware"]["threads"], record["hardware"]["cpu"] = 2, 64, "NONE"
        record["versions"]["torch"] = "2.0"

    before = changed(run, older)
    with caplog.at_level(logging.WARNING):
        before.check(dict(before.record) | {"processes": 1})
    told = caplog.text
    assert "was trained by 2 processes, now by 1: each draws its own dropout, so this gives another model" in told
    assert "was trained with 64 threads, now with" in told
    assert "was trained on NONE (cpu), now" in told
    assert "was trained with torch 2.0, now" in told
    assert len(caplog.messages) == 4


def test_same_machinery_is_not() -> None:
    now = {"processes": 1} | environment()
    assert differences(now, now) == []
    assert differences({"processes": 1}, now) == []


def test_run_of_an_earlier_naba_says_what_it_does_not_record(naba: Run, run: Path, tmp_path: Path) -> None:
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    for key in ("encoder", "precision", "device", "processes"):
        del record[key]
    (tmp_path / "earlier").mkdir()
    (tmp_path / "earlier" / "run.json").write_text(json.dumps(record), encoding="utf-8")
    told = fault(naba("train", "--from-run", tmp_path / "earlier", "--out", "again"))
    assert "does not record encoder, precision, device, processes" in told
    assert "into a YAML file" in told


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not JSON"),
        ("[]", "not an object"),
        ("{}", "does not record config"),
        (
            json.dumps(dict.fromkeys(("config", "schema", "encoder", "data", "precision", "device", "processes"))),
            "not as",
        ),
    ],
)
def test_broken_record_is_told(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(CheckpointError, match=says):
        RecordedRun.read(tmp_path)


def test_configuration_that_no_longer_fits_is_told(run: Path) -> None:
    before = changed(run, lambda record: record["config"].update(momentum=0.9))
    with pytest.raises(ConfigError, match=r"--from-run .*unknown key 'momentum'"):
        before.config(Path("again"))


def test_folder_config_and_out_are_asked_for(naba: Run, run: Path, tmp_path: Path) -> None:
    assert "no run of naba" in fault(naba("train", "--from-run", tmp_path, "--out", "again"))
    assert "name the folder of the new run with --out" in fault(naba("train", "--from-run", run))
    assert "give a CONFIG, or --from-run" in fault(naba("train"))
    assert "give a CONFIG, or --from-run" in fault(naba("train", "configs/train.yaml", "--from-run", run))


def test_unfinished_run_is_recorded_too(run: Path) -> None:
    (run / "run.json").unlink()
    assert RecordedRun.read(run).config(Path("again")).epochs == 2
