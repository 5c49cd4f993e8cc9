"""The suffix array of a shard, and the longest matches of a span in it (rule U4).

The text is all documents, one after the other, each token as its number plus one, and 0 after each document; as
big-endian numbers, so that their bytes sort as they do. A query holds no 0, so no match reaches over the end of a
document. The array lists the places of the text in the order of what follows them: numpy's binary search finds
those that begin like a query, as it compares overlapping strings of bytes in place, without a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from royaltycli.arrays import Mask, Numbers
from royaltycli.limits import MATCH_TOKENS, OCCURRENCES, SKIPPED
from royaltycli.tokens.engines import Ids

Text = npt.NDArray[np.uint32]
"""Tokens in the form that is searched: dtype `>u4`, MATCH_TOKENS zeros at the end."""

Hidden = Callable[[Numbers], Mask]
"""Says of places of a text which of them are to be overlooked, as if they were not there."""

KEY = f"S{4 * MATCH_TOKENS}"

AT_ONCE = 1 << 12
"""Places of a query that are looked for at once: each takes some kilobytes meanwhile, and a text may have very many."""

APART = 1 << 9
"""Tokens between the places of a longer query that are looked for first: of a text that the corpus has word for word
the others need not be."""


@dataclass(frozen=True, slots=True)
class Suffixes:
    """A text, the order of its suffixes, and the document that each place of it is of."""

    text: Text
    order: Numbers
    documents: npt.NDArray[np.int32]

    @property
    def keys(self) -> npt.NDArray[np.bytes_]:
        """What follows each place, as bytes; a view."""
        size = len(self.text) - MATCH_TOKENS
        return np.ndarray((size,), KEY, self.text.view(np.uint8).data, strides=(4,))


def searchable(tokens: Ids, lengths: Numbers) -> Text:
    """The text of documents whose tokens follow one another."""
    text = np.zeros(len(tokens) + len(lengths) + MATCH_TOKENS, ">u4")
    text[np.arange(len(tokens)) + np.repeat(np.arange(len(lengths)), lengths)] = tokens + np.uint32(1)
    return text


def sort_suffixes(text: Text) -> Numbers:
    """The places of a text in the order of what follows them, by libdivsufsort on its bytes."""
    from pydivsufsort import divsufsort  # type: ignore[import-untyped]

    size = len(text) - MATCH_TOKENS
    if not size:
        return np.empty(0, np.int64)
    data = np.ascontiguousarray(text[:size]).view(np.uint8).copy()
    found: npt.NDArray[Any] = np.asarray(divsufsort(data))
    # In numpy's own size of a number: of any other, its binary search would make a copy each time.
    order: Numbers = (found[found % 4 == 0] // 4).astype(np.int64)
    return order


def query_of(tokens: Ids) -> Text:
    """A span in the form that is searched for."""
    return np.concatenate([tokens + np.uint32(1), np.zeros(MATCH_TOKENS, np.uint32)]).astype(">u4")


def longest(suffixes: Suffixes, query: Text, hidden: Hidden | None = None) -> Numbers:
    """How many tokens, from each place of a query on, occur in the text at the most.

    Occurrences at `hidden` places do not count.
    """
    size = len(query) - MATCH_TOKENS
    if not size or not len(suffixes.order):
        return np.zeros(size, np.int64)
    places = np.arange(size)
    if hidden is not None or size <= APART:
        return _longest_from(suffixes, query, places, hidden)
    # No match ends before one that begins earlier: between two that end at one place all others do.
    ends = np.zeros(size, np.int64)
    known = (places % APART == 0) | (places == size - 1)
    changes = np.concatenate([[0], np.cumsum(query[1:] != query[:-1])])
    wanted = np.flatnonzero(known)
    while len(wanted):
        ends[wanted] = wanted + _longest_from(suffixes, query, wanted, None)
        known[wanted] = True
        at = np.flatnonzero(known)
        apart = (np.diff(at) > 1) & (np.diff(ends[at]) > 0)
        first, last = at[:-1][apart], at[1:][apart]
        # Where one token is repeated beyond the end of the last match, all of them are as long.
        alike = changes[first] == changes[ends[last]]
        for start, stop in zip(first[alike].tolist(), last[alike].tolist(), strict=True):
            ends[start:stop] = ends[stop] - np.arange(stop - start, 0, -1)
            known[start:stop] = True
        wanted = (first + last)[~alike] // 2
    found: Numbers = ends[known][np.cumsum(known) - 1] - places
    return found


def _longest_from(suffixes: Suffixes, query: Text, starts: Numbers, hidden: Hidden | None) -> Numbers:
    """The same from some places of a query on."""
    found = np.zeros(len(starts), np.int64)
    every = np.ndarray((len(query) - MATCH_TOKENS,), KEY, query.view(np.uint8).data, strides=(4,))
    for first in range(0, len(starts), AT_ONCE):
        some = starts[first : first + AT_ONCE]
        wanted = every[some]
        ranks = np.searchsorted(suffixes.keys, wanted, sorter=suffixes.order)
        here = _longest_at(suffixes, query, some, ranks, hidden)
        # Of several that begin with all that is compared at once, what comes next decides.
        long = np.flatnonzero(here >= MATCH_TOKENS)
        second = suffixes.order[np.minimum(ranks[long] + 1, len(suffixes.order) - 1)]
        long = long[suffixes.keys[second] == wanted[long]]
        if len(long):
            ends = np.searchsorted(suffixes.keys, wanted[long], side="right", sorter=suffixes.order)
            among = _ranks_among(suffixes, query, some[long], ranks[long], ends)
            here[long] = np.maximum(here[long], _longest_at(suffixes, query, some[long], among, hidden))
        found[first : first + AT_ONCE] = here
    return found


def _longest_at(suffixes: Suffixes, query: Text, starts: Numbers, ranks: Numbers, hidden: Hidden | None) -> Numbers:
    """The same where what follows the starts would stand at these ranks: it is most like its neighbours."""
    found = np.zeros(len(starts), np.int64)
    for step in (-1, 1):
        near = _nearest(suffixes, ranks - (step < 0), step, hidden)
        there = np.flatnonzero(near >= 0)
        same = _common(suffixes.text, suffixes.order[near[there]], query, starts[there])
        found[there] = np.maximum(found[there], same)
    return found


def _ranks_among(suffixes: Suffixes, query: Text, starts: Numbers, low: Numbers, high: Numbers) -> Numbers:
    """Where what follows some starts would stand among the suffixes of the ranks from `low` to `high`.

    These begin with the same key. The first and the last are looked at before those between: what repeats one thing
    stands beside either, and takes long to compare.
    """
    looks = 0
    while len(some := np.flatnonzero(low < high)):
        ends = (low[some], high[some] - 1)
        at = ends[looks] if looks < len(ends) else (low[some] + high[some]) // 2
        places = suffixes.order[at]
        same = _common(suffixes.text, places, query, starts[some])
        before = suffixes.text[places + same] < query[starts[some] + same]
        low[some] = np.where(before, at + 1, low[some])
        high[some] = np.where(before, high[some], at)
        looks += 1
    return low


def _nearest(suffixes: Suffixes, at: Numbers, step: int, hidden: Hidden | None) -> Numbers:
    """The nearest ranks from `at` on, in steps, that are not hidden; -1 where there is none within reach."""
    size = len(suffixes.order)
    if hidden is None:
        return np.where((at >= 0) & (at < size), at, -1)
    found = np.full(len(at), -1)
    active = np.arange(len(at))
    width = 1
    while len(active) and width <= SKIPPED:  # as many more each time as were passed over so far, and one
        ranks = at[active, None] + step * np.arange(width - 1, 2 * width - 1)
        inside = (ranks >= 0) & (ranks < size)
        seen = inside & ~hidden(suffixes.order[ranks.clip(0, size - 1)])
        hit = seen.any(axis=1)
        found[active[hit]] = ranks[hit, seen[hit].argmax(axis=1)]
        active = active[~hit & inside[:, -1]]
        width *= 2
    return found


def _common(text: Text, places: Numbers, query: Text, starts: Numbers) -> Numbers:
    """How many tokens are the same from places of the text, and from starts in the query on."""
    found = np.zeros(len(places), np.int64)
    active = np.arange(len(places))
    steps = np.arange(MATCH_TOKENS)
    while len(active):
        ours, theirs = places[active] + found[active], starts[active] + found[active]
        # Past the end both are 0, which never counts as the same.
        one = text[np.minimum(ours[:, None] + steps, len(text) - 1)]
        two = query[np.minimum(theirs[:, None] + steps, len(query) - 1)]
        differ = (one != two) | (two == 0)
        ends = np.where(differ.any(axis=1), differ.argmax(axis=1), MATCH_TOKENS)
        found[active] += ends
        active = active[ends == MATCH_TOKENS]
    return found


def occurrences(suffixes: Suffixes, runs: Sequence[Ids]) -> list[Numbers]:
    """Where each run of tokens occurs in the text: the first OCCURRENCES in the order of what follows."""
    low = np.zeros((len(runs), MATCH_TOKENS), ">u4")
    high = np.full_like(low, 0xFFFFFFFF)
    for number, tokens in enumerate(runs):
        head = tokens[:MATCH_TOKENS] + np.uint32(1)
        low[number, : len(head)] = high[number, : len(head)] = head
    if not len(suffixes.order) or not runs:
        return [np.empty(0, np.int64) for _ in runs]
    first = np.searchsorted(suffixes.keys, low.view(KEY).ravel(), sorter=suffixes.order)
    last = np.searchsorted(suffixes.keys, high.view(KEY).ravel(), side="right", sorter=suffixes.order)
    found: dict[bytes, Numbers] = {}  # a text that repeats itself has one run very often
    for tokens, start, stop in zip(runs, first.tolist(), last.tolist(), strict=True):
        if (key := tokens.tobytes()) not in found:
            begin, end = (start, stop) if len(tokens) <= MATCH_TOKENS else _all_of_it(suffixes, tokens, start, stop)
            found[key] = np.asarray(suffixes.order[begin:end])[:OCCURRENCES]
    return [found[tokens.tobytes()] for tokens in runs]


def _all_of_it(suffixes: Suffixes, tokens: Ids, start: int, stop: int) -> tuple[int, int]:
    """The ranks that begin with a run, of those that begin with its first MATCH_TOKENS: no more than that is a key."""
    least = query_of(tokens)
    most = least.copy()
    most[len(tokens) :] = 0xFFFFFFFF
    starts = np.array([0, len(least)])
    low, high = _ranks_among(suffixes, np.concatenate([least, most]), starts, np.full(2, start), np.full(2, stop))
    return int(low), int(high)
