"""How long exact allocation takes, as a multiple of what numpy needs for an inexact one in floats.

    python benchmarks/allocation.py [--sources 10e6]

Both are measured alternately in one run, so that the ratio says something on any machine. The goal is
below 5 for ten million sources.
"""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[1]))

from royaltycli.payout.allocation import allocate

POOL = 10_000_000_000
"""Minor units: $100M, which is 20 % of $500M."""

TURNS = 5
GOAL = 5.0

Weights = npt.NDArray[np.int64]


def in_floats(weights: Weights) -> npt.NDArray[np.float64]:
    """The yardstick: what numpy needs to multiply and floor, without any unit handed out exactly."""
    floors: npt.NDArray[np.float64] = np.floor(weights.astype(np.float64) * (POOL / int(weights.sum())))
    return floors


def corpora(sources: int) -> list[tuple[str, Weights]]:
    """Weights of several kinds, always the same."""
    chance = np.random.default_rng(2026)
    sizes = np.minimum(chance.pareto(1.1, sources) * 200 + 1, 1e9).astype(np.int64)
    return [
        ("hardly a tie", sizes * 1000 + chance.integers(0, 1000, sources)),
        ("like token counts", sizes),
        ("Zipf, many ties", np.minimum(chance.zipf(1.5, sources), 10**8)),
        ("all tie but one", np.append(np.full(sources - 1, 1300), 650 * sources)),
    ]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_bytes(work: Callable[[], object]) -> int:
    """The most memory in use at once beyond what was there before, as numpy and Python count it."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def tied_at_the_threshold(weights: Weights) -> int:
    """How many sources have the remainder at which the units left over run out."""
    total = int(weights.sum())
    remainders = np.array([POOL * weight % total for weight in np.unique(weights).tolist()], np.int64)
    counts = np.unique(weights, return_counts=True)[1]
    left = int((remainders.astype(object) * counts).sum()) // total
    for row in np.argsort(-remainders).tolist():
        if left <= counts[row]:
            return int(counts[row]) if 0 < left < counts[row] else 0
        left -= int(counts[row])
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=float, default=10e6, help="how many sources to pay (10e6)")
    sources = int(parser.parse_args().sources)
    ids = pa.array([f"microposts/user{number:08}" for number in range(sources)])
    print(f"{sources:,} sources, best of {TURNS} turns; the goal is a ratio below {GOAL:g}")
    print(f"{'weights':<20}{'hashed':>12}{'in floats':>12}{'exact':>12}{'ratio':>8}{'peak bytes a source':>22}")
    for name, weights in corpora(sources):
        turns = [
            (seconds(partial(in_floats, weights)), seconds(partial(allocate, POOL, weights, ids, "2026")))
            for _ in range(TURNS)
        ]
        floats, exact = (min(turn[side] for turn in turns) for side in (0, 1))
        memory = peak_bytes(partial(allocate, POOL, weights, ids, "2026")) / sources
        ties = tied_at_the_threshold(weights)
        print(
            f"{name:<20}{ties:>12,}{floats:>10.3f} s{exact:>10.3f} s{exact / floats:>8.2f}{memory:>22.1f}", flush=True
        )
    print("Hashed are those sources that tie for the last units, which costs a SHA-256 each.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
