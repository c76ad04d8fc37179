from pathlib import Path

import pytest

from naba.errors import DataError
from naba.paths import CHECKOUT, find


def test_path_is_looked_for_here_and_then_in_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find(Path("pyproject.toml")) == CHECKOUT / "pyproject.toml"
    Path("pyproject.toml").touch()
    assert find(Path("pyproject.toml")) == Path("pyproject.toml")
    for absent in (Path("absent"), tmp_path / "absent"):
        assert find(absent) == absent


def test_path_longer_than_any_files_is_no_such_file(tmp_path: Path) -> None:
    for long in (Path("n" * 300), tmp_path / ("n" * 300), Path("n/" * 3000)):
        with pytest.raises(DataError, match="no such file or folder") as told:
            find(long)
        assert len(str(told.value)) < 200


def test_path_in_a_folder_that_may_not_be_entered_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, **_: bool) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refused)
    with pytest.raises(DataError, match=r"x: cannot be read \(Permission denied\); check the rights"):
        find(tmp_path / "x")
