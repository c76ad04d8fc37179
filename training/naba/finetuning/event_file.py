"""What TensorBoard shows of a run, written while it trains: loss, learning rate and validation scores at their steps.

    with event_file(out / "tensorboard") as events:
        trainer.add_callback(events)

A run that goes on writes the file anew from the history in its checkpoint, so that no step stands there twice.
"""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

TAGS = {
    "loss": "train/loss",
    "learning_rate": "train/learning_rate",
    "grad_norm": "train/grad_norm",
    "eval_loss": "validation/loss",
    "eval_pair_f1": "validation/pair_f1",
    "eval_topic_macro_f1": "validation/topic_macro_f1",
    "eval_stance_macro_f1": "validation/stance_macro_f1",
}
"""Key in the trainer's history → tag in TensorBoard."""


class EventFile(TrainerCallback):
    """Writes the trainer's history into one event file; on the first process only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if not state.is_world_process_zero:
            return
        # Not its SummaryWriter: a kill loses what is in its queue, and of a full disk its thread tells in a traceback.
        from tensorboardX import RecordWriter
        from tensorboardX.proto.event_pb2 import Event

        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        # TensorBoard knows its files by this part of the name.
        self.records = RecordWriter(str(self.folder / f"events.out.tfevents.{int(time.time())}"))
        self.records.write(Event(wall_time=time.time(), file_version="brain.Event:2").SerializeToString())
        for entry in state.log_history:
            self._write(entry)
        self.records.flush()

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.records is not None:
            self._write(state.log_history[-1])
            self.records.flush()

    def close(self) -> None:
        """Close the file."""
        if self.records is not None:
            self.records.close()
            self.records = None

    def _write(self, entry: Mapping[str, Any]) -> None:
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=tag, simple_value=entry[key]) for key, tag in TAGS.items() if key in entry]
        if values:
            event = Event(wall_time=time.time(), step=entry["step"], summary=Summary(value=values))
            self.records.write(event.SerializeToString())


@contextmanager
def event_file(folder: Path) -> Iterator[EventFile]:
    """A callback that writes an event file into `folder`, closed with the block."""
    events = EventFile(folder)
    try:
        yield events
    finally:
        events.close()
