"""How long a scan takes that finds nothing changed, as a ratio to the first scan of the same files.

    python benchmarks/rescan.py [--files 100000] [--kilobytes 20]

Many text files of one size, cut out of what the other benchmarks count. The first scan counts all of
them; then one finds them unchanged, one compares their contents (`--rehash`), and one finds a single
file changed.
"""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

import commands
import corpus
import results

GOAL = 50


def main() -> None:
    """Measure and print."""
    parser = results.parser(__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--kilobytes", type=int, default=20, help="in each file (20)")
    parser.add_argument("--rounds", type=int, default=3, help="of the scan that finds nothing changed (3)")
    parser.add_argument(
        "--megabytes", type=int, default=corpus.TARGET // 1_000_000, help="that the files are cut out of"
    )
    arguments = parser.parse_args()
    folder = make(arguments.files, arguments.kilobytes * 1000, arguments.megabytes * 1_000_000)
    print(f"{arguments.files:,} files of {arguments.kilobytes} kB; the goal for one unchanged is a ratio of {GOAL}")
    first = commands.scan(folder)
    table = (folder / "tokens.parquet").read_bytes()
    rows = [row("first scan", [first], first)]
    rows.append(row("unchanged", [commands.again(folder) for _ in range(arguments.rounds)], first))
    rows.append(row("compared (--rehash)", [commands.again(folder, "--rehash")], first))
    assert (folder / "tokens.parquet").read_bytes() == table, "another table"
    changed = next((folder / "texts").rglob("*.txt"))
    changed.write_text(changed.read_text(encoding="utf-8") + " More.", encoding="utf-8")
    rows.append(row("one file changed", [commands.again(folder)], first))
    results.show(rows)
    results.keep(arguments.json, "rescan", {"rescan": rows}, files=arguments.files, kilobytes=arguments.kilobytes)
    shutil.rmtree(folder)


def row(name: str, runs: list[commands.Ran], first: commands.Ran) -> results.Row:
    """A row on one kind of scan."""
    seconds = statistics.median(run.seconds for run in runs)
    return {
        "scan": name,
        "seconds": seconds,
        "seconds computed": statistics.median(run.computed for run in runs),
        "times as fast": first.seconds / seconds,
    }


def make(files: int, size: int, target: int) -> Path:
    """A corpus of that many files of that many bytes."""
    texts = corpus.texts(corpus.make(target))
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


if __name__ == "__main__":
    main()
