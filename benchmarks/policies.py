"""How long a full policy takes, and the close of a period with it, as multiples of the plain payout.

    python benchmarks/policies.py [--sources 10e6] [--holders 1e6] [--rounds 3]

A token table of very many sources, each of one holder or two of a tenth as many, is paid out by holder as
commands, in turn: without a policy, by one with a gate, a blend, a fixed part, caps, a floor, deductions
and a minimum payment, and as a closed period of a ledger. Their memory is looked at twenty times a second.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import commands
import numpy as np
import pyarrow as pa
import results

sys.path.insert(0, str(Path(__file__).parents[1]))

from royaltycli.storage import write_parquet
from royaltycli.tokens.table import SCHEMA, with_metadata

POLICY = """
name = "full"
[basis]
seen_tokens = "80%"
works = "20%"
[[top]]
part = "5%"
to = "fund:prizes"
[[gate]]
minimum = { tokens = 100 }
to = "pool"
[fixed]
each = "work"
part = "5%"
[[cap]]
per = "source"
amount = "5000.00"
[[cap]]
per = "holder"
amount = "60000.00"
[[floor]]
per = "holder"
amount = "1.00"
below = "leave"
[deductions]
fee = "10%"
withholding = "15%"
reserve = "5%"
[payment]
minimum = "10.00"
"""

SHARED = 4
"""One source in so many has two holders."""


def main() -> None:
    """Measure and print."""
    parser = results.parser(__doc__)
    parser.add_argument("--sources", type=float, default=10e6)
    parser.add_argument("--holders", type=float, default=1e6)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        write_parquet(place / "tokens.parquet", table(int(arguments.sources), int(arguments.holders)))
        (place / "full.toml").write_text(POLICY, encoding="utf-8")
        runs: dict[str, list[commands.Ran]] = {"plain payout": [], "payout by a full policy": [], "close": []}
        for _ in range(arguments.rounds):
            for kind, done in runs.items():
                done.append(measured(kind, place))
    plain = statistics.median(run.seconds for run in runs["plain payout"])
    rows = [row(kind, done, plain) for kind, done in runs.items()]
    print(f"{int(arguments.sources):,} sources of {int(arguments.holders):,} holders, by holder")
    results.show(rows)
    results.keep(arguments.json, "policies", {"policies": rows}, sources=arguments.sources, holders=arguments.holders)


def measured(kind: str, place: Path) -> commands.Ran:
    """One command on the table."""
    tokens, call = str(place / "tokens.parquet"), ["--profit", "500e6", "--rate", "20%"]
    if kind == "close":
        shutil.rmtree(place / "ledger", ignore_errors=True)
        call = ["close", "2026", "--tokens", tokens, "--ledger", str(place / "ledger"), *call]
        return commands.run([*commands.ROYALTY, *call, "--policy", str(place / "full.toml"), "--quiet"], every=0.05)
    call = ["payout", tokens, *call, "--by", "holder", "--top", "25", "--quiet", "-o", str(place / "rows.csv")]
    if kind != "plain payout":
        call += ["--policy", str(place / "full.toml")]
    return commands.run([*commands.ROYALTY, *call], every=0.05)


def row(kind: str, runs: list[commands.Ran], plain: float) -> results.Row:
    """A row on one kind of command."""
    seconds = statistics.median(run.seconds for run in runs)
    peak = max(run.peak for run in runs) / 1e6
    return {"command": kind, "seconds": seconds, "times the plain payout": seconds / plain, "peak, MB": peak}


def table(sources: int, holders: int) -> pa.Table:
    """A token table with few large sources and many small ones, always the same."""
    chance = np.random.default_rng(2026)
    ids = pa.array(np.char.mod("s%09d", np.arange(sources)))
    names = pa.array(np.char.mod("h%08d", np.arange(holders)))
    counts = np.where(chance.integers(0, SHARED, sources) == 0, 2, 1)
    first = chance.integers(0, holders, sources)
    owner = np.repeat(first, counts)
    second = np.flatnonzero(np.repeat(counts, counts) == 2)[1::2]  # noqa: PLR2004 -- two holders
    owner[second] = (owner[second] + 1) % holders
    share = pa.array(["1", "0.5"]).take(pa.array(np.repeat(counts, counts) - 1))
    who = names.take(pa.array(owner))
    parts = pa.StructArray.from_arrays([who, who, share], ["id", "name", "share"])
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    tokens = pa.array(np.minimum(chance.pareto(1.1, sources) * 200 + 1, 1e9).astype(np.int64))
    ones = pa.array(np.ones(sources, np.int64))
    columns = {
        "source_id": ids,
        "title": pa.nulls(sources, pa.string()),
        "holders": pa.ListArray.from_arrays(offsets, parts),
        "license": pa.nulls(sources, pa.string()),
        "documents": ones,
        "bytes": tokens,
        "tokens": tokens,
        "epochs": pa.array(["1"]).take(pa.array(np.zeros(sources, np.int64))),
        "digest": pa.array([bytes(32)], pa.binary(32)).take(pa.array(np.zeros(sources, np.int64))),
        "credited_tokens": tokens,
    }
    cast = [columns[field.name].cast(field.type) for field in SCHEMA]
    return with_metadata(pa.table(cast, schema=SCHEMA), schema="2")


if __name__ == "__main__":
    main()
