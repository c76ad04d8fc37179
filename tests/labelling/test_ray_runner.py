"""Labelling on Ray: the same files as the local runner writes, whoever is killed; and what a node says that sees other files."""

import io
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from naba.config import LabelConfig
from naba.corpus.files import article_files
from naba.corpus.shards import file_groups
from naba.errors import CheckpointError, ConfigError, DataError, NabaError
from naba.labelling.job import label_paths, label_stream
from naba.labelling.labeller import Labeller
from naba.labelling.output import NOTES, JobFolder, opened
from naba.labelling.plan import plan_of
from naba.labelling.ray_cluster import connected
from naba.labelling.ray_runner import choose, run_on_ray
from naba.labelling.ray_stages import TRIES, Done, Group, ShardLabeller, Work, look, read
from naba.labelling.target import Target
from naba.progress import SILENT

Configured = Callable[..., LabelConfig]
SECONDS = 240
"""How long a run on Ray may take on a busy machine."""


@pytest.fixture
def config(tiny_run: Path) -> Configured:
    def make(runner: str = "ray", **changes: Any) -> LabelConfig:
        values = {"model": str(tiny_run), "device": "cpu", "engine": "float32", "shard": 2, "runner": runner}
        return LabelConfig.model_validate(values | changes)

    return make


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """Two tables of 23 and 4 records, two of them broken, and three pages."""
    folder = tmp_path / "news"
    folder.mkdir()
    lines = [
        json.dumps({"id": f"t{n}", "text": f"قصفت الطائرات المدينة رقم {n} أمس.\nودعا الوزير إلى هدنة. " * (n % 7 + 1)})
        for n in range(25)
    ]
    lines[5:5] = ["not json", json.dumps({"text": ""})]
    (folder / "a.jsonl").write_text("\n".join(lines[:23]), encoding="utf-8")
    (folder / "b.jsonl").write_text("\n".join(lines[23:]), encoding="utf-8")
    for n in range(3):
        (folder / f"page{n}.txt").write_text(f"دخلت قافلة مساعدات رقم {n} إلى القطاع.", encoding="utf-8")
    return folder


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Ray on this machine with two workers."""
    ray = pytest.importorskip("ray")
    ray.init(
        address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.CRITICAL,
        _node_ip_address="127.0.0.2",
    )  # fmt: skip
    yield ray
    ray.shutdown()


@pytest.fixture
def work(news: Path, tmp_path: Path, config: Configured) -> Iterator[Callable[..., Work]]:
    """A job that is begun, as its nodes are told of it."""
    settings, target = config(), Target.of(tmp_path / "begun", ["jsonl"])
    model = Path(settings.model or "")
    schema = Labeller.load(model, engine="float32").schema
    plan = plan_of(article_files([news]), model, schema, "float32", settings)
    with opened(target, plan, schema, overwrite=False) as job:
        yield lambda **changes: Work(**({"job": job, "config": settings, "model": model, "device": "cpu", "folder": None, "run": "now"} | changes))  # fmt: skip


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def notes_of(out: Path) -> int:
    return len(list((out / NOTES).glob("*.json")))


def answer(table: pa.Table) -> Any:
    return pickle.loads(table["answer"][0].as_py())


def told(group: Group) -> pa.Table:
    return pa.table({"group": [pickle.dumps(group)]})


def descendants(parent: int) -> dict[int, str]:
    """Processes below `parent` with their command lines."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                after = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(after[1]), []).append(int(folder.name))
    found, waiting = {}, [parent]
    while waiting:
        for pid in children.get(waiting.pop(), []):
            try:
                found[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            waiting.append(pid)
    return found


# --- What a node does, without Ray


def test_group_is_looked_into_and_only_what_is_left_of_it_is_read_and_labelled(
    work: Callable[..., Work], news: Path
) -> None:
    job = work()
    table = next(files for files in file_groups(article_files([news]), 2) if files[0][0] == "b")
    group = look(job, 7, table)
    assert isinstance(group, Group)
    assert (group.number, group.records, list(group.starts)) == (7, 4, [0, 2])

    labeller, rows = ShardLabeller(job), list(read(told(group), job))
    assert [(row["group"][0].as_py(), row["start"][0].as_py(), row.num_rows) for row in rows] == [(7, 0, 1), (7, 2, 1)]
    assert answer(labeller(rows[1])) == Done(2, answer(labeller(rows[1])).segments)
    assert (job.job.target.folder / "part-00007-00001.jsonl").read_text(encoding="utf-8").count("\n") == 2
    left = look(job, 7, table)
    assert isinstance(left, Group)
    assert list(left.starts) == [0]


def test_reading_again_gives_the_same_rows_though_shards_were_written_meanwhile(
    work: Callable[..., Work], news: Path
) -> None:
    job = work()
    group = look(job, 0, [("a", news / "a.jsonl")])
    assert isinstance(group, Group)
    rows = list(read(told(group), job))
    labeller = ShardLabeller(job)
    for row in rows[:4]:
        labeller(row)
    assert list(read(told(group), job)) == rows


def test_shard_that_is_done_is_not_labelled_again(
    work: Callable[..., Work], news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = work()
    (row, *_) = read(told(Group(0, [("b", news / "b.jsonl")], 4, [0, 2])), job)
    labeller = ShardLabeller(job)
    first = answer(labeller(row))
    monkeypatch.setattr(Labeller, "start", lambda *arguments, **options: pytest.fail("labelled again"))
    assert answer(labeller(row)) == first


def test_shard_that_kills_every_worker_is_given_up_though_not_for_the_next_start(
    work: Callable[..., Work], news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*arguments: object, **options: object) -> None:
        raise MemoryError

    job = work()
    (row, *_) = read(told(Group(0, [("b", news / "b.jsonl")], 4, [0, 2])), job)
    labeller = ShardLabeller(job)
    with monkeypatch.context() as patch:
        patch.setattr(Labeller, "start", dies)
        for _ in range(TRIES):
            with pytest.raises(MemoryError):
                labeller(row)
        fault = answer(labeller(row))
        assert isinstance(fault, DataError)
        assert "shard 00000-00000: 5 workers died with it" in str(fault)
    assert isinstance(answer(ShardLabeller(work(run="later"))(row)), Done)
    assert [path.name for path in (job.job.target.folder / NOTES).iterdir()] == ["00000-00000.json"]


def test_node_without_the_input_says_so_in_place_of_setting_all_of_it_aside(
    work: Callable[..., Work], news: Path
) -> None:
    job = work()
    gone = [("a", news / "gone.jsonl")]
    fault = look(job, 0, gone)
    assert isinstance(fault, DataError)
    assert str(fault).startswith("node ")
    assert "gone.jsonl: no such file; the input must be on a file system that all nodes share" in str(fault)
    (row,) = read(told(Group(0, gone, 4, [0, 2])), job)
    assert isinstance(answer(ShardLabeller(job)(row)), DataError)


def test_file_that_became_shorter_is_a_fault(work: Callable[..., Work], news: Path) -> None:
    job = work()
    rows = list(read(told(Group(0, [("b", news / "b.jsonl")], 6, [0, 2, 4])), job))
    assert len(rows) == 3
    fault = answer(ShardLabeller(job)(rows[-1]))
    assert isinstance(fault, DataError)
    assert "became shorter" in str(fault)


@pytest.mark.parametrize("model", ["nowhere", "news"])
def test_node_with_another_model_says_so(work: Callable[..., Work], news: Path, tmp_path: Path, model: str) -> None:
    job = work(model=tmp_path / model)
    (row, *_) = read(told(Group(0, [("b", news / "b.jsonl")], 4, [0, 2])), job)
    fault = answer(ShardLabeller(job)(row))
    assert isinstance(fault, CheckpointError)
    assert "is not the model that the driver sees" in str(fault)


def test_node_with_another_output_folder_writes_nothing(work: Callable[..., Work], news: Path, tmp_path: Path) -> None:
    begun = work()
    elsewhere = JobFolder(Target.of(tmp_path / "elsewhere", ["jsonl"]), begun.job.plan, begun.job._schema)
    job = work(job=elsewhere)
    for fault in (look(job, 0, [("b", news / "b.jsonl")]), ShardLabeller(job)._fault):
        assert isinstance(fault, ConfigError)
        assert "is not the folder that the driver writes into" in str(fault)
    (row, *_) = read(told(Group(0, [("b", news / "b.jsonl")], 4, [0, 2])), begun)
    labeller = ShardLabeller(begun)
    (begun.job.target.folder / ".job.json").write_text("{}", encoding="utf-8")  # another job began there
    assert isinstance(answer(labeller(row)), ConfigError)
    assert not list(begun.job.target.folder.glob("part-*"))


def test_node_without_the_folder_of_relative_paths_says_so(work: Callable[..., Work], tmp_path: Path) -> None:
    here = Path.cwd()
    fault = look(work(folder=tmp_path / "nowhere"), 0, [])
    assert isinstance(fault, ConfigError)
    assert "start naba in a folder that all nodes share" in str(fault)
    assert Path.cwd() == here


# --- What the driver refuses


def test_without_ray_one_line_says_how_to_install_it(
    news: Path, tmp_path: Path, config: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"needs Ray .*pip install 'naba\[ray\]'"):
        label_paths([news], tmp_path / "out", config())
    assert not (tmp_path / "out").exists()


def test_standard_input_and_output_are_for_the_local_runner(tmp_path: Path, news: Path, config: Configured) -> None:
    with pytest.raises(ConfigError, match="standard input is read by the local runner alone"):
        label_paths([Path("-")], tmp_path / "out", config(), stdin=io.BytesIO(b"{}"))
    with pytest.raises(ConfigError, match="standard output is written by the local runner alone"):
        label_stream([news], config(), lambda line: None, say=lambda item: None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"device": "cuda"}, "set ray.gpus_per_actor=1"),
        ({"ray": {"gpus_per_actor": 1}}, "ray.gpus_per_actor is for GPUs"),
        ({"ray": {"gpus_per_actor": 1}, "device": "auto", "engine": "int8"}, "ray.gpus_per_actor is for GPUs"),
    ],
)
def test_engine_without_its_hardware_is_refused(config: Configured, changes: dict[str, Any], message: str) -> None:
    pytest.importorskip("ray")
    settings = config(**changes)
    with pytest.raises(ConfigError, match=message):
        choose(Path(settings.model or ""), settings.engine, settings)


def test_on_gpus_auto_is_float16_whatever_the_driver_runs_on(config: Configured) -> None:
    pytest.importorskip("ray")
    settings = config(ray={"gpus_per_actor": 0.5}, device="auto", engine="auto")
    assert choose(Path(settings.model or ""), settings.engine, settings)[0] == "float16"


# --- With Ray


@pytest.mark.slow
def test_ray_writes_the_same_bytes_and_goes_on_with_what_the_local_runner_began(
    news: Path, tmp_path: Path, config: Configured, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    formats = {"formats": ["jsonl", "csv", "parquet"]}
    monkeypatch.chdir(tmp_path)  # the nodes find relative paths
    label_paths([Path("news")], Path("local"), config("local", **formats))
    written = label_paths([Path("news")], Path("ray"), config(**formats))
    assert (written.articles, written.rejected) == (28, 2)
    assert files_of(Path("ray")) == files_of(Path("local"))

    write, count = JobFolder.write, 0

    def stopping(self: JobFolder, *arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count > 3:
            raise KeyboardInterrupt
        return write(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(JobFolder, "write", stopping)
        with pytest.raises(KeyboardInterrupt):
            label_paths([Path("news")], Path("both"), config("local", **formats))
    assert notes_of(Path("both")) == 3
    label_paths([Path("news")], Path("both"), config(**formats))
    assert files_of(Path("both")) == files_of(Path("local"))
    label_paths([Path("news")], Path("one.csv"), config())
    label_paths([Path("news")], Path("local.csv"), config("local"))
    assert Path("one.csv").read_bytes() == Path("local.csv").read_bytes()
    assert cluster.is_initialized()  # the caller's connection is left to the caller

    with pytest.raises(ConfigError, match="no node of the Ray cluster"):
        label_paths([news], tmp_path / "no", config(ray={"gpus_per_actor": 1}, device="auto", engine="float16"))
    with pytest.raises(ConfigError, match="no node of the Ray cluster"):
        label_paths([news], tmp_path / "no", config(ray={"cpus_per_actor": 64}), overwrite=True)


@pytest.mark.slow
def test_fault_of_a_node_reaches_the_driver_as_one_line(
    work: Callable[..., Work], news: Path, config: Configured, cluster: Any
) -> None:
    job = work().job
    groups = [[("a", news / "a.jsonl")], [("gone", news / "gone.jsonl")]]
    with pytest.raises(DataError, match=r"^node \S+: .*gone.jsonl: no such file"):
        run_on_ray(job, groups, Path(config().model or ""), config(), SILENT)
    with pytest.raises(CheckpointError, match=r"^node \S+: .*is not the model that the driver sees"):
        run_on_ray(job, groups[:1], news, config(), SILENT)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_workers_that_are_killed_change_nothing(news: Path, tmp_path: Path, config: Configured, cluster: Any) -> None:
    label_paths([news], tmp_path / "local", config("local", shard=1))
    shards, killed = 30, []
    out = tmp_path / "ray"

    def kill() -> None:
        for after in (2, 8):  # two of them, at different times
            end = time.monotonic() + SECONDS
            holders: list[int] = []
            while not (notes_of(out) >= after and holders) and time.monotonic() < end:
                time.sleep(0.005)
                found = descendants(os.getpid()) if notes_of(out) >= after else {}
                holders = [pid for pid, line in found.items() if "ray::MapWorker" in line and pid not in killed]
            if holders and notes_of(out) < shards:
                os.kill(holders[0], signal.SIGKILL)
                killed.append(holders[0])

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    label_paths([news], out, config(shard=1))
    killer.join(SECONDS)
    assert len(set(killed)) == 2
    assert files_of(out) == files_of(tmp_path / "local")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_command_that_was_killed_goes_on_and_is_quiet(news: Path, tmp_path: Path, config: Configured) -> None:
    pytest.importorskip("ray")
    label_paths([news], tmp_path / "local", config("local", shard=1))
    out = tmp_path / "ray"
    command = [
        *(sys.executable, "-c", "from naba.cli import main; main()", "label", str(news), "--out", str(out)),
        *("--model", str(config().model), "--runner", "ray"),
        *(f"--set={key}" for key in ("device=cpu", "engine=float32", "shard=1", "ray.actors=1")),
    ]
    with (tmp_path / "log").open("wb") as log:
        driver = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
        end = time.monotonic() + SECONDS
        while notes_of(out) < 3 and driver.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        below = descendants(driver.pid)
        driver.kill()
        driver.wait()
    assert 3 <= notes_of(out) < 30, (tmp_path / "log").read_text(encoding="utf-8")
    end = time.monotonic() + SECONDS
    while any(Path(f"/proc/{pid}").exists() for pid in below) and time.monotonic() < end:
        time.sleep(0.1)
    assert not [line for pid, line in below.items() if Path(f"/proc/{pid}").exists()]  # Ray ends with its driver

    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert again.returncode == 3  # two records were set aside
    lines = again.stderr.splitlines()
    assert "shards were done before" in lines[0]
    assert all(line.startswith("naba: ") for line in lines), again.stderr
    assert files_of(out) == files_of(tmp_path / "local")


@pytest.mark.slow
def test_address_without_a_cluster_is_a_fault_of_one_line(news: Path, tmp_path: Path, config: Configured) -> None:
    pytest.importorskip("ray")
    for address in ("127.0.0.1:1", "ray://127.0.0.1:1"):
        with pytest.raises(NabaError, match=r"ray\.address"):
            label_paths([news], tmp_path / "out", config(ray={"address": address}), overwrite=True)


@pytest.mark.parametrize(("known", "says"), [("127.0.0.1:1", "does not answer"), ("ray://127.0.0.1:1", "and unset it")])
def test_cluster_that_this_machine_knows_must_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: str, says: str
) -> None:
    pytest.importorskip("ray")
    if "://" in known:
        monkeypatch.setenv("RAY_ADDRESS", known)
    else:  # where Ray itself keeps it; the head is gone
        monkeypatch.delenv("RAY_ADDRESS", raising=False)
        monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
        (tmp_path / "ray").mkdir()
        (tmp_path / "ray" / "ray_current_cluster").write_text(known)
    settings = LabelConfig.model_validate({"runner": "ray", "ray": {"address": "auto"}})
    with pytest.raises(ConfigError, match=says), connected(settings):
        pass
