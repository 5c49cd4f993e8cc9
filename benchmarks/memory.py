"""How much memory a scan takes as its input grows: the peak for 8 GB of JSON Lines, against that for 1 GB.

    python benchmarks/memory.py [--megabytes 1000 8000] [--words 600] [--new 80] [--workers N]

The documents are made of words that a few occur often and most seldom, as in a language, and one in so many of
which has never occurred before, as names and numbers do: so the caches of the counting engine fill. The
scan is the command, with its usual workers. Its memory is that of all its processes together, looked at
twenty times a second, where pages that they share count once. The goals are a peak below 1.5 GB, which
grows by no more than 10 % from the smallest to the largest corpus.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import commands
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import results

GOAL_BYTES = 1_500_000_000
GOAL_GROWTH = 1.1

FILE_BYTES = 250_000_000
BLOCK_WORDS = 2_000_000
COMMON = 200_000
"""Words of the language; a block of documents holds new ones as well."""

NEW = 80
"""One word in so many is new: of the pieces into which o200k_base splits the texts of `corpus.py`, one in 80 to 130."""

SOURCES = 10_000


def main() -> None:
    """Measure and print."""
    parser = results.parser(__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1000, 8000], help="sizes of the corpora")
    parser.add_argument("--words", type=int, default=600, help="in a document, on average (600, some 4 kB)")
    parser.add_argument("--new", type=int, default=NEW, help=f"one word in so many is new ({NEW}); 8 is hostile")
    parser.add_argument("--workers", type=int, help="of the scan; by default as many as there are cores")
    parser.add_argument("--in", dest="place", type=Path, help="where to make the corpora; a temporary folder")
    arguments = parser.parse_args()
    workers = [] if arguments.workers is None else ["--workers", str(arguments.workers)]
    rows: list[dict[str, results.Value]] = []
    for megabytes in sorted(arguments.megabytes):
        with tempfile.TemporaryDirectory(dir=arguments.place) as place:
            documents = make(Path(place), megabytes * 1_000_000, arguments.words, arguments.new)
            ran = commands.scan(Path(place), *workers, every=0.05)
        first = float(rows[0]["peak, MB"] or 0) if rows else ran.peak / 1e6
        rows.append(
            {
                "MB of JSON Lines": megabytes,
                "documents": documents,
                "seconds": ran.seconds,
                "peak, MB": ran.peak / 1e6,
                "times the first": ran.peak / 1e6 / first,
            }
        )
        print(f"{megabytes:,} MB: {ran.peak / 1e6:,.0f} MB of memory at the most, {ran.seconds:,.0f} s", flush=True)
    results.show(rows)
    print(f"The goals are a peak of {GOAL_BYTES / 1e6:,.0f} MB, and {GOAL_GROWTH} times that of the smallest corpus.")
    results.keep(arguments.json, "memory", {"memory": rows}, words=arguments.words, new=arguments.new)


def make(folder: Path, size: int, words: int, new: int) -> int:
    """A corpus of about so many bytes; how many documents it holds."""
    manifest = '[[collection]]\nid = "made"\npath = "*.jsonl"\nsource = "source"\n'
    (folder / "corpus.toml").write_text(manifest, encoding="utf-8")
    chance = np.random.default_rng(2026)
    blocks = lines(chance, words, new)
    documents = written = 0
    while written < size:
        until = min(size, written + FILE_BYTES)
        with (folder / f"{written // 1_000_000:06}.jsonl").open("wb") as file:
            while written < until:
                block = next(blocks)
                documents += len(block)
                written += file.write(block.buffers()[2])
    return documents


def lines(chance: np.random.Generator, words: int, one_in: int) -> Iterator[pa.LargeStringArray]:
    """Blocks of lines of JSON, without end."""
    common = letters(chance, COMMON)
    number = 0
    while True:
        # High powers of evenly spread numbers: a few words make up most of the text.
        chosen = (chance.random(BLOCK_WORDS, dtype=np.float32) ** 6 * COMMON).astype(np.int32)
        new = chance.random(BLOCK_WORDS, dtype=np.float32) < 1 / one_in
        fresh = int(np.count_nonzero(new))
        chosen[new] = np.arange(COMMON, COMMON + fresh)
        text = pa.concat_arrays([common, letters(chance, fresh)]).take(pa.array(chosen))
        sizes = chance.poisson(words, BLOCK_WORDS // words)
        ends = np.minimum(np.cumsum(np.append(0, sizes)), BLOCK_WORDS)
        texts = pc.binary_join(pa.ListArray.from_arrays(pa.array(ends, pa.int32()), text), pa.scalar(" ", text.type))
        sources = pa.array(chance.integers(0, SOURCES, len(texts))).cast(pa.large_string())
        start = [f'{{"id": {number}, "source": "author-', '", "text": "', '."}\n']
        opening, middle, closing = (pa.scalar(part, pa.large_string()) for part in start)
        yield pc.binary_join_element_wise(opening, sources, middle, texts, closing, pa.scalar("", pa.large_string()))
        number += 1


def letters(chance: np.random.Generator, count: int) -> pa.LargeStringArray:
    """Words of letters by chance, which hardly ever come twice; long ones are seldom."""
    sizes: npt.NDArray[np.int64] = 3 + np.minimum(chance.geometric(0.25, count), 12)
    data = chance.integers(ord("a"), ord("z") + 1, int(sizes.sum()), dtype=np.uint8)
    ends = np.cumsum(np.append(0, sizes))
    return pa.LargeStringArray.from_buffers(count, pa.py_buffer(ends), pa.py_buffer(data))


if __name__ == "__main__":
    main()
