"""A folder of behaviour tests written on the spot, and a predictor that goes by words."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from naba.evaluation.behaviour.cases import Decision

Words = Mapping[str, tuple[str, str]]
"""A word → the topic and the stance that it stands for."""
Predict = Callable[[Sequence[str]], list[Decision]]


@pytest.fixture
def predictor() -> Callable[..., Predict]:
    """Make a predictor: `predictor({"هدنة": ("diplomacy", "support")})`; its calls are kept in `.calls`."""

    def make(words: Words) -> Predict:
        def predict(texts: Sequence[str]) -> list[Decision]:
            predict.calls.append(list(texts))  # type: ignore[attr-defined]
            return [{topic: stance for word, (topic, stance) in words.items() if word in text} for text in texts]

        predict.calls = []  # type: ignore[attr-defined]
        return predict

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Write files into a folder of behaviour tests: `folder(tests="kind: …")` makes tests.yaml."""

    def write(**files: str) -> Path:
        path = tmp_path / "behaviour"
        path.mkdir(exist_ok=True)
        for name, content in files.items():
            (path / f"{name}.yaml").write_text(content, encoding="utf-8")
        return path

    return write
