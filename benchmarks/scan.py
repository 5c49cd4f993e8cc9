"""How fast a scan is, as ratios taken in one run, and how much memory it takes as the corpus grows.

    python benchmarks/scan.py [--rounds 3] [--megabytes 1000] [--encoding o200k_base]

Each round runs in turn, on all cores and on the same texts:

- gigatoken alone: all texts in memory as one Arrow array, a fresh tokenizer, its own threads; the faster
  of one call for everything and a call for every 8 MiB;
- tiktoken alone: `encode_ordinary_batch` on the texts as Python strings in memory;
- the scan: `royalty scan` on the files, packed and plain, with its default verification, in a process
  of its own. Its time is that of the whole command, and also without the start of Python and imports.

The ratios are those of the medians. Memory is the peak of the scan's processes together, looked at
twenty times a second, on the corpus and on four of it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import corpus
import pyarrow as pa

SAMPLE = 100_000_000

SCAN = """
import contextlib, psutil, sys, threading, time
from royaltycli import api
from royaltycli.tokens import engines, reference  # what a scan imports, before the clock starts
import awkward, gigatoken, pyarrow.json, pyarrow.parquet, tiktoken
peak, process = [0], psutil.Process()
def watch():
    while True:
        with contextlib.suppress(psutil.Error):
            peak[0] = max(peak[0], sum(each.memory_info().rss for each in [process, *process.children()]))
        time.sleep(0.05)
threading.Thread(target=watch, daemon=True).start()
started = time.perf_counter()
table = api.scan(sys.argv[1], encoding=sys.argv[2])
seconds = time.perf_counter() - started
print(seconds, peak[0] // 1024, sum(table["tokens"].to_pylist()))
"""


class Outcome(NamedTuple):
    """Bytes of text, the seconds they took, and their tokens; 0 where nobody says."""

    size: int
    seconds: float
    tokens: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measures the scan against the counting engines alone.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=corpus.TARGET // 1_000_000)
    parser.add_argument("--from", dest="folders", type=Path, nargs="*", default=[], help="more folders to find text in")
    parser.add_argument("--encoding", default="o200k_base", choices=["r50k_base", "cl100k_base", "o200k_base"])
    arguments = parser.parse_args()
    corpus.FOLDERS += arguments.folders
    folder = corpus.make(arguments.megabytes * 1_000_000)
    texts = corpus.texts(folder)
    size = texts.nbytes
    print(f"{size / 1e6:,.0f} MB of text in {len(texts):,} documents, {arguments.encoding}, {os.cpu_count()} cores")

    contestants: dict[str, Callable[[], Outcome]] = {
        "gigatoken alone": lambda: gigatoken_alone(texts, arguments.encoding),
        "tiktoken alone": lambda: tiktoken_alone(sample(texts), arguments.encoding),
        "the scan": lambda: scan(folder, size, arguments.encoding)[0],
        "the whole command": lambda: command(folder, size, arguments.encoding),
    }
    outcomes: dict[str, list[Outcome]] = {name: [] for name in contestants}
    for _ in range(arguments.rounds):
        for name, run in contestants.items():
            outcomes[name].append(run())
    assert outcomes["the scan"][0].tokens == outcomes["gigatoken alone"][0].tokens, "the scan counts otherwise"
    speeds = {name: statistics.median(each.size / each.seconds for each in runs) for name, runs in outcomes.items()}
    for name, speed in speeds.items():
        print(f"  {name:20} {speed / 1e6:8.1f} MB/s")
    scanned = speeds["the scan"]
    print(f"the scan is {scanned / speeds['tiktoken alone']:.1f} times as fast as tiktoken alone (goal: 8)")
    print(f"the scan takes {speeds['gigatoken alone'] / scanned:.2f} times as long as gigatoken alone (goal: 1.5)")
    print(f"the whole command takes {speeds['gigatoken alone'] / speeds['the whole command']:.2f} times as long")
    memory(folder, size, arguments.encoding)


def gigatoken_alone(texts: pa.LargeStringArray, encoding: str) -> Outcome:
    """The faster of two ways to hand gigatoken the texts."""
    return min(encode([texts], encoding), encode(batches(texts), encoding), key=lambda outcome: outcome.seconds)


def encode(parts: list[pa.LargeStringArray], encoding: str) -> Outcome:
    import awkward
    import gigatoken

    from royaltycli.tokens.encodings import PUBLIC, find_encoding

    started = time.perf_counter()
    path, scheme = find_encoding(encoding).path, PUBLIC[encoding].scheme
    tokenizer = gigatoken.Tokenizer.from_tiktoken(path, pretokenizer=scheme)
    tokens = sum(awkward.count(tokenizer.encode_batch(awkward.from_arrow(part), parallel=True)) for part in parts)
    return Outcome(sum(part.nbytes for part in parts), time.perf_counter() - started, int(tokens))


def batches(texts: pa.LargeStringArray) -> list[pa.LargeStringArray]:
    """The texts in slices of about 8 MiB."""
    rows = max(1, len(texts) * (8 << 20) // texts.nbytes)
    return [texts.slice(start, rows) for start in range(0, len(texts), rows)]


def sample(texts: pa.LargeStringArray) -> pa.LargeStringArray:
    """Every n-th text, so many that they come to about SAMPLE bytes: tiktoken's speed does not change with time."""
    return texts.take(pa.array(range(0, len(texts), max(1, texts.nbytes // SAMPLE))))


def tiktoken_alone(texts: pa.LargeStringArray, encoding: str) -> Outcome:
    """One batch call on all cores; loading the vocabulary is not counted."""
    import tiktoken

    from royaltycli.tokens.encodings import PUBLIC, find_encoding
    from royaltycli.tokens.reference import mergeable_ranks

    ranks = mergeable_ranks(find_encoding(encoding))
    engine = tiktoken.Encoding(encoding, pat_str=PUBLIC[encoding].pattern, mergeable_ranks=ranks, special_tokens={})
    documents = texts.to_pylist()
    started = time.perf_counter()
    counted = engine.encode_ordinary_batch(documents, num_threads=os.cpu_count() or 1)
    return Outcome(texts.nbytes, time.perf_counter() - started, sum(map(len, counted)))


def scan(folder: Path, size: int, encoding: str) -> tuple[Outcome, int]:
    """A scan in a process whose imports are done, and the peak memory of that and its workers in KiB."""
    command = [sys.executable, "-c", SCAN, str(folder), encoding]
    seconds, memory, tokens = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return Outcome(size, float(seconds), int(tokens)), int(memory)


def command(folder: Path, size: int, encoding: str) -> Outcome:
    """`royalty scan`, all in all."""
    with tempfile.TemporaryDirectory() as place:
        options = ["--quiet", "--encoding", encoding, "--output", f"{place}/tokens.parquet"]
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "royaltycli", "scan", str(folder), *options], check=True)
        return Outcome(size, time.perf_counter() - started, 0)


def memory(folder: Path, size: int, encoding: str) -> None:
    """The peak of a scan of the corpus, and of four copies of it."""
    single = scan(folder, size, encoding)[1]
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        fourfold = Path(place)
        manifest = (folder / "corpus.toml").read_text(encoding="utf-8")
        manifest = manifest.replace('path = "texts"', 'path = "[0-3]/texts/*"').replace('"*.', '"[0-3]/*.')
        (fourfold / "corpus.toml").write_text(manifest, encoding="utf-8")
        for copy in range(4):
            for file in folder.rglob("*"):
                if file.is_file() and file.name != "corpus.toml":
                    link = fourfold / str(copy) / file.relative_to(folder)
                    link.parent.mkdir(parents=True, exist_ok=True)
                    os.link(file, link)
        four = scan(fourfold, 4 * size, encoding)[1]
    growth = four / single
    print(
        f"peak memory: {single / 1024:,.0f} MiB; for four times the corpus {four / 1024:,.0f} MiB, {growth:.2f} times"
    )


if __name__ == "__main__":
    main()
