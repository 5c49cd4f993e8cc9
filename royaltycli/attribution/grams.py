"""How often each party of documents has each run of tokens: the text models of a shard (rule U5).

A table for each order, in three arrays: the runs as sorted hashes, where the entries of each begin, and the entries,
a unit and a count each. Tables of several shards are added up when they are asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from royaltycli.attribution.hashing import MIX, Hashes, mixed
from royaltycli.tokens.engines import Ids

ORDERS = (1, 2, 3)

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grams:
    """The table of one order: entries `starts[i]` to `starts[i + 1]` are those of `runs[i]`."""

    runs: Hashes
    starts: Numbers
    units: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Found:
    """Entries of the runs of a span: for the run at `places`, `units` have it `counts` times.

    `totals` is how often all have each run of the span, those without an entry included.
    """

    places: Numbers
    units: Numbers
    counts: Numbers
    totals: Numbers


def runs_of(tokens: Ids, order: int) -> Hashes:
    """A hash of each run of so many tokens."""
    size = max(0, len(tokens) - order + 1)
    runs = np.zeros(size, np.uint64)
    for offset in range(order):
        runs = mixed(runs * MIX + tokens[offset : offset + size].astype(np.uint64) + np.uint64(1))
    return runs


def count_grams(tokens: Ids, lengths: Numbers, units: Numbers, order: int) -> Grams:
    """The table of documents whose tokens follow one another, each of a unit."""
    runs, owners = runs_of(tokens, order), np.repeat(units, lengths)
    ends = np.repeat(np.cumsum(lengths), lengths)
    inside = np.arange(len(runs)) + order <= ends[: len(runs)]
    runs, owners = runs[inside], owners[: len(runs)][inside]
    by = np.lexsort((owners, runs))
    runs, owners = runs[by], owners[by]
    first = np.append(True, (runs[1:] != runs[:-1]) | (owners[1:] != owners[:-1]))[: len(runs)]
    entries = np.flatnonzero(first)
    counts = np.diff(np.append(entries, len(runs)))
    runs, owners = runs[entries], owners[entries]
    head = np.flatnonzero(np.append(True, runs[1:] != runs[:-1])[: len(runs)])
    return Grams(runs[head], np.append(head, len(runs)), owners.astype(np.int32), counts.astype(np.int32))


def look_up(tables: Sequence[Grams], runs: Hashes) -> Found:
    """What the tables of one order, one of each shard, have of the runs of a span."""
    parts = [_entries(table, runs) for table in tables]
    places, units, counts = (np.concatenate([part[column] for part in parts]) for column in range(3))
    if len(tables) > 1 and len(places):
        key = places * (int(units.max()) + 1) + units
        unique, at = np.unique(key, return_inverse=True)
        counts = np.bincount(at, counts).astype(np.int64)
        places, units = unique // (int(units.max()) + 1), unique % (int(units.max()) + 1)
    totals = np.bincount(places, counts, minlength=len(runs)).astype(np.int64)
    return Found(places, units, counts, totals)


def _entries(table: Grams, runs: Hashes) -> tuple[Numbers, Numbers, Numbers]:
    if not len(table.runs) or not len(runs):
        empty = np.empty(0, np.int64)
        return empty, empty, empty
    at = np.minimum(np.searchsorted(table.runs, runs), len(table.runs) - 1)
    known = np.flatnonzero(table.runs[at] == runs)
    first, last = table.starts[at[known]], table.starts[at[known] + 1]
    sizes = last - first
    entries = np.repeat(first - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes) + np.arange(sizes.sum())
    return (
        np.repeat(known, sizes).astype(np.int64),
        table.units[entries].astype(np.int64),
        table.counts[entries].astype(np.int64),
    )


def without(found: Found, runs: Hashes, unit: int, left_out: Hashes) -> Found:
    """What is found once some text of a unit, of which these are the runs, is left out."""
    kinds, counts = np.unique(left_out, return_counts=True)
    at = np.minimum(np.searchsorted(kinds, runs), max(0, len(kinds) - 1))
    less = np.where(kinds[at] == runs, counts[at], 0) if len(kinds) else np.zeros(len(runs), np.int64)
    own = np.where(found.units == unit, less[found.places], 0)
    left = found.counts - own
    kept = left > 0
    return Found(found.places[kept], found.units[kept], left[kept], found.totals - less)


def without_unit(found: Found, unit: int) -> Found:
    """What is found once a unit is left out as a whole."""
    kept = found.units != unit
    gone = np.bincount(found.places[~kept], found.counts[~kept], minlength=len(found.totals)).astype(np.int64)
    return Found(found.places[kept], found.units[kept], found.counts[kept], found.totals - gone)
