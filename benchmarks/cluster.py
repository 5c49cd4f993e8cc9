"""What a scan on Ray takes on one machine, against the same scan without it.

    python benchmarks/cluster.py [--rounds 3] [--megabytes 2000] [--shard 64]

In turn, with two workers each, of the same Parquet: a local scan, and one on a Ray cluster that is up
already, both in programs of their own and in shards of so many MiB. Ratios are medians of rounds; the goal is
that Ray takes at most 1.2 times as long. `without the start` leaves out what either takes for a single word.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import commands
import corpus
import results
from formats import single_word

GOAL = 1.2

SCAN = """
import sys
from royaltycli.corpus import shards
import royaltycli
folder, on, shard = sys.argv[1:]
shards.cut.__defaults__ = (int(shard), *shards.cut.__defaults__[1:])
shards.together.__defaults__ = (int(shard),)
royaltycli.scan(folder, output=f"{folder}/tokens.parquet", on=on, workers=2, fresh=True)
"""


def main() -> None:
    """Measure and print."""
    parser = results.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=2 * corpus.TARGET // 1_000_000)
    parser.add_argument("--shard", type=int, default=64, help="MiB of a shard")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, cluster() as address:
        row = compare(arguments, single_word(Path(place)), address)
    print(f"{arguments.megabytes:,} MB of text; the goal is a ratio of {GOAL} at most")
    results.show([row])
    results.keep(arguments.json, "cluster", {"cluster": [row]}, megabytes=arguments.megabytes, goal=GOAL)


@contextmanager
def cluster() -> Iterator[str]:
    """A cluster on this machine with two processors; gives its address."""
    from ray.cluster_utils import Cluster

    up: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    try:
        yield str(up.address)
    finally:
        up.shutdown()


def compare(arguments: argparse.Namespace, word: Path, address: str) -> results.Row:
    """What both take, and the ratio."""
    folder = corpus.in_format("parquet.zst", arguments.megabytes * 1_000_000)
    turns = [
        [scan(of, on, arguments.shard, address) for of in (folder, word) for on in ("local", "ray")]
        for _ in range(arguments.rounds)
    ]
    local, ray, local_start, ray_start = map(statistics.median, zip(*turns, strict=True))
    ratio = statistics.median(far / near for near, far, *_ in turns)
    return {
        "MiB a shard": arguments.shard,
        "local, s": local,
        "on Ray, s": ray,
        "ratio": ratio,
        "goal met": "yes" if ratio <= GOAL else "no",
        "without the start": statistics.median((far - far_0) / (near - near_0) for near, far, near_0, far_0 in turns),
        "start local, s": local_start,
        "start on Ray, s": ray_start,
    }


def scan(folder: Path, on: str, shard: int, address: str) -> float:
    """Seconds of a scan."""
    command = [sys.executable, "-c", SCAN, str(folder), on, str(shard << 20)]
    return commands.run(command, environment={"RAY_ADDRESS": address}).seconds


if __name__ == "__main__":
    main()
