"""How much memory and time a collection of very many sources takes.

    python benchmarks/sources.py [--sources 20e6]

A collection of Parquet in which every document is short, and names one of so many sources, in no order;
one document in ten is a copy. It is scanned as a command, with its usual workers, and then paid out. The
memory is the peak of the scan's main process alone, as the system counts it, and that of all its
processes together, looked at ten times a second. The goal is 4 GB for 20 million sources. How long the
counting takes and how long the rest is told by the partial tables: the last of them is written when all
is counted.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

GOAL = 4_000_000_000
ROWS = 500_000
"""Documents in one file."""

COPIED = 10
"""One document in so many is a copy of another."""

MANIFEST = """[corpus]
name = "Many sources"
[[collection]]
id = "microposts"
path = "*.parquet"
source = "author"
"""

MAIN = """
import resource, sys
from royaltycli.cli import main
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
"""
"""The command, which says at the end how long its main process computed, and its peak in KiB, as Linux counts it."""


class Run(NamedTuple):
    """Seconds, those that the main process computed, its peak and that of all in bytes, and when it began."""

    seconds: float
    computed: float
    main: int
    together: int
    began: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=float, default=20e6, help="how many sources there are (20e6)")
    parser.add_argument("--duplicates", default="split", choices=["all", "first", "split"])
    parser.add_argument("--in", dest="place", type=Path, help="where to make the corpus; a temporary folder")
    arguments = parser.parse_args()
    sources = int(arguments.sources)
    with tempfile.TemporaryDirectory(dir=arguments.place) as temporary:
        folder = Path(temporary)
        size = make(folder, sources)
        print(f"{sources:,} sources in as many documents, {size / 1e6:,.0f} MB of text")
        scan = ["scan", "--quiet", "--duplicates", arguments.duplicates]
        report("first scan", counted(folder, run(folder, scan)))
        report("nothing changed", run(folder, scan))
        report("payout", run(folder, ["payout", "--profit", "500e6", "--rate", "0.2", "--quiet", "-o", "p.parquet"]))
        table = pq.ParquetFile(folder / "tokens.parquet").metadata
        assert table.num_rows == sources, f"{table.num_rows:,} sources were found"


def make(folder: Path, sources: int) -> int:
    """A corpus with a document for each source; how many bytes of text it holds."""
    (folder / "corpus.toml").write_text(MANIFEST, encoding="utf-8")
    numbers = np.random.default_rng(1).permutation(sources)
    size = 0
    for start in range(0, sources, ROWS):
        part = numbers[start : start + ROWS]
        names = pc.binary_join_element_wise("user", pc.utf8_lpad(pa.array(part).cast(pa.string()), 9, "0"), "")
        texts = np.where(part % COPIED == 0, part % 1000, part)
        text = pc.binary_join_element_wise("Day ", pa.array(texts).cast(pa.string()), " was as long as any.", "")
        size += int(pc.sum(pc.binary_length(text)).as_py())
        table = pa.table({"author": names, "text": text})
        pq.write_table(table, folder / f"{start:09}.parquet", compression="zstd", row_group_size=100_000)
    return size


def run(folder: Path, arguments: list[str]) -> Run:
    """A command in the folder of the corpus."""
    began, together = time.time(), 0
    command = [sys.executable, "-c", MAIN, *arguments]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=folder, stderr=said)
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            with contextlib.suppress(psutil.Error):
                family = [watched, *watched.children(recursive=True)]
                together = max(together, sum(each.memory_info().rss for each in family))
            time.sleep(0.1)
        said.seek(0)
        lines = said.read().decode().split()
    assert process.returncode == 0, " ".join(lines)
    return Run(time.time() - began, float(lines[-2]), int(lines[-1]) * 1024, together, began)


def counted(folder: Path, done: Run) -> Run:
    """Say when the last partial table was written, after which the sources are grouped."""
    last = max(path.stat().st_mtime for path in (folder / ".tokens.parquet.shards").iterdir())
    print(f"counted after {last - done.began:,.0f} s, and grouped in {done.began + done.seconds - last:,.0f} s more")
    return done


def report(name: str, done: Run) -> None:
    """One line for a command."""
    goal = f" (goal: {GOAL / 1e9:.0f})" if name != "payout" else ""
    print(
        f"{name:16} {done.seconds:7,.0f} s, main process {done.computed:,.0f} s and {done.main / 1e9:.2f} GB{goal}, "
        f"all together {done.together / 1e9:.2f} GB",
        flush=True,
    )


if __name__ == "__main__":
    main()
