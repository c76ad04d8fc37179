import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.record_writer import masked_crc32c

from naba.finetuning.event_file import EventFile, event_file

HISTORY: list[dict[str, Any]] = [
    {"loss": 1.5, "learning_rate": 1e-4, "grad_norm": 2.0, "epoch": 0.5, "step": 10},
    {
        "eval_loss": 1.25,
        "eval_pair_f1": 0.5,
        "eval_topic_macro_f1": 0.75,
        "eval_runtime": 3.0,
        "epoch": 1.0,
        "step": 20,
    },
]


def read_events(folder: Path) -> list[tuple[int, str, float]]:
    """Step, tag and value of every point, as TensorBoard reads them: each record has a length and two checksums."""
    (path,) = folder.iterdir()
    assert "tfevents" in path.name
    content, points, at = path.read_bytes(), [], 0
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        header, body = content[at : at + 8], content[at + 12 : at + 12 + length]
        assert struct.unpack_from("<I", content, at + 8) == (masked_crc32c(header),)
        assert struct.unpack_from("<I", content, at + 12 + length) == (masked_crc32c(body),)
        event = Event.FromString(body)
        points += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
        at += 16 + length
    return points


def state(history: list[dict[str, Any]], *, first: bool = True) -> Any:
    return SimpleNamespace(is_world_process_zero=first, log_history=history)


def log(events: EventFile, history: list[dict[str, Any]]) -> None:
    for number in range(len(history)):
        events.on_log(None, state(history[: number + 1]), None)


def test_every_figure_stands_at_its_step(tmp_path: Path) -> None:
    with event_file(tmp_path / "tensorboard") as events:
        events.on_train_begin(None, state([]), None)
        log(events, HISTORY)
    assert sorted(read_events(tmp_path / "tensorboard")) == [
        (10, "train/grad_norm", 2.0),
        (10, "train/learning_rate", struct.unpack("f", struct.pack("f", 1e-4))[0]),
        (10, "train/loss", 1.5),
        (20, "validation/loss", 1.25),
        (20, "validation/pair_f1", 0.5),
        (20, "validation/topic_macro_f1", 0.75),
    ]


def test_run_that_goes_on_drops_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    with event_file(tmp_path) as events:
        events.on_train_begin(None, state([]), None)
        log(events, [*HISTORY, {"loss": 9.0, "step": 30}])
    with event_file(tmp_path) as events:
        events.on_train_begin(None, state(HISTORY), None)
        events.on_log(None, state([*HISTORY, {"loss": 1.0, "step": 30}]), None)
    assert [point for point in read_events(tmp_path) if point[1] == "train/loss"] == [
        (10, "train/loss", 1.5),
        (30, "train/loss", 1.0),
    ]


def test_points_can_be_read_while_the_run_goes_on(tmp_path: Path) -> None:
    with event_file(tmp_path) as events:
        events.on_train_begin(None, state([]), None)
        log(events, HISTORY[:1])
        assert len(read_events(tmp_path)) == 3


def test_other_processes_write_nothing(tmp_path: Path) -> None:
    with event_file(tmp_path / "tensorboard") as events:
        events.on_train_begin(None, state([], first=False), None)
        events.on_log(None, state(HISTORY, first=False), None)
    assert not (tmp_path / "tensorboard").exists()
