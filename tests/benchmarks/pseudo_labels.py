"""How right the labels are that teachers are sure of: pseudo-labels of read segments against what readers said.

    python tests/benchmarks/pseudo_labels.py models/naba-news --data data/real/validation.jsonl data/seed-gold.jsonl

A line for each pair of least confidences, of topics and of stances. The teachers' thresholds and temperatures were fitted on
validation, so that its figures are a little too high.
"""

import argparse
import tempfile
from pathlib import Path

from naba.dataset.labelled import load_labelled
from naba.distillation.confident import SelectionRules, select_confident
from naba.distillation.pool import PoolSources, lay_down
from naba.distillation.teachers import answer_pool, consensus, open_teachers
from naba.schema import UNKNOWN

TOPICS, STANCES = (0.0, 0.8, 0.9, 0.95), (0.0, 0.6, 0.7, 0.8, 0.9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    arguments = parser.parse_args()
    teachers = open_teachers(arguments.runs)
    schema = teachers[0].schema
    with tempfile.TemporaryDirectory() as name:
        pool = lay_down(PoolSources(arguments.data, [], [], 13), Path(name) / "pool", schema)
        folders = [Path(name) / teacher.name for teacher in teachers]
        for teacher, folder in zip(teachers, folders, strict=True):
            answer_pool(teacher, pool, folder, device="cpu", precision="float32", batch_size=32)
        said = consensus(teachers, pool, folders)
        items = [item for number in range(pool.chunks) for item in pool.chunk(number)]
    gold = {item.segment.id: item.targets(schema) for item in load_labelled(arguments.data, schema)}
    print(
        "| topics ≥ | stances ≥ | kept | topics right | (topic, stance) pairs | pairs right |\n|---|---|---|---|---|---|"
    )
    for topic in TOPICS:
        for stance in STANCES:
            kept = select_confident(said, SelectionRules(topic, stance, 1.0, None), seed=1).kept
            judged = right = pairs = both = 0
            for number in kept.nonzero()[0].tolist():
                for t, (present, stance_is) in enumerate(zip(*gold[items[number].segment.id], strict=True)):
                    decided = bool(said.present[number, t])
                    judged += present != UNKNOWN
                    right += present == int(decided)
                    pairs += decided
                    both += decided and stance_is == int(said.stance[number, t].argmax())
            shares = f"{right / max(1, judged):.3f} | {pairs} | {both / max(1, pairs):.3f}"
            print(f"| {topic} | {stance} | {kept.mean():.2f} | {shares} |")


if __name__ == "__main__":
    main()
