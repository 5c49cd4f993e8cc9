"""Documents that are copies, or nearly: found by sketches of what they hold (rule U2).

A sketch is a MinHash (Broder 1997): of each of PARTS hash functions the least value that a run of SHINGLE
tokens of the document has. Two documents agree in a part of their sketches that estimates how much of
their runs they share (Jaccard). Documents that agree in a whole BAND are compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from royaltycli.arrays import Numbers
from royaltycli.attribution.hashing import MIX, Hashes, mixed
from royaltycli.tokens.engines import Ids

SHINGLE, PARTS, BAND = 8, 64, 4
ALIKE = 0.8
"""The part of all runs of two documents that both must hold to count as copies."""

Sketches = npt.NDArray[np.uint32]


def sketches(tokens: Ids, lengths: Numbers) -> Sketches:
    """The sketch of each document, a row of PARTS numbers, from the tokens of all, one after the other."""
    found = np.zeros((len(lengths), PARTS), np.uint32)
    if not len(tokens):
        return found
    runs = _runs(tokens, lengths)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)[:-1]])
    filled = np.flatnonzero(lengths)
    for part, (factor, shift) in enumerate(_functions()):
        hashed = ((runs * factor + shift) >> np.uint64(32)).astype(np.uint32)
        found[filled, part] = np.minimum.reduceat(hashed, starts[filled])
    return found


def _runs(tokens: Ids, lengths: Numbers) -> Hashes:
    """A hash of the run that begins at each token; at the end of a document runs are shorter."""
    ends = np.repeat(np.cumsum(lengths), lengths)
    places = np.arange(len(tokens))
    padded = np.concatenate([tokens.astype(np.uint64) + np.uint64(1), np.zeros(SHINGLE, np.uint64)])
    runs = np.zeros(len(tokens), np.uint64)
    for offset in range(SHINGLE):
        inside = places + offset < ends
        runs = mixed(runs * MIX + np.where(inside, padded[offset : offset + len(tokens)], np.uint64(0)))
    # Only a document shorter than a run is known by shorter ones.
    whole = (places + SHINGLE <= ends) | np.repeat(lengths < SHINGLE, lengths)
    last = np.maximum(ends - SHINGLE, 0)
    return np.where(whole, runs, runs[np.minimum(last, places)])


def _functions() -> list[tuple[np.uint64, np.uint64]]:
    numbers = mixed(np.arange(1, 2 * PARTS + 1, dtype=np.uint64) * MIX)
    return [(factor | np.uint64(1), shift) for factor, shift in zip(numbers[::2], numbers[1::2], strict=True)]


def groups(all_sketches: Sketches, lengths: Numbers) -> Numbers:
    """For each document the first of those that it is a copy of, directly or by others; itself if of none."""
    first: Numbers = np.arange(len(all_sketches))
    filled = np.flatnonzero(lengths)
    for band in range(0, PARTS, BAND):
        keys = np.ascontiguousarray(all_sketches[filled, band : band + BAND]).view(f"V{4 * BAND}").ravel()
        _, head, same = np.unique(keys, return_index=True, return_inverse=True)
        for document, other in zip(filled.tolist(), filled[head[same]].tolist(), strict=True):
            if document != other and _root(first, document) != _root(first, other):
                agree = np.count_nonzero(all_sketches[document] == all_sketches[other])
                if agree >= ALIKE * PARTS:
                    one, two = sorted((_root(first, document), _root(first, other)))
                    first[two] = one
    return np.fromiter((_root(first, document) for document in range(len(first))), np.int64, len(first))


def holders_of(first: Numbers, named: Sequence[Sequence[str]]) -> tuple[list[str], dict[int, tuple[int, ...]]]:
    """The ids of all sources in their order; and by the first of copies, the numbers of those that have one.

    `first` is what `groups` gives, and `named` has the ids of the sources of each document. The sources are in the
    order of the corpus: those of the first copy come first.
    """
    ids = sorted({name for names in named for name in names})
    numbers = {name: number for number, name in enumerate(ids)}
    holders: dict[int, dict[int, None]] = {}
    for group, names in zip(first.tolist(), named, strict=True):
        holders.setdefault(group, {}).update(dict.fromkeys(numbers[name] for name in names))
    return ids, {group: tuple(sources) for group, sources in holders.items()}


def _root(first: Numbers, document: int) -> int:
    while first[document] != document:
        first[document] = first[first[document]]
        document = int(first[document])
    return document
