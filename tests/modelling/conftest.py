from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny encoder of tests.modelling.encoders, built once; copy it before changing it."""
    from tests.modelling.encoders import build

    built: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in built:
            built[family] = build(family, tmp_path_factory.mktemp("encoder") / family)
        return built[family]

    return folder
