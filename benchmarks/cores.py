"""How much faster a scan is on two cores than on one.

    python benchmarks/cores.py [--rounds 3] [--megabytes 1000] [--formats txt jsonl jsonl.zst parquet.zst]

In turn, for each format: the whole command kept to one core with `--workers 1`, and kept to two with
`--workers 2`. Ratios are medians of rounds; the goal is 1.7. `without the start` leaves out what the command
takes for a single word, which no second core makes shorter.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path

import commands
import corpus
import results
from formats import single_word

GOAL = 1.7
FORMATS = ["txt", "jsonl", "jsonl.zst", "parquet.zst"]


def main() -> None:
    """Measure and print."""
    parser = results.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=corpus.TARGET // 1_000_000)
    parser.add_argument("--formats", nargs="*", default=FORMATS, choices=corpus.FORMATS)
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) == 1:
        parser.error("there is but one core here")
    rows = []
    with tempfile.TemporaryDirectory() as place:
        word = single_word(Path(place))
        for name in arguments.formats:
            folder = corpus.in_format(name, arguments.megabytes * 1_000_000)
            rows.append(compare(name, folder, word, cores, arguments.rounds))
    print(f"{arguments.megabytes:,} MB of text; the goal is a ratio of {GOAL}")
    results.show(rows)
    results.keep(arguments.json, "cores", {"cores": rows}, megabytes=arguments.megabytes, goal=GOAL)


def compare(name: str, folder: Path, word: Path, cores: list[int], rounds: int) -> results.Row:
    """A row on one format."""
    one, two, start = [], [], []
    for _ in range(rounds):
        one.append(commands.scan(folder, "--workers", "1", cores=cores[:1]).seconds)
        two.append(commands.scan(folder, "--workers", "2", cores=cores).seconds)
        start.append(commands.scan(word, "--workers", "1", cores=cores[:1]).seconds)
    turns = list(zip(one, two, start, strict=True))
    ratio = statistics.median(first / second for first, second, _ in turns)
    return {
        "format": name,
        "one core, s": statistics.median(one),
        "two cores, s": statistics.median(two),
        "ratio": ratio,
        "goal met": "yes" if ratio >= GOAL else "no",
        "without the start": statistics.median((first - none) / (second - none) for first, second, none in turns),
    }


if __name__ == "__main__":
    main()
