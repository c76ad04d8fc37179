"""A labelling job on Ray Data: the stages of `naba.labelling.job` on as many machines as there are, and the same output.

    naba label archive --out /shared/labelled --runner ray --set ray.address=auto

    engine, schema = choose(model, "auto", config)
    names = run_on_ray(job, groups, model, config, progress)

Tasks count the records of every file and find which shards are done. Then streaming tasks read what is left, a block a
shard, and a pool of actors, each with the model, labels the shards and writes each with its note into the job's folder,
which all nodes share. Ray Data reads no more ahead than the actors have use for. The driver holds the folder, is told of
each shard, and joins them at the end. An actor or node that dies is replaced and its shards are labelled once more.
"""

import logging
import pickle
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from naba.config import LabelConfig
from naba.corpus.shards import File
from naba.errors import ConfigError, NabaError
from naba.labelling.labeller import Labeller
from naba.labelling.output import JobFolder
from naba.labelling.plan import Shard
from naba.labelling.ray_cluster import connected, faults, library, room_for_actors
from naba.labelling.ray_stages import Done, Group, ShardLabeller, Work, look, read
from naba.modelling import checkpoint as checkpoints
from naba.modelling.exported import EngineName
from naba.notice import NOTICE
from naba.progress import Progress
from naba.schema import LabelSchema

logger = logging.getLogger(__name__)

AHEAD, AHEAD_PER_ACTOR = 256 << 20, 64 << 20
"""Bytes of records, of all nodes together, that may be read ahead of the actors."""
SEEN_WITHIN = 90.0
"""Seconds after which a network file system shows the driver what another node wrote."""


def choose(model: Path, engine: str, config: LabelConfig) -> tuple[EngineName, LabelSchema]:
    """The engine that all actors use, and the labels that the model knows.

    "auto" is float16 on GPUs; on CPUs a trial on the driver with as many threads as an actor has.

    Raises:
        ConfigError: an engine or device that the actors have no hardware for, or Ray is not installed.
        CheckpointError: as `Labeller.load`.
    """
    library()
    if config.device == "cuda" and not config.ray.gpus_per_actor:
        raise ConfigError("device = 'cuda', but the actors have no GPU; set ray.gpus_per_actor=1")
    if config.ray.gpus_per_actor:
        if config.device == "cpu" or engine == "int8":
            raise ConfigError("ray.gpus_per_actor is for GPUs; use device=auto and engine=float16, or gpus_per_actor=0")
        # The driver's own machine need not have a GPU.
        return cast(EngineName, "float16" if engine == "auto" else engine), checkpoints.load(model).schema
    import torch

    threads, cores = torch.get_num_threads(), config.ray.cpus_per_actor
    torch.set_num_threads(cores)
    try:
        labeller = Labeller.load(
            model, device="cpu", engine=cast(EngineName, engine), workers=cores, cascade=config.cascade
        )
    finally:
        torch.set_num_threads(threads)
    return cast(EngineName, labeller.engine), labeller.schema


def run_on_ray(
    job: JobFolder, groups: Sequence[Sequence[File]], model: Path, config: LabelConfig, progress: Progress
) -> list[str]:
    """Label every shard that is not done yet; the names of all, in order.

    Raises:
        ConfigError: no such cluster, one without room for an actor, or one whose nodes do not see what the driver sees.
        DataError: workers that died again and again.
    """
    paths = [job.target.folder, *(path for group in groups for _, path in group)]
    work = Work(
        job,
        config,
        model.resolve(),
        "cuda" if config.ray.gpus_per_actor else "cpu",
        None if all(path.is_absolute() for path in paths) else Path.cwd(),
        uuid4().hex,
    )
    with connected(config) as ray, faults(ray):
        room = room_for_actors(ray, config)
        looked = list(_look(ray, work, groups))
        names = [
            Shard.of(group.number, start, config.shard).name
            for group in looked
            for start in range(0, group.records, config.shard)
        ]
        left = [group for group in looked if group.starts]
        shards = sum(len(group.starts) for group in left)
        if shards < len(names):
            logger.log(
                NOTICE, "%s: %d of %d shards were done before", job.target.folder, len(names) - shards, len(names)
            )
        total = sum(group.records for group in looked)
        to_do = sum(min(config.shard, group.records - start) for group in left for start in group.starts)
        with progress.task("labelling", total, "records") as advance:
            advance(total - to_do, "")
            for done in _label(ray, work, left, min(room, shards)) if left else ():
                advance(done.records, f"{done.segments:,} segments in the last shard")
    _wait_until_seen(job, names)
    return names


def _look(ray: Any, work: Work, groups: Sequence[Sequence[File]]) -> Iterator[Group]:
    """Every group with what is left to do of it, in order."""
    task = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(look)
    told = ray.put(work)
    at_once = max(8, 4 * int(ray.cluster_resources().get("CPU", 1)))
    pending: list[Any] = []
    for number, files in enumerate(groups):
        pending.append(task.remote(told, number, files))
        if len(pending) == at_once:
            yield _asked(ray.get(pending.pop(0)))
    for answer in pending:
        yield _asked(ray.get(answer))


def _label(ray: Any, work: Work, groups: Sequence[Group], actors: int) -> Iterator[Done]:
    """Read and label what is left to do; each shard is told once it is written."""
    import pyarrow as pa

    settings = work.config.ray
    readers = settings.readers or max(1, actors * 4 if settings.gpus_per_actor else actors // 8)
    with _data_context(ray, actors):
        blocks = [pa.table({"group": [pickle.dumps(group)]}) for group in groups]
        records = ray.data.from_arrow(blocks).map_batches(
            read,
            batch_size=1,
            batch_format="pyarrow",
            fn_kwargs={"work": work},
            # Reading takes a hundredth of the time of labelling. With cores of its own it would hold one back from an
            # actor, and on a small cluster wait for one forever.
            num_cpus=0,
            compute=ray.data.TaskPoolStrategy(size=min(readers, len(groups))),
        )
        answers = records.map_batches(
            ShardLabeller,
            batch_size=1,
            batch_format="pyarrow",
            fn_constructor_kwargs={"work": work},
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors, max_tasks_in_flight_per_actor=2),
            num_cpus=settings.cpus_per_actor,
            num_gpus=settings.gpus_per_actor,
        )
        for table in answers.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            for answer in table["answer"]:
                yield _asked(pickle.loads(answer.as_buffer()))


@contextmanager
def _data_context(ray: Any, actors: int) -> Iterator[None]:
    """Ray Data's settings for a block: a block a shard, nothing on the terminal, a bound to what is read ahead."""
    kind = ray.data.DataContext
    before = kind.get_current()
    mine = before.copy()
    mine.enable_progress_bars = False
    mine.print_on_execution_start = False
    mine.target_max_block_size = 1  # every row is larger, and gets a block of its own
    # One worker that is killed while it loads the model would end the job otherwise, where this version of Ray counts them.
    mine.max_consecutive_actor_init_deaths = 4 * actors
    mine.execution_options.resource_limits = ray.data.ExecutionResources.for_limits(
        object_store_memory=AHEAD + AHEAD_PER_ACTOR * actors
    )
    logs = logging.getLogger("ray.data")
    level = logs.level
    logs.setLevel(logging.CRITICAL)  # what matters comes as an exception; all else stands in Ray's own log files
    kind._set_current(mine)
    try:
        yield
    finally:
        kind._set_current(before)
        logs.setLevel(level)


def _asked(answer: Any) -> Any:
    """An answer of a node; one that is a fault is raised."""
    if isinstance(answer, NabaError):
        raise answer
    return answer


def _wait_until_seen(job: JobFolder, names: Sequence[str]) -> None:
    """A network file system may keep telling for a while that what another node wrote is not there."""
    end = time.monotonic() + SEEN_WITHIN
    for name in names:
        for attempt in count():
            if job.is_done(name) or time.monotonic() > end:
                break
            time.sleep(min(5.0, 0.1 * 2**attempt))
