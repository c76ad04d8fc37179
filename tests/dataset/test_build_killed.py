"""A build of many articles, killed again and again, against one that was left alone."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ARTICLES = 8000
KILLS = 5


@pytest.mark.slow
def test_build_killed_at_random_moments_ends_in_the_same_bytes(root: Path, tmp_path: Path) -> None:
    random_ = random.Random(1)
    lines = (root / "data" / "authored.jsonl").read_text(encoding="utf-8").splitlines()
    words = [word for line in lines for word in json.loads(line)["text"].split()]
    with (tmp_path / "articles.jsonl").open("w", encoding="utf-8") as file:
        for _ in range(ARTICLES):
            text = "\n".join(" ".join(random_.choices(words, k=40)) for _ in range(5))
            file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")

    def start(out: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "naba", "build", str(root / "configs" / "build.yaml")]
        settings = {
            "articles": f"[{tmp_path / 'articles.jsonl'}]",
            "rules": str(root / "configs" / "rules"),
            "inflation": "false",
            "name": "killed",
            "out": str(tmp_path / out / "dataset"),
        }
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        return subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def files(out: str) -> dict[str, bytes]:
        folder = tmp_path / out / "dataset"
        return {
            str(path.relative_to(folder)): path.read_bytes().replace(f"/{out}/".encode(), b"/out/")
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    whole = start("whole")
    assert whole.wait(timeout=600) == 0, whole.stderr.read() if whole.stderr else ""
    folder = tmp_path / "cut" / "dataset"
    for number in range(KILLS):
        # Four times among the shards, each time further on, and once while the dataset itself is written.
        shards, pattern = (3 * number + 2, "shards/*-*.json") if number < KILLS - 1 else (1, "train.jsonl")
        run = start("cut")
        while len(list(folder.glob(pattern))) < shards:
            assert run.poll() is None, "the build was done before it could be killed"
            time.sleep(0.002)
        time.sleep(random_.uniform(0, 0.05))
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL
        assert not (folder / "manifest.json").exists()
    assert start("cut").wait(timeout=600) == 0
    assert files("cut") == files("whole")
