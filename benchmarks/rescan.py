"""How long a scan takes that finds nothing changed, as a ratio to the first scan of the same files.

    python benchmarks/rescan.py [--files 100000] [--kilobytes 20]

Many text files of one size, cut out of what the other benchmarks count. The first scan counts all of
them; then one finds them unchanged, one compares their contents (`--rehash`), and one finds a single
file changed.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import corpus

SCAN = [sys.executable, "-m", "royaltycli", "scan", "--quiet"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measures scans of a corpus that was scanned before.")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--kilobytes", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folder = make(arguments.files, arguments.kilobytes * 1000)
    first = took(folder, "--fresh")
    print(f"{arguments.files:,} files of {arguments.kilobytes} kB; the first scan takes {first:.1f} s")
    table = (folder / "tokens.parquet").read_bytes()
    again = statistics.median(took(folder) for _ in range(arguments.rounds))
    print(f"  unchanged            {again:6.1f} s, {first / again:5.1f} times as fast (goal: 50)")
    rehashed = took(folder, "--rehash")
    print(f"  compared (--rehash)  {rehashed:6.1f} s, {first / rehashed:5.1f} times as fast")
    assert (folder / "tokens.parquet").read_bytes() == table, "another table"
    changed = next((folder / "texts").rglob("*.txt"))
    changed.write_text(changed.read_text(encoding="utf-8") + " More.", encoding="utf-8")
    one = took(folder)
    print(f"  one file changed     {one:6.1f} s, {first / one:5.1f} times as fast")
    shutil.rmtree(folder)


def make(files: int, size: int) -> Path:
    """A corpus of that many files of that many bytes."""
    texts = corpus.texts(corpus.make())
    data = b"".join(text.encode("ascii", "ignore") for text in texts.slice(0, 20_000).to_pylist())
    folder = corpus.FOLDER / "rescan"
    shutil.rmtree(folder, ignore_errors=True)
    for number in range(files):
        path = folder / "texts" / f"{number // 1000}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        start = number * size % (len(data) - size)
        path.write_bytes(b"%d " % number + data[start : start + size])
    (folder / "corpus.toml").write_text('[[source]]\nid = "texts"\npath = "texts"\n', encoding="utf-8")
    return folder


def took(folder: Path, *options: str) -> float:
    """Seconds that a scan takes."""
    started = time.perf_counter()
    subprocess.run([*SCAN, str(folder), "-o", str(folder / "tokens.parquet"), *options], check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
