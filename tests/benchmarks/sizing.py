"""How large a cluster, for how long, and for how much: from the measured speed of one core.

    python tests/benchmarks/sizing.py                            # by tests/benchmarks/results/labelling.json
    python tests/benchmarks/sizing.py --speed 66 --price 0.04    # segments a second a core; money a core-hour

Cores work by themselves, each on shards of its own, so that hours are core-hours over cores, as long as every core has many
shards; `--efficiency` is the share of its time that a core labels, rather than starts, reads, or waits for the last shard. A
shard is what `naba label` reads, labels and writes together: fewer of them are fewer files and less to do again after a loss.
The price is an example, of the order of a rented general-purpose core without a discount; put in your own.
"""

import argparse
import json
import math
from pathlib import Path

RESULTS = Path(__file__).with_name("results") / "labelling.json"
MILLIONS, CORES = (1, 100, 10_000), (16, 256, 4096)


def measured(path: Path) -> float:
    """Segments a second a core, as `labelling.py --write` kept them."""
    speed = json.loads(path.read_text(encoding="utf-8"))["speed"]
    return float(speed["segments_a_second"]["naba"]) / int(speed["cores"])


def table(speed: float, price: float, efficiency: float, record: float, shard: int) -> str:
    """Core-hours, cost, hours on so many cores, and shards, for so many segments."""
    head = ["million segments", "core-hours", "cost", *(f"hours on {cores:,} cores" for cores in CORES), "shards"]
    lines = [head, ["---:"] * len(head)]
    for millions in MILLIONS:
        hours = millions * 1e6 / speed / efficiency / 3600
        shards = math.ceil(millions * 1e6 / record / shard)
        # A shard is labelled by one core: the last ones of a job keep only some of them busy.
        spans = [math.ceil(shards / cores) * hours / shards for cores in CORES]
        lines.append([f"{millions:,}", number(hours), number(hours * price), *map(number, spans), f"{shards:,}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """Two figures of what is small, whole ones of what is large."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", type=float, help="segments a second a core; the measured one where not given")
    parser.add_argument("--price", type=float, default=0.04, help="of a core-hour (0.04)")
    parser.add_argument("--efficiency", type=float, default=0.9, help="share of its time that a core labels (0.9)")
    parser.add_argument("--segments-a-record", type=float, default=11, help="(11)")
    parser.add_argument("--shard", type=int, default=500, help="records (500)")
    arguments = parser.parse_args()
    if arguments.speed is None and not RESULTS.is_file():
        parser.error(f"{RESULTS.name} is not there: run labelling.py --write, or give --speed")
    speed = arguments.speed or measured(RESULTS)
    if min(speed, arguments.efficiency, arguments.segments_a_record, arguments.shard) <= 0:
        parser.error("speed, efficiency, segments a record and shard must be above 0")
    print(
        f"{speed:.1f} segments a second a core, {arguments.efficiency:.0%} of the time, {arguments.price:g} a core-hour, "
        f"shards of {arguments.shard:,} records of {arguments.segments_a_record:g} segments\n"
    )
    print(table(speed, arguments.price, arguments.efficiency, arguments.segments_a_record, arguments.shard))


if __name__ == "__main__":
    main()
