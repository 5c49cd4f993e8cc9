"""The BM25 index of a shard: its documents in passages of PASSAGE tokens, by bm25s (rule U6).

Terms are the tokens of a passage and their pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from royaltycli.arrays import Floats, Numbers
from royaltycli.attribution.grams import all_of, runs_of
from royaltycli.attribution.hashing import Hashes
from royaltycli.limits import COMMON_TERM
from royaltycli.tokens.engines import Ids

PASSAGE = 128


@dataclass(frozen=True, slots=True)
class Passages:
    """A BM25 index: sorted hashes of terms, and bm25s's sparse matrix of the score of each in each passage.

    `places` says where in the text of the shard each passage begins.
    """

    terms: Hashes
    data: npt.NDArray[np.float32]
    indices: npt.NDArray[np.int32]
    indptr: Numbers
    places: Numbers


@dataclass(frozen=True, slots=True)
class _Lists:
    """Arrays of numbers that are read as lists, which bm25s asks for; as lists they would take ten times the room."""

    arrays: Sequence[npt.NDArray[np.int32]]

    def __len__(self) -> int:
        return len(self.arrays)

    def __iter__(self) -> Iterator[list[int]]:
        return (array.tolist() for array in self.arrays)


def index_passages(tokens: Ids, lengths: Numbers) -> Passages:
    """The index of documents whose tokens follow one another."""
    ends = np.cumsum(lengths).tolist()
    spans = [
        (start, min(start + PASSAGE, end), document)
        for document, (end, length) in enumerate(zip(ends, lengths.tolist(), strict=True))
        for start in range(end - length, end, PASSAGE)
    ]
    places = np.array([start + document for start, _, document in spans], np.int64)  # a 0 follows each document
    if not spans:
        none = np.empty(0, np.int32)
        return Passages(none.astype(np.uint64), none.astype(np.float32), none, np.zeros(1, np.int64), places)
    terms, parts = _numbered(tokens, [(start, stop) for start, stop, _ in spans])
    matrix = _retriever().build_index_from_ids(range(len(terms)), _Lists(parts), show_progress=False)
    return Passages(terms, matrix["data"], matrix["indices"], matrix["indptr"], places)


def _numbered(tokens: Ids, spans: Sequence[tuple[int, int]]) -> tuple[Hashes, list[npt.NDArray[np.int32]]]:
    """The sorted terms of all spans, and those of each by their places in it."""
    found = [terms_of(tokens[start:stop]) for start, stop in spans]
    ends = np.cumsum([len(one) for one in found])
    every = np.concatenate(found)
    del found  # each of these is a large part of all that building an index takes
    terms = np.unique(every)
    return terms, np.split(np.searchsorted(terms, every).astype(np.int32), ends[:-1])


def terms_of(tokens: Ids) -> Hashes:
    """The hashes of the terms of a passage, or of a query."""
    return np.concatenate([runs_of(tokens, 1), runs_of(tokens, 2)])


def scores(shards: Sequence[Passages], tokens: Ids) -> list[Floats]:
    """The score of each passage of some shards for a query: of each of its terms, as often as it has it.

    A term counts by how rare it is in all shards, whichever a passage is in; and for nothing where it is too common.
    """
    query, times = np.unique(terms_of(tokens), return_counts=True)
    ranges = [_ranges(passages, query) for passages in shards]
    rarity = _rarity(sum(len(each.places) for each in shards), np.sum([sizes for _, sizes in ranges], axis=0))
    found = []
    for passages, (first, sizes) in zip(shards, ranges, strict=True):
        worth = times * (rarity / _rarity(len(passages.places), sizes))
        kept = np.where(sizes <= COMMON_TERM, sizes, 0)
        entries = all_of(first, first + kept)
        worths = passages.data[entries] * np.repeat(worth, kept)
        found.append(np.bincount(passages.indices[entries], worths, len(passages.places)).astype(np.float64))
    return found


def _ranges(passages: Passages, query: Hashes) -> tuple[Numbers, Numbers]:
    """Where the entries of each term begin, and how many there are."""
    if not len(passages.terms):
        return np.zeros(len(query), np.int64), np.zeros(len(query), np.int64)
    at = np.minimum(np.searchsorted(passages.terms, query), len(passages.terms) - 1)
    first = passages.indptr[at]
    return first, np.where(passages.terms[at] == query, passages.indptr[at + 1] - first, 0)


def _rarity(passages: int, having: Numbers) -> Floats:
    """How much it says that a passage has a term which so many of all have; this is in the scores of a shard."""
    rarity: Floats = np.log(1 + (passages - having + 0.5) / (having + 0.5))
    return rarity


def _retriever() -> Any:
    import bm25s  # type: ignore[import-untyped]

    return bm25s.BM25(backend="numpy", csc_backend="numpy")
