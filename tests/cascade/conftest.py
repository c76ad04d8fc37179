"""A tiny run with a first stage."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from naba.cascade.config import CascadeConfig
from naba.cascade.make import make_cascade


@pytest.fixture(scope="session")
def cascaded(tiny_run: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A run with a first stage for recalls 0.8 and 0.99, of which its 160 segments can certify the first alone."""
    folder = tmp_path_factory.mktemp("cascaded") / "run"
    shutil.copytree(tiny_run, folder)
    config = CascadeConfig(
        recalls=[0.99, 0.8], unlabelled=[root / "seeds"], unlabelled_segments=20, corpus=[root / "seeds"]
    )
    return folder, make_cascade(folder, config)
