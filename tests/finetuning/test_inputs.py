from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from naba.config import TrainConfig
from naba.errors import ConfigError, DataError, SchemaError
from naba.finetuning.inputs import check_inputs


@pytest.fixture
def settings(write_rows: Callable[..., Path], root: Path, tmp_path: Path) -> dict[str, Any]:
    data = {name: [write_rows(f"{name}.jsonl", [])] for name in ("train", "validation")}
    return data | {"labels": root / "configs" / "labels.yaml", "out": tmp_path / "run"}


def test_inputs_that_are_there_are_taken(settings: dict[str, Any]) -> None:
    check_inputs(TrainConfig.model_validate(settings))


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        ({"train": []}, ConfigError, "^train: names no file"),
        ({"validation": ["none.jsonl"]}, DataError, "^none.jsonl: no such file, named under 'validation'"),
        ({"train": ["."]}, DataError, r"^\.: is a folder; name under 'train' the JSONL files in it"),
        ({"labels": "none.yaml"}, SchemaError, "none.yaml: the label schema cannot be read"),
        ({"normalisation": "arabert"}, ConfigError, "'arabert' is unknown; known: "),
    ],
)
def test_inputs_that_are_not_are_named(
    settings: dict[str, Any], change: dict[str, Any], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        check_inputs(TrainConfig.model_validate(settings | change))
