"""How often each part of the corpus has each run of tokens: the text models of a shard (rule U5).

A table for each order: the runs as sorted hashes, where the entries of each begin, and the entries, an owner, a count
and a weight each. An owner is a fold of a unit. Of a document that repeats a run, each further time weighs less, as
that tells less of what others of the same unit are like; the weights of documents add up. So do those of the folds of
a unit, and tables of several shards, when they are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from royaltycli.arrays import Mask, Numbers
from royaltycli.attribution.hashing import MIX, Hashes, mixed
from royaltycli.limits import COMMON_RUN
from royaltycli.tokens.engines import Ids

ORDERS = (1, 2, 3)

ONCE = 256
"""The weight of a run that a document has once, in whole numbers."""


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

    `totals` is how often all have each run of the span, those without an entry included; `common` are runs that have no
    entries as too many have them.
    """

    places: Numbers
    units: Numbers
    counts: Numbers
    weights: Numbers
    totals: Numbers
    common: Mask


Gone = Callable[[npt.NDArray[Any]], Mask]
"""Which of some owners are to be overlooked."""


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


def look_up(tables: Sequence[Grams], runs: Hashes, gone: Gone | None = None) -> Found:
    """What the tables of one order, one of each shard, have of the runs of a span, by owner; but of those who are gone.

    Runs that too many owners have (COMMON_RUN) are counted, and have no entries.
    """
    ranges = [_ranges(table, runs) for table in tables]
    common = np.sum([last - first for first, last in ranges], axis=0) > COMMON_RUN
    totals = np.zeros(len(runs), np.int64)
    parts = []
    for table, (first, last) in zip(tables, ranges, strict=True):
        for run in np.flatnonzero(common).tolist():
            those = slice(first[run], last[run])
            counted = table.counts[those]
            totals[run] += (counted if gone is None else counted[~gone(table.holders[those])]).sum()
        sizes = np.where(common, 0, last - first)
        entries = all_of(first, first + sizes)
        places, owners = np.repeat(np.arange(len(runs)), sizes), table.holders[entries].astype(np.int64)
        if gone is not None:
            kept = ~gone(owners)
            places, owners, entries = places[kept], owners[kept], entries[kept]
        parts.append((places, owners, table.counts[entries].astype(np.int64), table.weights[entries].astype(np.int64)))
    places, owners, counts, weights = (np.concatenate([part[column] for part in parts]) for column in range(4))
    totals += np.bincount(places, counts, minlength=len(runs)).astype(np.int64)
    found = Found(places, owners, counts, weights, totals, common)
    return found if len(tables) == 1 else _added_up(found, owners)


def of_units(found: Found, folds: int) -> Found:
    """The same by unit, where an owner is one of so many folds of a unit."""
    return _added_up(found, found.units // folds)


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
    return Found(places[first], units[first], counts, weights, found.totals, found.common)


def _ranges(table: Grams, runs: Hashes) -> tuple[Numbers, Numbers]:
    """Where the entries of each run begin and end; at 0 if there are none."""
    if not len(table.runs):
        return np.zeros(len(runs), np.int64), np.zeros(len(runs), np.int64)
    at = np.minimum(np.searchsorted(table.runs, runs), len(table.runs) - 1)
    known = table.runs[at] == runs
    return np.where(known, table.starts[at], 0), np.where(known, table.starts[at + 1], 0)


def all_of(first: Numbers, last: Numbers) -> Numbers:
    """The whole numbers from each of the first up to, but without, its last; one range after the other."""
    sizes = last - first
    return np.repeat(first - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes) + np.arange(sizes.sum())
