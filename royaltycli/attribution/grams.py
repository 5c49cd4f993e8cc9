"""How often each part of the corpus has each run of tokens: the text models of a shard (rule U5).

A table for each order: the runs as sorted hashes, where the entries of each begin, and the entries, an owner, a count
and a weight each. An owner is a fold of a unit. Of a document that repeats a run, each further time weighs less, as
that tells less of what others of the same unit are like; the weights of documents add up. So do those of the folds of
a unit, and tables of several shards, when they are asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from royaltycli.attribution.hashing import MIX, Hashes, mixed
from royaltycli.tokens.engines import Ids

ORDERS = (1, 2, 3)

ONCE = 256
"""The weight of a run that a document has once, in whole numbers."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grams:
    """The table of one order: entries `starts[i]` to `starts[i + 1]` are those of `runs[i]`.

    `holders[i]` has the run of an entry `counts[i]` times. `sums` are the weights of all runs of each of the `owners`.
    """

    runs: Hashes
    starts: Numbers
    holders: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]
    weights: npt.NDArray[np.int32]
    owners: npt.NDArray[np.int32]
    sums: Numbers


@dataclass(frozen=True, slots=True)
class Found:
    """Entries of the runs of a span: for the run at `places`, `units` have it `counts` times, which weighs `weights`.

    `totals` is how often all have each run of the span, those without an entry included.
    """

    places: Numbers
    units: Numbers
    counts: Numbers
    weights: Numbers
    totals: Numbers


def weight_of(counts: Numbers) -> Numbers:
    """What a document's occurrences of a run weigh together: ONCE times the logarithm to base 2 of one more."""
    weights: Numbers = np.rint(ONCE * np.log2(counts + 1.0)).astype(np.int64)
    return weights


def runs_of(tokens: Ids, order: int) -> Hashes:
    """A hash of each run of so many tokens."""
    size = max(0, len(tokens) - order + 1)
    runs = np.zeros(size, np.uint64)
    for offset in range(order):
        runs = mixed(runs * MIX + tokens[offset : offset + size].astype(np.uint64) + np.uint64(1))
    return runs


def count_grams(tokens: Ids, lengths: Numbers, owners: Numbers, order: int) -> Grams:
    """The table of documents whose tokens follow one another; a run is the owner's of its first token."""
    runs, documents = runs_of(tokens, order), np.repeat(np.arange(len(lengths)), lengths)
    ends = np.repeat(np.cumsum(lengths), lengths)
    inside = np.arange(len(runs)) + order <= ends[: len(runs)]
    runs, documents, owners = runs[inside], documents[: len(runs)][inside], owners[: len(runs)][inside]
    by = np.lexsort((documents, owners, runs))
    runs, documents, owners = runs[by], documents[by], owners[by]
    entries = _firsts(runs, owners)
    of_documents = _firsts(runs, owners, documents)
    weights = weight_of(np.diff(np.append(of_documents, len(runs))))
    counts = np.diff(np.append(entries, len(runs)))
    weights = np.add.reduceat(weights, np.searchsorted(of_documents, entries)) if len(entries) else weights
    runs, owners = runs[entries], owners[entries]
    head = _firsts(runs)
    every, at = np.unique(owners, return_inverse=True)
    return Grams(
        runs[head],
        np.append(head, len(runs)),
        owners.astype(np.int32),
        counts.astype(np.int32),
        weights.astype(np.int32),
        every.astype(np.int32),
        np.bincount(at, weights).astype(np.int64),
    )


def _firsts(*columns: npt.NDArray[Any]) -> Numbers:
    """The rows that differ from the row before in any column."""
    differ = np.zeros(len(columns[0]), bool)
    differ[:1] = True
    for column in columns:
        differ[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(differ)


def look_up(tables: Sequence[Grams], runs: Hashes) -> Found:
    """What the tables of one order, one of each shard, have of the runs of a span, by owner."""
    parts = [_entries(table, runs) for table in tables]
    places, owners, counts, weights = (np.concatenate([part[column] for part in parts]) for column in range(4))
    totals = np.bincount(places, counts, minlength=len(runs)).astype(np.int64)
    found = Found(places, owners, counts, weights, totals)
    return found if len(tables) == 1 else _added_up(found, owners)


def of_units(found: Found, folds: int, fold: int | None = None, unit: int | None = None) -> Found:
    """The same by unit, where an owner is one of so many folds of a unit; without one fold of all, or one unit."""
    units = found.units // folds
    if fold is not None or unit is not None:
        kept = np.ones(len(units), bool)
        if fold is not None:
            kept &= found.units % folds != fold
        if unit is not None:
            kept &= units != unit
        gone = np.bincount(found.places[~kept], found.counts[~kept], minlength=len(found.totals)).astype(np.int64)
        entries = (found.places[kept], found.units[kept], found.counts[kept], found.weights[kept])
        found, units = Found(*entries, found.totals - gone), units[kept]
    return _added_up(found, units)


def _added_up(found: Found, units: Numbers) -> Found:
    """One entry for each run and unit."""
    if not len(units):
        return found
    places, counts, weights = found.places, found.counts, found.weights
    keys = places * (int(units.max()) + 1) + units
    if (keys[1:] < keys[:-1]).any():  # those of one table are in order
        order = np.argsort(keys, kind="stable")
        keys, places, units = keys[order], places[order], units[order]
        counts, weights = counts[order], weights[order]
    first = _firsts(keys)
    counts, weights = (np.add.reduceat(each, first) for each in (counts, weights))
    return Found(places[first], units[first], counts, weights, found.totals)


def _entries(table: Grams, runs: Hashes) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    if not len(table.runs) or not len(runs):
        empty = np.empty(0, np.int64)
        return empty, empty, empty, empty
    at = np.minimum(np.searchsorted(table.runs, runs), len(table.runs) - 1)
    known = np.flatnonzero(table.runs[at] == runs)
    first, last = table.starts[at[known]], table.starts[at[known] + 1]
    entries = all_of(first, last)
    return (
        np.repeat(known, last - first).astype(np.int64),
        table.holders[entries].astype(np.int64),
        table.counts[entries].astype(np.int64),
        table.weights[entries].astype(np.int64),
    )


def all_of(first: Numbers, last: Numbers) -> Numbers:
    """The whole numbers from each of the first up to, but without, its last; one range after the other."""
    sizes = last - first
    return np.repeat(first - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes) + np.arange(sizes.sum())
