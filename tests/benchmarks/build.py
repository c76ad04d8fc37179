"""A build of many raw articles with the shipped rules: time and peak memory by size, and what a resumed build saves.

    python tests/benchmarks/build.py                     # 2,000 and 20,000 articles
    python tests/benchmarks/build.py --sizes 100000

Articles have ten paragraphs of 40 words, drawn from the vocabulary of data/authored.jsonl; one article in ten is an edited
copy of another.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARAGRAPHS, WORDS = 10, 40


def write_articles(path: Path, count: int) -> None:
    """`count` articles as JSONL."""
    random_ = random.Random(5)
    rows = (ROOT / "data" / "authored.jsonl").read_text(encoding="utf-8").splitlines()
    counts = Counter(word for row in rows for word in json.loads(row)["text"].split())
    words, weights = list(counts), list(counts.values())
    kept: list[list[str]] = []
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            if number % 10 == 9:
                text = [random_.choice(words) if random_.random() < 0.1 else word for word in random_.choice(kept)]
            else:
                text = random_.choices(words, weights, k=PARAGRAPHS * WORDS)
                if len(kept) < 5000:
                    kept.append(text)
            lines = [" ".join(text[start : start + WORDS]) for start in range(0, len(text), WORDS)]
            file.write(json.dumps({"id": f"a{number}", "text": "\n".join(lines)}, ensure_ascii=False) + "\n")


def one(articles: Path, out: Path) -> None:
    """One build, in a process of its own; prints seconds and peak GB."""
    from naba.config import BuildConfig
    from naba.dataset.build import build

    config = BuildConfig.model_validate(
        {
            "labels": ROOT / "configs" / "labels.yaml",
            "articles": [articles],
            "rules": ROOT / "configs" / "rules",
            "train": [ROOT / "data" / "authored.jsonl"],
            "test": [ROOT / "data" / "seed-gold.jsonl"],
            "inflation": False,
            "out": out,
        }
    )
    started = time.perf_counter()
    build(config)
    print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--one", type=Path, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(*arguments.one)
        return
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory() as folder:
            articles, out = Path(folder) / "articles.jsonl", Path(folder) / "out"
            write_articles(articles, size)
            for what in ("from nothing", "with all shards there"):
                command = [sys.executable, __file__, "--one", str(articles), str(out)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                seconds, gigabytes = map(float, done.stdout.split())
                print(f"{size:>8,} articles, {what}: {seconds:7.1f} s, peak {gigabytes:.2f} GB")


if __name__ == "__main__":
    main()
