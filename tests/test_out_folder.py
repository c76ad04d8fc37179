from pathlib import Path

import pytest

from naba.errors import ConfigError
from naba.out_folder import contents, empty, hold


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_folder_is_held_by_one_and_nothing_of_it_stays(tmp_path: Path) -> None:
    out = tmp_path / "models" / "mine"
    with hold(out, lambda: "new") as found:
        assert found == "new"
        with pytest.raises(ConfigError, match="another naba command works there"), hold(out, lambda: None):
            pass
        (out / "run.json").write_text("{}")
    assert names(out) == ["run.json"]
    with hold(out, lambda: contents(out, "train.json")) as held:
        assert held == [out / "run.json"]


def test_folder_that_may_not_be_used_is_left_as_it_is(tmp_path: Path) -> None:
    def refuse() -> None:
        raise ConfigError("mine")

    for out in (tmp_path, tmp_path / "none"):
        with pytest.raises(ConfigError, match="mine"), hold(out, refuse):
            pass
    assert names(tmp_path) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is a file"), hold(tmp_path / "file", lambda: None):
        pass
    with pytest.raises(ConfigError, match="cannot be made"), hold(tmp_path / "file" / "below", lambda: None):
        pass


def test_what_changed_before_the_folder_was_held_is_seen(tmp_path: Path) -> None:
    asked: list[bool] = []

    def check() -> None:
        asked.append((tmp_path / ".lock").exists())

    with hold(tmp_path, check):
        pass
    assert asked == [False, True]


def test_emptied_folder_holds_nothing_and_what_a_link_points_to_stays(tmp_path: Path) -> None:
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "a.txt").write_text("خبر")
    out = tmp_path / "out"
    (out / "checkpoints" / "checkpoint-8").mkdir(parents=True)
    (out / "link").symlink_to(tmp_path / "articles")
    (out / "train.json").write_text("{}")
    with hold(out, lambda: None):
        empty(out, "train.json")
        assert names(out) == [".lock"]
    assert names(tmp_path / "articles") == ["a.txt"]


def test_only_what_a_kill_leaves_of_the_marker_does_not_count(tmp_path: Path) -> None:
    for name in (".lock", ".train.json.a1b2.tmp"):
        (tmp_path / name).write_text("")
    assert contents(tmp_path, "train.json") == contents(tmp_path / "none", "train.json") == []
    (tmp_path / ".notes.tmp").write_text("")
    assert contents(tmp_path, "train.json") == [tmp_path / ".notes.tmp"]
