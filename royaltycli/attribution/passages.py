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


def scores(passages: Passages, tokens: Ids) -> Floats:
    """The score of each passage for a query: of each of its terms that is not too common, as often as it has it."""
    if not len(passages.terms):
        return np.zeros(len(passages.places))
    query, times = np.unique(terms_of(tokens), return_counts=True)
    at = np.minimum(np.searchsorted(passages.terms, query), len(passages.terms) - 1)
    first, last = passages.indptr[at], passages.indptr[at + 1]
    kept = (passages.terms[at] == query) & (last - first <= COMMON_TERM)
    first, last = first[kept], last[kept]
    entries = all_of(first, last)
    worth = passages.data[entries] * np.repeat(times[kept], last - first)
    return np.bincount(passages.indices[entries], worth, len(passages.places)).astype(np.float64)


def _retriever() -> Any:
    import bm25s  # type: ignore[import-untyped]

    return bm25s.BM25(backend="numpy", csc_backend="numpy")
