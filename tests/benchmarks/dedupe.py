"""Near-duplicates: recall and precision on generated edited copies, and time and memory by size.

    python tests/benchmarks/dedupe.py                       # quality, and 10,000 and 100,000 segments
    python tests/benchmarks/dedupe.py --sizes 10000 1000000

Texts are drawn word by word from the vocabulary of data/authored.jsonl by its frequencies. A copy is cut to seven tenths,
has its sentences reordered, a tenth of its words replaced, or other boilerplate round it.
"""

import argparse
import json
import math
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

from naba.dataset.dedupe import find_near_duplicates

ROOT = Path(__file__).resolve().parents[2]
STOCK = [
    "وأضاف",
    "في",
    "تصريحات",
    "صحفية",
    "اليوم",
    "أن",
    "الأوضاع",
    "في",
    "المنطقة",
    "تتطلب",
    "مزيدا",
    "من",
    "الجهود",
    "لتحقيق",
    "الأمن",
    "والاستقرار",
]


def vocabulary() -> tuple[list[str], list[int]]:
    """Words of the authored set with their counts."""
    rows = (ROOT / "data" / "authored.jsonl").read_text(encoding="utf-8").splitlines()
    counts = Counter(word for row in rows for word in json.loads(row)["text"].split())
    return list(counts), list(counts.values())


def texts(count: int, length: int, seed: int) -> list[list[str]]:
    """`count` unrelated texts of about `length` words; every third opens with the same stock sentence."""
    random_ = random.Random(seed)
    words, weights = vocabulary()
    flat = random_.choices(words, weights, k=count * length)
    return [
        (STOCK if number % 3 == 0 else []) + flat[number * length : (number + 1) * length] for number in range(count)
    ]


def edit(words: list[str], kind: str, random_: random.Random, spare: list[str]) -> list[str]:
    """One edited copy."""
    if kind == "cut":
        start = random_.randrange(len(words) * 3 // 10 + 1)
        return words[start : start + len(words) * 7 // 10]
    if kind == "reordered":
        parts = [words[start : start + 12] for start in range(0, len(words), 12)]
        random_.shuffle(parts)
        return [word for part in parts for word in part]
    if kind == "replaced":
        return [random_.choice(spare) if random_.random() < 0.1 else word for word in words]
    return random_.choices(spare, k=8) + words + random_.choices(spare, k=12)


def quality(originals: int, length: int) -> None:
    """Recall per kind of edit, and precision over all joined pairs of original and other text."""
    random_ = random.Random(7)
    base = texts(originals, length, seed=1)
    spare, _ = vocabulary()
    kinds = ["cut", "reordered", "replaced", "boilerplate"]
    copies = [(number, kind, edit(base[number], kind, random_, spare)) for number in range(originals) for kind in kinds]
    found = find_near_duplicates([" ".join(words) for words in (*base, *(words for _, _, words in copies))]).clusters
    hits: Counter[str] = Counter()
    for position, (number, kind, _) in enumerate(copies):
        hits[kind] += int(found[originals + position] == found[number])
    source = list(range(originals)) + [number for number, _, _ in copies]
    sizes = Counter(found.tolist())
    right = Counter(zip(found.tolist(), source, strict=True))
    joined = sum(n * (n - 1) // 2 for n in sizes.values())
    true = sum(n * (n - 1) // 2 for n in right.values())
    recalls = ", ".join(f"{kind} {hits[kind] / originals:.4f}" for kind in kinds)
    print(f"{originals:,} texts of {length} words: recall {sum(hits.values()) / len(copies):.4f} ({recalls}), "
          f"precision {true / joined if joined else 1.0:.4f}")  # fmt: skip


def measure(count: int) -> tuple[float, float]:
    """Seconds and peak GB of `count` segments of 40 words, one in ten an edited copy, in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--one", str(count)], capture_output=True, text=True, check=True)
    seconds, gigabytes = map(float, done.stdout.split())
    return seconds, gigabytes


def one(count: int) -> None:
    """What `measure` runs."""
    random_ = random.Random(3)
    spare, _ = vocabulary()
    rows = texts(count * 9 // 10, 40, seed=2)
    rows += [edit(rows[random_.randrange(len(rows))], "replaced", random_, spare) for _ in range(count - len(rows))]
    lines = [" ".join(words) for words in rows]
    del rows
    started = time.perf_counter()
    find_near_duplicates(lines)
    print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one)
        return
    for length in (40, 200):
        quality(2000, length)
    measured = [(size, *measure(size)) for size in arguments.sizes]
    for size, seconds, gigabytes in measured:
        print(f"{size:>9,} segments: {seconds:7.1f} s, peak {gigabytes:.2f} GB")
    for (small, before, _), (large, after, _) in pairwise(measured):
        print(f"growth from {small:,} to {large:,}: exponent {math.log(after / before) / math.log(large / small):.2f}")


if __name__ == "__main__":
    main()
