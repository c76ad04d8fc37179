"""Labelling jobs: what they write, what they refuse, and that a stop anywhere changes nothing of the output."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from naba.config import LabelConfig
from naba.errors import ConfigError, DataError, NabaError
from naba.jsonl import write_json
from naba.labelling import finished, output
from naba.labelling import job as module
from naba.labelling.job import label_paths, label_stream
from naba.labelling.labeller import LabelledLater
from naba.labelling.output import MANIFEST, NOTES, PLAN, JobFolder, Written
from naba.out_folder import hold

Files = dict[str, bytes]


def files_of(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def config(tiny_run: Path) -> Callable[..., LabelConfig]:
    def make(**changes: Any) -> LabelConfig:
        return LabelConfig.model_validate({"model": str(tiny_run), "device": "cpu", "shard": 2} | changes)

    return make


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """Eleven articles in a table, two of them broken, and five pages."""
    folder = tmp_path / "news"
    folder.mkdir()
    lines = [
        json.dumps({"id": f"t{n}", "text": f"قصفت الطائرات المدينة رقم {n} أمس.\nودعا الوزير إلى هدنة." * (n + 1)})
        for n in range(9)
    ]
    lines[3:3] = ["not json", json.dumps({"text": ""})]
    (folder / "table.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for n in range(5):
        (folder / f"page{n}.txt").write_text(f"دخلت قافلة مساعدات رقم {n} إلى القطاع.", encoding="utf-8")
    return folder


def test_folder_of_shards_holds_every_article_once_in_order(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig]
) -> None:
    out = tmp_path / "out"
    written = label_paths([news], out, config(formats=["jsonl", "csv", "parquet"]))
    assert (written.articles, written.rejected) == (14, 2)
    manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    assert [shard["shard"] for shard in manifest["shards"]] == [
        *(f"{n:05}-00000" for n in range(3)),  # five pages by two, which stand first by name
        *(f"00003-{n:05}" for n in range(6)),  # eleven records of one table
    ]
    assert manifest["totals"] == {"articles": 14, "segments": written.segments, "rejected": 2}
    ids, rows, table = [], [], []
    for shard in manifest["shards"]:
        jsonl, flat, parquet = sorted(
            shard["files"], key=lambda name: ("jsonl", "csv", "parquet").index(name.split(".")[1])
        )
        ids += [json.loads(line)["id"] for line in (out / jsonl).read_text(encoding="utf-8").splitlines()]
        with (out / flat).open(encoding="utf-8-sig", newline="") as file:
            rows += list(csv.DictReader(file))
        table += pq.read_table(out / parquet).to_pylist()
    assert ids == [*(f"page{n}" for n in range(5)), *(f"t{n}" for n in range(9))]
    assert len(rows) == len(table) == written.segments * 3
    assert [row["text"] for row in rows] == [row["text"] for row in table]
    assert [float(row["probability"]) for row in rows] == [row["probability"] for row in table]
    rejected = [json.loads(line) for line in (out / "rejected.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["line"] for row in rejected] == [4, 5]
    assert not (out / PLAN).exists()
    assert not (out / NOTES).exists()


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_one_file_holds_what_the_shards_of_a_folder_do(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig], kind: str
) -> None:
    written = label_paths([news], tmp_path / f"one.{kind}", config())
    assert written.files == [tmp_path / f"one.{kind}"]
    whole = label_paths([news], tmp_path / f"whole.{kind}", config(shard=1000))
    assert whole.articles == written.articles
    if kind == "parquet":
        one, other = (pq.read_table(tmp_path / f"{name}.{kind}") for name in ("one", "whole"))
        assert one.column("text").to_pylist() == other.column("text").to_pylist()
    else:
        one, other = ((tmp_path / f"{name}.{kind}").read_text(encoding="utf-8") for name in ("one", "whole"))
        assert one.count("\n") == other.count("\n")
        assert one.count("article_id") == other.count("article_id")
    assert not (tmp_path / f"one.{kind}.parts").exists()
    assert (tmp_path / f"one.{kind}.rejected.jsonl").read_text(encoding="utf-8").count("\n") == 2


@pytest.mark.parametrize("stop", range(8))
def test_job_that_was_stopped_ends_with_the_same_bytes(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig], stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    label_paths([news], tmp_path / "whole", config(formats=["jsonl", "csv"]))
    write, written = JobFolder.write, 0

    def stopping(self: JobFolder, *arguments: Any) -> Any:
        nonlocal written
        if written == stop:
            raise KeyboardInterrupt
        written += 1
        return write(self, *arguments)

    out = tmp_path / "stopped"
    with monkeypatch.context() as patch:
        patch.setattr(JobFolder, "write", stopping)
        with pytest.raises(KeyboardInterrupt):
            label_paths([news], out, config(formats=["jsonl", "csv"]))
    assert (out / PLAN).exists()
    again = label_paths([news], out, config(formats=["jsonl", "csv"]))
    assert again.articles == 14
    assert files_of(out) == files_of(tmp_path / "whole")


def test_shard_whose_part_was_lost_or_cut_is_labelled_again(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    label_paths([news], tmp_path / "whole", config())
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(JobFolder, "finish", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            label_paths([news], out, config())
    parts = sorted(out.glob("part-*"))
    parts[0].unlink()
    parts[1].write_bytes(parts[1].read_bytes()[:-9])
    (out / NOTES / "00001-00000.json").write_text("{", encoding="utf-8")
    label_paths([news], out, config())
    assert files_of(out) == files_of(tmp_path / "whole")


def test_beginning_of_another_job_is_refused_by_what_differs(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(JobFolder, "finish", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            label_paths([news], out, config())
    with pytest.raises(DataError, match=r"another job \(shard differ"):
        label_paths([news], out, config(shard=3))
    (news / "page0.txt").write_text("نص آخر تماما في هذه الصفحة.", encoding="utf-8")
    with pytest.raises(DataError, match=r"another job \(input: names, sizes or times of its files differ"):
        label_paths([news], out, config())
    label_paths([news], out, config(), overwrite=True)
    assert (out / MANIFEST).is_file()


def test_output_that_is_there_is_replaced_only_on_request_and_nothing_else_is(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig]
) -> None:
    out = tmp_path / "out"
    (out / "part-time").mkdir(parents=True)
    (out / "part-time" / "notes.txt").write_text("mine")
    (out / "part-00001.jsonl").write_text("another program's")
    label_paths([news], out, config())
    with pytest.raises(DataError, match="--overwrite"):
        label_paths([news / "page1.txt"], out, config())
    label_paths([news / "page1.txt"], out, config(), overwrite=True)
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()) == [
        MANIFEST,
        "part-00000-00000.jsonl",
        "part-00001.jsonl",
        "part-time/notes.txt",
    ]
    (tmp_path / "a.jsonl").write_text("old")
    with pytest.raises(DataError, match="--overwrite"):
        label_paths([news], tmp_path / "a.jsonl", config())
    assert (tmp_path / "a.jsonl").read_text() == "old"
    with pytest.raises(DataError, match=r"naba writes \.jsonl, \.csv, \.parquet"):
        label_paths([news], tmp_path / "a.txt", config())


def test_same_job_again_has_nothing_to_do_also_where_its_end_was_cut_off(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    first = label_paths([news], out, config())
    before = files_of(out)
    (out / NOTES).mkdir()  # what a kill leaves between the manifest and the end
    (out / NOTES / "00000-00000.json").write_text("{}")
    with monkeypatch.context() as patch:
        patch.setattr(module.Labeller, "start", lambda *arguments, **options: pytest.fail("labelled again"))
        again = label_paths([news], out, config())
    assert again.done_before
    assert (again.articles, again.segments, again.rejected) == (first.articles, first.segments, first.rejected)
    assert files_of(out) == before
    with monkeypatch.context() as patch:  # the same for a single file
        patch.setattr(output, "tidy", lambda target: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            label_paths([news], tmp_path / "one.jsonl", config())
    with monkeypatch.context() as patch:
        patch.setattr(JobFolder, "write", lambda *arguments: pytest.fail("labelled again"))
        label_paths([news], tmp_path / "one.jsonl", config())
    label_paths([news], tmp_path / "two.jsonl", config())
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    assert not (tmp_path / "one.jsonl.parts").exists()


def written_again(
    news: Path, out: Path, config: Callable[..., LabelConfig], monkeypatch: pytest.MonkeyPatch
) -> tuple[Written, set[str]]:
    """Give the command again: its result, and the shards that it labelled."""
    shards: set[str] = set()
    write = JobFolder.write
    with monkeypatch.context() as patch:
        patch.setattr(JobFolder, "write", lambda job, shard, items: (shards.add(shard), write(job, shard, items))[1])
        return label_paths([news], out, config()), shards


def damage(part: Path) -> str:
    """Change a part to one of the same size; the name of its shard."""
    part.write_bytes(part.read_bytes()[:-9] + b"xxxxxxx}\n")
    return part.stem[5:]


def test_part_that_was_lost_or_changed_after_the_end_is_labelled_again_and_no_other(
    news: Path,
    tmp_path: Path,
    config: Callable[..., LabelConfig],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    out = tmp_path / "out"
    label_paths([news], out, config())
    before = files_of(out)
    parts = sorted(out.glob("part-*"))
    parts[0].unlink()
    (out / NOTES).mkdir()  # what a kill, or a network file system, may have left of the first job
    note = {"shard": parts[-1].stem[5:], "files": {parts[-1].name: {"bytes": parts[-1].stat().st_size}}}
    (out / NOTES / f"{parts[-1].stem[5:]}.json").write_text(json.dumps(note), encoding="utf-8")
    again, shards = written_again(news, out, config, monkeypatch)
    assert (again.done_before, shards) == (False, {parts[0].stem[5:]})
    name = damage(parts[-1])
    again, shards = written_again(news, out, config, monkeypatch)
    assert (again.done_before, shards) == (False, {name})
    assert files_of(out) == before
    assert f"1 of {len(parts)} shards are gone, or not as they were written" in caplog.text
    assert label_paths([news], out, config()).done_before


@pytest.mark.parametrize("change", [None, b'{"path": "a"}\n{"path": "b"}\n'])
def test_list_of_what_was_set_aside_that_was_lost_or_changed_is_written_again(
    news: Path,
    tmp_path: Path,
    config: Callable[..., LabelConfig],
    monkeypatch: pytest.MonkeyPatch,
    change: bytes | None,
) -> None:
    out = tmp_path / "out"
    label_paths([news], out, config())
    before = files_of(out)
    (out / "rejected.jsonl").unlink() if change is None else (out / "rejected.jsonl").write_bytes(change)
    again, shards = written_again(news, out, config, monkeypatch)
    assert not again.done_before
    assert 0 < len(shards) < len(list(out.glob("part-*")))  # those that set something aside
    assert files_of(out) == before


@pytest.mark.parametrize("writes", range(1, 9))
def test_kill_while_a_finished_job_is_opened_again_changes_nothing(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig], monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    out = tmp_path / "out"
    label_paths([news], out, config())
    before = files_of(out)
    name = damage(sorted(out.glob("part-*"))[2])
    left = writes

    def killed(path: Path, value: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        write_json(path, value)

    with monkeypatch.context() as patch:
        patch.setattr(finished, "write_json", killed)
        try:
            label_paths([news], out, config())
        except KeyboardInterrupt:
            assert not (out / PLAN).exists()
            assert written_again(news, out, config, monkeypatch)[1] == {name}
    assert files_of(out) == before


def test_folder_that_another_job_took_meanwhile_is_left_to_it(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    label_paths([news], out, config())
    damage(next(out.glob("part-*")))
    hold = finished.hold

    def later(folder: Path, check: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(finished, "hold", hold)
            label_paths([news], out, config(shard=3), overwrite=True)  # while this one still compared checksums
        return hold(folder, check)

    monkeypatch.setattr(finished, "hold", later)
    with pytest.raises(DataError, match="is there already"):
        label_paths([news], out, config())
    monkeypatch.setattr(finished, "hold", hold)
    assert label_paths([news], out, config(shard=3)).done_before


@pytest.mark.parametrize(("name", "formats"), [("a.csv", ["jsonl", "parquet"]), ("a.jsonl", ["csv"])])
def test_formats_that_one_file_cannot_have_are_refused(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig], name: str, formats: list[str]
) -> None:
    with pytest.raises(DataError, match="name a file of that kind, or a folder"):
        label_paths([news], tmp_path / name, config(formats=formats))
    with pytest.raises(ConfigError, match="standard output gets JSONL"):
        label_stream([news], config(formats=["csv"]), lambda line: None, say=lambda item: None)


def test_finished_job_is_known_again_whatever_a_trial_would_pick_now(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig]
) -> None:
    label_paths([news], tmp_path / "out", config(engine="bfloat16"))
    assert label_paths([news], tmp_path / "out", config(engine="auto")).done_before
    with pytest.raises(DataError, match="is there already, of a job that differs in engine;"):
        label_paths([news], tmp_path / "out", config(engine="float32"))


def test_file_of_which_nothing_could_be_labelled_is_not_in_the_way_of_the_next_command(
    tmp_path: Path, config: Callable[..., LabelConfig]
) -> None:
    (tmp_path / "a.csv").write_text("id;text\n1;قصفت الطائرات المدينة.\n", encoding="utf-8")
    out = tmp_path / "out.jsonl"
    written = label_paths([tmp_path / "a.csv"], out, config())
    assert (written.files, written.rejected, out.exists()) == ([], 1, False)
    written = label_paths([tmp_path / "a.csv"], out, config(read={"delimiter": ";"}))
    assert (written.files, written.articles) == ([out], 1)
    assert not (tmp_path / "out.jsonl.rejected.jsonl").exists()


def test_output_among_the_input_is_refused_before_anything_is_read(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig]
) -> None:
    before = files_of(news)
    for out in (news / "out", news / "out.jsonl", news):
        with pytest.raises(DataError, match="lies in the input folder"):
            label_paths([news], out, config(), overwrite=True)
    with pytest.raises(DataError, match="holds the input"):
        label_paths([news / "table.jsonl"], news / "table.jsonl", config(), overwrite=True)
    with pytest.raises(DataError, match="holds the input"):
        label_paths([news / "table.jsonl"], news, config(), overwrite=True)
    assert files_of(news) == before


def test_input_that_changes_under_the_job_is_told(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = JobFolder.write

    def cutting(self: JobFolder, *arguments: Any) -> Any:
        lines = (news / "table.jsonl").read_text(encoding="utf-8").splitlines()
        (news / "table.jsonl").write_text("\n".join(lines[:3]), encoding="utf-8")
        return write(self, *arguments)

    monkeypatch.setattr(JobFolder, "write", cutting)
    with pytest.raises(DataError, match="the input was changed while it was labelled"):
        label_paths([news], tmp_path / "out", config())


def test_stop_leaves_the_shards_that_are_begun(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled: list[object] = []
    monkeypatch.setattr(LabelledLater, "cancel", lambda self: cancelled.append(self))
    monkeypatch.setattr(JobFolder, "write", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        label_paths([news], tmp_path / "out", config())
    assert len(set(map(id, cancelled))) == 2  # the one that is waited for, and the one after it


def test_lists_of_what_was_set_aside_are_kept_apart(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig]
) -> None:
    label_paths([news], tmp_path / "day.jsonl", config())
    label_paths([news / "page1.txt"], tmp_path / "day.csv", config())
    assert (tmp_path / "day.jsonl.rejected.jsonl").read_text(encoding="utf-8").count("\n") == 2


def test_second_process_in_the_same_output_is_refused(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig]
) -> None:
    with hold(tmp_path / "out", lambda: None), pytest.raises(ConfigError, match="another naba command works there"):
        label_paths([news], tmp_path / "out", config())


def test_full_disk_is_one_line_and_the_job_goes_on_when_there_is_room(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    label_paths([news], tmp_path / "whole", config())
    replace, done = Path.replace, 0

    def full(self: Path, target: Path) -> Path:
        nonlocal done
        done += str(target).endswith(".jsonl")
        if done == 4:
            raise OSError(28, "No space left on device")
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(DataError, match=r"cannot be written \(No space left"):
            label_paths([news], tmp_path / "out", config())
    label_paths([news], tmp_path / "out", config())
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def test_unwritable_output_is_one_clear_error(news: Path, tmp_path: Path, config: Callable[..., LabelConfig]) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file" / "out.jsonl", tmp_path / "file" / "out"):
        with pytest.raises(NabaError, match=r"file"):
            label_paths([news], out, config())


def test_input_without_an_article_gives_empty_output(tmp_path: Path, config: Callable[..., LabelConfig]) -> None:
    (tmp_path / "none.jsonl").write_text("")
    written = label_paths([tmp_path / "none.jsonl"], tmp_path / "out.csv", config())
    assert (written.articles, written.rejected) == (0, 0)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8-sig").startswith("article_id,")
    assert label_paths([tmp_path / "none.jsonl"], tmp_path / "out", config()).files == []


def test_standard_input_is_labelled_as_the_same_file_is(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig]
) -> None:
    label_paths([news / "table.jsonl"], tmp_path / "file.jsonl", config())
    stream = io.BytesIO((news / "table.jsonl").read_bytes())
    label_paths([Path("-")], tmp_path / "stdin.jsonl", config(), stdin=stream)
    assert (tmp_path / "stdin.jsonl").read_bytes() == (tmp_path / "file.jsonl").read_bytes()
    lines: list[str] = []
    said: list[str] = []
    stream = io.BytesIO((news / "table.jsonl").read_bytes())
    labelled, count = label_stream(
        [Path("-")], config(), lines.append, say=lambda item: said.append(str(item)), stdin=stream
    )
    assert count == len(said) == 2 and labelled == len(lines)
    assert [json.loads(line)["id"] for line in lines] == [f"t{n}" for n in range(9)]


def test_broken_off_standard_input_cannot_be_gone_on_with(
    news: Path, tmp_path: Path, config: Callable[..., LabelConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (news / "table.jsonl").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(JobFolder, "finish", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            label_paths([Path("-")], tmp_path / "out", config(), stdin=io.BytesIO(data))
    with pytest.raises(DataError, match="standard input"):
        label_paths([Path("-")], tmp_path / "out", config(), stdin=io.BytesIO(data))
    other = data.replace(b'"id": "t', b'"id": "other')
    label_paths([Path("-")], tmp_path / "out", config(), stdin=io.BytesIO(other), overwrite=True)
    ids = [json.loads(line)["id"] for path in sorted((tmp_path / "out").glob("part-*")) for line in path.open()]
    assert len(ids) == 9
    assert all(name.startswith("other") for name in ids)


def test_mistyped_path_is_told_before_the_model_is_loaded(
    tmp_path: Path, config: Callable[..., LabelConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.Labeller, "load", lambda *arguments, **options: pytest.fail("loaded"))
    with pytest.raises(DataError, match="no such file"):
        label_paths([tmp_path / "nowhere"], tmp_path / "out", config())
