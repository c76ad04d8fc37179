"""A job killed at random moments, again and again, against one that was left alone."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from naba.labelling.output import NOTES

ARTICLES = 800


@pytest.mark.slow
@pytest.mark.parametrize(("out", "kills"), [("folder", 20), ("file.jsonl", 6)])
def test_job_killed_at_random_moments_ends_in_the_same_bytes(
    tiny_run: Path, root: Path, tmp_path: Path, out: str, kills: int
) -> None:
    chance = random.Random(5)
    lines = (root / "data" / "authored.jsonl").read_text(encoding="utf-8").splitlines()
    words = [word for line in lines for word in json.loads(line)["text"].split()]
    articles = tmp_path / "articles.jsonl"
    with articles.open("w", encoding="utf-8") as file:
        for _ in range(ARTICLES):
            text = "\n".join(" ".join(chance.choices(words, k=chance.randint(5, 80))) for _ in range(4))
            file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    worker = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("killed_worker.py")), str(articles), str(tiny_run)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root / "training")},
    )
    assert worker.stdin
    assert worker.stdout

    def begin(target: Path) -> int:
        worker.stdin.write(f"{target}\n")
        worker.stdin.flush()
        return int(worker.stdout.readline())

    def end() -> int:
        return int(worker.stdout.readline())

    def done() -> int:
        return len(list((tmp_path / "cut").rglob(f"{NOTES}/*.json")))

    try:
        begin(tmp_path / "whole" / out)
        assert end() == 0
        killed = 0
        while killed < kills:
            # The shards of a start are counted, not its seconds: those depend on what else the machine does.
            child, more = begin(tmp_path / "cut" / out), chance.randint(0, 12)
            already = done()
            while done() < already + more and _runs(child):
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.1))
            with suppress(ProcessLookupError):  # it was done before the kill
                os.kill(child, signal.SIGTERM if killed % 5 == 4 else signal.SIGKILL)
            code = end()
            killed += code in (-signal.SIGKILL, -signal.SIGTERM)
            if code == 0:  # once more from the start
                for path in sorted((tmp_path / "cut").rglob("*"), reverse=True):
                    path.rmdir() if path.is_dir() else path.unlink()
            else:
                assert code < 0, "a start failed by itself"
        begin(tmp_path / "cut" / out)
        assert end() == 0
    finally:
        worker.stdin.close()
        worker.wait(timeout=60)
    whole, cut = (
        {
            str(path.relative_to(tmp_path / name)): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("whole", "cut")
    )
    assert cut == whole
    assert whole


def _runs(child: int) -> bool:
    """Whether a process is there that is no zombie."""
    try:
        return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
