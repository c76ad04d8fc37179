import json
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from naba.errors import ConfigError
from naba.finetuning.run_folder import (
    check_free,
    claimed,
    drop_old_checkpoints,
    early_stop,
    last_whole_checkpoint,
    resume_point,
)
from naba.notice import NOTICE
from tests.finetuning.conftest import FILES, write_checkpoint

INPUTS: dict[str, Any] = {"config": {"seed": 1, "epochs": 4}, "precision": "float32", "data": {"a.jsonl": "0123"}}


def _cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_newest_checkpoint_is_the_one_with_the_highest_step(checkpoints: Path) -> None:
    (checkpoints / "checkpoint-best").mkdir()  # another's
    assert last_whole_checkpoint(checkpoints) == str(checkpoints / "checkpoint-16")
    write_checkpoint(checkpoints, 104, best=8)
    assert last_whole_checkpoint(checkpoints) == str(checkpoints / "checkpoint-104")
    assert last_whole_checkpoint(checkpoints / "none") is None


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("break_", [_cut, Path.unlink], ids=["cut", "absent"])
def test_broken_checkpoint_is_removed_and_the_one_before_it_used(
    checkpoints: Path, name: str, break_: Callable[[Path], None]
) -> None:
    break_(checkpoints / "checkpoint-16" / name)
    assert last_whole_checkpoint(checkpoints) == str(checkpoints / "checkpoint-8")
    assert not (checkpoints / "checkpoint-16").exists()


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth"])
def test_single_flipped_bit_is_found(checkpoints: Path, name: str) -> None:
    _flip(checkpoints / "checkpoint-16" / name)
    assert last_whole_checkpoint(checkpoints) == str(checkpoints / "checkpoint-8")


def test_checkpoint_is_of_no_use_without_the_best_weights(checkpoints: Path, caplog: pytest.LogCaptureFixture) -> None:
    _cut(checkpoints / "checkpoint-8" / "model.safetensors")
    assert last_whole_checkpoint(checkpoints) is None
    assert "the one before it is used" in caplog.messages[0]
    assert "no other is left: the run starts anew" in caplog.messages[1]


def test_every_process_must_have_left_its_random_state(checkpoints: Path) -> None:
    shutil.rmtree(checkpoints)
    both = ("rng_state_0.pth", "rng_state_1.pth")
    write_checkpoint(checkpoints, 8, None, both)
    write_checkpoint(checkpoints, 16, None, both[:1])
    assert last_whole_checkpoint(checkpoints) == str(checkpoints / "checkpoint-16")
    assert last_whole_checkpoint(checkpoints, processes=2) == str(checkpoints / "checkpoint-8")


def test_checkpoint_tells_whether_the_patience_had_run_out(checkpoints: Path) -> None:
    checkpoint = str(checkpoints / "checkpoint-16")
    assert early_stop(checkpoint, patience=2) == 16
    assert early_stop(checkpoint, patience=3) is None
    assert early_stop(checkpoint, patience=0) is None


@pytest.mark.parametrize("newest", [3, 6, 9, 12])
def test_checkpoint_before_a_broken_one_is_usable_whichever_was_the_best(tmp_path: Path, newest: int) -> None:
    folder = tmp_path / "checkpoints"
    best = {3: 3, 6: 3, 9: 9, 12: 9}  # until each step
    for step in range(3, newest + 1, 3):
        write_checkpoint(folder, step, best[step])
        drop_old_checkpoints(folder)
    kept = {3: {3}, 6: {3, 6}, 9: {3, 6, 9}, 12: {9, 12}}[newest]
    assert {path.name for path in folder.iterdir()} == {f"checkpoint-{step}" for step in kept}
    _cut(folder / f"checkpoint-{newest}" / "optimizer.pt")
    before = str(folder / f"checkpoint-{newest - 3}") if newest > 3 else None
    assert last_whole_checkpoint(folder) == before


def test_broken_state_is_no_reason_to_keep_a_checkpoint(checkpoints: Path) -> None:
    (checkpoints / "checkpoint-8" / "trainer_state.json").write_text("{")
    write_checkpoint(checkpoints, 24, best=24)
    write_checkpoint(checkpoints, 32, best=24)
    drop_old_checkpoints(checkpoints)
    assert sorted(path.name for path in checkpoints.iterdir()) == ["checkpoint-24", "checkpoint-32"]


def test_user_is_told_where_the_run_goes_on(checkpoints: Path, caplog: pytest.LogCaptureFixture) -> None:
    out = checkpoints.parent
    caplog.set_level(NOTICE)
    assert resume_point(out, processes=1) == str(checkpoints / "checkpoint-16")
    assert caplog.messages == [f"{out}: going on from the checkpoint of step 16 of an interrupted run"]


def take(out: Path, inputs: dict[str, Any], overwrite: bool = False) -> None:
    with claimed(out, inputs, overwrite=overwrite):
        pass


def test_folder_is_taken_once_and_taken_up_again(tmp_path: Path) -> None:
    take(tmp_path / "run", INPUTS)
    (tmp_path / "run" / "checkpoints").mkdir()
    take(tmp_path / "run", INPUTS)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"checkpoints", "train.json"}


def test_second_command_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with claimed(tmp_path / "run", INPUTS, overwrite=False):
        for overwrite in (False, True):
            with pytest.raises(ConfigError, match="run: another naba command works there"):
                take(tmp_path / "run", INPUTS, overwrite)
    take(tmp_path / "run", INPUTS)


def test_run_of_other_inputs_is_refused_naming_them(tmp_path: Path) -> None:
    other = INPUTS | {"config": {"seed": 2, "epochs": 4}, "data": {"a.jsonl": "4567"}}
    take(tmp_path / "run", INPUTS)
    take(tmp_path / "run", other)  # nothing is lost: there is no checkpoint yet
    take(tmp_path / "run", INPUTS)
    write_checkpoint(tmp_path / "run" / "checkpoints", 8, best=8)
    with pytest.raises(
        ConfigError, match="an unfinished run that differs in seed, data; choose another 'out', or pass"
    ):
        take(tmp_path / "run", other)
    take(tmp_path / "run", other, overwrite=True)
    assert json.loads((tmp_path / "run" / "train.json").read_text()) == other
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_run_begun_by_an_earlier_naba_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text('{"config": {"seed": 1}}')
    write_checkpoint(tmp_path / "checkpoints", 8, best=8)
    with pytest.raises(ConfigError, match="differs in epochs, precision, data"):
        take(tmp_path, INPUTS)


def test_folder_is_judged_before_anything_is_known_of_the_run(tmp_path: Path) -> None:
    out = tmp_path / "run"
    check_free(out, overwrite=False)
    take(out, INPUTS)
    check_free(out, overwrite=False)  # may be the same run, unfinished
    (out / "run.json").write_text("{}")
    with pytest.raises(ConfigError, match="holds a finished run; choose another 'out', or pass --overwrite"):
        check_free(out, overwrite=False)
    check_free(out, overwrite=True)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(ConfigError, match="is a file"):
        check_free(tmp_path / "notes.txt", overwrite=True)
    with pytest.raises(ConfigError, match="holds files that are no run of naba"):
        check_free(tmp_path, overwrite=True)


def test_finished_run_is_kept_unless_asked(tmp_path: Path) -> None:
    take(tmp_path, INPUTS)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"holds a finished run; .*--overwrite"):
        take(tmp_path, INPUTS)
    take(tmp_path, INPUTS, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["train.json"]


class KilledError(Exception):
    """Plays the kill."""


@pytest.mark.parametrize("survivors", range(4))
def test_kill_while_a_run_is_replaced_leaves_a_folder_that_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survivors: int
) -> None:
    take(tmp_path, INPUTS)
    for name in ("run.json", "README.md", "model.safetensors"):
        (tmp_path / name).write_text("{}")
    unlink = Path.unlink

    def kill(path: Path, **options: Any) -> None:
        if path.name != ".lock":
            if len([found for found in tmp_path.iterdir() if found.name != ".lock"]) == survivors:
                raise KilledError
            assert (tmp_path / "train.json").exists()
        unlink(path, **options)
        assert not (tmp_path / "run.json").exists()  # nobody takes what is left for a whole run

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", kill)
        with pytest.raises(KilledError) if survivors else nullcontext():
            take(tmp_path, INPUTS, overwrite=True)
    take(tmp_path, INPUTS)


def test_what_a_kill_leaves_before_the_first_file_is_nobodys(tmp_path: Path) -> None:
    (tmp_path / ".train.json.x3k_0aq2.tmp").write_text("{")
    (tmp_path / ".lock").write_text("")
    take(tmp_path, INPUTS)
    assert [path.name for path in tmp_path.iterdir()] == ["train.json"]
