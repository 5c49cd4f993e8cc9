"""How fast a scan is for each format of files, as ratios to gigatoken alone, and where the rest of the time goes.

    python benchmarks/formats.py [--rounds 3] [--megabytes 1000] [--formats jsonl parquet.zst]

The same documents as text files, JSON Lines and Parquet, each plain, with gzip and with zstd. In each round,
for each format in turn, gigatoken alone counts the texts, which lie in memory, on all cores (the faster of
two ways; see scan.py), and `royalty scan` the files, with its usual workers and verification. Throughput is
in megabytes of text. A scan's time is that of the whole command, and that of gigatoken has it load its
vocabulary; the last ratio leaves out what either takes for a single word, as that does not grow with the
corpus. Ratios are medians of rounds.

The profile is of a scan with a single worker (see parts.py): milliseconds that each part computed for a
megabyte of text. `all parts` is their sum; `as run` is what the whole command, with all its workers, computed,
with its start and theirs. `start, s` is what the command computed for the single word, in seconds: about so
much comes with each worker, and the rest of the difference is workers in each other's way.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import commands
import corpus
import pyarrow as pa
import pyarrow.parquet as pq
import results
from scan import gigatoken_alone

GOAL = 0.7
"""For JSON Lines and Parquet: so much of gigatoken's throughput."""


class Round(NamedTuple):
    """Seconds of gigatoken alone for the corpus and for a single word, and a scan of either."""

    alone: float
    alone_start: float
    scan: commands.Ran
    start: commands.Ran


def main() -> None:
    """Measure and print."""
    parser = results.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=corpus.TARGET // 1_000_000)
    parser.add_argument("--encoding", default="o200k_base", choices=["r50k_base", "cl100k_base", "o200k_base"])
    parser.add_argument("--formats", nargs="*", default=corpus.FORMATS, choices=corpus.FORMATS)
    arguments = parser.parse_args()
    target = arguments.megabytes * 1_000_000
    folders = {name: corpus.in_format(name, target) for name in arguments.formats}
    texts = corpus.texts(corpus.make(target))
    megabytes = texts.nbytes / 1e6
    print(f"{megabytes:,.0f} MB of text in {len(texts):,} documents, {arguments.encoding}, {os.cpu_count()} cores")
    rounds: dict[str, list[Round]] = {name: [] for name in folders}
    with tempfile.TemporaryDirectory() as place:
        word = single_word(Path(place))
        for _ in range(arguments.rounds):
            for name, folder in folders.items():
                rounds[name].append(measure(texts, folder, word, arguments.encoding))
    speeds = [speed(name, folders[name], each, megabytes) for name, each in rounds.items()]
    results.show(speeds)
    print(f"The goal for JSON Lines and Parquet is a ratio of {GOAL}.\n\nMilliseconds of one core for a megabyte:")
    profiles = [profile(name, folders[name], each, megabytes, arguments.encoding) for name, each in rounds.items()]
    results.show(profiles)
    tables = {"throughput": speeds, "profile": profiles}
    results.keep(arguments.json, "formats", tables, encoding=arguments.encoding, megabytes=megabytes, goal=GOAL)


def single_word(folder: Path) -> Path:
    """A corpus that takes no time but the start."""
    (folder / "word.txt").write_text("word", encoding="utf-8")
    (folder / "corpus.toml").write_text('[[source]]\nid = "word"\npath = "word.txt"\n', encoding="utf-8")
    return folder


def measure(texts: pa.LargeStringArray, folder: Path, word: Path, encoding: str) -> Round:
    """One round for one format, after which the counts are compared."""
    alone = gigatoken_alone(texts, encoding)
    scan = commands.scan(folder, "--encoding", encoding)
    start = commands.scan(word, "--encoding", encoding)
    counted = sum(pq.read_table(folder / "tokens.parquet")["tokens"].to_pylist())
    assert counted == alone.tokens, f"the scan of {folder} counts {counted:,}, gigatoken alone {alone.tokens:,}"
    alone_start = gigatoken_alone(pa.array(["word"], pa.large_string()), encoding)
    return Round(alone.seconds, alone_start.seconds, scan, start)


def speed(name: str, folder: Path, rounds: list[Round], megabytes: float) -> results.Row:
    """A row on the throughput of a format."""
    ratio = statistics.median(each.alone / each.scan.seconds for each in rounds)
    started = statistics.median(
        (each.alone - each.alone_start) / (each.scan.seconds - each.start.seconds) for each in rounds
    )
    files = sum(path.stat().st_size for path in (folder / "texts").rglob("*.*"))
    return {
        "format": name,
        "MB of files": files / 1e6,
        "gigatoken alone, MB/s": megabytes / statistics.median(each.alone for each in rounds),
        "scan, MB/s": megabytes / statistics.median(each.scan.seconds for each in rounds),
        "ratio": ratio,
        "goal met": None if name.startswith("txt") else "yes" if ratio >= GOAL else "no",
        "without the start": started,
    }


def profile(name: str, folder: Path, rounds: list[Round], megabytes: float, encoding: str) -> results.Row:
    """A row on where the time of a format goes."""
    command = [sys.executable, str(Path(__file__).with_name("parts.py")), str(folder), encoding]
    parts = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    size = parts.pop("bytes") / 1e6
    del parts["start"]
    milliseconds = {part: 1000 * seconds / size for part, seconds in parts.items()}
    computed = statistics.median(each.scan.computed for each in rounds)
    return {
        "format": name,
        **{part: milliseconds[part] for part in sorted(milliseconds, key=lambda part: part == "the rest")},
        "all parts": sum(milliseconds.values()),
        "as run": 1000 * computed / megabytes,
        "start, s": statistics.median(each.start.computed for each in rounds),
    }


if __name__ == "__main__":
    main()
