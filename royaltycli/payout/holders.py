"""The holders of every source, as flat columns (docs/spec-allocation.md, rules H1 to H4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Numbers
from royaltycli.errors import TableError
from royaltycli.payout.basis import TOTAL, Basis
from royaltycli.payout.quotas import Integers


@dataclass(frozen=True, slots=True)
class Parts:
    """One part for every source and holder of it, in the order of the sources and, within one, of holder ids.

    `source` and `holder` say which of `source_ids` and which of `ids` a part is of. `ids` are in code point
    order, `names` go with them. `share` says which of `numerators` (over the common `denominator`) and
    `share_texts` is the holder's share of the source. `counts` is the number of holders of each source.
    """

    source_ids: pa.ChunkedArray
    source: Numbers
    holder: Numbers
    share: Numbers
    counts: Numbers
    ids: pa.Array
    names: pa.Array
    share_texts: pa.Array
    numerators: Integers
    denominator: int


def parts_of(holders: pa.ChunkedArray, source_ids: pa.ChunkedArray) -> Parts:
    """The parts of the column `holders` of a token table. Raises TableError where they make no sense."""
    flat = [pc.list_flatten(chunk) for chunk in holders.chunks]
    lengths = [pc.fill_null(pc.list_value_length(chunk), 0) for chunk in holders.chunks]
    counts = pa.chunked_array(lengths, pa.int32()).to_numpy().astype(np.int64)
    source = np.repeat(np.arange(len(counts)), counts)
    ids, names, shares = (pa.chunked_array([part.field(key) for part in flat], pa.string()) for key in _FIELDS)
    if ids.null_count or shares.null_count:
        raise TableError("the column holders has a holder without id or share; scan the corpus again")
    ids, names, holder = _distinct(ids, names)
    shares, share = _encode(shares)
    numerators, denominator = _numerators(shares)
    _sort_within(source, holder, share, counts, source_ids)
    parts = Parts(source_ids, source, holder, share, counts, ids, names, shares, numerators, denominator)
    _check_whole(parts)
    return parts


def part_weights(basis: Basis, parts: Parts) -> tuple[Integers, int]:
    """The weight of each part, such as its seen tokens, and the total that shares are of; times `parts.denominator`."""
    total = basis.total * parts.denominator
    weights = basis.weights[parts.source]
    numerators = parts.numerators[parts.share]
    if total >= TOTAL:
        weights, numerators = weights.astype(object), numerators.astype(object)
    return weights * numerators, total


def holders_text(holders: pa.ChunkedArray) -> pa.ChunkedArray:
    """The holders of each source as text: `a-rao=0.7;press=0.3`, one holder `a-rao`, none null."""
    return pa.chunked_array([_holders_text(chunk) for chunk in holders.chunks], pa.string())


def _holders_text(holders: pa.ListArray) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(holders), 0)
    counts = lengths.to_numpy(zero_copy_only=False)
    flat = pc.list_flatten(holders)
    ids, shares = flat.field("id"), flat.field("share")
    alone = pa.array(np.repeat(counts == 1, counts))
    texts = pc.if_else(alone, ids, pc.binary_join_element_wise(ids, shares, "="))
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, texts), ";")
    return pc.if_else(pc.equal(lengths, 0), pa.scalar(None, pa.string()), joined)


def _encode(texts: pa.ChunkedArray) -> tuple[pa.Array, Numbers]:
    """The distinct texts in the order in which they are met, and which of them each is."""
    encoded = pc.dictionary_encode(texts.combine_chunks())
    return encoded.dictionary, encoded.indices.to_numpy().astype(np.int64)


def _distinct(ids: pa.ChunkedArray, names: pa.ChunkedArray) -> tuple[pa.Array, pa.Array, Numbers]:
    """Holder ids in code point order, the first name that each is met with, and which of them each part is of."""
    found, codes = _encode(ids)
    first = np.empty(len(found), np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]  # of equal codes the last assignment, the first part, stays
    by_id = np.arange(len(found))
    if not pc.all(pc.less(found[:-1], found[1:])).as_py():
        by_id = pc.sort_indices(found).to_numpy().astype(np.int64)
    rank = np.empty(len(found), np.int64)
    rank[by_id] = np.arange(len(found))
    found = found.take(pa.array(by_id))
    named = names.take(pa.array(first[by_id]))
    return found, pc.coalesce(named.combine_chunks(), found), rank[codes]


def _numerators(shares: pa.Array) -> tuple[Integers, int]:
    """The distinct shares over their least common denominator."""
    values = [_fraction(text) for text in shares.to_pylist()]
    denominator = math.lcm(*(value.denominator for value in values))
    exact = [value.numerator * (denominator // value.denominator) for value in values]
    return np.array(exact, np.int64 if denominator < 2**31 else object), denominator


def _fraction(text: str) -> Fraction:
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(-1)
    if not 0 <= value <= 1:
        raise TableError(f"the column holders has the share {text!r}, but a share is 0.7 or 1/3; scan the corpus again")
    return value


def _sort_within(
    source: Numbers, holder: Numbers, share: Numbers, counts: Numbers, source_ids: pa.ChunkedArray
) -> None:
    """Put the parts of each source in the order of their holder ids; sources with one holder stay untouched."""
    several = np.flatnonzero(np.repeat(counts > 1, counts))
    order = several[np.lexsort((holder[several], source[several]))]
    holder[several], share[several] = holder[order], share[order]
    same = (source[several][1:] == source[several][:-1]) & (holder[several][1:] == holder[several][:-1])
    if same.any():
        row = int(source[several][1:][same][0])
        raise TableError(f"source {source_ids[row]} names a holder twice; scan the corpus again")


def _check_whole(parts: Parts) -> None:
    """The shares of a source make one, so that its whole payout is somebody's."""
    sums = np.zeros(len(parts.counts), parts.numerators.dtype)
    np.add.at(sums, parts.source, parts.numerators[parts.share])
    wrong = (sums != parts.denominator) & (parts.counts > 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        total = Fraction(int(sums[row]), parts.denominator)
        raise TableError(
            f"the shares of source {parts.source_ids[row]} make {total}, not 1; correct the manifest and scan"
        )


_FIELDS = ("id", "name", "share")
