"""What the nodes of a Ray cluster do of a labelling job: look into files, read them shard by shard, label and write shards.

    look(work, number, group)                 # a task: how many records a group holds, and which shards are not done
    read(table, work)                         # a streaming task: a row for each of those shards, with its records
    ShardLabeller(work)(table)                # an actor that holds the model: writes the shard, gives back its size

See `naba.labelling.ray_runner` for how they are put together. A user's fault (a file that this node does not see, say)
goes to the driver as an answer like any other, for Ray's own way to pass exceptions on hides them in its tracebacks.
"""

import os
import pickle
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from naba.cascade.stage import cascade_mark
from naba.config import LabelConfig
from naba.corpus.shards import File, count_in
from naba.errors import CheckpointError, ConfigError, DataError, NabaError
from naba.fingerprint import run_mark
from naba.labelling.labeller import Item
from naba.labelling.output import NOTES, JobFolder, started_with
from naba.labelling.plan import Shard, read_group

TRIES = 5
"""How many workers may die with a shard."""


@dataclass(frozen=True)
class Work:
    """One job, as all nodes are told of it."""

    job: JobFolder
    config: LabelConfig
    model: Path
    """The run folder, absolute."""
    device: str
    folder: Path | None
    """Where relative paths begin; None where there are none."""
    run: str
    """A mark of this start of the driver."""

    def enter(self) -> None:
        """Make this process see what the driver sees.

        Raises ConfigError where it does not.
        """
        if self.folder is not None:
            try:
                os.chdir(self.folder)
            except OSError as error:
                raise ConfigError(
                    f"{self.folder}: {error.strerror}; start naba in a folder that all nodes share, or name files and "
                    "--out by absolute paths"
                ) from None
        if started_with(self.job.target) != self.job.plan:
            raise ConfigError(
                f"{self.job.target.folder}: is not the folder that the driver writes into; choose an --out on a file "
                "system that all nodes share"
            )

    def same_model(self) -> bool:
        """Whether the model that this node sees is the one that the job was planned with, its first stage included."""
        marks = {"model": run_mark(self.model), "cascade": cascade_mark(self.model, self.config.cascade)}
        return all(self.job.plan[name] == mark for name, mark in marks.items())


@dataclass(frozen=True)
class Group:
    """Files whose records are cut into shards, and what is left to do of them."""

    number: int
    files: Sequence[File]
    records: int
    starts: Sequence[int]
    """First records of the shards that are not done."""


@dataclass(frozen=True)
class Done:
    """A shard that is written."""

    records: int
    segments: int


def look(work: Work, number: int, files: Sequence[File]) -> Group | NabaError:
    """How many records a group of files holds, and which of its shards are not done yet."""
    try:
        work.enter()
        _check_seen(files)
        records = count_in(files, work.config.read)
        if records is None:
            raise DataError("standard input cannot be read on a cluster; name files")
        starts = range(0, records, work.config.shard)
        return Group(
            number, files, records, [at for at in starts if not work.job.is_done(_shard(work, number, at).name)]
        )
    except NabaError as error:
        return _named(error)


def read(table: pa.Table, work: Work) -> Iterator[pa.Table]:
    """Read the shards of one group that are to be done: rows of its name, start and records.

    Which they are was decided before: where a node dies and its blocks with it, Ray reads again and needs the same ones.
    """
    group: Group = pickle.loads(table["group"][0].as_buffer())
    try:
        work.enter()
        _check_seen(group.files)
        records: Iterator[list[Item]] = iter(())
        at = -1
        for start in group.starts:
            if start != at:
                records = read_group(group.files, work.config, start)
            items = list(islice(records, work.config.shard))
            at = start + work.config.shard
            if not items:
                raise DataError(f"{group.files[0][1]}: became shorter while it was read; start the same command again")
            yield _row(group.number, start, items)
    except NabaError as error:
        yield _row(group.number, 0, _named(error))


class ShardLabeller:
    """Holds the model; each call labels one shard and writes it."""

    def __init__(self, work: Work) -> None:
        """Load the model for as many threads as the actor has cores. What is at fault is told by the first call."""
        self._work = work
        self._fault: NabaError | None = None
        cores = work.config.ray.cpus_per_actor
        os.environ["RAYON_NUM_THREADS"] = str(cores)  # the tokeniser's; before its first use
        import torch

        from naba.labelling.labeller import Labeller

        torch.set_num_threads(cores)
        try:
            work.enter()
            if not work.model.is_dir() or not work.same_model():
                raise CheckpointError(
                    f"{work.model}: is not the model that the driver sees; use a --model on a file system that all nodes share"
                )
            self._labeller = Labeller.load(
                work.model,
                device=work.device,
                engine=work.job.plan["engine"],
                batch_tokens=work.config.batch_tokens,
                workers=cores,
                cascade=work.config.cascade,
            )
        except NabaError as error:
            self._fault = _named(error)

    def __call__(self, table: pa.Table) -> pa.Table:
        """Label and write the shard of the one row of `table`; gives `Done`, or what is at fault."""
        items = pickle.loads(table["records"][0].as_buffer())
        fault = items if isinstance(items, NabaError) else self._fault
        return _answer(
            fault or self._label(_shard(self._work, table["group"][0].as_py(), table["start"][0].as_py()), items)
        )

    def _label(self, shard: Shard, items: list[list[Item]]) -> Done | NabaError:
        job = self._work.job
        try:
            # Done by an actor that died before it could say so, perhaps.
            note = job.is_done(shard.name)
            if note is None:
                begun = self._begin(shard)
                later = self._labeller.start([*chain.from_iterable(items)], max_words=self._work.config.read.max_words)
                labelled = later.result()
                self._work.enter()  # the driver may be gone, and another job begun there
                note = job.write(shard.name, labelled)
                begun.unlink(missing_ok=True)
            return Done(len(items), note["segments"])
        except NabaError as error:
            return _named(error)

    def _begin(self, shard: Shard) -> Path:
        """Note that a worker begins a shard, so that one that kills every worker comes to an end."""
        begun = self._work.job.target.folder / NOTES / f"{shard.name}.begun"
        try:
            begun.parent.mkdir(exist_ok=True)
            with begun.open("a", encoding="utf-8") as file:
                file.write(f"{self._work.run}\n")
            times = begun.read_text(encoding="utf-8").split().count(self._work.run)
        except OSError as error:
            raise DataError(
                f"{begun}: cannot be written ({error.strerror}); check the folder, its rights and the disk"
            ) from None
        if times > TRIES:
            raise DataError(
                f"shard {shard.name}: {TRIES} workers died with it; if they were short of memory, choose a smaller 'shard' "
                "or fewer actors on a node, else look into Ray's logs"
            )
        return begun


def _shard(work: Work, group: int, start: int) -> Shard:
    return Shard.of(group, start, work.config.shard)


def _check_seen(files: Sequence[File]) -> None:
    """A file that is not there would be set aside as a broken one."""
    for _, path in files:
        if not path.is_file():
            raise DataError(f"{path}: no such file; the input must be on a file system that all nodes share")


def _named(error: NabaError) -> NabaError:
    return type(error)(f"node {socket.gethostname()}: {error}")


def _row(group: int, start: int, records: Any) -> pa.Table:
    return pa.table({"group": [group], "start": [start], "records": [pickle.dumps(records)]})


def _answer(answer: Any) -> pa.Table:
    return pa.table({"answer": [pickle.dumps(answer)]})
