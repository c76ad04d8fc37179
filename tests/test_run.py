import json
import shutil
from pathlib import Path

import pytest

from naba.run import describe_encoder, environment


def test_run_as_an_encoder_tells_the_encoder_that_it_began_with(encoder: Path) -> None:
    for before in ({"name": "models/first"}, {"name": "models/second", "base": "models/first"}):
        (encoder / "run.json").write_text(json.dumps({"encoder": before}))
        assert describe_encoder(str(encoder), None)["base"] == "models/first"
    (encoder / "run.json").write_text("[]")  # not naba's
    assert "base" not in describe_encoder(str(encoder), None)


@pytest.fixture
def encoder(tiny_encoder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_encoder, tmp_path / "encoder")


def test_encoder_is_known_by_its_content_wherever_it_lies(encoder: Path, tmp_path: Path) -> None:
    before = describe_encoder(str(encoder), None)["fingerprint"]
    (encoder / "README.md").write_text("moved")
    (encoder / "run.json").write_text("{}")
    moved = encoder.rename(tmp_path / "moved")
    assert describe_encoder(str(moved), None) == {"name": str(moved), "fingerprint": before}


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"])
def test_encoder_with_another_file_is_another(encoder: Path, name: str) -> None:
    before = describe_encoder(str(encoder), None)
    (encoder / name).write_bytes((encoder / name).read_bytes() + b" ")
    assert describe_encoder(str(encoder), None) != before


def test_encoder_of_the_hub_is_known_by_its_commit() -> None:
    assert describe_encoder("some/encoder", "abc") == {"name": "some/encoder", "commit": "abc"}


def test_environment_names_what_sums_depend_on() -> None:
    found = environment()
    assert found["hardware"].keys() == {"machine", "processor", "cpu", "threads", "gpu"}
    assert found["hardware"]["threads"] >= 1
    assert {"torch", "transformers", "numpy", "python"} <= found["versions"].keys()


def test_processor_is_named() -> None:
    found = environment()["hardware"]
    assert found["processor"] != found["cpu"]
