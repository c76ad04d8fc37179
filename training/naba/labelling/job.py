"""One labelling job: article files in, labelled files out, shard by shard.

    written = label_paths([Path("archive")], Path("labelled"), LabelConfig())

What a shard holds follows from the input alone, and what is written of it from its content alone. So a job that was stopped,
by whatever and wherever, goes on with the first shard that is not whole, and ends with the same files.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO

from naba.config import LabelConfig
from naba.corpus.files import STDIN, article_files
from naba.corpus.readers import Rejected, read_articles
from naba.corpus.shards import File, count_in, file_groups
from naba.errors import ConfigError, DataError
from naba.jsonl import dumps
from naba.labelling.finished import finished_before
from naba.labelling.labeller import Item, LabelledLater, Labeller
from naba.labelling.output import JobFolder, Written, check, done_with, opened, started_with
from naba.labelling.pace import Pace
from naba.labelling.plan import Shard, input_mark, plan_of, read_group
from naba.labelling.rows import article_row
from naba.labelling.target import Target, refuse_inputs
from naba.notice import NOTICE
from naba.paths import SHIPPED_MODEL, find
from naba.progress import SILENT, Advance, Progress

logger = logging.getLogger(__name__)

STREAMED_AT_ONCE = 8
"""Articles that are labelled together on their way to standard output: whoever reads there waits for them."""


def label_paths(
    paths: Sequence[Path],
    out: Path,
    config: LabelConfig,
    *,
    overwrite: bool = False,
    progress: Progress = SILENT,
    stdin: IO[bytes] | None = None,
) -> Written:
    """Label all articles of `paths` into `out`: a .jsonl, .csv or .parquet file, or a folder of shards.

    Args:
        paths: files, folders and patterns, or STDIN alone.
        config: model, engine, formats, shard size, and how to read.
        overwrite: replace an output that is there, or the beginning of another job.
        progress: is told of the records.
        stdin: what STDIN stands for.

    Raises:
        DataError: a path that cannot be used, or an output that cannot be written, or that is there already and not to
            be overwritten. CheckpointError: no such model. ConfigError: an engine that cannot be used.
    """
    files = article_files(paths, stdin=stdin is not None)  # a mistyped path is told before the model is loaded
    streamed = files == [(files[0][0], STDIN)]
    if streamed and config.runner != "local":
        raise ConfigError("-: standard input is read by the local runner alone; name files, or pass --runner local")
    target = Target.of(out, config.formats)
    refuse_inputs(target, paths, [path for _, path in files if path != STDIN])
    check(target, None, overwrite=overwrite)
    before = started_with(target)
    if streamed and before and not overwrite:
        raise DataError(f"{out}: standard input cannot be read from its middle; pass --overwrite to start anew")
    model = find(Path(config.model)) if config.model else SHIPPED_MODEL
    # On another engine the rest would not be labelled as the beginning was.
    known = before or done_with(target)
    engine = known.get("engine", config.engine) if config.engine == "auto" and not overwrite else config.engine
    groups = list(file_groups(files, config.shard))
    used: str
    if config.runner == "ray":
        from naba.labelling.ray_runner import choose, run_on_ray

        used, schema = choose(model, engine, config)

        def run(job: JobFolder) -> list[str]:
            return run_on_ray(job, groups, model, config, progress)

    else:
        labeller = Labeller.load(
            config.model, device=config.device, engine=engine, batch_tokens=config.batch_tokens, cascade=config.cascade
        )
        used, schema = labeller.engine, labeller.schema

        def run(job: JobFolder) -> list[str]:
            return _run(job, groups, labeller, config, progress, stdin)

    plan = plan_of(files, model, schema, used, config)
    if not overwrite and (written := finished_before(target, plan, progress)):
        return written
    with opened(target, plan, schema, overwrite=overwrite) as job:
        shards = run(job)
        if not streamed and input_mark(files) != plan["input"]:
            raise DataError(
                f"{out}: the input was changed while it was labelled; what was read of it is no longer known. Start again "
                "with --overwrite when nothing writes to it"
            )
        return job.finish(shards)


def label_stream(
    paths: Sequence[Path],
    config: LabelConfig,
    line: Callable[[str], None],
    *,
    say: Callable[[Rejected], None],
    stdin: IO[bytes] | None = None,
) -> tuple[int, int]:
    """Label articles as they come: `line` is given each labelled article as JSON, `say` what had to be set aside.

    Returns how many were labelled, and how many set aside. Raises as `label_paths` does.
    """
    if config.runner != "local":
        raise ConfigError("--out -: standard output is written by the local runner alone; name a folder")
    if config.formats != ["jsonl"]:
        raise ConfigError(
            f"--out -: standard output gets JSONL, not {', '.join(config.formats)}; name a file or folder"
        )
    article_files(paths, stdin=stdin is not None)
    labeller = Labeller.load(
        config.model,
        device=config.device,
        engine=config.engine,
        batch_tokens=config.batch_tokens,
        cascade=config.cascade,
    )
    labelled = rejected = 0
    articles = read_articles(paths, config.read, stdin=stdin)
    for item in labeller.label_articles(articles, max_words=config.read.max_words, at_once=STREAMED_AT_ONCE):
        if isinstance(item, Rejected):
            rejected += 1
            say(item)
        else:
            labelled += 1
            line(dumps(article_row(item)))
    return labelled, rejected


def _run(
    job: JobFolder,
    groups: Sequence[Sequence[File]],
    labeller: Labeller,
    config: LabelConfig,
    progress: Progress,
    stdin: IO[bytes] | None,
) -> list[str]:
    """Label every shard that is not done yet; the names of all, in order."""
    counts = [count_in(group, config.read) for group in groups]
    total = sum(count for count in counts if count is not None) if None not in counts else None
    names: list[str] = []
    before: tuple[Shard, LabelledLater, int] | None = None
    begun: list[LabelledLater] = []
    with progress.task("labelling", total, "records") as advance:
        pace = Pace(advance)
        try:
            for shard, items in shards_to_do(job, groups, counts, config, names, advance, stdin):
                later = labeller.start([*chain.from_iterable(items)], max_words=config.read.max_words)
                begun = [*begun[-1:], later]
                if before is not None:
                    _write(job, *before, pace)
                before = shard, later, len(items)
            if before is not None:
                _write(job, *before, pace)
        except BaseException:
            for later in begun:  # else the process would end only when all of it is labelled
                later.cancel()
            raise
    return names


def _write(job: JobFolder, shard: Shard, later: LabelledLater, records: int, pace: Pace) -> None:
    told = pace.of_shard(records, later.segments)
    note = job.write(shard.name, later.result(told.segments))
    told.finished()
    logger.info("shard %s: %d articles, %d segments", shard.name, note["articles"], note["segments"])


def shards_to_do(
    job: JobFolder,
    groups: Sequence[Sequence[File]],
    counts: Sequence[int | None],
    config: LabelConfig,
    names: list[str],
    advance: Advance,
    stdin: IO[bytes] | None = None,
) -> Iterator[tuple[Shard, list[list[Item]]]]:
    """The shards that are not done, each with its records; the names of all, done or not, are added to `names`."""
    reused = 0
    for number, (group, count) in enumerate(zip(groups, counts, strict=True)):
        records: Iterator[list[Item]] | None = None
        for start in range(0, count, config.shard) if count is not None else _endless(config.shard):
            shard = Shard.of(number, start, config.shard)
            if job.is_done(shard.name):
                names.append(shard.name)
                reused += 1
                advance(min(config.shard, (count or 0) - start), "")
                records = None
                continue
            records = records or read_group(group, config, start, stdin)
            items = list(islice(records, config.shard))
            if not items:
                break
            names.append(shard.name)
            yield shard, items
    if reused:
        logger.log(NOTICE, "%s: %d of %d shards were done before", job.target.folder, reused, len(names))


def _endless(step: int) -> Iterator[int]:
    start = 0
    while True:
        yield start
        start += step
